"""Windows of whole months: as people and commands name them, and as tables hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.errors import BadRequest

MONTHS_IN = {"A": 12, "Q": 3, "M": 1}  # months of a period, by its frequency
FREQUENCY_WORDS = {"A": "annual", "M": "monthly", "Q": "quarterly"}
INTERVALS = {"A": "1y", "Q": "1q", "M": "1mo"}  # from one period to the next, as polars writes it
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """Months that are looked at together, in the order of keys.WINDOW_KEY.

    Parameters
    ----------
    freq_code : str
        A for annual data, whose years are whole and end in December; M for monthly data, Q for quarterly data.
    months : int
        How many there are.
    end : datetime.date
        First day of the last of them.

    Examples
    --------
    >>> half_year = Window("M", 6, date(2022, 6, 1))
    >>> half_year.name, half_year.words, half_year.in_year(2021).words
    ('2022H1', 'Jan–Jun 2022', 'Jan–Jun 2021')
    """

    freq_code: str
    months: int
    end: date

    @property
    def year(self) -> int:
        """The year that its last month lies in."""
        return self.end.year

    @property
    def start(self) -> date:
        """First day of its first month."""
        return months_before(self.end, self.months - 1)

    def in_year(self, year: int) -> Window:
        """The same months so that the last of them lies in another year.

        Parameters
        ----------
        year : int
            For the year before `window.year - 1`.

        Returns
        -------
        Window
            Of the same length.
        """
        return replace(self, end=self.end.replace(year=year))

    def span(self) -> tuple[date, date, int]:
        """First and last period as tables date them, and how many periods: a year or a quarter is one, of its first day."""
        months = MONTHS_IN[self.freq_code]
        return self.start, months_before(self.end, months - 1), self.months // months

    def baseline_years(self, fixed: Sequence[int]) -> tuple[int, ...]:
        """Years of the baseline: a window is never compared with itself.

        Parameters
        ----------
        fixed : sequence of int
            Of the scenario, for windows that are later.

        Returns
        -------
        tuple of int
            `fixed`, else the three years before the window's.
        """
        return tuple(fixed) if self.year > max(fixed) else (self.year - 3, self.year - 2, self.year - 1)

    @property
    def name(self) -> str:
        """Its name in commands and machine-read answers: 2022, 2022H1, 2022Q3, 2022-07 or 2022-01:2022-11."""
        if self._is_whole_years:
            return str(self.year) if self.months == 12 else f"{self.start.year}:{self.year}"
        if self.months in (3, 6) and self.end.month % self.months == 0:
            return f"{self.year}{'Q' if self.months == 3 else 'H'}{self.end.month // self.months}"
        return f"{self.end:%Y-%m}" if self.months == 1 else f"{self.start:%Y-%m}:{self.end:%Y-%m}"

    @property
    def words(self) -> str:
        """Its name in documents and sentences: 2022, Jan–Jun 2022, Nov 2021–Oct 2022 or Mar 2022."""
        if self._is_whole_years:
            return str(self.year) if self.months == 12 else f"{self.start.year}–{self.year}"
        last = f"{MONTHS[self.end.month - 1]} {self.year}"
        if self.months == 1:
            return last
        first = MONTHS[self.start.month - 1] + (f" {self.start.year}" if self.start.year != self.year else "")
        return f"{first}–{last}"

    @property
    def tag(self) -> str:
        """Its name at the end of a flag's: 2022 of annual data, else its last month and length, as 2022-06-6M or -2Q."""
        if self.freq_code == "A":
            return f"{self.year}"
        return f"{self.end:%Y-%m}-{self.months // MONTHS_IN[self.freq_code]}{self.freq_code}"

    @property
    def place(self) -> str:
        """Text that sorts windows by their end, then their length: 20220106 for the six months to January 2022."""
        return f"{self.end:%Y%m}{self.months:02}"

    @property
    def _is_whole_years(self) -> bool:
        return self.freq_code == "A" or (self.months == 12 and self.end.month == 12)


def window_of(row: Mapping[str, Any]) -> Window:
    """The window of a row of any table from features on.

    Parameters
    ----------
    row : mapping
        freq_code, window_months and window_end, and anything else.

    Returns
    -------
    Window
        The row's.
    """
    return Window(row["freq_code"], row["window_months"], row["window_end"])


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months earlier.

    Parameters
    ----------
    day : datetime.date
        Any day of a month.
    months : int
        How many; 0 for the month itself.

    Returns
    -------
    datetime.date
        A first day.
    """
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def first_month() -> pl.Expr:
    """First day of the first month of a row's window, from its window_end and window_months."""
    last = pl.col("window_end").dt.year().cast(pl.Int32) * 12 + pl.col("window_end").dt.month()
    months = last - pl.col("window_months")
    return pl.date(months // 12, months % 12 + 1, 1)


def within(window: Window) -> pl.Expr:
    """The rows of a window in tables by period.

    Parameters
    ----------
    window : Window
        What is meant.

    Returns
    -------
    polars.Expr
        Boolean over ref_date.
    """
    first, last, _ = window.span()
    return pl.col("ref_date").is_between(pl.lit(first), pl.lit(last))


def period_name(freq_code: str) -> pl.Expr:
    """The name of a row's period in tables and answers: 2022, 2022Q3 or 2022-07.

    Parameters
    ----------
    freq_code : str
        A, Q or M, of all rows.

    Returns
    -------
    polars.Expr
        String, from ref_date.
    """
    if freq_code == "Q":
        return pl.format("{}Q{}", pl.col("ref_date").dt.year(), pl.col("ref_date").dt.quarter())
    return pl.col("ref_date").dt.strftime("%Y" if freq_code == "A" else "%Y-%m")


def is_window(window: Window) -> pl.Expr:
    """The rows of a window in tables by window.

    Parameters
    ----------
    window : Window
        What is meant.

    Returns
    -------
    polars.Expr
        Boolean over freq_code, window_months and window_end.
    """
    return (
        (pl.col("freq_code") == window.freq_code)
        & (pl.col("window_months") == window.months)
        & (pl.col("window_end") == pl.lit(window.end))
    )


_YEAR = r"((?:19|20)[0-9]{2})"
_WITHIN = r"H[12]|Q[1-4]|M?(?:0[1-9]|1[0-2])"
_YEAR_FIRST = re.compile(rf"{_YEAR}(?:-?({_WITHIN}))?", re.ASCII)
_YEAR_LAST = re.compile(rf"(H[12]|Q[1-4]|M(?:0[1-9]|1[0-2]))-?{_YEAR}", re.ASCII)
_MONTHS_OF = {
    **{month.upper(): number for number, month in enumerate(MONTHS, 1)},
    **{month.upper(): number for number, month in enumerate(MONTH_NAMES, 1)},
    "SEPT": 9,
}
_MONTH_WORD = re.compile(rf"(?<![A-Z])({'|'.join(sorted(_MONTHS_OF, key=len, reverse=True))})(?![A-Z])\.?", re.ASCII)


def parse_period(text: str) -> Window:
    """The window that a person means by one word.

    Parameters
    ----------
    text : str
        A year, half-year, quarter or month: 2022, 2022H1, H1 2022, 2022Q3, 2022-07, 202207, Jul 2022 or July 2022.

    Returns
    -------
    Window
        Of annual data for a year, of monthly data for all else.

    Raises
    ------
    BadRequest
        For anything else, with the nearest periods.

    Examples
    --------
    >>> half_year = parse_period("H1 2022")
    >>> half_year.name, half_year.freq_code, str(half_year.start), str(half_year.end), half_year.months
    ('2022H1', 'M', '2022-01-01', '2022-06-01', 6)
    >>> parse_period("July 2022").name
    '2022-07'
    """
    compact = re.sub(r"\s+", "", _MONTH_WORD.sub(lambda word: f"M{_MONTHS_OF[word[1]]:02}", text.upper()))
    if match := _YEAR_FIRST.fullmatch(compact):
        year, part = int(match[1]), match[2]
    elif match := _YEAR_LAST.fullmatch(compact):
        year, part = int(match[2]), match[1]
    else:
        raise BadRequest(
            "a period such as 2022, 2022H1, H1 2022, 2022Q3, 2022-07 or Jul 2022",
            repr(text[:40]),
            hint=_near_period(text.upper()),
        )
    if not part:
        return Window("A", 12, date(year, 12, 1))
    months = {"H": 6, "Q": 3}.get(part[0], 1)
    return Window("M", months, date(year, months * int(part.lstrip("HQM")), 1))


def parse_tag(text: str) -> Window | None:
    """The window that the end of a flag's name says.

    Parameters
    ----------
    text : str
        As `Window.tag` gives it.

    Returns
    -------
    Window or None
        None where it is no tag.

    Examples
    --------
    >>> parse_tag("2022-06-6M").words, parse_tag("2022").tag, parse_tag("2022-13-6M"), parse_tag("2022-06-2Q").months
    ('Jan–Jun 2022', '2022', None, 6)
    """
    match = re.fullmatch(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{1,2})([MQ]))?", text, re.ASCII)
    if match is None:
        return None
    freq_code = match[4] or "A"
    year, month, periods = int(match[1]), int(match[2] or 12), int(match[3] or 1)
    months = periods * MONTHS_IN[freq_code]
    is_quarter_end = freq_code != "Q" or month % 3 == 0
    if not (1 <= month <= 12 and 1 <= months <= 12 and 1900 < year < 2200 and is_quarter_end):
        return None
    return Window(freq_code, months, date(year, month, 1))


def _near_period(text: str) -> str:
    year = re.search(r"(?:19|20)[0-9]{2}", text)
    if not year:
        return "write the year with four digits, first"
    rest = text.replace(year[0], "", 1)
    named = [number for number, month in enumerate(MONTHS, 1) if month.upper() in rest]
    written = [int(number) for number in re.findall(r"[0-9]{1,2}", rest) if 1 <= int(number) <= 12]
    month = next(iter(named + written), 7)
    return f"did you mean {year[0]}-{month:02d}, {year[0]}, {year[0]}H1 or {year[0]}Q3?"
