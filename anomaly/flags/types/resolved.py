"""A route that was flagged and has fallen back."""

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.amounts import happened, went
from anomaly.flags.types.base import FlagType, Item, Row
from anomaly.flags.types.explanations import item, log_share, unknowable, weighed
from anomaly.indicators.base import change, usd


def _sentence(row: Row) -> str:
    fell = happened("trade", row["value_prior_year_usd"], row["value_usd"])
    base = row["value_baseline_usd"]
    baseline = "" if base is None else f"; the baseline is {usd(base)}"
    return f"A route that stood out before: {fell}{baseline}. It is shown as having ended, not forgotten."


def _demand_fell(row: Row) -> Item:
    now, then = row["all_to_importer_usd"], row["all_to_importer_prior_usd"]
    explanation = "The buyers need less of it"
    if now is None or then is None:
        return item(explanation, "unknown", "Other sales of the good to the country are not in the data.")
    text = (
        f"All purchases of the good by {row['importer_name']} would have to have fallen alike; they went "
        f"{went(then, now)}, this route {change(row['value_usd'], row['value_prior_year_usd'])}."
    )
    share = log_share((now, then), (row["value_usd"], row["value_prior_year_usd"] or 0), row["floor_usd"])
    return item(explanation, weighed(share, 1.0), text)


def _not_moved(row: Row) -> Item:
    now, then = row.get("others_to_target_usd"), row.get("others_to_target_then_usd")
    lost = (row["value_prior_year_usd"] or 0) - row["value_usd"]
    explanation = "It ended and did not move to another hub"
    if now is None or then is None:
        return item(explanation, "unknown", "What other sellers outside the coalition sold is not in the data.")
    text = (
        f"Other sellers outside the coalition may not have taken over the {usd(lost)} that this route lost; their sales "
        f"to {row['importer_name']} went {went(then, now)}."
    )
    verdict = weighed(now - then, lost)
    return item(explanation, {"fits": "against", "against": "fits"}.get(verdict, verdict), text)


TYPE = FlagType(
    name="resolved",
    words="resolved",
    says=(
        "A route that was flagged, or would have been, fell back. Where the trade moved to another hub, the flag says so; a "
        "measure is named where it bears on this good and route and most of the window lies after it."
    ),
    leg=HUB_TO_TARGET,
    sentence=_sentence,
    explanations=(_demand_fell, _not_moved, unknowable),
    next_steps=(
        "Do the buyers in {importer} get {good} by way of another hub now, or under another code?",
        "Did the sellers in {exporter} close, or do they trade other goods with {importer}?",
    ),
    is_alarm=False,
    has_ended=True,
    most_severe="low",
)
