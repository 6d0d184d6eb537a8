"""What would have to be true for a flag to be benign, with the row's own numbers, and whether the data allow it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anomaly.indicators.base import change, usd

VERDICTS = ("fits", "partly", "against", "unknown")
FITS_SHARE, PARTLY_SHARE = 0.8, 0.2  # of what an explanation would have to account for
CIF_OVER_FOB_PERCENT = 6  # OECD, International Transport and Insurance Costs: the mean over goods and pairs

Row = Mapping[str, Any]
Item = dict[str, str]


def benign_if(row: Row, flag_type: str) -> list[Item]:
    """explanation, verdict and text of each: what the data can say, and last what no trade figure says.

    row         a row of features with the flag's `sides`, the names of both countries, what others sold, `since`
                (prior or baseline: what the route has risen above) and floor_usd
    flag_type   a type without a list of its own has that of a re-export

    A verdict weighs what the data show against what the explanation would have to account for: it fits from
    FITS_SHARE on, fits partly from PARTLY_SHARE on, and else the data speak against it.
    """
    return [one(row) for one in _OF_TYPE.get(flag_type, _OF_TYPE["hub_reexport"])]


def _item(explanation: str, verdict: str, text: str) -> Item:
    return {"explanation": explanation, "verdict": verdict, "text": text}


def _verdict(has: float | None, needs: float) -> str:
    if has is None:
        return "unknown"
    share = 1.0 if needs <= 0 else has / needs
    return "fits" if share >= FITS_SHARE else "partly" if share >= PARTLY_SHARE else "against"


def when(row: Row) -> str:
    """What `since` says in words: a year before, or in the years of the baseline."""
    return "a year before" if row["since"] == "prior" else f"in {row['baseline_years']}"


def own_then(row: Row) -> int | None:
    """The route's own value at the time that `since` names."""
    value: int | None = row["value_prior_year_usd" if row["since"] == "prior" else "value_baseline_usd"]
    return value


def amount(value: int | None) -> str:
    """An amount in a sentence; 0 is known to be nothing."""
    return "nothing" if value == 0 else usd(value)


def went(then: int | None, now: int | None) -> str:
    """From one amount to another, with the change where there was something to grow from."""
    return f"from {amount(then)} to {amount(now)}" + (f" ({change(now, then)})" if then else "")


def _more(row: Row) -> tuple[int, str]:
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


def _own_production(row: Row) -> Item:
    hub, (more, when) = row["exporter_name"], _more(row)
    own, elsewhere = row["value_baseline_usd"], row["elsewhere_baseline_usd"]
    made = None if own is None or elsewhere is None else own + elsewhere
    text = f"{hub} would have to make {usd(more)} more of the good than {when}. "
    text += (
        "What it sold to anyone then is not in the data." if made is None else f"It then sold {amount(made)} to anyone."
    )
    verdict = _verdict(made, more)
    if any(reason["indicator"] == "no_capacity" for reason in row.get("reasons") or ()):
        verdict, text = "against", f"{text} It is no exporter of the good by its own strength."
    declared = _side(row, "window", "reexport_value_fob_usd")
    if declared:
        text += f" It declares {usd(declared)} of the window's trade as re-exports."
        verdict = "against" if declared >= more / 2 else verdict
    return _item("The exporter makes it itself", verdict, text)


def _other_buyers(row: Row) -> Item:
    hub, target, (more, _) = row["exporter_name"], row["importer_name"], _more(row)
    now, then = row["elsewhere_usd"], row["elsewhere_baseline_usd"]
    explanation = "It sells less to others, or more to everyone"
    if now is None or then is None:
        return _item(explanation, "unknown", f"What {hub} sells to everyone else is not in the data.")
    grown = _log_share((then, now), (row["value_baseline_usd"] or 0, row["value_usd"]), row["floor_usd"])
    verdict = min(_verdict(then - now, more), _verdict(grown, 1.0), key=VERDICTS.index)
    text = (
        f"{hub} would have to have taken {usd(more)} from other buyers, or its sales to all would have to have risen "
        f"alike. To everyone else they went {went(then, now)}, to {target} "
        f"{went(row['value_baseline_usd'], row['value_usd'])}."
    )
    return _item(explanation, verdict, text)


def _log_share(other: tuple[int, int], own: tuple[int, int], floor_usd: int) -> float:
    """Growth of other trade (then, now) as a share of the route's own, both as logarithms; 0 where one of them fell."""
    grown, own_grown = (math.log((now + floor_usd) / (then + floor_usd)) for then, now in (other, own))
    return grown / own_grown if own_grown > 0 and grown > 0 else 0.0


def _other_sellers(row: Row) -> Item:
    hub = row["exporter_name"]
    now, then = row.get("others_to_hub_usd"), row.get("others_to_hub_then_usd")
    explanation = "Sellers outside the coalition deliver it"
    if now is None or then is None:
        said = f"What sellers outside the coalition sold to {hub} is not in the data."
        return _item(explanation, "unknown", said)
    rise = _rise(row)
    text = (
        f"They would have to have sold {usd(rise)} more of the good to {hub} than {when(row)}; they sold {amount(now)} after "
        f"{amount(then)}."
    )
    return _item(explanation, _verdict(now - then, rise), text)


def _price(row: Row) -> Item:
    now, then, at = row["value_usd"], own_then(row), when(row)
    explanation = "The price rose, not the quantity"
    if then is None or now <= then:
        return _item(explanation, "unknown", f"There is no rise over a known amount {at} that a price could explain.")
    if then == 0:
        return _item(explanation, "against", f"There was no trade {at} that could have become dearer.")
    price, prior = _prices(row)
    needed = f"The price alone would have to have risen by {100 * (now - then) / then:,.0f} %"
    if not price or not prior:
        said = f"{needed}. Weights are not in the data: price and quantity cannot be told apart."
        return _item(explanation, "unknown", said)
    text = (
        f"{needed}. A kilogram cost {prior:,.1f} USD {at} and costs {price:,.1f} ({change(price, prior)}); the weight "
        f"changed by {change(now / price, then / prior)}."
    )
    return _item(explanation, _verdict(math.log(price / prior) / math.log(now / then), 1.0), text)


def _prices(row: Row) -> tuple[float | None, float | None]:
    """USD a kilogram in the window and at the time that `since` names; the baseline's needs a weight in every period."""
    if row["since"] == "prior":
        return row["unit_value_usd_per_kg"], row["unit_value_prior_usd_per_kg"]
    value, weight = _side(row, "baseline", "export_value_fob_usd"), _side(row, "baseline", "net_wgt_g")
    return row["unit_value_usd_per_kg"], 1000 * value / weight if value and weight else None


def _changed_supplier(row: Row) -> Item:
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
        said = f"What other sellers outside the coalition sold to {target} is not in the data."
        return _item(explanation, "unknown", said + total)
    rise = _rise(row)
    text = (
        f"Other sellers outside the coalition would have to have lost {usd(rise)} of sales to {target}; they went from "
        f"{amount(then)} {when(row)} to {amount(now)}.{total}"
    )
    return _item(explanation, _verdict(then - now, rise), text)


def _unknowable(_row: Row) -> Item:
    text = "Where the goods were made, which firms traded them and what they are used for: no trade figure says."
    return _item("Another origin or a harmless use", "unknown", text)


def _lost(row: Row) -> int | None:
    """What did not arrive beyond the pair's own gap of the baseline."""
    sides = [row[f"leg_{side}{then}_usd"] for then in ("", "_baseline") for side in ("exported", "imported")]
    known: list[int] = [one for one in sides if one is not None]
    if len(known) < len(sides):
        return None
    sent, arrived, sent_then, arrived_then = known
    share = sent / sent_then if sent_then else 1.0
    return max(0, round(sent - arrived - max(0, sent_then - arrived_then) * share))


def _freight(row: Row) -> Item:
    sent, arrived = row["leg_exported_usd"], row["leg_imported_usd"]
    text = (
        f"What arrives carries freight and insurance, some {CIF_OVER_FOB_PERCENT} % on average: it should be above the "
        f"{usd(sent)} that were sent, and is {amount(arrived)}."
    )
    is_below = arrived is not None and sent is not None and arrived < sent
    return _item("Freight and insurance", "against" if is_below else "unknown", text)


def _other_dispatch(row: Row) -> Item:
    hub, lost = row["importer_name"], _lost(row)
    now, then = row.get("recorded_from_others_usd"), row.get("recorded_from_others_prior_usd")
    explanation = "It is recorded under another country of dispatch"
    if lost is None or now is None or then is None:
        return _item(explanation, "unknown", f"What {hub} records from all other countries is not in the data.")
    text = (
        f"{hub} would have to have recorded {usd(lost)} of the good under other countries; what it recorded from all of "
        f"them went from {amount(then)} a year before to {amount(now)}."
    )
    return _item(explanation, _verdict(now - then, lost), text)


def _on_the_road(row: Row) -> Item:
    lost, sent = _lost(row), row["leg_exported_usd"]
    explanation = "It was still on the road when the window ended"
    if lost is None or sent is None:
        return _item(explanation, "unknown", "The gap is not known.")
    month = round(sent / row["window_months"])
    text = f"{usd(lost)} more than usual did not arrive; a month of this route is {usd(month)}."
    return _item(explanation, _verdict(month, lost), text)


def _reclassified(row: Row) -> Item:
    now, then = row["elsewhere_usd"], row["elsewhere_prior_usd"]
    explanation = "A ruling or a new edition moved the good to this code"
    if now is None or then is None:
        said = f"It would show on {row['exporter_name']}'s sales to others too; they are not in the data."
        return _item(explanation, "unknown", said)
    text = (
        f"{row['exporter_name']}'s sales under this code to everyone else would have to have risen alike; they went "
        f"{went(then, now)}, this route {change(row['value_usd'], row['value_prior_year_usd'])}."
    )
    share = _log_share((then, now), (row["value_prior_year_usd"] or 0, row["value_usd"]), row["floor_usd"])
    return _item(explanation, _verdict(share, 1.0), text)


def _price_of_all(row: Row) -> Item:
    ours, median = row["unit_value_usd_per_kg"], row["median_unit_value_usd_per_kg"]
    explanation = "Everyone pays this price"
    if not ours or not median:
        return _item(explanation, "unknown", "The price of other routes is not in the data.")
    text = f"A kilogram would have to cost much the same elsewhere: {ours:,.1f} USD here, {median:,.1f} USD on the median route."
    return _item(explanation, _verdict(min(ours, median) / max(ours, median), 1.0), text)


def _demand_fell(row: Row) -> Item:
    now, then = row["all_to_importer_usd"], row["all_to_importer_prior_usd"]
    explanation = "The buyers need less of it"
    if now is None or then is None:
        return _item(explanation, "unknown", "Other sales of the good to the country are not in the data.")
    text = (
        f"All purchases of the good by {row['importer_name']} would have to have fallen alike; they went "
        f"{went(then, now)}, this route {change(row['value_usd'], row['value_prior_year_usd'])}."
    )
    share = _log_share((now, then), (row["value_usd"], row["value_prior_year_usd"] or 0), row["floor_usd"])
    return _item(explanation, _verdict(share, 1.0), text)


def _not_moved(row: Row) -> Item:
    now, then = row.get("others_to_target_usd"), row.get("others_to_target_then_usd")
    lost = (row["value_prior_year_usd"] or 0) - row["value_usd"]
    explanation = "It ended and did not move to another hub"
    if now is None or then is None:
        return _item(explanation, "unknown", "What other sellers outside the coalition sold is not in the data.")
    text = (
        f"Other sellers outside the coalition may not have taken over the {usd(lost)} that this route lost; their sales "
        f"to {row['importer_name']} went {went(then, now)}."
    )
    taken = _verdict(now - then, lost)
    return _item(explanation, {"fits": "against", "against": "fits"}.get(taken, taken), text)


_OF_TYPE: dict[str, Sequence[Callable[[Row], Item]]] = {
    "hub_reexport": (_own_production, _other_buyers, _other_sellers, _price, _changed_supplier, _unknowable),
    "new_route": (_own_production, _other_buyers, _other_sellers, _changed_supplier, _unknowable),
    "ghost_transit": (_freight, _on_the_road, _other_dispatch, _unknowable),
    "relabel": (_reclassified, _price, _other_buyers, _unknowable),
    "price_only": (_price, _price_of_all, _unknowable),
    "resolved": (_demand_fell, _not_moved, _unknowable),
}
