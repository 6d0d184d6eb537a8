"""Periods as people write them, and stretches of whole months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from anomaly.contract.errors import BadRequest

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole months as a person named it.

    Parameters
    ----------
    text : str
        Its name in one spelling: 2022, 2022H1, 2022Q3 or 2022-07.
    freq : str
        A for a year, M for all else.
    start : datetime.date
        First day of its first month.
    end : datetime.date
        First day of its last month.
    months : int
        How many months, 1 to 12.
    """

    text: str
    freq: str
    start: date
    end: date
    months: int


def parse_period(text: str) -> Period:
    """A period from what a person wrote.

    Parameters
    ----------
    text : str
        A year, half-year, quarter or month: 2022, 2022H1, 2022Q3, 2022-07, 202207.

    Returns
    -------
    Period
        Its name, its first and last month.

    Raises
    ------
    BadRequest
        For anything else, with the nearest periods.

    Examples
    --------
    >>> half_year = parse_period("2022 h1")
    >>> half_year.text, half_year.freq, str(half_year.start), str(half_year.end), half_year.months
    ('2022H1', 'M', '2022-01-01', '2022-06-01', 6)
    """
    asked = re.sub(r"\s+", "", text).upper()
    match = re.fullmatch(r"((?:19|20)[0-9]{2})(?:-?H([12])|-?Q([1-4])|[-M]?(0[1-9]|1[0-2]))?", asked, re.ASCII)
    if not match:
        raise BadRequest("a period such as 2022, 2022H1, 2022Q3 or 2022-07", repr(text[:40]), hint=_near_period(asked))
    year = int(match[1])
    if match[2]:
        return _months(f"{year}H{match[2]}", "M", year, 6 * int(match[2]) - 5, 6)
    if match[3]:
        return _months(f"{year}Q{match[3]}", "M", year, 3 * int(match[3]) - 2, 3)
    if match[4]:
        return _months(f"{year}-{match[4]}", "M", year, int(match[4]), 1)
    return _months(str(year), "A", year, 1, 12)


def _months(text: str, freq: str, year: int, first: int, months: int) -> Period:
    return Period(text, freq, date(year, first, 1), date(year, first + months - 1, 1), months)


def _near_period(asked: str) -> str:
    year = re.search(r"(?:19|20)[0-9]{2}", asked)
    if not year:
        return "write the year with four digits, first"
    rest = asked.replace(year[0], "", 1)
    named = [number for number, month in enumerate(_MONTHS, 1) if month in rest]
    written = [int(number) for number in re.findall(r"[0-9]{1,2}", rest) if 1 <= int(number) <= 12]
    month = next(iter(named + written), 7)
    return f"did you mean {year[0]}-{month:02d}, {year[0]}, {year[0]}H1 or {year[0]}Q3?"
