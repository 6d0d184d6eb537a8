"""BACI's countries and codes as places in sorted lists: one integer is a row's code, exporter and importer, and sorts as they do."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.reference import countries, nomenclature

NOT_SPECIFIED = "9999AA"  # goods not specified by kind; the only code with letters
# reporter and partner as 10 bits each below the code: one integer sorts as code, reporter, partner do
_COUNTRY_BITS = 10
_MOST_M49 = 999
_COUNTRY_MASK = 2**_COUNTRY_BITS - 1


def key_of(code: pl.Expr, exporter: pl.Expr, importer: pl.Expr) -> pl.Expr:
    """A row's code, exporter and importer in one integer, which sorts as they do.

    Parameters
    ----------
    code : polars.Expr
        Int64, the six digits as a number; 10**6 for NOT_SPECIFIED.
    exporter, importer : polars.Expr
        Int64, of `place_of_country`.

    Returns
    -------
    polars.Expr
        Int64; null where one of them is.
    """
    return code * (1 << 2 * _COUNTRY_BITS) + exporter * (1 << _COUNTRY_BITS) + importer


def parts_of(keys: npt.NDArray[np.int64]) -> tuple[pl.Series, pl.Series, pl.Series]:
    """What keys stand for.

    Parameters
    ----------
    keys : array of int, shape (rows,)
        Of `key_of`.

    Returns
    -------
    codes : polars.Series
        Six digits, or NOT_SPECIFIED.
    exporters, importers : polars.Series
        iso3.
    """
    return (
        _hs6s().gather(keys >> 2 * _COUNTRY_BITS),
        _iso3s().gather(keys >> _COUNTRY_BITS & _COUNTRY_MASK),
        _iso3s().gather(keys & _COUNTRY_MASK),
    )


def place_of_country(number: pl.Expr) -> pl.Expr:
    """The place of a country's number in the list of all.

    Parameters
    ----------
    number : polars.Expr
        The UN's number, as a number or text.

    Returns
    -------
    polars.Expr
        Int64; null where there is no such number.
    """
    m49 = number.cast(pl.Int32, strict=False)
    within = pl.when(m49.is_between(0, _MOST_M49)).then(m49).otherwise(_MOST_M49 + 1)
    return pl.lit(_places()).gather(within)


@cache
def _iso3s() -> pl.Series:
    """Every iso3 of the UN's codes, in order."""
    return countries.m49_table()["iso3"].unique().sort()


@cache
def _places() -> pl.Series:
    """Place in `_iso3s` of every UN code from 0 to _MOST_M49, then one null; null where there is no such code."""
    place_of = {iso3: place for place, iso3 in enumerate(_iso3s())}
    places: list[int | None] = [None] * (_MOST_M49 + 2)
    for m49, iso3 in countries.m49_table().select("m49", "iso3").iter_rows():
        places[m49] = place_of[iso3]
    return pl.Series(places, dtype=pl.Int64)


@cache
def places_of_groups() -> list[int]:
    """Places of what is a group of countries, of those that `place_of_country` gives."""
    groups = set(countries.m49_table().filter(pl.col("kind") == "group")["iso3"])
    return [place for place, iso3 in enumerate(_iso3s()) if iso3 in groups]


@cache
def _hs6s() -> pl.Series:
    """000000 to 999999, then NOT_SPECIFIED: text order."""
    numbers = pl.int_range(10**6, eager=True).cast(pl.String).str.zfill(6)
    return pl.concat([numbers, pl.Series([NOT_SPECIFIED])])


@cache
def listed(edition: int) -> pl.Series:
    """Whether an edition of the HS has each code.

    Parameters
    ----------
    edition : int
        0 to 6, HS92 to HS22.

    Returns
    -------
    polars.Series
        Boolean, a value a code from 000000 to 999999, then NOT_SPECIFIED; true also where the code's chapter is not
        listed and nobody knows.
    """
    return pl.concat([nomenclature.passes(edition), pl.Series([True])])  # NOT_SPECIFIED is the last
