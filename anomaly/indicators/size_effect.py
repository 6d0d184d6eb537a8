"""A change that is large for the size of its route and for its good."""

import polars as pl

from anomaly.indicators.base import Indicator, change, usd

INDICATOR = Indicator(
    name="size_effect",
    unit="fence",
    says=(
        "change of the route among all routes of the good in the window, weighed by its size: "
        "1 is the upper fence of the good, 0 its median route"
    ),
    source="Hidiroglou and Berthelot 1986, Statistics Canada; U 0.3, A 0.05, C 7, anomaly/features/size_effect.py",
    expr=lambda _floor_usd: pl.col("effect_in_fences"),
    threshold=1.0,
    reason=lambda row: (
        f"For its size the change ({usd(row['value_prior_year_usd'])} to {usd(row['value_usd'])}, "
        f"{change(row['value_usd'], row['value_prior_year_usd'])}) is {row['size_effect']:.1f} times as far from the good's "
        "usual route as the fence for outliers."
    ),
)
