"""How much of the lost direct trade the route makes up for."""

import polars as pl

from anomaly.indicators.base import Indicator, usd


def _share(floor_usd: float) -> pl.Expr:
    """(V - B) / (direct trade in the baseline - direct trade now), in 0..1; 0 where the direct trade did not fall."""
    lost = pl.col("coalition_to_target_baseline_usd") - pl.col("coalition_to_target_usd")
    gained = pl.col("value_usd") - pl.col("value_baseline_usd")
    return pl.when(lost > floor_usd).then((gained / lost).clip(0.0, 1.0)).when(lost.is_not_null()).then(gained * 0.0)


INDICATOR = Indicator(
    name="replacement_share",
    unit="share",
    says="excess of the route over its baseline, as a share of what the coalition's direct trade of the good lost",
    source="joint evidence, docs/method.md",
    expr=_share,
    threshold=0.01,
    reason=lambda row: (
        f"The route's gain equals {100 * row['replacement_share']:.1f} % of what the coalition's direct trade lost since "
        f"{row['baseline_years']} ({usd(row['coalition_to_target_baseline_usd'])} to {usd(row['coalition_to_target_usd'])})."
    ),
)
