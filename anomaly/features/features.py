"""The windows and the sums once, then every indicator in one plan: bilateral → features."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from anomaly.contract import schema
from anomaly.contract.settings import Settings
from anomaly.features import exporter_totals, neighbour_codes, window_table, windows
from anomaly.features.comparative_advantage import Exports, exports, place
from anomaly.features.grid import UNKNOWN, Amounts, Grid, Ids, Names, lay
from anomaly.features.measure import Measured, Once, are_whole, by_month, compare, measure
from anomaly.features.refusals import edition_bits, refusals
from anomaly.features.windows import Known, Window
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import price_surge

ROWS_THAT_SHOW_A_CUT = 1_000  # a dataset this long without a small value leaves them out
NO_BASELINE = "no baseline"
_FIXED = tuple(schema.Features.column_names())


@dataclass(frozen=True, slots=True)
class Plan:
    """What every chunk shares: coverage as lookups, totals over all goods and the windows to compute, per frequency.

    broken    families.broken: changes of HS edition across which a good is never compared
    cut_off   datasets that leave out small values: source, dataset, smallest_published_usd
    """

    known: dict[str, Known]
    exports: dict[str, Exports]
    windows: dict[str, list[Window]]
    broken: pl.DataFrame
    exporters: dict[str, Amounts]
    cut_off: pl.DataFrame


@cache
def table_schema() -> type[dy.Schema]:
    """The contract of features: the fixed columns and one nullable Float64 per indicator of the registry."""
    columns: dict[str, Any] = {
        indicator.name: dy.Float64(nullable=True, description=indicator.says, metadata={"unit": indicator.unit})
        for indicator in INDICATORS
    }
    return type("FeaturesWithIndicators", (schema.Features,), columns)


def plan(
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    settings: Settings,
    totals: pl.DataFrame | None = None,
    wanted: pl.DataFrame | None = None,
) -> Plan:
    """Lookups and windows for all chunks of a run.

    Parameters
    ----------
    coverage, scope : DataFrame
        coverage.build: who reported which period, and what each dataset holds.
    broken : DataFrame
        families.broken: good, newer_edition.
    settings : Settings
        Scenario: baseline years, lengths of windows, the floor under a dataset's smallest value.
    totals : DataFrame, optional
        exporter_totals.build over all of bilateral; without it the growth of an exporter as a whole is unknown.
    wanted : DataFrame, optional
        window_table of the windows to compute; all that are worth computing if not given.

    Returns
    -------
    Plan
        For `build` and `build_each`.
    """
    known = {freq: windows.know(coverage, scope, freq) for freq in sorted(coverage["freq_code"].unique())}
    wanted = window_table.worth_computing(coverage, scope, settings) if wanted is None else wanted
    nothing = np.full((0, 0), UNKNOWN, dtype=np.int64)
    whole = {freq: nothing if totals is None else exporter_totals.spread(totals, one) for freq, one in known.items()}
    sold = {freq: exports(coverage, one) for freq, one in known.items()}
    return Plan(known, sold, window_table.by_frequency(wanted, known), broken, whole, _cut_off(known, settings))


def build(chunk: pl.DataFrame, of: Plan, settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features and refused comparisons of whole headings.

    chunk   bilateral, whole headings (goods.HEADING_DIGITS), sorted by good, frequency, exporter, importer, period

    Returns (features, refused). A route has a row for a window where both windows are known and its value is
    material; a route to a target also where the year before was: what fell after a measure is not forgotten. Every sum
    over reporters holds only those that reported both windows.
    """
    measured = []
    refused = [pl.DataFrame(schema=_schema_of(schema.Refused))]
    grids = lay(chunk, of.known) if chunk.height else {}
    del chunk  # its texts are half of what is held
    for freq, grid in grids.items():
        once = _once(grid, of, settings)
        for window in of.windows[freq]:
            compared = compare(grid, window, once.broken_by)
            if (one := refusals(grid, window, compared, once.is_target, settings)) is not None:
                refused.append(one)
            measured.append(measure(grid, grids.get("M"), once, window, compared, settings))
    key = ["good", *[name for name in schema.ROUTE_KEY if name != "good"]]
    names = next((grid.names for grid in grids.values()), None)
    features = [pl.DataFrame(schema=_schema_of(table_schema()))]
    if names is not None and measured:
        features.append(_as_frame(measured, names, of.cut_off, settings))
    return pl.concat(features), pl.concat(refused).sort(key)


def _once(grid: Grid, of: Plan, settings: Settings) -> Once:
    freq, names = grid.known.freq_code, grid.names
    is_coalition = names.are(settings.coalition.countries)
    return Once(
        is_coalition,
        names.are(settings.targets.countries),
        are_whole(grid),
        edition_bits(of.broken, names.goods),
        neighbour_codes.pairs(grid),
        place(grid, of.exports[freq]),
        of.exporters[freq],
        by_month(grid, of.windows[freq], is_coalition, settings),
    )


def build_each(
    chunks: Iterable[pl.DataFrame], of: Plan, settings: Settings, threads: int = 2
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """`build` of each chunk, in order, several at a time; memory is that of `threads` + 1 chunks.

    A chunk has one thread: those of a small product of matrices would only wait for each other.
    """
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[pl.DataFrame, pl.DataFrame]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_build_and_let_go, [chunk], of, settings))
            del chunk
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _build_and_let_go(chunk: list[pl.DataFrame], of: Plan, settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`build` of the only chunk in the list, which nothing holds any more when `build` lets go of it."""
    return build(chunk.pop(), of, settings)


def _schema_of(contract: type[dy.Schema]) -> dict[str, Any]:
    return {name: column.dtype for name, column in contract.columns().items()}


def _as_frame(measured: Sequence[Measured], names: Names, cut_off: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """All windows of a chunk in one frame, in the order of the key: numbers become names, UNKNOWN becomes null."""
    told = _windows_told([one.window for one in measured], settings)
    number = np.repeat(np.arange(len(measured)), [len(one.columns["good"]) for one in measured])
    order = _order(measured, told, number)
    number = number[order]
    # each window's column is let go as it is taken: the output is most of what a chunk holds
    columns = {
        name: np.concatenate([one.columns.pop(name) for one in measured])[order] for name in list(measured[0].columns)
    }
    for leg in ("target_says", "hub_says"):
        columns[leg] = columns[leg] + np.cumsum([0, *[len(one.texts) for one in measured]])[number]
    good, exporter, importer = (columns.pop(name) for name in ("good", "exporter", "importer"))
    kind, target_says, hub_says = (columns.pop(name) for name in ("kind", "target_says", "hub_says"))
    neighbour = columns.pop("neighbour")
    kinds = names.kinds.join(cut_off, on=["source", "dataset"], how="left", maintain_order="left")
    texts = pl.Series([text for one in measured for text in one.texts], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "good": names.goods.gather(good),
            "exporter_iso": names.countries.gather(exporter),
            "importer_iso": names.countries.gather(importer),
            "role": _roles(names, settings).gather(importer),
            "neighbour_fell_good": neighbour_codes.named(neighbour, names.goods),
            "coalition_to_target_compared": texts.gather(target_says),
            "coalition_to_hub_compared": texts.gather(hub_says),
            **{column: kinds[column].gather(kind) for column in kinds.columns},
            **columns,
            "_good_in_window": good * len(measured) + number,
        }
    )
    amounts = pl.col([name for name, one in columns.items() if one.dtype == np.int64])
    frame = frame.with_columns(pl.when(amounts >= 0).then(amounts), pl.col(pl.Float64).fill_nan(None))
    return _with_indicators(frame.hstack(told[number]), settings)


def _cut_off(known: dict[str, Known], settings: Settings) -> pl.DataFrame:
    """Datasets that leave out small values; only a long one can show it."""
    return (
        pl.concat([one.partners for one in known.values()])
        .group_by("source", "dataset")
        .agg(rows=pl.col("rows").sum(), smallest_published_usd=pl.col("smallest_value_usd").min())
        .filter(pl.col("rows") >= ROWS_THAT_SHOW_A_CUT, pl.col("smallest_published_usd") >= settings.extract_floor_usd)
        .drop("rows")
    )


def _order(measured: Sequence[Measured], told: pl.DataFrame, number: Ids) -> Ids:
    """Where the rows go: by good, window, exporter, importer and gap, all of them as one number."""

    def whole(name: str) -> Ids:
        return np.concatenate([one.columns[name] for one in measured]).astype(np.int64)

    window = told.select(pl.struct("freq_code", "window_months", "window_end").rank("dense")).to_series().to_numpy()
    gap = told["baseline_gap_years"].to_numpy()
    key = whole("good")
    for part in (window[number], whole("exporter"), whole("importer"), gap[number]):
        key = key * (int(part.max(initial=0)) + 1) + part.astype(np.int64, copy=False)
    return np.argsort(key, kind="stable")


def _windows_told(windows: Sequence[Window], settings: Settings) -> pl.DataFrame:
    """What the rows of each window share."""
    return pl.DataFrame(
        {
            "freq_code": [one.freq_code for one in windows],
            "window_months": pl.Series([one.months for one in windows], dtype=pl.Int16),
            "window_end": pl.Series([one.end for one in windows], dtype=pl.Date),
            "baseline_gap_years": pl.Series([one.gap_years for one in windows], dtype=pl.Int8),
            "baseline_years": [_span(one.baseline_years) for one in windows],
            "is_before_sanctions": [one.end < settings.sanctions_since.replace(day=1) for one in windows],
        }
    )


def _with_indicators(frame: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    value = pl.col("value_usd")
    among = (
        pl.col("unit_value_usd_per_kg", "price_surge_log")
        .filter(is_material(settings))
        .median()
        .over("_good_in_window")
    )
    is_nothing = (pl.col("value_prior_year_usd") == 0) & (pl.col("value_baseline_usd") == 0)
    is_told = pl.col("smallest_published_usd").is_null()
    floor = float(settings.floor_usd)
    return (
        frame.with_columns(
            largest_period_share=pl.when(value > 0).then(pl.col("largest_period_usd") / value),
            break_month=pl.col("break_day").cast(pl.Int32).cast(pl.Date),
            lead_lag_months=pl.col("lead_lag_months").cast(pl.Int8),
            baseline_is_nothing=pl.when(is_told | ~is_nothing).then(is_nothing),
        )
        .with_columns(price_surge_log=price_surge(floor))
        .with_columns(among.name.prefix("median_"))
        .with_columns([indicator.expr(floor).cast(pl.Float64).alias(indicator.name) for indicator in INDICATORS])
        .select(*_FIXED, *[indicator.name for indicator in INDICATORS])
    )


def _roles(names: Names, settings: Settings) -> pl.Series:
    """The role of each country as an importer."""
    return pl.Series([settings.role_of(country) for country in names.countries], dtype=pl.String)


def _span(years: Sequence[int]) -> str:
    return f"{years[0]}-{years[-1]}" if years else NO_BASELINE


def is_material(settings: Settings) -> pl.Expr:
    """The rows of features that are scored; the others are routes that were material a year before only."""
    return pl.col("value_usd") >= settings.materiality_usd
