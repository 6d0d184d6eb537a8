"""Periods as tables write them: a format of one's own, months by number or by name, quarters, fiscal years."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

DIRECTIVES = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "b": r"(?P<b>[^\W\d_]+)\.?",
    "B": r"(?P<b>[^\W\d_]+)\.?",
    "q": r"(?P<q>[1-4]|IV|I{1,3})",
    "N": r"(?P<n>[0-9]{4})",  # these two are not written: the second year of a format
    "n": r"(?P<n>[0-9]{2})",
}
MOST_PERIODS = 20_000  # different texts of periods in one table; two hundred years of months are 2,400
FIRST_YEAR, LAST_YEAR = 1900, 2100
# the first letters that tell the months of a language apart, in order; a name may be longer, or cut with a point
LANGUAGES = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "ru": "янв фев мар апр май|мая июн июл авг сен окт ноя дек",
    "de": "jan|jän feb mär|mrz|maer apr mai jun jul aug sep okt nov dez",
    "fr": "janv|jan fév|fev mars|mar avr mai juin juil août|aout sep oct nov déc|dec",
    "es": "ene feb mar abr may jun jul ago sep|set oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź|paz lis gru",
    "tr": "oca şub|sub mar nis may haz tem ağu|agu eyl eki kas ara",
    "uk": "січ лют бер кві тра чер лип сер вер жов лис гру",
    "kk": "қаң ақп нау сәу мам мау шіл там қыр қаз қар жел",
}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4}


def format_fault(text: object) -> str:
    """What is wrong with a format of periods.

    Parameters
    ----------
    text : object
        The format, as the TOML has it.

    Returns
    -------
    str
        What was expected; empty where nothing is wrong.

    Examples
    --------
    >>> format_fault("%Y-%m")
    ''
    >>> format_fault("%Y-%m-%b")
    'each part of the date once'
    """
    if not isinstance(text, str):
        return "text"
    words = re.sub(r"%[^q]", " ", text)
    if re.search(r"((?<![^\W\d_])[HS]|half|halb\w*|полуг\w*)\W*%q|%q\W*(H\b|half|halb|полуг)", words, re.IGNORECASE):
        return "no half-years: %q is a quarter; give the table by months, quarters or years"
    named = re.findall(r"%(.)", text)
    if named in (["Y", "y"], ["Y", "Y"]):
        return ""  # a year named by both calendar years it lies in, such as 2022-23 or 2022/2023
    kinds = ["Y" if name in "Yy" else "m" if name in "mbB" else name for name in named]
    if any(name not in DIRECTIVES for name in named) or text.count("%") != len(named) or "Y" not in kinds:
        return "made of %Y (or %y), %m (or %b, a month's name), %q (a quarter) and %d, with the year in it"
    return "" if len(set(kinds)) == len(kinds) else "each part of the date once"


def names_of_months(names: object) -> dict[str, int]:
    """Which month the beginning of a name means.

    Parameters
    ----------
    names : str or list of str
        A language, a key of LANGUAGES; or twelve names of one's own.

    Returns
    -------
    dict of str to int
        Beginning of a month's name, in lower case → 1 to 12.
    """
    words = LANGUAGES[names].split(" ") if isinstance(names, str) else [str(name).lower() for name in names]  # type: ignore[attr-defined]
    return {begin: number for number, word in enumerate(words, 1) for begin in word.split("|")}


def pattern_of(text: str) -> re.Pattern[str]:
    """A format of periods as a pattern of whole texts.

    Parameters
    ----------
    text : str
        Such as %Y-%m; blanks in it stand for any blanks, or none.

    Returns
    -------
    re.Pattern
        With the groups Y, y, m, d, b and q, of those that the format has, and n: the year that another one ends in.
    """
    begin, sign, end = text.rpartition("%")
    if sign and re.search("%Y", begin) and end[:1] in ("Y", "y"):
        text = f"{begin}%{'N' if end[0] == 'Y' else 'n'}{end[1:]}"
    parts = re.split(r"(%[A-Za-z]|\s+)", text)
    inner = "".join(
        DIRECTIVES[part[1]] if part.startswith("%") else r"\s*" if part.isspace() else re.escape(part) for part in parts
    )
    return re.compile(inner, re.IGNORECASE)


def month_of(text: str, names: dict[str, int]) -> int | None:
    """The number of a month written as "7", "07", "7.0", "Jul", "July" or "июля".

    Parameters
    ----------
    text : str
        The cell.
    names : dict of str to int
        Of `names_of_months`.

    Returns
    -------
    int or None
        1 to 12; None of anything else.

    Examples
    --------
    >>> month_of("июля", names_of_months("ru"))
    7
    >>> month_of("13", {}) is None
    True
    """
    cleaned = text.strip().rstrip(".").lower()
    if re.fullmatch(r"[0-9]{1,2}(\.0)?", cleaned):
        number = int(float(cleaned))
        return number if 1 <= number <= 12 else None
    fitting = [begin for begin in names if cleaned.startswith(begin)]
    return names[max(fitting, key=len)] if fitting and cleaned.isalpha() else None


def frequency(text: str, columns: dict[str, str]) -> str:
    """Whether the periods of a table are months, quarters or years.

    Parameters
    ----------
    text : str
        Their format.
    columns : dict of str to str
        Role → column; a column of months or quarters counts too.

    Returns
    -------
    str
        M, Q or A, as in freq_code.

    Examples
    --------
    >>> frequency("%Y-%m", {}), frequency("%YQ%q", {}), frequency("%Y", {"month": "m"}), frequency("%Y", {})
    ('M', 'Q', 'M', 'A')
    """
    if any(part in text for part in ("%m", "%b", "%B")) or "month" in columns:
        return "M"
    return "Q" if "%q" in text or "quarter" in columns else "A"


def resolved(written: pl.DataFrame, text: str, names: dict[str, int], year_begins: int = 1) -> pl.DataFrame:
    """The first days of periods.

    Parameters
    ----------
    written : polars.DataFrame
        `period`, `month` and `quarter` (texts, null where there is no such column), each combination once.
    text : str
        The format of `period`.
    names : dict of str to int
        Of `names_of_months`.
    year_begins : int
        The calendar month that is the first of the table's year: months and quarters are counted from it, and the
        year is named by the calendar year it begins in.

    Returns
    -------
    polars.DataFrame
        The same columns and `ref_date` (Date): the first day of the month, of the quarter's first month or of the year;
        null where the texts do not fit, and beyond MOST_PERIODS rows.
    """
    pattern = pattern_of(text)
    rows = [
        _first_day(*cells, pattern=pattern, names=names, year_begins=year_begins)
        for cells in written.select("period", "month", "quarter").head(MOST_PERIODS).iter_rows()
    ]
    rows += [None] * (written.height - len(rows))
    return written.select("period", "month", "quarter").with_columns(ref_date=pl.Series(rows, dtype=pl.Date))


def _first_day(
    period: str | None,
    month: str | None,
    quarter: str | None,
    *,
    pattern: re.Pattern[str],
    names: dict[str, int],
    year_begins: int,
) -> date | None:
    match = pattern.fullmatch(_without_time(period or ""))
    if match is None:
        return None
    part = match.groupdict()
    year = int(part["Y"]) if part.get("Y") else 2000 + int(part["y"]) - (100 if int(part["y"]) > 69 else 0)
    number: int | None = 1
    if month is not None:
        number = month_of(month, names)
    elif quarter is not None or part.get("q"):
        quarter_number = quarter_of(quarter if quarter is not None else part["q"])
        number = 3 * quarter_number - 2 if quarter_number else None
    elif part.get("m") or part.get("b"):
        number = month_of(part.get("m") or part["b"], names)
    if part.get("n") and int(part["n"]) % 100 != (year + 1) % 100:
        return None
    if number is None or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    if part.get("d") and not 1 <= int(part["d"]) <= 31:
        return None
    months = year * 12 + number - 1 + year_begins - 1
    return date(months // 12, months % 12 + 1, 1)


def _without_time(cell: str) -> str:
    """A day without a midnight after it, and a number without a point and noughts, as data frames write both."""
    return re.sub(r"(?:[T ]00:00(?::00(?:\.0+)?)?Z?|(?<=^[0-9]{4})\.0|(?<=^[0-9]{6})\.0)$", "", cell.strip())


def quarter_of(text: str) -> int | None:
    """The number of a quarter written as "3", "Q3", "III" or "3 quarter".

    Parameters
    ----------
    text : str
        The cell.

    Returns
    -------
    int or None
        1 to 4; None of anything else.

    Examples
    --------
    >>> quarter_of("III"), quarter_of("Q2"), quarter_of("5")
    (3, 2, None)
    """
    match = re.fullmatch(r"\s*Q?\s*([1-4]|IV|I{1,3})(\.0)?(\s*(q|qtr|quarter|кв|квартал)\.?)?\s*", text, re.IGNORECASE)
    return None if match is None else _ROMAN.get(match[1].upper()) or int(match[1])
