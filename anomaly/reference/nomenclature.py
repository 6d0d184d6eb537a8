"""The nomenclature: which six-digit codes each edition of the Harmonized System has, and what is wrong with one that it has not.

`hs_codes.csv` has a row per heading and set of editions; `hs_lists.csv` says which chapters of an edition are listed
whole, and from where. An edition or a chapter that is not listed is not judged: there every code of an HS chapter passes.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.reference.editions import EDITION_STARTS
from anomaly.reference.tables import read

NATIONAL = ("98", "99")  # chapters the HS leaves to each country, and to goods not specified; any code of them passes
MOST_NAMED = 4


@cache
def codes() -> pl.DataFrame:
    """code (six digits), edition (Int8): every code of every edition that is listed, in order."""
    return (
        read("hs_codes.csv")
        .with_columns(pl.col("editions", "endings").str.split(" "))
        .explode("endings")
        .explode("editions")
        .select(code=pl.col("heading") + pl.col("endings"), edition=pl.col("editions").cast(pl.Int8))
        .sort("code", "edition")
    )


@cache
def listed_chapters() -> pl.DataFrame:
    """edition (Int8), chapter: the chapters of an edition whose codes are listed whole."""
    chapters = _chapters()
    return (
        read("hs_lists.csv")
        .select(
            edition=pl.col("edition").cast(pl.Int8),
            chapter=pl.when(pl.col("chapters") == "all")
            .then(pl.lit([*chapters]))
            .otherwise(pl.col("chapters").str.split(" ")),
        )
        .explode("chapter")
    )


@cache
def _chapters() -> tuple[str, ...]:
    """The chapters of the HS, 01 to 97 without 77; those left to countries are not among them."""
    return tuple(chapter for chapter in read("chapters.csv")["chapter"] if chapter not in NATIONAL)


@cache
def headings() -> frozenset[str]:
    """The four-digit headings of any edition listed."""
    return frozenset(read("hs_codes.csv")["heading"])


def name_of(edition: int) -> str:
    """HS 2022 of 6.

    Parameters
    ----------
    edition : int
        0 to 6.

    Returns
    -------
    str
        As a person says it.
    """
    return f"HS {EDITION_STARTS[edition]}"


def in_force(year: pl.Expr) -> pl.Expr:
    """The edition in force in a year: 5 of 2021, 6 of 2022.

    Parameters
    ----------
    year : pl.Expr
        Years as numbers.

    Returns
    -------
    pl.Expr
        Int8; -1 before the first edition.
    """
    return (pl.sum_horizontal([(year >= start).cast(pl.Int8) for start in EDITION_STARTS]) - 1).cast(pl.Int8)


def faults(pairs: pl.DataFrame) -> pl.DataFrame:
    """What is wrong with six-digit codes, each held against an edition.

    Parameters
    ----------
    pairs : pl.DataFrame
        `code` (text) and `edition` (Int8), few and unique; other columns are dropped.

    Returns
    -------
    pl.DataFrame
        The pairs that are wrong, with `fault`: a sentence, such as "a code of HS 2017, not of HS 2022".

    Examples
    --------
    >>> wrong = faults(pl.DataFrame({"code": ["851712", "851713", "771234"], "edition": [6, 6, 6]}))
    >>> wrong.select("code", "fault").rows()[0]
    ('771234', 'no code of the HS: it has no chapter 77')
    """
    pairs_once = pairs.select("code", pl.col("edition").cast(pl.Int8)).unique().sort("code", "edition")
    if pairs_once.is_empty():
        return pairs_once.with_columns(fault=pl.lit(None, dtype=pl.String))
    chapter = pl.col("code").str.slice(0, 2)
    is_national = chapter.is_in(NATIONAL)
    listed = listed_chapters()
    judged = (
        pairs_once.join(codes().with_columns(is_code=pl.lit(value=True)), on=["code", "edition"], how="left")
        .with_columns(chapter=chapter)
        .join(listed.with_columns(is_listed=pl.lit(value=True)), on=["edition", "chapter"], how="left")
        .join(_editions_of_codes(), on="code", how="left")
    )
    edition = _names(pl.col("edition"))
    has_chapter, has_heading = chapter.is_in(_chapters()), pl.col("code").str.slice(0, 4).is_in(list(headings()))
    fault = (
        pl.when(is_national | pl.col("is_code").fill_null(value=False))
        .then(None)
        .when(~has_chapter)
        .then(pl.lit("no code of the HS: it has no chapter ") + chapter)
        .when(pl.col("is_listed").is_null())
        .then(None)
        .when(pl.col("elsewhere").is_not_null())
        .then(pl.lit("a code of ") + pl.col("elsewhere") + ", not of " + edition)
        .when(has_heading)
        .then(pl.lit("no code of ") + edition + ", nor of any edition listed")
        .otherwise(pl.lit("no code of the HS: it has no heading ") + pl.col("code").str.slice(0, 4))
    )
    return judged.with_columns(fault=fault).filter(pl.col("fault").is_not_null()).select("code", "edition", "fault")


@cache
def _editions_of_codes() -> pl.DataFrame:
    """code, elsewhere: the editions that have it, in a sentence's words."""
    named = codes().group_by("code", maintain_order=True).agg(elsewhere=_names(pl.col("edition")).str.join(", "))
    return named.sort("code")


@cache
def passes(edition: int) -> pl.Series:
    """For every number from 0 to 999,999 whether, as six digits, `faults` has nothing against it in an edition.

    Parameters
    ----------
    edition : int
        0 to 6; of others nothing is known, and every code of a chapter passes.

    Returns
    -------
    pl.Series
        Boolean, a million long: by its number a code is looked up without a join.
    """
    number = pl.int_range(10**6, eager=True)
    chapter = (number // 10**4).to_frame("n")["n"]
    of_edition = codes().filter(pl.col("edition") == edition)["code"].cast(pl.Int64)
    chapters = listed_chapters().filter(pl.col("edition") == edition)["chapter"].cast(pl.Int64)
    all_chapters = pl.Series([*_chapters(), *NATIONAL]).cast(pl.Int64)
    is_code = pl.Series([False]).new_from_index(0, 10**6).scatter(of_edition, True)
    is_judged = chapter.is_in(chapters.implode())
    return chapter.is_in(all_chapters.implode()) & (is_code | ~is_judged)


def _names(edition: pl.Expr) -> pl.Expr:
    return pl.lit("HS ") + edition.replace_strict(
        dict(enumerate(EDITION_STARTS)), default=None, return_dtype=pl.Int32
    ).cast(pl.String)


def with_faults(frame: pl.DataFrame, code: str = "_hs6", edition: str = "_edition") -> pl.DataFrame:
    """Add `code_fault`: what is wrong with a row's six digits in its edition, null where nothing is.

    Only the distinct pairs are judged; where none is wrong, as in a publisher's whole month, no row is joined.

    Parameters
    ----------
    frame : pl.DataFrame
        Rows with a column of six digits (null: not judged) and one of editions (Int8).
    code : str
        Name of the column of digits.
    edition : str
        Name of the column of editions.

    Returns
    -------
    pl.DataFrame
        The same rows in the same order.
    """
    pairs = frame.select(code=code, edition=edition).unique().drop_nulls()
    number = pl.col("code").cast(pl.Int64, strict=False)
    doubtful = [
        of_edition.filter(~pl.lit(passes(int(of_edition["edition"][0]))).gather(number).fill_null(value=False))
        for of_edition in pairs.partition_by("edition")
    ]
    wrong = faults(pl.concat([pairs.clear(), *doubtful]))
    if wrong.is_empty():
        return frame.with_columns(code_fault=pl.lit(None, dtype=pl.String))
    return frame.join(
        wrong.rename({"code": code, "edition": edition, "fault": "code_fault"}),
        on=[code, edition],
        how="left",
        maintain_order="left",
    )
