"""Growth of the quantity: the window at the prices of the year before."""

from collections.abc import Mapping
from math import exp
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, log_ratio


def _volume(floor_usd: float) -> pl.Expr:
    return log_ratio("value_usd", "value_prior_year_usd", floor_usd) - pl.col("price_surge_log")


def _reason(row: Mapping[str, Any]) -> str:
    if not row["value_prior_year_usd"]:
        return "Trade came from 0: all of it is quantity, none of it a price that rose."
    return (
        "The quantity rose, not only the price: at the prices of the year before the trade would stand at "
        f"{exp(row['volume_surge_log']):.1f} times that year's. A kilogram went from "
        f"{row['unit_value_prior_usd_per_kg']:,.1f} to {row['unit_value_usd_per_kg']:,.1f} USD (weights as published, some "
        "estimated by the publisher; a dearer make looks like a higher price)."
    )


INDICATOR = Indicator(
    name="volume_surge_log",
    unit="log",
    says="growth of the route against the year before at that year's prices: a rise that is price alone is none here",
    source="Laspeyres volume; with the price part it is surge_log whole, as in the logarithmic mean Divisia index (Ang 2005)",
    expr=_volume,
    threshold=0.405,  # as surge_log
    reason=_reason,
)
