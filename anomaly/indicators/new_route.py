"""A route that did not exist."""

import polars as pl

from anomaly.indicators.base import Indicator, usd

INDICATOR = Indicator(
    name="new_route",
    unit="flag",
    says="1 where the year before and every baseline year are a known zero",
    source="extensive margin: AEA Papers and Proceedings 2025, second-hand",
    expr=lambda floor_usd: (
        pl.when(pl.col("baseline_is_nothing").is_null())
        .then(None)
        .otherwise((pl.col("baseline_is_nothing") & (pl.col("value_usd") >= floor_usd)).cast(pl.Float64))
    ),
    threshold=1.0,
    reason=lambda row: (
        f"The route is new: {usd(row['value_usd'])} after a reported zero in {row['baseline_years']} and the year before."
    ),
)
