"""Goods that leave the coalition for a hub and do not arrive there."""

import polars as pl

from anomaly.flags.types.amounts import amount
from anomaly.flags.types.base import Condition, FlagType, Item, Limits, Row
from anomaly.flags.types.conditions import NO_GAP
from anomaly.flags.types.explanations import item, unknowable, weighed
from anomaly.indicators.base import COALITION_TO_HUB, usd

CIF_OVER_FOB_PERCENT = 6  # OECD, International Transport and Insurance Costs: the mean over goods and pairs


def _gap_widened(limits: Limits) -> Condition:
    gap = "mirror_gap_shift_log"
    is_unknown = pl.col(gap).is_null()
    return Condition(
        name="the mirror gap widened",
        is_met=limits.over(gap),
        why_not=pl.when(is_unknown).then(pl.lit(NO_GAP)).otherwise(pl.lit("its mirror gap is as wide as it was")),
    )


def _sentence(row: Row) -> str:
    sender, hub = row["exporter_name"], row["importer_name"]
    return (
        f"{sender} reports {amount(row['leg_exported_usd'])} sent to {hub}, which records "
        f"{amount(row['leg_imported_usd'])} of it; in {row['baseline_years']} it was "
        f"{amount(row['leg_exported_baseline_usd'])} and {amount(row['leg_imported_baseline_usd'])}. More left than before, "
        "and a smaller part of it arrived where it was declared to go."
    )


def _lost(row: Row) -> int | None:
    """What did not arrive beyond the pair's own gap of the baseline."""
    sides = [row[f"leg_{side}{then}_usd"] for then in ("", "_baseline") for side in ("exported", "imported")]
    amounts: list[int] = [side for side in sides if side is not None]
    if len(amounts) < len(sides):
        return None
    sent, arrived, sent_then, arrived_then = amounts
    share = sent / sent_then if sent_then else 1.0
    return max(0, round(sent - arrived - max(0, sent_then - arrived_then) * share))


def _freight(row: Row) -> Item:
    sent, arrived = row["leg_exported_usd"], row["leg_imported_usd"]
    text = (
        f"What arrives carries freight and insurance, some {CIF_OVER_FOB_PERCENT} % on average: it should be above the "
        f"{usd(sent)} that were sent, and is {amount(arrived)}."
    )
    is_below = arrived is not None and sent is not None and arrived < sent
    return item("Freight and insurance", "against" if is_below else "unknown", text)


def _on_the_road(row: Row) -> Item:
    lost, sent = _lost(row), row["leg_exported_usd"]
    explanation = "It was still on the road when the window ended"
    if lost is None or sent is None:
        return item(explanation, "unknown", "The gap is not known.")
    month = round(sent / row["window_months"])
    text = f"{usd(lost)} more than usual did not arrive; a month of this route is {usd(month)}."
    return item(explanation, weighed(month, lost), text)


def _other_dispatch(row: Row) -> Item:
    hub, lost = row["importer_name"], _lost(row)
    now, then = row.get("recorded_from_others_usd"), row.get("recorded_from_others_prior_usd")
    explanation = "It is recorded under another country of dispatch"
    if lost is None or now is None or then is None:
        return item(explanation, "unknown", f"What {hub} records from all other countries is not in the data.")
    text = (
        f"{hub} would have to have recorded {usd(lost)} of the good under other countries; what it recorded from all of "
        f"them went from {amount(then)} a year before to {amount(now)}."
    )
    return item(explanation, weighed(now - then, lost), text)


TYPE = FlagType(
    name="ghost_transit",
    words="ghost transit",
    says="The coalition reports goods sent to the hub that the hub does not record as arrived.",
    leg=COALITION_TO_HUB,
    sentence=_sentence,
    explanations=(_freight, _on_the_road, _other_dispatch, unknowable),
    next_steps=(
        "Under which customs procedure did the goods leave {exporter}: export to {importer}, or transit through other countries?",
        "Where was the transit closed, by whom, and what was unloaded there?",
        "Does a target of the {measures} record {good} from {exporter} that {exporter} does not report?",
    ),
    shows=pl.lit(value=True),
    beside=_gap_widened,
)
