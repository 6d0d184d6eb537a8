"""Whether two engines wrote the same features: whole numbers equal, floats to 1e-12 relative, null where null.

`no_capacity` is one less a ratio: what is left near nothing is as exact as the one. What is read against the rise that is
everybody's is left out: the medians of peers are the project's own alone. So is the direct trade of routes between possible
hubs, which is that of the target that bought most of the good.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.indicators import INDICATORS
from benchmarks.tables import scenario

EVERYBODYS = ("counterfactual_rise_log", "counterfactual_usd")
COMPARED = tuple(indicator for indicator in INDICATORS if not {*indicator.expr(1.0).meta.root_names()} & {*EVERYBODYS})
DIRECT = (
    "coalition_to_target_usd", "coalition_to_target_prior_usd", "coalition_to_target_baseline_usd",
    "direct_drop_log", "replacement_share",
)  # fmt: skip
KEY = ["window_year", "baseline_gap_years", *ROUTE]
WHOLE = [
    "value_usd", "value_prior_year_usd", "value_baseline_usd", "active_periods", "net_wgt_g", "net_wgt_prior_g",
    "coalition_to_target_usd", "coalition_to_target_prior_usd", "coalition_to_target_baseline_usd",
    "coalition_to_hub_usd", "coalition_to_hub_prior_usd", "coalition_to_hub_baseline_usd",
    "elsewhere_usd", "elsewhere_prior_usd", "elsewhere_baseline_usd",
    "all_to_importer_usd", "all_to_importer_prior_usd", "neighbour_fell_usd",
]  # fmt: skip
FLOATS = [
    "largest_period_share", "unit_value_usd_per_kg", "median_unit_value_usd_per_kg", "coalition_to_hub_usd_per_kg",
    "unit_value_prior_usd_per_kg", "price_surge_log", "median_price_surge_log",
    *[indicator.name for indicator in COMPARED],
]  # fmt: skip
RELATIVE = 1e-12


def differences(own_folder: Path, engine_folder: Path) -> list[str]:
    """What differs, in words; empty where nothing does. `own_folder` has window_end, `engine_folder` window_year."""
    own = pl.scan_parquet(own_folder / "*.parquet").with_columns(window_year=pl.col("window_end").dt.year())
    left, right = (_ordered(lazy) for lazy in (own, pl.scan_parquet(engine_folder / "*.parquet")))
    if not left.select(KEY).equals(right.select(KEY)):
        return [f"other routes: {left.height:,} against {right.height:,}"]
    faults = []
    for name in [*WHOLE, *FLOATS]:
        least = 1.0 if name == "no_capacity" else 0.0
        wrong = _differ(left[name], right[name], 0.0 if name in WHOLE else RELATIVE, least)
        if wrong:
            faults.append(f"{name}: {wrong:,} of {left.height:,} differ")
    return faults


def _ordered(lazy: pl.LazyFrame) -> pl.DataFrame:
    kinds = dict.fromkeys((*WHOLE, *KEY[:2]), pl.Int64) | dict.fromkeys(FLOATS, pl.Float64)
    texts = [pl.col(name).cast(pl.String) for name in KEY[2:]]
    numbers = [pl.col(name).cast(kind) for name, kind in kinds.items()]
    rows = lazy.select(*texts, *numbers).with_columns(pl.col(pl.Float64).fill_nan(None)).sort(KEY).collect()
    roles = scenario("0").role_of
    hubs = [country for country in rows["exporter_iso"].unique() if roles(country) == "other"]
    is_between = pl.col("exporter_iso").is_in(hubs) & pl.col("importer_iso").is_in(hubs)
    return rows.with_columns(pl.when(~is_between).then(pl.col(*DIRECT)))


def _differ(left: pl.Series, right: pl.Series, relative: float, least: float) -> int:
    frame = pl.DataFrame({"left": left, "right": right})
    size = pl.max_horizontal(pl.col("left").abs(), pl.col("right").abs(), pl.lit(least))
    is_far = (pl.col("left") - pl.col("right")).abs() > relative * size
    is_half_known = pl.col("left").is_null() != pl.col("right").is_null()
    return int(frame.select((is_far.fill_null(value=False) | is_half_known).sum()).item())
