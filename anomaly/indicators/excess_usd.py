"""Dollars above what everybody's trade explains: the route less its counterfactual."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, usd


def _reason(row: Mapping[str, Any]) -> str:
    said = f"{usd(row['excess_usd'])} is more than the {usd(row['counterfactual_usd'])} that it would have come to with "
    return said + "the rise that is everybody's."


INDICATOR = Indicator(
    name="excess_usd",
    unit="usd",
    says="trade above its counterfactual: the baseline with the rise that is everybody's",
    source="difference in differences, in the effects of structural gravity as medians (Yotov et al. 2016; Tukey 1977)",
    expr=lambda _floor_usd: pl.col("value_usd") - pl.col("counterfactual_usd"),
    threshold=1_000_000,
    reason=_reason,
)
