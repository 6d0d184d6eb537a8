"""A question as it is understood: which goods, which countries, which months.

Every parser refuses with the nearest right answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.contract.periods import MONTHS_IN, Window, parse_period
from anomaly.reference import countries, goods

TOTAL = "TOTAL"
MOST_MONTHS = 12  # a longer window would overlap its own year before
_BETWEEN_PERIODS = re.compile(r":|\.\.|\s*–\s*|\s+to\s+|\s+-\s+(?=[a-z])|(?<=[a-z])\s*-\s*(?=[a-z])", re.IGNORECASE)
_YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Side:
    """One country, or a group whose trade is summed.

    Parameters
    ----------
    name : str
        What the answer calls it: an ISO-3 code, or the group's name.
    members : tuple of str
        ISO-3 codes; one for a country.
    is_list : bool
        Whether the members are asked for side by side and not added up.
    """

    name: str
    members: tuple[str, ...]
    is_list: bool = False

    @property
    def is_group(self) -> bool:
        """Whether the reports of several countries are added up."""
        return len(self.members) > 1 and not self.is_list


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: which goods, between which countries, as which source reports it.

    Parameters
    ----------
    goods : polars.Expr or None
        A condition on `good`; None is every good, added up.
    exporter, importer : Side or None
        None is everyone, route by route.
    source : str or None
        The publisher whose data answer; None is any.
    between : tuple of str and str, or None
        The first and the last good that may be meant, in text order; None is all.
    """

    goods: pl.Expr | None
    exporter: Side | None = None
    importer: Side | None = None
    source: str | None = None
    between: tuple[str, str] | None = None

    @property
    def is_sum(self) -> bool:
        """Whether routes are added up: sums are never scored."""
        return self.goods is None or any(side is not None and side.is_group for side in (self.exporter, self.importer))

    def where(self) -> pl.Expr:
        """The rows of a table with good, exporter_iso and importer_iso that the question is about."""
        condition = pl.lit(value=True) if self.goods is None else self.goods
        for column, side in (("exporter_iso", self.exporter), ("importer_iso", self.importer)):
            if side is not None:
                condition = condition & pl.col(column).is_in(list(side.members))
        return condition


def parse_side(text: str | None, groups: Mapping[str, Sequence[str]]) -> Side | None:
    """A country or a group of countries, as a person names it.

    Parameters
    ----------
    text : str or None
        ISO-2, ISO-3 or English name of a country, several with commas between, the name of a group, or the EU; None is
        everyone.
    groups : mapping of str to sequence of str
        ISO-3 codes by the group's name, in upper or lower case; a group goes before a country of the same name.

    Returns
    -------
    Side or None
        None where the text is.

    Raises
    ------
    BadRequest
        For anything else, with the nearest names; for a code that is no country's, with the names of the groups.
    """
    if text is None:
        return None
    for name, members in groups.items():
        if text.strip().casefold() == name.casefold():
            return Side(name, tuple(members))
    if "," in text and not countries.is_name(text):
        return _listed(text.split(","), groups)
    iso3 = countries.parse_country(text)
    if iso3 == "EUR":
        return Side("EU27", (*countries.EU27, iso3))  # its own code where a table has the EU as one reporter
    kind = str(countries.table().filter(pl.col("iso3") == iso3)["kind"].first())
    if kind != "country":
        names = ", ".join(groups)
        raise BadRequest(
            "one country, or a group to add up",
            f"{text[:40]!r}, which is {iso3}, a {kind or 'group'}",
            hint=f"groups are {names}; leave the side out for everyone",
        )
    return Side(iso3, (iso3,))


def _listed(texts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Side:
    """Countries side by side, each once, in the order they were named."""
    sides = [parse_side(text, groups) for text in texts if text.strip()]
    codes = tuple(dict.fromkeys(member for side in sides if side is not None for member in side.members))
    if not codes or any(side is not None and side.is_group for side in sides):
        raise BadRequest(
            "countries with commas between, no group among them",
            repr(",".join(texts)[:40]),
            hint="such as KAZ,KGZ; a group is asked for alone, and its countries are added up",
        )
    return Side(",".join(codes), codes, is_list=len(codes) > 1)


def parse_span(text: str) -> Window:
    """A period, or a range of them, as one window.

    Parameters
    ----------
    text : str
        Such as 2022, 2022H1, H1 2022 or Jul 2022; a range has : or .. or the word to between two, such as
        2022-01:2022-11 or January to June 2022.

    Returns
    -------
    Window
        Of any length; of annual data where every period named is a year, of monthly data for all else.

    Raises
    ------
    BadRequest
        For what is no period, for more than two, and for a range that ends before it begins.

    Examples
    --------
    >>> parse_span("January to June 2022").name, parse_span("2022-01:2022-11").name
    ('2022H1', '2022-01:2022-11')
    """
    parts = _BETWEEN_PERIODS.split(text)
    if len(parts) == 1:
        return parse_period(text)
    if len(parts) != 2:
        raise BadRequest("a period, or two with : between", repr(text[:40]), hint="such as 2022-01:2022-11")
    year_of_last = _YEAR.search(parts[1])
    if parts[0].strip() and not _YEAR.search(parts[0]) and year_of_last:
        parts[0] = f"{parts[0]} {year_of_last[0]}"
    first, last = (parse_period(part) for part in parts)
    months = (last.end.year - first.start.year) * 12 + last.end.month - first.start.month + 1
    if months < 1:
        raise BadRequest("a range that ends after it begins", repr(text[:40]), hint="turn the two periods round")
    return Window("A" if first.freq_code == last.freq_code == "A" else "M", months, last.end)


def parse_goods(text: str, families: pl.DataFrame) -> pl.Expr | None:
    """The goods a code stands for; codes that the HS split or merged between editions are one good.

    8517.12 and 8517.13 are the same family; a prefix of two to five digits is every good under it.

    Parameters
    ----------
    text : str
        An HS code of 2 to 6 digits, 8 of the CN or 10 of a national list, a family with its +, or TOTAL.
    families : polars.DataFrame
        editions.family_map: edition, cmd_code, good.

    Returns
    -------
    polars.Expr or None
        A condition on `good`; None for TOTAL, all goods added up.

    Raises
    ------
    BadRequest
        For what is no code, with the nearest goods.
    """
    if text.strip().upper() == TOTAL:
        return None
    named, prefix = _meant(text, families)
    good = pl.col("good")
    return good.is_in(named) | good.is_between(pl.lit(prefix), pl.lit(f"{prefix}Z")) if prefix else good.is_in(named)


def goods_between(text: str, families: pl.DataFrame) -> tuple[str, str] | None:
    """The first and the last good that a code may mean, so that no more of a table need be read.

    Parameters
    ----------
    text : str
        As for `parse_goods`.
    families : polars.DataFrame
        editions.family_map: edition, cmd_code, good.

    Returns
    -------
    tuple of str and str, or None
        In text order, both included; goods between them may be others. None for TOTAL.

    Raises
    ------
    BadRequest
        For what is no code, with the nearest goods.
    """
    if text.strip().upper() == TOTAL:
        return None
    named, prefix = _meant(text, families)
    ends = [*named, *([prefix, f"{prefix}Z"] if prefix else [])]
    return min(ends), max(ends)


def _meant(text: str, families: pl.DataFrame) -> tuple[list[str], str]:
    """Goods by name, and the prefix of further ones, empty where the code is a whole one."""
    code = goods.parse_code(text).removesuffix("+")
    under = families.filter(pl.col("cmd_code").str.starts_with(code[:6]) | pl.col("good").eq(f"{code[:6]}+"))["good"]
    if len(code) >= 6:
        return sorted({code[:6], f"{code[:6]}+", *under}), ""
    return sorted(set(under)), code


def nearest_goods(code: str, held: Sequence[str], most: int = 3) -> list[str]:
    """The goods of the data nearest to a code: those that share most of its first digits, then by distance.

    Parameters
    ----------
    code : str
        Digits, with or without a family's +.
    held : sequence of str
        The goods of the data.
    most : int
        How many to give at most.

    Returns
    -------
    list of str
        Of `held`, the nearest first.
    """
    digits = code.removesuffix("+")[:6]

    def distance(good: str) -> tuple[int, int, str]:
        shared = next(
            (at for at, (digit, of_good) in enumerate(zip(digits, good, strict=False)) if digit != of_good), len(digits)
        )
        apart = abs(int(digits.ljust(6, "0")) - int(good[:6].ljust(6, "0"))) if good[:6].isdecimal() else 10**6
        return -shared, apart, good

    return sorted(held, key=distance)[:most]


def windows_of(period: Window) -> tuple[Window, ...]:
    """The windows a period may stand for: a calendar year is one of annual, monthly and quarterly data.

    Parameters
    ----------
    period : Window
        As parsed.

    Returns
    -------
    tuple of Window
        Annual before monthly before quarterly; a period that is no calendar year is none of annual data, one that is
        not made of calendar quarters none of quarterly data.

    Raises
    ------
    BadRequest
        For more than MOST_MONTHS, which would overlap their own year before.
    """
    if period.months > MOST_MONTHS:
        raise BadRequest(
            "a period of at most twelve months, to compare with the year before",
            f"{period.name}, {period.months} months",
            hint="ask for one year or less; `anomaly series` shows longer ones",
        )
    monthly = Window("M", period.months, period.end)
    is_year = period.months == MOST_MONTHS and period.end.month == MOST_MONTHS
    annual = (Window("A", MOST_MONTHS, period.end),) if is_year else ()
    is_of_quarters = period.months % MONTHS_IN["Q"] == 0 and period.end.month % MONTHS_IN["Q"] == 0
    quarterly = (Window("Q", period.months, period.end),) if is_of_quarters else ()
    return (*annual, monthly, *quarterly)
