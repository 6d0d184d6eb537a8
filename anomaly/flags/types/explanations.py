"""What would have to be true for a flag to be benign, with the row's own numbers, and whether the data allow it.

Explanations that several types share; one that belongs to a single type stands in the type's file. A verdict weighs what
the data show against what the explanation would have to account for: it fits from FITS_SHARE on, fits partly from
PARTLY_SHARE on, and else the data speak against it.
"""

from __future__ import annotations

import math

from anomaly.flags.types.amounts import amount, own_then, went, when
from anomaly.flags.types.base import Item, Row
from anomaly.indicators.base import change, usd

VERDICTS = ("fits", "partly", "against", "unknown")
FITS_SHARE, PARTLY_SHARE = 0.8, 0.2  # of what an explanation would have to account for


def item(explanation: str, verdict: str, text: str) -> Item:
    """An explanation with its verdict and the sentence that tells why.

    Parameters
    ----------
    explanation : str
        What it would be, for a person.
    verdict : str
        One of VERDICTS.
    text : str
        Why, with the numbers.

    Returns
    -------
    dict
        The three by their names.
    """
    return {"explanation": explanation, "verdict": verdict, "text": text}


def weighed(has: float | None, needs: float) -> str:
    """Whether what the data show accounts for what an explanation needs.

    Parameters
    ----------
    has : float, optional
        What the data show; None where they do not.
    needs : float
        What the explanation would have to account for, in the same unit.

    Returns
    -------
    str
        One of VERDICTS.

    Examples
    --------
    >>> [weighed(has, 10.0) for has in (9.0, 3.0, 1.0, None)]
    ['fits', 'partly', 'against', 'unknown']
    """
    if has is None:
        return "unknown"
    share = 1.0 if needs <= 0 else has / needs
    return "fits" if share >= FITS_SHARE else "partly" if share >= PARTLY_SHARE else "against"


def _rise_and_since(row: Row) -> tuple[int, str]:
    """What the route carries more than in the baseline, or than a year before where there is no baseline."""
    base = row["value_baseline_usd"]
    if base is not None:
        return max(0, row["value_usd"] - base), f"in {row['baseline_years']}"
    return max(0, row["value_usd"] - (row["value_prior_year_usd"] or 0)), "a year before"


def _rise(row: Row) -> int:
    now: int = row["value_usd"]
    return max(0, now - (own_then(row) or 0))


def _side(row: Row, span: str, name: str) -> int | None:
    return next((side[name] for side in row.get("sides") or () if side["span"] == span), None)


def own_production(row: Row) -> Item:
    """The exporter makes the good itself.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    hub, (rise, since) = row["exporter_name"], _rise_and_since(row)
    own, elsewhere = row["value_baseline_usd"], row["elsewhere_baseline_usd"]
    sold = None if own is None or elsewhere is None else own + elsewhere
    text = f"{hub} would have to make {usd(rise)} more of the good than {since}. "
    text += (
        "What it sold to anyone then is not in the data." if sold is None else f"It then sold {amount(sold)} to anyone."
    )
    verdict = weighed(sold, rise)
    if any(reason["indicator"] == "no_capacity" for reason in row.get("reasons") or ()):
        verdict, text = "against", f"{text} It is no exporter of the good by its own strength."
    declared = _side(row, "window", "reexport_value_fob_usd")
    if declared:
        text += f" It declares {usd(declared)} of the window's trade as re-exports."
        verdict = "against" if declared >= rise / 2 else verdict
    return item("The exporter makes it itself", verdict, text)


def other_buyers(row: Row) -> Item:
    """The exporter sells less to others, or more to everyone.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    hub, target, (rise, _) = row["exporter_name"], row["importer_name"], _rise_and_since(row)
    now, then = row["elsewhere_usd"], row["elsewhere_baseline_usd"]
    explanation = "It sells less to others, or more to everyone"
    if now is None or then is None:
        return item(explanation, "unknown", f"What {hub} sells to everyone else is not in the data.")
    grown = log_share((then, now), (row["value_baseline_usd"] or 0, row["value_usd"]), row["floor_usd"])
    verdict = min(weighed(then - now, rise), weighed(grown, 1.0), key=VERDICTS.index)
    text = (
        f"{hub} would have to have taken {usd(rise)} from other buyers, or its sales to all would have to have risen "
        f"alike. To everyone else they went {went(then, now)}, to {target} "
        f"{went(row['value_baseline_usd'], row['value_usd'])}."
    )
    return item(explanation, verdict, text)


def log_share(compared: tuple[int, int], own: tuple[int, int], floor_usd: int) -> float:
    """Growth of other trade (then, now) as a share of the route's own, both as logarithms; 0 where one of them fell.

    Parameters
    ----------
    compared, own : tuple of int
        USD then and now of the other trade, and of the route.
    floor_usd : int
        Added to all four.

    Returns
    -------
    float
        1 where both grew alike.
    """
    grown, own_grown = (math.log((now + floor_usd) / (then + floor_usd)) for then, now in (compared, own))
    return grown / own_grown if own_grown > 0 and grown > 0 else 0.0


def other_sellers(row: Row) -> Item:
    """Sellers outside the coalition deliver the good to the exporter.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    hub = row["exporter_name"]
    now, then = row.get("others_to_hub_usd"), row.get("others_to_hub_then_usd")
    explanation = "Sellers outside the coalition deliver it"
    if now is None or then is None:
        unknown = f"What sellers outside the coalition sold to {hub} is not in the data."
        return item(explanation, "unknown", unknown)
    rise = _rise(row)
    text = (
        f"They would have to have sold {usd(rise)} more of the good to {hub} than {when(row)}; they sold {amount(now)} after "
        f"{amount(then)}."
    )
    return item(explanation, weighed(now - then, rise), text)


def price_rose(row: Row) -> Item:
    """The price rose, not the quantity.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    now, then, since = row["value_usd"], own_then(row), when(row)
    explanation = "The price rose, not the quantity"
    if then is None or now <= then:
        return item(explanation, "unknown", f"There is no rise over a known amount {since} that a price could explain.")
    if then == 0:
        return item(explanation, "against", f"There was no trade {since} that could have become dearer.")
    price, prior = _prices(row)
    needed = f"The price alone would have to have risen by {100 * (now - then) / then:,.0f} %"
    if not price or not prior:
        unknown = f"{needed}. Weights are not in the data: price and quantity cannot be told apart."
        return item(explanation, "unknown", unknown)
    text = (
        f"{needed}. A kilogram cost {prior:,.1f} USD {since} and costs {price:,.1f} ({change(price, prior)}); the weight "
        f"changed by {change(now / price, then / prior)}."
    )
    return item(explanation, weighed(math.log(price / prior) / math.log(now / then), 1.0), text)


def _prices(row: Row) -> tuple[float | None, float | None]:
    """USD a kilogram in the window and at the time that `since` names; the baseline's needs a weight in every period."""
    if row["since"] == "prior":
        return row["unit_value_usd_per_kg"], row["unit_value_prior_usd_per_kg"]
    value, weight = _side(row, "baseline", "export_value_fob_usd"), _side(row, "baseline", "net_wgt_g")
    return row["unit_value_usd_per_kg"], 1000 * value / weight if value and weight else None


def changed_supplier(row: Row) -> Item:
    """The same buyers changed the road: another seller lost as much.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    target = row["importer_name"]
    now, then = row.get("others_to_target_usd"), row.get("others_to_target_then_usd")
    explanation = "The same buyers changed the road"
    total = ""
    if row["all_to_importer_usd"] is not None and row["all_to_importer_prior_usd"] is not None:
        total = (
            f" All sales of the good to {target} in the data went from {amount(row['all_to_importer_prior_usd'])} a year "
            f"before to {amount(row['all_to_importer_usd'])}."
        )
    if now is None or then is None:
        unknown = f"What other sellers outside the coalition sold to {target} is not in the data."
        return item(explanation, "unknown", unknown + total)
    rise = _rise(row)
    text = (
        f"Other sellers outside the coalition would have to have lost {usd(rise)} of sales to {target}; they went from "
        f"{amount(then)} {when(row)} to {amount(now)}.{total}"
    )
    return item(explanation, weighed(then - now, rise), text)


def unknowable(_row: Row) -> Item:
    """What no trade figure says; the last of every list.

    Parameters
    ----------
    _row : mapping
        Not looked at.

    Returns
    -------
    dict
        explanation, verdict and text.
    """
    text = "Where the goods were made, which firms traded them and what they are used for: no trade figure says."
    return item("Another origin or a harmless use", "unknown", text)
