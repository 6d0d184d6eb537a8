"""Dearer, not more."""

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.amounts import happened, percent
from anomaly.flags.types.base import FlagType, Item, Row
from anomaly.flags.types.conditions import direct_or_neighbour_fell
from anomaly.flags.types.explanations import item, price_rose, unknowable, weighed

PRICE_ROSE_LOG = 0.405  # half as dear again
VOLUME_STOOD_LOG = 0.1  # a tenth more
OF_THE_RISE = 0.7  # above the best year of the baseline: less, and the quantity had risen before


def _sentence(row: Row) -> str:
    price, volume = row.get("price_surge_log"), row.get("volume_surge_log")
    rose = happened("trade", row["value_prior_year_usd"], row["value_usd"])
    if price is None or volume is None:
        return f"On the route {rose}; the price carries the rise more than the quantity does."
    return f"On the route {rose}: {percent(price)} by the price of a kilogram, {percent(volume)} by the weight."


def _price_of_all(row: Row) -> Item:
    ours, median = row["unit_value_usd_per_kg"], row["median_unit_value_usd_per_kg"]
    explanation = "Everyone pays this price"
    if not ours or not median:
        return item(explanation, "unknown", "The price of other routes is not in the data.")
    text = f"A kilogram would have to cost much the same elsewhere: {ours:,.1f} USD here, {median:,.1f} USD on the median route."
    return item(explanation, weighed(min(ours, median) / max(ours, median), 1.0), text)


TYPE = FlagType(
    name="price_only",
    words="price only",
    says="The value rose and the quantity hardly: dearer, not more. Named so that nobody takes it for more goods.",
    leg=HUB_TO_TARGET,
    sentence=_sentence,
    explanations=(price_rose, _price_of_all, unknowable),
    next_steps=(
        "Did {good} become dearer for the other buyers of {exporter} too?",
        "Is the weight reported or estimated, and does it hold in every month of the window?",
        "Did the mix change to dearer makes: do descriptions and units say so?",
    ),
    shows=(
        (pl.col("price_surge_log") >= PRICE_ROSE_LOG)
        & (pl.col("volume_surge_log") <= VOLUME_STOOD_LOG)
        & (pl.col("surge_log") >= OF_THE_RISE * pl.col("record_excess_log").fill_null(0.0))
    ),
    beside=direct_or_neighbour_fell,
    is_alarm=False,
    most_severe="low",
)
