"""What a published statement is about: its exporters, importers and goods, and the routes that are among them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.reference import editions, goods
from anomaly.reference.countries import EU27

GROUPS = ("EU27",)  # what stands for several countries in columns of exporters and importers
ALL = "all"


def parse_goods(text: str | None) -> list[str]:
    """Codes of a cell of goods.

    Parameters
    ----------
    text : str, optional
        HS codes of two to six digits with spaces between; the name of a goods list in this folder stands for its codes.

    Returns
    -------
    list of str
        The codes, in their order.

    Raises
    ------
    BadRequest
        For a code or list that there is not.

    Examples
    --------
    >>> parse_goods("8703 851712")
    ['8703', '851712']
    """
    codes: list[str] = []
    for word in (text or "").split():
        codes += goods.goods_list(word)["hs6"].to_list() if word.endswith(".csv") else [goods.parse_code(word)]
    return codes


def parse_scope(text: str | None, column: str) -> list[str] | None:
    """Countries or goods of a measure's cell.

    Parameters
    ----------
    text : str, optional
        ISO 3166-1 alpha-3 or EU27, or what `parse_goods` reads; `all` alone is everything.
    column : str
        goods, or a column of countries.

    Returns
    -------
    list of str, optional
        Empty: everything. None where the cell is empty: it is not known what is meant, and nothing is among it.

    Raises
    ------
    BadRequest
        For a code or list that there is not, and where `all` stands beside something.
    """
    words = (text or "").split()
    if ALL in words and len(words) > 1:
        raise BadRequest(f"'{ALL}' alone, or a list", repr(text), hint=f"correct the column {column}")
    if not words:
        return None
    if words == [ALL]:
        return []
    return parse_goods(text) if column == "goods" else words


def is_one_of(column: str, countries: Sequence[str]) -> pl.Expr:
    """Whether a column's country is one of some.

    Parameters
    ----------
    column : str
        Of ISO 3166-1 alpha-3.
    countries : sequence of str
        The same, EU27 for its members; empty: everyone.

    Returns
    -------
    polars.Expr
        Boolean.
    """
    return pl.col(column).is_in(members(countries)) if countries else pl.lit(value=True)


def members(countries: Sequence[str]) -> list[str]:
    """Countries with groups taken apart.

    Parameters
    ----------
    countries : sequence of str
        ISO 3166-1 alpha-3, or EU27.

    Returns
    -------
    list of str
        ISO 3166-1 alpha-3.

    Examples
    --------
    >>> members(["KAZ"]), len(members(["EU27", "GBR"]))
    (['KAZ'], 28)
    """
    return [iso3 for country in countries for iso3 in (EU27 if country == "EU27" else (country,))]


def is_about(
    exporters: Sequence[str], importers: Sequence[str], prefixes: Sequence[str], traded: Sequence[str]
) -> pl.Expr:
    """Whether a route is among what a statement is about.

    Parameters
    ----------
    exporters, importers : sequence of str
        ISO 3166-1 alpha-3, EU27 for its members; empty: everyone.
    prefixes : sequence of str
        Beginnings of HS codes, or whole ones; empty: all goods.
    traded : sequence of str
        The goods of the routes that are asked about.

    Returns
    -------
    polars.Expr
        Boolean, over good, exporter_iso and importer_iso.
    """
    is_good = pl.col("good").is_in(goods_of(prefixes, traded)) if prefixes else pl.lit(value=True)
    return is_one_of("exporter_iso", exporters) & is_one_of("importer_iso", importers) & is_good


def goods_of(prefixes: Sequence[str], traded: Sequence[str]) -> list[str]:
    """Of some goods those with a code that begins with one asked for.

    Parameters
    ----------
    prefixes : sequence of str
        Beginnings of HS codes, or whole ones.
    traded : sequence of str
        Codes and families.

    Returns
    -------
    list of str
        Of `traded`, order kept; a family where a member of it begins so.

    Examples
    --------
    >>> goods_of(["8703", "851713"], ["851712+", "870323", "901380"])
    ['851712+', '870323']
    """
    starts = tuple(prefixes)
    return [good for good in traded if any(code.startswith(starts) for code in (good, *editions.good_members(good)))]
