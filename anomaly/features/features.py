"""The windows and the sums once, then every indicator in one plan: bilateral → features."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import dataframely as dy
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from anomaly.bilateral.known import cut_by_value
from anomaly.contract import schema
from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.settings import Settings
from anomaly.features import counterfactual, exporter_totals, marks, neighbour_codes, peers, window_table
from anomaly.features.cells import UNKNOWN
from anomaly.features.comparative_advantage import Exports, exports, place
from anomaly.features.grid import Grid, Names, lay
from anomaly.features.marks import Amounts, Ids, Known
from anomaly.features.measure import Measured, Once, are_whole, by_month, compare, measure
from anomaly.features.refusals import edition_bits, refusals
from anomaly.features.windows import Comparison
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import price_surge

NO_BASELINE = "no baseline"
Result = TypeVar("Result")
_FIXED = tuple(schema.Features.column_names())


@dataclass(frozen=True, slots=True)
class Plan:
    """What every chunk shares; all but the last two by frequency, A or M.

    Parameters
    ----------
    known : dict of str to Known
        Who reported what.
    exports : dict of str to Exports
        Exports of all goods by reporter.
    comparisons : dict of str to list of Comparison
        Windows to compute.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    exporters : dict of str to array of int
        exporter_totals.spread; empty arrays where there are no totals.
    cut_off : polars.DataFrame
        Datasets that leave out small values: source, dataset, smallest_published_usd.
    pairs : dict of tuple to peers.Pairs
        How all that an exporter sells an importer rose, by comparison; empty where it is not known.
    """

    known: dict[str, Known]
    exports: dict[str, Exports]
    comparisons: dict[str, list[Comparison]]
    broken: pl.DataFrame
    exporters: dict[str, Amounts]
    cut_off: pl.DataFrame
    pairs: dict[tuple[Any, ...], peers.Pairs]


@cache
def table_schema() -> type[dy.Schema]:
    """The contract of features: the fixed columns and one nullable Float64 per indicator of the registry.

    Returns
    -------
    type of dataframely.Schema
        schema.Features with the indicators in the registry's order.
    """
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
    windows: pl.DataFrame | None = None,
    pairs: pl.DataFrame | None = None,
) -> Plan:
    """Lookups and windows for all chunks of a run.

    Parameters
    ----------
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    settings : Settings
        Scenario: baseline years, lengths of windows, months a year so far needs, smallest value of an extract.
    totals : polars.DataFrame, optional
        exporter_totals.build over all of bilateral; without it the growth of an exporter as a whole is unknown.
    windows : polars.DataFrame, optional
        window_table of the windows to compute; all that are worth computing if not given.
    pairs : polars.DataFrame, optional
        features.pairs over all of bilateral; without it the rise of an exporter's other goods is unknown.

    Returns
    -------
    Plan
        For `build` and `build_each`.
    """
    known = {freq: marks.know(coverage, scope, freq) for freq in sorted(coverage["freq_code"].unique())}
    windows = window_table.worth_computing(coverage, scope, settings) if windows is None else windows
    nothing = np.full((0, 0), UNKNOWN, dtype=np.int64)
    total_of = {
        freq: nothing if totals is None else exporter_totals.spread(totals, of_freq) for freq, of_freq in known.items()
    }
    sold = {freq: exports(coverage, of_freq) for freq, of_freq in known.items()}
    cut_off = cut_by_value(scope, settings.extract_floor_usd)
    comparisons = window_table.by_frequency(windows, known)
    return Plan(
        known, sold, comparisons, broken, total_of, cut_off, {} if pairs is None else peers.by_comparison(pairs)
    )


def build(chunk: pl.DataFrame, plan: Plan, settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features and refused comparisons of whole headings.

    A route has a row for a window where both windows are known and its value is material; a route to a target also
    where the year before was: what fell after a measure is not forgotten. Every sum over reporters holds only those
    that reported both windows.

    Parameters
    ----------
    chunk : polars.DataFrame
        Rows of bilateral, whole headings (goods.HEADING_DIGITS), sorted by good, frequency, exporter,
        importer and period.
    plan : Plan
        What all chunks share.
    settings : Settings
        Scenario: roles of countries, floor, materiality, baseline years, sanctions_since.

    Returns
    -------
    tuple of polars.DataFrame
        Columns of `table_schema` and of schema.Refused, each sorted by good and the rest of its key.
    """
    measured = []
    refused = [pl.DataFrame(schema=_schema_of(schema.Refused))]
    grids = lay(chunk, plan.known, settings.targets.countries) if chunk.height else {}
    del chunk  # its texts are half of what is held
    for freq, grid in grids.items():
        once = _once(grid, plan, settings)
        for comparison in plan.comparisons[freq]:
            compared = compare(grid, comparison, once.broken_by)
            if (of_window := refusals(grid, comparison, compared, once.is_target, settings)) is not None:
                refused.append(of_window)
            measured.append(measure(grid, grids.get("M"), once, comparison, compared, settings))
    key = ["good", *[name for name in schema.ROUTE_KEY if name != "good"]]
    names = next((grid.names for grid in grids.values()), None)
    features = [pl.DataFrame(schema=_schema_of(table_schema()))]
    if names is not None and measured:
        features.append(_as_frame(measured, names, plan.cut_off, settings))
    return pl.concat(features), pl.concat(refused).sort(key)


def _once(grid: Grid, plan: Plan, settings: Settings) -> Once:
    freq, names = grid.known.freq_code, grid.names
    is_coalition = names.are(settings.coalition.countries)
    return Once(
        is_coalition,
        names.are(settings.targets.countries),
        names.are([country for country in names.countries if settings.role_of(country) == "other"]),
        are_whole(grid),
        edition_bits(plan.broken, names.goods),
        neighbour_codes.pairs(grid),
        place(grid, plan.exports[freq]),
        plan.exporters[freq],
        by_month(grid, plan.comparisons[freq], is_coalition, settings),
        plan.pairs,
    )


def established(chunk: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
    """The established routes of whole headings in every window, chosen by their baseline alone.

    Parameters
    ----------
    chunk : polars.DataFrame
        As for `build`.
    plan : Plan
        What all chunks share; of it neither totals nor pairs are looked at.
    settings : Settings
        Scenario: roles of countries, floor.

    Returns
    -------
    polars.DataFrame
        peers.COLUMNS.
    """
    parts = []
    for freq, grid in (lay(chunk, plan.known, settings.targets.countries) if chunk.height else {}).items():
        is_coalition = grid.names.are(settings.coalition.countries)
        broken_by = edition_bits(plan.broken, grid.names.goods)
        parts += [
            peers.rises_of(grid, comparison, compare(grid, comparison, broken_by), is_coalition, settings)
            for comparison in plan.comparisons[freq]
            if comparison.baseline_years
        ]
    return peers.joined(parts)


def build_each(
    chunks: Iterable[pl.DataFrame], plan: Plan, settings: Settings, threads: int = 2
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """`build` of each chunk, in order, several at a time.

    Parameters
    ----------
    chunks : iterable of polars.DataFrame
        As for `build`; taken one by one.
    plan : Plan
        What all chunks share.
    settings : Settings
        As for `build`.
    threads : int
        Chunks at a time.

    Yields
    ------
    tuple of polars.DataFrame
        Features and refused comparisons of the next chunk, as `build` gives them.
    """
    yield from _in_threads(build, chunks, plan, settings, threads)


def established_each(
    chunks: Iterable[pl.DataFrame], plan: Plan, settings: Settings, threads: int = 2
) -> Iterator[pl.DataFrame]:
    """`established` of each chunk, in order, several at a time.

    Parameters
    ----------
    chunks : iterable of polars.DataFrame
        As for `build`; taken one by one.
    plan : Plan
        What all chunks share.
    settings : Settings
        As for `established`.
    threads : int
        Chunks at a time.

    Yields
    ------
    polars.DataFrame
        The established routes of the next chunk.
    """
    yield from _in_threads(established, chunks, plan, settings, threads)


def _in_threads(
    build: Callable[[pl.DataFrame, Plan, Settings], Result],
    chunks: Iterable[pl.DataFrame],
    plan: Plan,
    settings: Settings,
    threads: int,
) -> Iterator[Result]:
    """Memory is that of `threads` + 1 chunks. A chunk has one thread: those of a small product of matrices would only wait."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_build_and_let_go, build, [chunk], plan, settings))
            del chunk
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _build_and_let_go(
    build: Callable[[pl.DataFrame, Plan, Settings], Result], chunk: list[pl.DataFrame], plan: Plan, settings: Settings
) -> Result:
    """`build` of the only chunk in the list, which nothing holds any more when `build` lets go of it."""
    return build(chunk.pop(), plan, settings)


def _schema_of(contract: type[dy.Schema]) -> dict[str, Any]:
    return {name: column.dtype for name, column in contract.columns().items()}


def _as_frame(measured: Sequence[Measured], names: Names, cut_off: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """All windows of a chunk in one frame, in the order of the key: numbers become names, UNKNOWN becomes null."""
    of_window = _window_columns([part.comparison for part in measured], settings)
    number = np.repeat(np.arange(len(measured)), [len(part.columns["good"]) for part in measured])
    order = _order(measured, of_window, number)
    number = number[order]
    # each window's column is let go as it is taken: the output is most of what a chunk holds
    columns = {
        name: np.concatenate([part.columns.pop(name) for part in measured])[order] for name in list(measured[0].columns)
    }
    for leg in ("target_says", "hub_says"):
        columns[leg] = columns[leg] + np.cumsum([0, *[len(part.texts) for part in measured]])[number]
    good, exporter, importer = (columns.pop(name) for name in ("good", "exporter", "importer"))
    kind, target_says, hub_says = (columns.pop(name) for name in ("kind", "target_says", "hub_says"))
    neighbour = columns.pop("neighbour")
    kinds = names.kinds.join(cut_off, on=["source", "dataset"], how="left", maintain_order="left")
    texts = pl.Series([text for part in measured for text in part.texts], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "good": names.goods.gather(good),
            "exporter_iso": names.countries.gather(exporter),
            "importer_iso": names.countries.gather(importer),
            "role": _roles(names, settings).gather(importer),
            "direct_target_iso": _named(columns.pop("direct_target"), names.countries),
            "neighbour_fell_good": neighbour_codes.named(neighbour, names.goods),
            "coalition_to_target_compared": texts.gather(target_says),
            "coalition_to_hub_compared": texts.gather(hub_says),
            **{column: kinds[column].gather(kind) for column in kinds.columns},
            **columns,
            "_good_in_window": good * len(measured) + number,
        }
    )
    amounts = pl.col([name for name, values in columns.items() if values.dtype == np.int64])
    frame = frame.with_columns(pl.when(amounts >= 0).then(amounts), pl.col(pl.Float64).fill_nan(None))
    return _with_indicators(frame.hstack(of_window[number]), settings)


def _named(number: Any, countries: pl.Series) -> pl.Series:
    """The countries of numbers, null where there is none."""
    return countries.gather(pl.Series(number).replace(UNKNOWN, None))


def _order(measured: Sequence[Measured], of_window: pl.DataFrame, number: Ids) -> Ids:
    """Where the rows go: by good, window, exporter, importer and gap, all of them as one number."""

    def stacked(name: str) -> Ids:
        return np.concatenate([part.columns[name] for part in measured]).astype(np.int64)

    window_key = pl.struct(WINDOW_KEY)
    window = of_window.select(window_key.rank("dense")).to_series().to_numpy()
    gap = of_window["baseline_gap_years"].to_numpy()
    key = stacked("good")
    for part in (window[number], stacked("exporter"), stacked("importer"), gap[number]):
        key = key * (int(part.max(initial=0)) + 1) + part.astype(np.int64, copy=False)
    return np.argsort(key, kind="stable")


def _window_columns(comparisons: Sequence[Comparison], settings: Settings) -> pl.DataFrame:
    """What the rows of each window share."""
    windows, since = [comparison.window for comparison in comparisons], settings.sanctions_since.replace(day=1)
    return pl.DataFrame(
        {
            "freq_code": [window.freq_code for window in windows],
            "window_months": pl.Series([window.months for window in windows], dtype=pl.Int16),
            "window_end": pl.Series([window.end for window in windows], dtype=pl.Date),
            "baseline_gap_years": pl.Series([comparison.gap_years for comparison in comparisons], dtype=pl.Int8),
            "baseline_years": [_span(comparison.baseline_years) for comparison in comparisons],
            "is_before_sanctions": [window.end < since for window in windows],
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
    shows_small_values = pl.col("smallest_published_usd").is_null()
    floor = float(settings.floor_usd)
    return (
        frame.with_columns(
            largest_period_share=pl.when(value > 0).then(pl.col("largest_period_usd") / value),
            break_month=pl.col("break_day").cast(pl.Int32).cast(pl.Date),
            lead_lag_months=pl.col("lead_lag_months").cast(pl.Int8),
            baseline_is_nothing=pl.when(shows_small_values | ~is_nothing).then(is_nothing),
        )
        .with_columns(*_effects(), price_surge_log=price_surge(floor))
        .with_columns(counterfactual_rise_log=counterfactual.rise_log(floor))
        .with_columns(counterfactual_usd=counterfactual.value_usd(floor))
        .with_columns(among.name.prefix("median_"))
        .with_columns([indicator.expr(floor).cast(pl.Float64).alias(indicator.name) for indicator in INDICATORS])
        .select(*_FIXED, *[indicator.name for indicator in INDICATORS])
    )


def _effects() -> list[pl.Expr]:
    """Of the peers' medians what their number makes known."""
    return [
        peers.shrunk(pl.col(f"{side}_rise_log"), pl.col(f"{side}_peers"), least).alias(f"{side}_rise_log")
        for side, least in (("good_importer", peers.LEAST_SELLERS), ("exporter_importer", peers.LEAST_GOODS))
    ]


def _roles(names: Names, settings: Settings) -> pl.Series:
    """The role of each country as an importer."""
    return pl.Series([settings.role_of(country) for country in names.countries], dtype=pl.String)


def _span(years: Sequence[int]) -> str:
    return f"{years[0]}-{years[-1]}" if years else NO_BASELINE


def is_material(settings: Settings) -> pl.Expr:
    """The rows of features that are scored; the others are routes that were material a year before only.

    Parameters
    ----------
    settings : Settings
        Scenario: materiality.

    Returns
    -------
    polars.Expr
        Boolean over value_usd.
    """
    return pl.col("value_usd") >= settings.materiality_usd
