"""The same features in Polars, as sort and shift: chunks of whole headings, a row a route and year, lags from neighbours.

A chunk's routes are crossed with all years, so that the row before is the year before and a year without a row is
there; sums over a good, an exporter or an importer are windows over the chunk. The indicators are the project's own
expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anomaly.contract import keys
from anomaly.contract.settings import Settings
from anomaly.features import features, grid
from anomaly.features.size_effect import FENCE, LEAST_ROUTES, LEAST_SPREAD, SIZE_POWER
from anomaly.features.unit_values import LEAST_WEIGHED_SHARE
from anomaly.features.windows import Comparison
from anomaly.indicators.base import price_surge
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.stages.features import ROWS_AT_A_TIME
from anomaly.store.store import Store
from benchmarks.compare import COMPARED
from benchmarks.tables import ZSTD_LEVEL, plan_of, scenario

ROUTE = list(keys.ROUTE)
VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
UNKNOWN = (
    "level_shift", "lead_lag", "exporter_growth_prior_log", "exporter_growth_baseline_log", "leg_exported_usd",
    "leg_imported_usd", "leg_exported_baseline_usd", "leg_imported_baseline_usd",
)  # fmt: skip  # an annual reconciled dataset without totals cannot say


def run(root: str, out: str, materiality_usd: str, rows: str = str(ROWS_AT_A_TIME)) -> None:
    """Read bilateral, coverage and scope of an annual reconciled dataset; write features under `out`."""
    settings, store = scenario(materiality_usd), Store(Path(root))
    windows = plan_of(Path(root), settings).comparisons["A"]
    coverage = store.read("coverage").filter(pl.col("flow_code") == "X", pl.col("is_complete"))
    coverage = coverage.select("value_usd", exporter_iso="reporter_iso", year=_year())
    scope = store.read("coverage.scope").filter(pl.col("flow_code") == "X", pl.col("dimension") == "good")
    held = scope.select(good="code", year=_year()).unique()
    Path(out).mkdir(parents=True, exist_ok=True)
    for number, chunk in enumerate(store.chunks("bilateral", int(rows), HEADING_DIGITS, grid.COLUMNS)):
        dense = _dense(chunk, coverage, held)
        frames = [_window(dense, comparison, settings, coverage, held) for comparison in windows]
        file = Path(out) / f"part-{number:05}.parquet"
        pl.concat(frames).write_parquet(file, compression="zstd", compression_level=ZSTD_LEVEL)


def _year() -> pl.Expr:
    return pl.col("ref_date").dt.year().alias("year")


def _dense(chunk: pl.DataFrame, coverage: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Every route in every year, sorted: value (null unknown; absence is 0 only where coverage says so) and weight."""
    years = coverage.select(pl.int_range(pl.col("year").min(), pl.col("year").max() + 1, dtype=pl.Int32).alias("year"))
    is_next = pl.any_horizontal(pl.col(column) != pl.col(column).shift(1) for column in ROUTE).fill_null(value=True)
    marked = chunk.lazy().select(*ROUTE, "value_usd", "net_wgt_g", year=_year(), is_next=is_next)
    rows = marked.with_columns(route=pl.col("is_next").cum_sum()).collect()
    is_complete = coverage.select("exporter_iso", "year", is_complete=pl.lit(value=True)).lazy()
    is_held = held.with_columns(is_held=pl.lit(value=True)).lazy()
    is_known = pl.col("is_complete") & pl.col("is_held")
    return (
        rows.lazy()
        .filter("is_next")
        .select(*ROUTE, "route")
        .join(years.lazy(), how="cross", maintain_order="left_right")
        .join(rows.lazy().drop(*ROUTE, "is_next"), on=["route", "year"], how="left", maintain_order="left")
        .join(is_complete, on=["exporter_iso", "year"], how="left", maintain_order="left")
        .join(is_held, on=["good", "year"], how="left", maintain_order="left")
        .select(*ROUTE, "year", "net_wgt_g", v=pl.when(is_known).then(pl.col("value_usd").fill_null(0).clip(0)))
        .collect()
    )


def _window(
    dense: pl.DataFrame, comparison: Comparison, settings: Settings, coverage: pl.DataFrame, held: pl.DataFrame
) -> pl.DataFrame:
    year, base = (
        comparison.window.year,
        [pl.col("v").shift(comparison.window.year - baseline_year) for baseline_year in comparison.baseline_years],
    )
    mean = (pl.sum_horizontal(base, ignore_nulls=False) + len(base) // 2) // len(base) if base else None
    best = (
        pl.when(pl.all_horizontal(baseline_year.is_not_null() for baseline_year in base)).then(pl.max_horizontal(base))
        if base
        else None
    )
    compared = dense.with_columns(
        value_usd="v",
        value_prior_year_usd=pl.col("v").shift(1),
        value_baseline_usd=pl.lit(None, dtype=pl.Int64) if mean is None else mean,
        value_baseline_max_usd=pl.lit(None, dtype=pl.Int64) if best is None else best,
        weight="net_wgt_g",
        weight_prior=pl.col("net_wgt_g").shift(1),
    ).filter(pl.col("year") == year)
    compared = _with_pairs(compared, settings.floor_usd).drop_nulls(["value_usd", "value_prior_year_usd"])
    compared = compared.with_columns(
        in_totals=pl.col("value_baseline_usd").is_not_null() if base else pl.lit(value=True),
        baseline_years=pl.lit("known" if base else features.NO_BASELINE),
    )
    years = sorted({year, year - 1, *comparison.baseline_years})
    compared = _with_sums(
        _with_effects(compared, settings), settings, _held_in(held, years)["good"], VALUES[: 3 if base else 2]
    )
    compared = _with_advantage(compared, comparison, coverage, held)
    was_material = pl.col("importer_iso").is_in(list(settings.targets.countries)) & (
        pl.col("value_prior_year_usd") >= settings.materiality_usd
    )
    frame = _with_prices(compared.filter(features.is_material(settings) | was_material), settings)
    floor = float(settings.floor_usd)
    return frame.with_columns(
        [
            baseline_year.expr(floor).cast(pl.Float64).fill_nan(None).alias(baseline_year.name)
            for baseline_year in COMPARED
        ]
    ).select(
        *ROUTE,
        *VALUES,
        window_end=pl.lit(comparison.window.end),
        window_year=pl.lit(year),
        baseline_gap_years=pl.lit(comparison.gap_years),
        active_periods=(pl.col("value_usd") > 0).cast(pl.Int64),
        largest_period_share=pl.when(pl.col("value_usd") > 0).then(1.0),
        **{name: name for name in (*_written(), *[baseline_year.name for baseline_year in COMPARED])},
    )


def _written() -> list[str]:
    sides = [
        f"{sum_name}{suffix}_usd"
        for sum_name in ("coalition_to_target", "coalition_to_hub", "elsewhere")
        for suffix in ("", "_prior", "_baseline")
    ]
    prices = ("unit_value_usd_per_kg", "unit_value_prior_usd_per_kg", "coalition_to_hub_usd_per_kg", "price_surge_log")
    medians = ("median_unit_value_usd_per_kg", "median_price_surge_log")
    importer = ("all_to_importer_usd", "all_to_importer_prior_usd")
    return [*sides, *importer, "net_wgt_g", "net_wgt_prior_g", "neighbour_fell_usd", *prices, *medians]


def _with_pairs(compared: pl.DataFrame, floor: int) -> pl.DataFrame:
    """Rises and falls of a heading between two countries beside each route of a heading with several goods."""
    change = pl.col("value_usd") - pl.col("value_prior_year_usd")
    pair = ["_heading", "exporter_iso", "importer_iso"]
    fall = (-change).clip(lower_bound=0)
    with_headings = compared.lazy().with_columns(_heading=pl.col("good").str.slice(0, HEADING_DIGITS))
    goods = with_headings.group_by("_heading").agg(goods=pl.col("good").n_unique()).filter(pl.col("goods") > 1)
    pairs = (
        with_headings.join(goods, on="_heading", how="semi")
        .group_by(pair)
        .agg(_fell=fall.sum(), _deepest=fall.max(), _is_unknown=change.is_null().any())
    )
    matched = (pl.col("_fell") / change).clip(upper_bound=1.0)
    share = pl.when(change < floor).then(0.0).when(~(pl.col("_is_unknown") & (pl.col("_fell") == 0))).then(matched)
    return (
        with_headings.join(pairs, on=pair, how="left", maintain_order="left")
        .with_columns(matched_by_siblings=pl.when(pl.col("_fell").is_not_null()).then(share))
        .with_columns(neighbour_fell_usd=pl.when(pl.col("matched_by_siblings") > 0).then("_deepest"))
        .drop("_heading", "_fell", "_deepest", "_is_unknown")
        .collect()
    )


def _with_effects(compared: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Hidiroglou and Berthelot's effect in fences, among the routes of a good that carry the floor in a window."""
    larger, floor = pl.max_horizontal("value_usd", "value_prior_year_usd"), float(settings.floor_usd)
    ratio = (pl.col("value_usd") + floor) / (pl.col("value_prior_year_usd") + floor)
    large = compared.lazy().filter(larger >= floor).select(*ROUTE, larger=larger / 1e6, r=ratio)
    middle = large.group_by("good").agg(med=pl.col("r").median(), n=pl.len()).filter(pl.col("n") >= LEAST_ROUTES)
    r, med, e = pl.col("r"), pl.col("med"), pl.col("e")
    change = pl.when(r < med).then(1 - med / r).otherwise(r / med - 1)
    sized = large.join(middle, on="good").with_columns(e=change * pl.col("larger") ** SIZE_POWER)
    shares = {"q1": 0.25, "q2": 0.5, "q3": 0.75}
    quartiles = sized.group_by("good").agg(e.quantile(share, "linear").alias(name) for name, share in shares.items())
    q1, q2, q3 = (pl.col(name) for name in shares)
    fence = FENCE * pl.max_horizontal(pl.when(e > q2).then(q3 - q2).otherwise(q2 - q1), LEAST_SPREAD * q2.abs())
    effects = sized.join(quartiles, on="good").select(
        *ROUTE, effect_in_fences=pl.when(fence > 0).then((e - q2) / fence)
    )
    return compared.lazy().join(effects, on=ROUTE, how="left", maintain_order="left").collect()


def _with_sums(
    compared: pl.DataFrame, settings: Settings, held_goods: pl.Series, known_names: Sequence[str]
) -> pl.DataFrame:
    """The exporter's other trade, all that the importer buys, and the coalition's legs to both ends.

    Of a good that the dataset holds in all the years a leg without a row is nothing.
    """
    coalition = list(settings.coalition.countries)
    totals = compared.lazy().filter("in_totals")
    by_importer = totals.group_by("good", "importer_iso").agg(
        all_to_importer_usd=pl.col("value_usd").sum(), all_to_importer_prior_usd=pl.col("value_prior_year_usd").sum()
    )
    by_exporter = totals.group_by("good", "exporter_iso").agg(pl.col(name).sum().alias(f"_{name}") for name in VALUES)
    has_weight = pl.col("weight") > 0
    legs = (
        totals.filter(pl.col("exporter_iso").is_in(coalition))
        .group_by("good", country="importer_iso")
        .agg(
            *[pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in VALUES],
            weighed=pl.col("value_usd").filter(has_weight).sum(),
            weight=pl.col("weight").filter(has_weight).sum(),
        )
    )
    frame = compared.lazy()
    for leg, side in (("target", "importer_iso"), ("hub", "exporter_iso")):
        names = dict(
            zip(VALUES, (f"coalition_to_{leg}{ending}_usd" for ending in ("", "_prior", "_baseline")), strict=True)
        )
        own = legs.rename({**names, "country": side, "weighed": f"_weighed_{leg}", "weight": f"_weight_{leg}"})
        frame = frame.join(own, on=["good", side], how="left", maintain_order="left")
        is_nothing = pl.col("good").is_in(held_goods.implode()) & ~pl.col(side).is_in(coalition)
        is_nothing &= pl.col(names["value_usd"]).is_null()
        legs_known = [names[name] for name in known_names]
        frame = frame.with_columns(pl.when(~is_nothing).then(pl.col(legs_known)).otherwise(0))
    frame = frame.join(by_importer, on=["good", "importer_iso"], how="left", maintain_order="left")
    frame = frame.join(by_exporter, on=["good", "exporter_iso"], how="left", maintain_order="left")
    for own_name, suffix in zip(VALUES, ("", "_prior", "_baseline"), strict=True):
        elsewhere = (pl.col(f"_{own_name}") - pl.col(own_name)).clip(lower_bound=0)
        frame = frame.with_columns(pl.when("in_totals").then(elsewhere).alias(f"elsewhere{suffix}_usd"))
    weighed, grams = pl.col("_weighed_hub"), pl.col("_weight_hub")
    is_told = (grams > 0) & (weighed >= LEAST_WEIGHED_SHARE * pl.col("coalition_to_hub_usd"))
    price = pl.when(is_told & ~pl.col("exporter_iso").is_in(coalition)).then(1000.0 * weighed / grams)
    return frame.with_columns(coalition_to_hub_usd_per_kg=price).collect()


def _with_advantage(
    compared: pl.DataFrame, comparison: Comparison, coverage: pl.DataFrame, held: pl.DataFrame
) -> pl.DataFrame:
    """Revealed comparative advantage of the exporter in the baseline."""
    base = list(comparison.baseline_years)
    if not base:
        return compared.with_columns(revealed_advantage=pl.lit(None, dtype=pl.Float64))
    years = {*base, comparison.window.year - 1, comparison.window.year}
    mean = (pl.col("value_usd").filter(pl.col("year").is_in(base)).sum() + len(base) // 2) // len(base)
    usd = coverage.group_by("exporter_iso").agg(usd=mean, n=pl.col("year").is_in(list(years)).sum())
    usd = usd.filter(pl.col("n") == len(years)).select("exporter_iso", "usd")
    own = pl.col("_value_baseline_usd").fill_null(0)
    sold = compared.select("good", "exporter_iso", "_value_baseline_usd").unique()
    of_good = (
        sold.join(usd, on="exporter_iso")
        .group_by("good")
        .agg(of_good=pl.col("_value_baseline_usd").sum())
        .join(_held_in(held, base), on="good", how="semi")
    )
    joined = compared.join(usd, on="exporter_iso", how="left", maintain_order="left")
    joined = joined.join(of_good, on="good", how="left", maintain_order="left")
    is_told = (pl.col("usd") > 0) & (pl.col("of_good") > 0)
    advantage = (own / pl.col("usd")) / (pl.col("of_good") / usd["usd"].sum())
    return joined.with_columns(revealed_advantage=pl.when(is_told).then(advantage)).drop("usd", "of_good")


def _held_in(held: pl.DataFrame, years: list[int]) -> pl.DataFrame:
    return held.filter(pl.col("year").is_in(years)).group_by("good").len().filter(pl.col("len") == len(years))


def _with_prices(frame: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    def weight(grams: str, value: str) -> pl.Expr:
        return pl.when((pl.col(grams) > 0) | (pl.col(value) <= 0)).then(pl.col(grams).fill_null(0).clip(0))

    def price(grams: str, value: str) -> pl.Expr:
        return pl.when((pl.col(grams) > 0) & (pl.col(value) > 0)).then(1000.0 * pl.col(value) / pl.col(grams))

    among = pl.col("unit_value_usd_per_kg", "price_surge_log").filter(features.is_material(settings)).median()
    is_nothing = (pl.col("value_prior_year_usd") == 0) & (pl.col("value_baseline_usd") == 0)
    return (
        frame.lazy()
        .with_columns(
            net_wgt_g=weight("weight", "value_usd"),
            net_wgt_prior_g=weight("weight_prior", "value_prior_year_usd"),
            baseline_is_nothing=is_nothing,
            **{name: pl.lit(None, dtype=pl.Float64) for name in UNKNOWN},
        )
        .with_columns(
            unit_value_usd_per_kg=price("net_wgt_g", "value_usd"),
            unit_value_prior_usd_per_kg=price("net_wgt_prior_g", "value_prior_year_usd"),
        )
        .with_columns(price_surge_log=price_surge(float(settings.floor_usd)))
        .with_columns(among.over("good").name.prefix("median_"))
        .collect()
    )
