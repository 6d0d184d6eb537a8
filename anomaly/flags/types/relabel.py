"""The good may travel under another code of its heading."""

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.amounts import happened, went
from anomaly.flags.types.base import FlagType, Item, Row
from anomaly.flags.types.conditions import direct_or_neighbour_fell, is_relabelled
from anomaly.flags.types.explanations import item, log_share, other_buyers, price_rose, unknowable, weighed
from anomaly.indicators.base import change, usd


def _sentence(row: Row) -> str:
    fell, fell_usd = row.get("neighbour_fell_good"), row.get("neighbour_fell_usd")
    named = (
        "other goods of the heading"
        if fell is None
        else f"{fell} of the same heading fell by {usd(fell_usd)}, most of those that"
    )
    rose = happened("this good", row["value_prior_year_usd"], row["value_usd"])
    return f"On the same route {named} fell, while {rose}: what a change of label would look like."


def _reclassified(row: Row) -> Item:
    now, then = row["elsewhere_usd"], row["elsewhere_prior_usd"]
    explanation = "A ruling or a new edition moved the good to this code"
    if now is None or then is None:
        unknown = f"It would show on {row['exporter_name']}'s sales to others too; they are not in the data."
        return item(explanation, "unknown", unknown)
    text = (
        f"{row['exporter_name']}'s sales under this code to everyone else would have to have risen alike; they went "
        f"{went(then, now)}, this route {change(row['value_usd'], row['value_prior_year_usd'])}."
    )
    share = log_share((then, now), (row["value_prior_year_usd"] or 0, row["value_usd"]), row["floor_usd"])
    return item(explanation, weighed(share, 1.0), text)


TYPE = FlagType(
    name="relabel",
    words="relabelling",
    says=(
        "Another code of the same heading fell on the same pair by about as much: the good may be the same under a new code."
    ),
    leg=HUB_TO_TARGET,
    sentence=_sentence,
    explanations=(_reclassified, price_rose, other_buyers, unknowable),
    next_steps=(
        "Did the firms that now trade {good} trade the code that fell before?",
        "Do descriptions, weights and prices on the declarations fit the new code?",
        "Is there a classification ruling in {exporter} or {importer} that moved such goods?",
    ),
    shows=is_relabelled(),
    beside=direct_or_neighbour_fell,
)
