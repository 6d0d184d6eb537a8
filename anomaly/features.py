"""The windows and the joins once, then every indicator in one plan: bilateral → features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl

from anomaly import schema, windows
from anomaly.indicators import INDICATORS
from anomaly.legs import LEG_COLUMNS, coalition_legs, mirror_legs
from anomaly.refusals import Breaks, refusals
from anomaly.settings import Settings
from anomaly.windows import UNKNOWN, Grid, Known, Window

PARTNERS_OF_A_WHOLE_DATASET = 10  # an extract with fewer partners cannot say what is sold elsewhere
NO_BASELINE = "no baseline"
_FIXED = tuple(schema.Features.column_names())


@dataclass(frozen=True, slots=True)
class Plan:
    """What every chunk shares: coverage as lookups and the windows to compute, per frequency."""

    known: dict[str, Known]
    windows: dict[str, list[Window]]
    breaks: Breaks


def table_schema() -> type[dy.Schema]:
    """The contract of features: the fixed columns and one nullable Float64 per indicator of the registry."""
    columns: dict[str, Any] = {
        indicator.name: dy.Float64(nullable=True, description=indicator.says, metadata={"unit": indicator.unit})
        for indicator in INDICATORS
    }
    return type("FeaturesWithIndicators", (schema.Features,), columns)


def plan(coverage: pl.DataFrame, scope: pl.DataFrame, breaks: Breaks, settings: Settings) -> Plan:
    """Lookups and windows for all chunks of a run."""
    known = {freq: windows.know(coverage, scope, freq) for freq in sorted(coverage["freq_code"].unique())}
    wanted = {
        freq: windows.plan(one, settings.window_months, settings.baseline_years, settings.least_months)
        for freq, one in known.items()
    }
    return Plan(known, wanted, breaks)


def build(chunk: pl.DataFrame, of: Plan, settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features and refused comparisons of whole goods.

    chunk   bilateral, whole goods, sorted by good, frequency, exporter, importer, period

    Returns (features, refused). A route has a row for a window where both windows are known and its value is
    material; every sum over reporters holds only those that reported both windows.
    """
    grids = {
        freq: windows.lay(part, of.known[freq])
        for freq in of.known
        if (part := chunk.filter(pl.col("freq_code") == freq)).height
    }
    measured, refused = (
        [pl.DataFrame(schema=_schema_of(table_schema()))],
        [pl.DataFrame(schema=_schema_of(schema.Refused))],
    )
    for freq, grid in grids.items():
        for window in of.windows[freq]:
            compared = compare(grid, window, of.breaks)
            refused.append(refusals(grid, window, compared, settings))
            measured.append(_measure(grid, grids.get("M"), window, compared, of, settings))
    key = ["good", *[name for name in schema.ROUTE_KEY if name != "good"]]
    return (
        pl.concat(measured).sort([*key, "baseline_gap_years"]),
        pl.concat(refused).sort(key),
    )


def _schema_of(contract: type[dy.Schema]) -> dict[str, Any]:
    return {name: column.dtype for name, column in contract.columns().items()}


def compare(grid: Grid, window: Window, breaks: Breaks) -> pl.DataFrame:
    """A route's window, year before and baseline mean, one row a route of the grid; null where unknown.

    `is_edition_broken`: the windows straddle an edition change that the good does not survive.
    `is_comparable`: window and year before are both known and not broken. `is_in_totals`: so is the baseline.
    """
    known = grid.known
    now, prior = known.index(window.end, window.months), known.index(window.end, window.months, 1)
    baseline = [known.index(window.end.replace(year=year), window.months) for year in window.baseline_years]
    base_at = [at for at in baseline if at is not None]
    broken, changed = breaks.between(grid, [*(prior or []), *(now or [])])
    base_broken, base_changed = breaks.between(grid, [*chain.from_iterable(base_at), *(prior or []), *(now or [])])
    base = windows.mean(grid.value, base_at)
    value, before = windows.total(grid.value, now), windows.total(grid.value, prior)
    comparable = (value >= 0) & (before >= 0) & ~broken
    base = np.where(base_broken, UNKNOWN, base)
    frame = grid.routes.with_columns(
        value_usd=pl.Series(value),
        value_prior_year_usd=pl.Series(before),
        value_baseline_usd=pl.Series(base),
    ).with_columns(pl.col("value_usd", "value_prior_year_usd", "value_baseline_usd").replace(UNKNOWN, None))
    return frame.with_columns(
        is_edition_broken=pl.Series(broken),
        is_edition_changed=pl.Series(changed | base_changed),
        is_comparable=pl.Series(comparable),
        is_in_totals=pl.Series(comparable & ((base >= 0) | (not base_at))),
    )


def _measure(
    grid: Grid, monthly: Grid | None, window: Window, compared: pl.DataFrame, of: Plan, settings: Settings
) -> pl.DataFrame:
    coalition = list(settings.coalition.countries)
    legs = coalition_legs(grid, monthly, window, compared, lambda g, w: compare(g, w, of.breaks), coalition)
    totals = compared.filter("is_in_totals")
    frame = (
        compared.with_row_index("route")
        .filter(pl.col("is_comparable"), pl.col("value_usd") >= settings.materiality_usd)
        .pipe(_with_totals, totals, grid.known)
        .join(legs, left_on=["good", "importer_iso"], right_on=["good", "country"], how="left", maintain_order="left")
        .rename({column: column.replace("coalition_to", "coalition_to_target") for column in LEG_COLUMNS})
        .rename({"legs_compared": "_target_leg"})
        .join(legs, left_on=["good", "exporter_iso"], right_on=["good", "country"], how="left", maintain_order="left")
        .rename({column: column.replace("coalition_to", "coalition_to_hub") for column in LEG_COLUMNS})
        .with_columns(legs_compared=pl.coalesce("legs_compared", "_target_leg").fill_null(""))
        .pipe(mirror_legs, grid, window, coalition)
    )
    frame = _with_shape(frame, grid, window)
    frame = frame.with_columns(
        freq_code=pl.lit(window.freq_code),
        window_months=pl.lit(window.months, dtype=pl.Int16),
        window_end=pl.lit(window.end, dtype=pl.Date),
        baseline_gap_years=pl.lit(window.gap_years, dtype=pl.Int8),
        baseline_years=pl.lit(_span(window.baseline_years)),
        role=_role(settings),
        is_before_sanctions=pl.lit(window.end < settings.sanctions_since.replace(day=1)),
        baseline_is_nothing=(pl.col("value_prior_year_usd") == 0) & (pl.col("value_baseline_usd") == 0),
    )
    floor = float(settings.floor_usd)
    return frame.with_columns(
        [indicator.expr(floor).cast(pl.Float64).alias(indicator.name) for indicator in INDICATORS]
    ).select(*_FIXED, *[indicator.name for indicator in INDICATORS])


def _with_totals(frame: pl.DataFrame, totals: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Add the exporter's trade with everyone else and everyone's trade with the importer, over comparable routes."""
    whole = (
        known.partners.filter(pl.col("partners") >= PARTNERS_OF_A_WHOLE_DATASET).select("source", "dataset").unique()
    )
    by_exporter = totals.group_by("good", "exporter_iso").agg(
        _now=pl.col("value_usd").sum(),
        _prior=pl.col("value_prior_year_usd").sum(),
        _baseline=pl.col("value_baseline_usd").sum(),
    )
    by_importer = totals.group_by("good", "importer_iso").agg(
        all_to_importer_usd=pl.col("value_usd").sum(), all_to_importer_prior_usd=pl.col("value_prior_year_usd").sum()
    )
    own = {"_now": "value_usd", "_prior": "value_prior_year_usd", "_baseline": "value_baseline_usd"}
    names = {"_now": "elsewhere_usd", "_prior": "elsewhere_prior_usd", "_baseline": "elsewhere_baseline_usd"}
    return (
        frame.join(by_importer, on=["good", "importer_iso"], how="left", maintain_order="left")
        .join(by_exporter, on=["good", "exporter_iso"], how="left", maintain_order="left")
        .join(whole.with_columns(_is_whole=True), on=["source", "dataset"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_is_whole") & pl.col("is_in_totals"))
            .then((pl.col(sum_) - pl.col(own[sum_])).clip(lower_bound=0))
            .alias(name)
            for sum_, name in names.items()
        )
    )


def _with_shape(frame: pl.DataFrame, grid: Grid, window: Window) -> pl.DataFrame:
    """Add how the window's value is spread over its periods, its weight and its price."""
    at = grid.known.index(window.end, window.months) or []
    route = frame["route"].to_numpy()
    value, weight = grid.value[at][:, route], grid.weight[at][:, route]
    largest = value.max(axis=0, initial=0)
    heavy = np.where(((weight > 0) | (value <= 0)).all(axis=0), np.maximum(weight, 0).sum(axis=0), UNKNOWN)
    price = pl.when((pl.col("net_wgt_g") > 0) & (pl.col("value_usd") > 0)).then(
        1000 * pl.col("value_usd") / pl.col("net_wgt_g")
    )
    return (
        frame.with_columns(
            active_periods=pl.Series((value > 0).sum(axis=0), dtype=pl.Int64),
            largest_period_share=pl.when(pl.col("value_usd") > 0).then(pl.Series(largest) / pl.col("value_usd")),
            net_wgt_g=pl.Series(heavy).replace(UNKNOWN, None),
        )
        .with_columns(unit_value_usd_per_kg=price)
        .with_columns(median_unit_value_usd_per_kg=pl.col("unit_value_usd_per_kg").median().over("good"))
    )


def _role(settings: Settings) -> pl.Expr:
    importer = pl.col("importer_iso")
    return (
        pl.when(importer.is_in(list(settings.targets.countries)))
        .then(pl.lit("target"))
        .when(importer.is_in(list(settings.coalition.countries)))
        .then(pl.lit("coalition"))
        .when(importer.is_in([*settings.hub_candidates.countries, *settings.neighbours.countries]))
        .then(pl.lit("other"))
        .otherwise(pl.lit("placebo"))
    )


def _span(years: Sequence[int]) -> str:
    return f"{years[0]}-{years[-1]}" if years else NO_BASELINE


def forest_inputs(features: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The forest's inputs: the features' key, roles and one one-sided Float64 per indicator that the forest sees.

    Columns: schema.ROUTE_KEY, baseline_gap_years, role, is_before_sanctions, is_from_coalition, is_measured, value_usd,
    then the inputs named by their indicator. 0 is nothing suspicious or unknown; higher is more suspicious; never null.

    A route with `is_measured` false has unknown what its kind is judged by: the baseline, or on the coalition's own
    routes the mirror gap. It would be an easy placebo, since unknown counts as nothing.
    """
    floor = float(settings.floor_usd)
    is_from_coalition = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    has_baseline = pl.col("value_baseline_usd").is_not_null() | (pl.col("baseline_years") == NO_BASELINE)
    return features.select(
        *schema.ROUTE_KEY,
        "baseline_gap_years",
        "role",
        "is_before_sanctions",
        "value_usd",
        is_from_coalition.alias("is_from_coalition"),
        pl.when(is_from_coalition)
        .then(pl.col("mirror_gap_shift_log").is_not_null())
        .otherwise(has_baseline)
        .alias("is_measured"),
        *[
            indicator.forest(floor).fill_null(0.0).cast(pl.Float64).alias(indicator.name)
            for indicator in INDICATORS
            if indicator.forest is not None
        ],
    )


def input_names() -> list[str]:
    """Names of the forest's inputs, in the registry's order."""
    return [indicator.name for indicator in INDICATORS if indicator.in_forest]
