"""The most that can have gone through."""

import polars as pl

from anomaly.indicators.base import Indicator, usd


def _through(_floor_usd: float) -> pl.Expr:
    into = pl.col("coalition_to_hub_usd") - pl.col("coalition_to_hub_baseline_usd")
    out = pl.col("value_usd") - pl.col("value_baseline_usd")
    both_known = into.is_not_null() & out.is_not_null()
    return pl.when(both_known).then(pl.min_horizontal(into, out).clip(lower_bound=0).cast(pl.Float64))


INDICATOR = Indicator(
    name="route_through_usd",
    unit="usd",
    says="the smaller of the excess into the hub and the excess out of it: an upper bound of what went through",
    source="Freund 2025; an upper bound, see HBS working paper 24-072",
    expr=_through,
    threshold=1_000_000,
    reason=lambda row: (
        f"At most {usd(row['route_through_usd'])} of what the coalition's reporters in the data sold can have gone through: the "
        "smaller of what more came in and what more went out. Product totals overstate what single firms re-route."
    ),
)
