"""The route pays more per kilogram than others."""

import polars as pl

from anomaly.indicators.base import Indicator


def _gap(_floor_usd: float) -> pl.Expr:
    ours, median = pl.col("unit_value_usd_per_kg"), pl.col("median_unit_value_usd_per_kg")
    return pl.when((ours > 0) & (median > 0)).then((ours / median).log())


INDICATOR = Indicator(
    name="unit_value_gap_log",
    unit="log",
    says="unit value of the route against the median of all routes of the good in the same window",
    source="KSE Institute: premia on battlefield goods up to 300 %",
    expr=_gap,
    threshold=0.693,
    reason=lambda row: (
        f"A kilogram costs {row['unit_value_usd_per_kg']:,.1f} USD on this route, the median route of the good "
        f"{row['median_unit_value_usd_per_kg']:,.1f} USD."
    ),
)
