"""The sentence that types of the same figures share."""

from __future__ import annotations

from anomaly.flags.types.amounts import happened, own_then, when
from anomaly.flags.types.base import Row


def detour(row: Row) -> str:
    """The three legs of a way round a hub, and which of them does not fit or is not known.

    Parameters
    ----------
    row : mapping
        A row of features with what evidence puts beside it.

    Returns
    -------
    str
        One sentence on what went where, and one on whether it closes.
    """
    hub, target = row["exporter_name"], row["importer_name"]
    direct, inward = (
        (row[f"coalition_to_{to}_{row['since']}_usd"], row[f"coalition_to_{to}_usd"]) for to in ("target", "hub")
    )
    parts = [
        happened(f"the coalition's sales to {target}", *direct),
        happened(f"its sales to {hub}", *inward),
        happened(f"what {hub} sold to {target}", own_then(row), row["value_usd"]),
    ]
    lacks = [
        _lack(
            direct, -1, f"whether the coalition's sales to {target} fell is not known", "the direct sales did not fall"
        ),
        _lack(
            inward, 1, f"whether the coalition sold more to {hub} is not known", f"the coalition sold no more to {hub}"
        ),
    ]
    legs = ", ".join(part for part in parts if part)
    missing = "; ".join(text for text in lacks if text)
    if missing:
        end = f"It does not close: {missing}."
    else:
        end = f"All three fit goods that go by way of {hub}{_carried(inward, own_then(row), row['value_usd'])}."
    return f"Against {when(row).removeprefix('in ').replace('a year', 'the year')}, {legs}. {end}"


def _carried(inward: tuple[int | None, int | None], own: int | None, value: int | None) -> str:
    """How little of the route's rise the hub's larger purchases can carry; empty where they can carry all of it."""
    before, now = inward
    if before is None or now is None or own is None or value is None:
        return ""
    bought_more, rise = now - before, value - own
    if rise <= bought_more or rise <= 0:
        return ""
    return f", but what it bought more is {100 * bought_more / rise:.0f} % of what it sold more"


def _lack(leg: tuple[int | None, int | None], sign: int, unknown: str, otherwise: str) -> str:
    """What is missing from a leg that should have risen (sign 1) or fallen (-1); empty where nothing is."""
    then, now = leg
    if then is None or now is None:
        return unknown
    return "" if sign * (now - then) > 0 else otherwise
