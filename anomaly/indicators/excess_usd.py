"""Dollars above what the exporter's other trade of the good explains."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, usd


def _excess(floor_usd: float) -> pl.Expr:
    """V - B x growth of the exporter's sales of the good to everyone else; that growth is 1 where it is not known."""
    elsewhere = (pl.col("elsewhere_usd") + floor_usd) / (pl.col("elsewhere_baseline_usd") + floor_usd)
    return pl.col("value_usd") - pl.col("value_baseline_usd") * elsewhere.fill_null(1.0)


def _reason(row: Mapping[str, Any]) -> str:
    if row["elsewhere_usd"] is None:
        return f"{usd(row['excess_usd'])} is above the baseline; what the exporter sells elsewhere is not in the data."
    return f"{usd(row['excess_usd'])} is more than the exporter's trade of this good elsewhere would explain."


INDICATOR = Indicator(
    name="excess_usd",
    unit="usd",
    says="trade above the baseline scaled by the exporter's growth of the good to everyone else",
    source="difference in differences in one line",
    expr=_excess,
    threshold=1_000_000,
    reason=_reason,
)
