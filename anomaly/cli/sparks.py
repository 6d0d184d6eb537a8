"""A series as a line of blocks, for a terminal: a letter a period, from nothing to the largest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from anomaly.contract.periods import FREQUENCY_WORDS, MONTHS_IN, parse_period

_BLOCKS, _UNKNOWN = "▁▂▃▄▅▆▇█", "·"
_ASCII_BLOCKS, _ASCII_UNKNOWN = "_.:-=+*#", "?"  # where a terminal has no blocks


def has_blocks(encoding: str | None) -> bool:
    """Whether an encoding can write blocks.

    Parameters
    ----------
    encoding : str or None
        Of stdout; None is not known.

    Returns
    -------
    bool
        False too where it is no encoding.
    """
    try:
        (_BLOCKS + _UNKNOWN).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def sparkline(values: Sequence[int | None], *, is_ascii: bool = False) -> str:
    """A letter a value: the higher, the fuller.

    Parameters
    ----------
    values : sequence of int or None
        Amounts, none below zero; None is not reported.
    is_ascii : bool, optional
        Letters of ASCII for blocks.

    Returns
    -------
    str
        As many letters as values; the scale goes from 0 to the largest.

    Examples
    --------
    >>> sparkline([0, 50, None, 100]), sparkline([0, 50, None, 100], is_ascii=True)
    ('▁▅·█', '_=?#')
    """
    blocks, unknown = (_ASCII_BLOCKS, _ASCII_UNKNOWN) if is_ascii else (_BLOCKS, _UNKNOWN)
    largest = max((value for value in values if value is not None), default=0)
    steps = len(blocks) - 1
    return "".join(
        unknown if value is None else blocks[(2 * value * steps + largest) // (2 * largest) if largest else 0]
        for value in values
    )


def lines_of(rows: Sequence[dict[str, Any]], sides: dict[str, str], width: int | None) -> list[str]:
    """Both sides of a series, frequency by frequency, each with what its line of blocks says.

    Parameters
    ----------
    rows : sequence of dict
        freq_code, period and the columns of `sides`; in order of time within a frequency.
    sides : dict of str to str
        Column → its name for people, with the unit.
    width : int or None
        Letters of a line, a longer series goes on in the next; None is any number.

    Returns
    -------
    list of str
        A side that never reported has no line, nor has a series of one period.
    """
    is_ascii = not has_blocks(getattr(sys.stdout, "encoding", None))
    lines = []
    for freq_code in dict.fromkeys(row["freq_code"] for row in rows):
        own = [row for row in rows if row["freq_code"] == freq_code]
        span = f"{FREQUENCY_WORDS[freq_code]} {own[0]['period']} to {own[-1]['period']}"
        for column, name in sides.items():
            values = _without_gaps(own, column)
            amounts = [value for value in values if value is not None]
            if not amounts or len(values) < 2:
                continue
            unknown = _ASCII_UNKNOWN if is_ascii else _UNKNOWN
            legend = f"; {unknown} not reported" if None in values else ""
            lines.append(f"{name}, {span}: {min(amounts):,} to {max(amounts):,}{legend}")
            spark = sparkline(values, is_ascii=is_ascii)
            room = width or len(spark)
            lines += [spark[at : at + room] for at in range(0, len(spark), room)]
    return lines


def _without_gaps(rows: Sequence[dict[str, Any]], column: str) -> list[int | None]:
    """The values of every period from the first to the last; a period of no row is not known."""
    by_place = {}
    for row in rows:
        start = parse_period(row["period"]).start
        by_place[(start.year * 12 + start.month - 1) // MONTHS_IN[row["freq_code"]]] = row[column]
    return [by_place.get(place) for place in range(min(by_place), max(by_place) + 1)]
