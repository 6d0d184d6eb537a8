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
    end = f"It does not close: {missing}." if missing else f"All three fit goods that go by way of {hub}."
    return f"Against {when(row).removeprefix('in ').replace('a year', 'the year')}, {legs}. {end}"


def _lack(leg: tuple[int | None, int | None], sign: int, unknown: str, otherwise: str) -> str:
    """What is missing from a leg that should have risen (sign 1) or fallen (-1); empty where nothing is."""
    then, now = leg
    if then is None or now is None:
        return unknown
    return "" if sign * (now - then) > 0 else otherwise
