"""A good rises while a sibling of its heading falls on the same route: the goods may travel under another code."""

import polars as pl

from anomaly.indicators.base import Indicator, usd

INDICATOR = Indicator(
    name="neighbour_code_shift",
    unit="share",
    says=(
        "share of the route's rise against the year before that falls of other goods of the same heading between the same "
        "two countries match, at most 1: an upper bound of what moved to this code"
    ),
    source="Fisman and Wei 2004: evasion by the code next door; no list of goods is looked at",
    expr=lambda _floor_usd: pl.col("matched_by_siblings"),
    threshold=0.5,
    reason=lambda row: (
        f"Other goods of heading {row['good'][:4]} fell on the same route, most of all {row['neighbour_fell_good']}, by "
        f"{usd(row['neighbour_fell_usd'])}; together they match {100 * row['neighbour_code_shift']:.0f} % of the rise. "
        "The goods may be declared under another code."
    ),
)
