"""Goods that go from one hub to another, which has the road to the target that the first lacks or has lost."""

from typing import Any

import polars as pl

from anomaly.contract.keys import HUB_TO_HUB
from anomaly.flags.types.amounts import happened, own_then, when
from anomaly.flags.types.base import Condition, FlagType, Item, Limits, Row
from anomaly.flags.types.explanations import (
    changed_supplier,
    item,
    other_buyers,
    other_sellers,
    own_production,
    price_rose,
    unknowable,
    weighed,
)
from anomaly.indicators.base import FELL_LOG, direct_fall_log, usd

ONWARD = "second_hop_onward_usd"  # the reason that says what the second hub sold the target more


def _fell_and_came_in(limits: Limits) -> Condition:
    """The direct trade is known to have fallen, and as much more came into the first hub as is worth a flag."""
    has_fallen = (direct_fall_log(float(limits.floor_usd)) >= FELL_LOG).fill_null(value=False)
    return Condition(
        name="the direct trade of the good with a target fell and the coalition sold the first hub more",
        is_met=has_fallen & limits.over("route_through_usd"),
        why_not=pl.when(has_fallen)
        .then(pl.lit("what the coalition is known to sell the first hub more is too little to go through"))
        .otherwise(
            pl.lit("the coalition's direct trade of the good with the targets did not fall, or is not in the data")
        ),
    )


def _sentence(row: Row) -> str:
    first, second = row["exporter_name"], row["importer_name"]
    target = row.get("direct_target_name") or row.get("direct_target_iso") or "the target"
    direct, inward = (
        (row[f"coalition_to_{to}_{row['since']}_usd"], row[f"coalition_to_{to}_usd"]) for to in ("target", "hub")
    )
    parts = [
        happened(f"the coalition's sales to {target}", *direct),
        happened(f"its sales to {first}", *inward),
        happened(f"what {first} sold to {second}", own_then(row), row["value_usd"]),
    ]
    legs = ", ".join(part for part in parts if part)
    onward = next((reason["text"] for reason in row.get("reasons") or () if reason["indicator"] == ONWARD), None)
    end = onward or f"Whether {second} sold more of it on to {target} is not in the data, or it did not."
    return f"Against {when(row).removeprefix('in ').replace('a year', 'the year')}, {legs}. {end}"


def sold_on(row: Row) -> dict[str, Any] | None:
    """The reason that the second hub sold the target more of the good, where it did.

    Parameters
    ----------
    row : mapping
        A flagged route with onward_usd and onward_prior_usd, and the names of its countries.

    Returns
    -------
    dict or None
        indicator, value, unit, threshold and text, as in schema.Flags; None where it did not rise or is not in the data.
    """
    now, then = row.get("onward_usd"), row.get("onward_prior_usd")
    if now is None or then is None or now <= then:
        return None
    target = row.get("direct_target_name") or row["direct_target_iso"]
    text = f"{row['importer_name']} sold {target} {usd(now)} of the good, after {usd(then)} a year before."
    return {"indicator": ONWARD, "value": float(now - then), "unit": "usd", "threshold": 1.0, "text": text}


def _own_demand(row: Row) -> Item:
    second, own = row["importer_name"], max(0, row["value_usd"] - (own_then(row) or 0))
    went_on = next((reason["value"] for reason in row.get("reasons") or () if reason["indicator"] == ONWARD), None)
    text = f"{second} would have to have a use of its own for {usd(own)} more of the good."
    explanation = "The second hub buys it for itself"
    if went_on is None:
        return item(explanation, "unknown", f"{text} That it sold more on to the target is not in the data.")
    remaining = max(0.0, own - went_on)
    return item(explanation, weighed(remaining, own), f"{text} It sold the target {usd(went_on)} more.")


TYPE = FlagType(
    name="second_hop",
    words="second hop",
    says=(
        "One possible hub sells another far more of a good of which the coalition sells the target less, and the coalition "
        "sells the first hub more, as much as could carry it: the road may have a second stage. Whether it goes on from there is said where the "
        "second hub's sales are in the data."
    ),
    leg=HUB_TO_HUB,
    sentence=_sentence,
    explanations=(_own_demand, own_production, other_buyers, other_sellers, changed_supplier, price_rose, unknowable),
    next_steps=(
        "Under which customs procedure does {good} leave {exporter}, and is {importer} where it is cleared or only crossed?",
        "Which firms in {importer} buy {good} from {exporter}, and to whom do they sell it on?",
        "Does a free zone or a customs union with a target begin in {importer}?",
    ),
    shows=pl.lit(value=True),
    beside=_fell_and_came_in,
    most_severe="medium",
)
