"""Growth of the quantity: the window at the prices of the year before."""

from collections.abc import Mapping
from math import exp
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, log_ratio


def _volume(floor_usd: float) -> pl.Expr:
    """ln((q p₋₁ + f)/(V₋₁ + f)), so that surge_log is this and price_surge_log, to the last digit.

    A year before below the floor has no price worth the name: unknown. From a known nothing all growth is volume, the
    limit of the index (Ang and Liu 2007).
    """
    prior, weight_prior = pl.col("value_prior_year_usd"), pl.col("net_wgt_prior_g")
    at_old_prices = pl.col("net_wgt_g").cast(pl.Float64) * prior / weight_prior
    return (
        pl.when(prior == 0)
        .then(log_ratio("value_usd", "value_prior_year_usd", floor_usd))
        .when((prior >= floor_usd) & (weight_prior > 0))
        .then(((at_old_prices + floor_usd) / (prior + floor_usd)).log())
    )


def _reason(row: Mapping[str, Any]) -> str:
    if not row["value_prior_year_usd"]:
        return "Trade came from 0: all of it is quantity, none of it a price that rose."
    volume, price = (f"{100 * (exp(row[name]) - 1):+,.0f} %" for name in ("volume_surge_log", "price_surge_log"))
    return (
        f"The quantity rose, not only the price: {row['net_wgt_prior_g'] / 1e6:,.1f} to {row['net_wgt_g'] / 1e6:,.1f} tonnes; "
        f"at the prices of the year before {volume}, by the price {price} "
        "(weights as published, some of them estimated by the publisher)."
    ).replace("-", "−")


INDICATOR = Indicator(
    name="volume_surge_log",
    unit="log",
    says="growth of the route against the year before at that year's prices: a rise that is price alone is none here",
    source="Laspeyres volume; with the price part it is surge_log whole, as in the logarithmic mean Divisia index (Ang 2005)",
    expr=_volume,
    threshold=0.405,  # as surge_log
    reason=_reason,
)
