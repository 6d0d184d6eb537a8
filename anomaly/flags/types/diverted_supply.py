"""Goods that the coalition no longer sells the target and sells a hub instead: all that is said of such a flag."""

from __future__ import annotations

from anomaly.contract.keys import COALITION_TO_HUB
from anomaly.flags.types.amounts import amount, went
from anomaly.flags.types.base import FlagType, Item, Row
from anomaly.flags.types.explanations import item, unknowable, weighed
from anomaly.indicators.base import change, usd

STOCK_MONTHS = 3  # of stock_usd
STOCKED = 1.5  # times the same months a year earlier
LEAST_STOCK_USD = 250_000  # in them; a million a year
MOSTLY_SHARE = 0.5  # of the rise: what went on, or did not arrive, is then most of it


def rise_usd(row: Row) -> int:
    """What the leg carries more than in the best year before the measure.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply.

    Returns
    -------
    int
        USD, 0 or more.
    """
    rise: int = row["value_usd"] - _best(row)
    return max(0, rise)


def _best(row: Row) -> int:
    """The best year before the measure that is known, or the last; a row of supply has both."""
    best: int = row.get("value_best_usd") or row["value_prior_year_usd"] or 0
    return best


def onward_usd(row: Row) -> int | None:
    """What the hub sold the targets more than before.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply.

    Returns
    -------
    int or None
        USD, 0 or more; None where its sales are not in the data.
    """
    now, then = row.get("onward_usd"), row.get("onward_prior_usd")
    if now is None or then is None:
        return None
    return int(now - then) if now > then else 0


def lost_usd(row: Row) -> int | None:
    """What was sent and not recorded as arrived, beyond the share that was not recorded before.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply.

    Returns
    -------
    int or None
        USD, 0 or more; None where the hub does not report both windows.
    """
    arrived, arrived_then = row.get("recorded_usd"), row.get("recorded_prior_usd")
    if arrived is None or arrived_then is None:
        return None
    usual = min(1.0, arrived_then / row["value_prior_year_usd"]) if row["value_prior_year_usd"] else 1.0
    missing: int = round(row["value_usd"] * usual - arrived)
    return max(0, missing)


def is_borne_out(row: Row) -> bool:
    """Whether what others report fits: most of the rise went on to the targets, or did not arrive at the hub.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply.

    Returns
    -------
    bool
        False too where nobody else reports: what is unknown bears nothing out.
    """
    return any(usd is not None and usd >= MOSTLY_SHARE * rise_usd(row) for usd in (onward_usd(row), lost_usd(row)))


def _sentence(row: Row) -> str:
    hub, target = row["importer_name"], row.get("target_name") or "the target"
    direct = [row.get(name) for name in ("direct_prior_usd", "direct_usd")]
    text = (
        f"The coalition's sales to {hub} went from {amount(_best(row))} at best to {amount(row['value_usd'])}, those to "
        f"{target} {'are not in the data' if None in direct else went(*direct)}."
    )
    if onward_usd(row) is None:
        text += f" What {hub} sold on is not in the data."
    else:
        text += (
            f" {hub}'s own sales of the good to the targets went from {amount(row['onward_prior_usd'])} to "
            f"{amount(row['onward_usd'])} ({row['onward_of']})."
        )
    if lost_usd(row) is None:
        return f"{text} Whether it arrived there is not in the data."
    return f"{text} {hub} records {amount(row['recorded_usd'])} of it as arrived."


def _own_demand(row: Row) -> Item:
    hub, onward, rise = row["importer_name"], onward_usd(row), rise_usd(row)
    explanation = "The hub buys it for itself"
    text = f"{hub} would have to have a use of its own for {usd(rise)} more of the good than in its best year before."
    if onward is None:
        return item(
            explanation, "unknown", f"{text} What it sold on is not in the data: on this leg alone nobody can tell."
        )
    remaining = max(0, rise - onward)
    return item(explanation, weighed(remaining, rise), f"{text} Its sales to the targets took up {usd(onward)} of it.")


def _other_supplier(row: Row) -> Item:
    hub, target = row["importer_name"], row.get("target_name") or "the target"
    text = (
        f"{hub} may have bought from {target} before what {target} can no longer supply. What it bought from there is not "
        "compared here."
    )
    return item("It replaces what the target itself used to supply", "unknown", text)


def _single_deal(row: Row) -> Item:
    share = row.get("largest_month_share")
    if share is None:
        return item("It is a single deal", "unknown", "How it is spread over the months is not known.")
    text = f"The largest of {row['window_months']} months carries {100 * share:.0f} % of the window, {row['active_months']} have trade."
    verdict = "fits" if share >= 0.9 else "partly" if share >= 0.5 else "against"
    return item("It is a single deal", verdict, text)


def _single_member(row: Row) -> Item:
    members = row.get("members") or []
    explanation = "It is the business of one country's firms"
    if not members:
        return item(explanation, "unknown", "Who carries it is not in the data.")
    largest = members[0]
    share = largest["value_usd"] / max(1, sum(member["value_usd"] for member in members))
    growth = change(largest["value_usd"], largest["value_prior_year_usd"])
    text = f"{row['member_names'][0]} carries {100 * share:.0f} % of it ({growth} on the year before)."
    return item(explanation, "fits" if share >= 0.9 else "partly" if share >= 0.5 else "against", text)


def is_stocked(now: int | None, then: int | None) -> bool:
    """Whether half as much again was sold in the last months before the measure as in the same months a year earlier.

    Parameters
    ----------
    now, then : int or None
        USD; None unknown.

    Returns
    -------
    bool
        False where it is unknown, or less than LEAST_STOCK_USD more.
    """
    return now is not None and then is not None and now >= STOCKED * then and now - then >= LEAST_STOCK_USD


def _stock(row: Row) -> Item:
    """Bought early: the rise would then have begun before the measure, and be used up after it."""
    hub, target = row["importer_name"], row.get("target_name") or "the target"
    now, then = row.get("stock_usd"), row.get("stock_prior_usd")
    explanation = "It is stock that was laid in for the measure"
    if now is None or then is None:
        return item(explanation, "unknown", "What was sold in the last months before the measure is not in the data.")
    text = f"{row['stock_of']}, just before the measure: {hub} bought {went(then, now)} over a year"
    direct = row.get("direct_stock_usd"), row.get("direct_stock_prior_usd")
    if None not in direct:
        text += f", {target} {went(direct[1], direct[0])}"
    monthly = (now - then) / STOCK_MONTHS, rise_usd(row) / row["window_months"]
    return item(
        explanation, weighed(*monthly), f"{text}. As much more a month would have to have come before it as after."
    )


TYPE = FlagType(
    name="diverted_supply",
    words="diverted supply",
    says=(
        "The coalition sells the hub far more of a good than in any year before the measure, and the target less. It is read "
        "from the coalition's reports alone: whether the goods go on is a question for the onward leg."
    ),
    leg=COALITION_TO_HUB,
    sentence=_sentence,
    explanations=(_own_demand, _other_supplier, _stock, _single_deal, _single_member, unknowable),
    next_steps=(
        "Which firms in {importer} began to buy {good}, when were they founded, and by whom?",
        "Does {importer} sell {good} on, to whom, and under which customs procedure did it enter?",
        "Which of the coalition's exporters carry the rise, and what end use did their buyers declare?",
    ),
    most_severe="high",
)
