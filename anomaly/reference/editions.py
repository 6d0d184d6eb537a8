"""Editions of the Harmonized System: which one a code is of, and which good it belongs to in all of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import polars as pl

from anomaly.contract.errors import DataRejected
from anomaly.reference import families
from anomaly.reference.tables import read

# year each HS edition came into force, H0 to H6: the next one is its year here and its codes in hs_codes.csv
EDITION_STARTS = (1988, 1996, 2002, 2007, 2012, 2017, 2022)
LAST_YEAR = EDITION_STARTS[-1] + 5  # the HS is revised every five or six years: what comes later may be of another


def edition_number(classification: pl.Expr) -> pl.Expr:
    """HS edition that a classification code names: H5, HS2017 and CN2017 to CN2021 are the fifth.

    Parameters
    ----------
    classification : polars.Expr
        Codes as publishers write them, text.

    Returns
    -------
    polars.Expr
        Int8, 0 to 6; null where the code names none.

    Examples
    --------
    >>> codes = pl.DataFrame({"code": ["H4", "HS2017", "CN2021", "SITC3"]})
    >>> codes.select(edition_number(pl.col("code"))).to_series().to_list()
    [4, 5, 5, None]
    """
    code = classification.str.strip_chars()
    year = code.str.extract(r"^(?:CN|HS)([0-9]{4})$").cast(pl.Int32, strict=False)
    reached = pl.sum_horizontal([(year >= start).cast(pl.Int8) for start in EDITION_STARTS])
    by_year = pl.when(year.is_between(EDITION_STARTS[0], LAST_YEAR)).then(reached - 1)
    return pl.coalesce(
        code.str.extract(rf"^H([0-{len(EDITION_STARTS) - 1}])$").cast(pl.Int8, strict=False), by_year
    ).cast(pl.Int8)


@cache
def edition_tables() -> pl.DataFrame:
    """Changes of edition that have a table of links: older, newer (Int8), chapter ('all' or two digits)."""
    return (
        read("hs_editions.csv")
        .select(
            pl.col("older_edition").cast(pl.Int8).alias("older"),
            pl.col("newer_edition").cast(pl.Int8).alias("newer"),
            pl.col("chapters").str.split(" ").alias("chapter"),
        )
        .explode("chapter")
    )


def comparable_editions(older: int, newer: int, chapter: str) -> bool:
    """Whether codes of a chapter can be compared between two editions: every change between them has a table.

    Parameters
    ----------
    older, newer : int
        Numbers of HS editions, in either order: 5 is H5, of 2017.
    chapter : str
        Two digits, or a code that begins with them.

    Returns
    -------
    bool
        True for one edition with itself.

    Examples
    --------
    >>> comparable_editions(5, 6, "85"), comparable_editions(4, 6, "01")
    (True, False)
    """
    first, last = sorted((older, newer))
    steps = edition_tables().filter(pl.col("chapter").is_in(["all", chapter[:2]]))
    covered = set(steps.select("older", "newer").iter_rows())
    return all((step, step + 1) in covered for step in range(first, last))


@cache
def _shipped_links() -> pl.DataFrame:
    return read("hs_families.csv").with_columns(pl.col("older_edition", "newer_edition").cast(pl.Int8))


def edition_links(full_table: Path | bytes | None = None) -> pl.DataFrame:
    """Codes that a change of HS edition joins, and codes that only n:n links reach.

    Parameters
    ----------
    full_table : pathlib.Path or bytes, optional
        A full correlation table of HS 2022 and HS 2017 as CSV with the columns hs2022, hs2017, relationship, or its
        content. It takes the place of the shipped links from 2017 to 2022.

    Returns
    -------
    polars.DataFrame
        older_edition, newer_edition (Int8), older_code, newer_code, relation.

    Raises
    ------
    DataRejected
        Where the table cannot be read, or is not what it should be.
    """
    if full_table is None:
        return _shipped_links()
    name = full_table.name if isinstance(full_table, Path) else "the workbook"
    try:
        table = pl.read_csv(full_table, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataRejected("a correlation table as CSV in UTF-8", f"{name}: {error}") from error
    table = table.rename({name: name.strip().lower() for name in table.columns})
    if not {"hs2022", "hs2017", "relationship"} <= set(table.columns):
        raise DataRejected(
            f"columns hs2022, hs2017, relationship in {name}",
            ", ".join(table.columns),
            hint="save the workbook's sheet of correlations as CSV, the row of headings first",
        )
    table = table.select(newer_code="hs2022", older_code="hs2017", relation="relationship")
    links = families.links_from_correlation(table.with_columns(pl.all().str.strip_chars()).unique(maintain_order=True))
    shipped = _shipped_links().filter(pl.col("newer_edition") != 6)
    full = links.with_columns(older_edition=pl.lit(5, pl.Int8), newer_edition=pl.lit(6, pl.Int8))
    return pl.concat([shipped, full.select(shipped.columns)])


def linked_goods(editions: Iterable[int], links: pl.DataFrame | None = None) -> list[families.Good]:
    """Every good that a link or a break between the oldest and the newest of some HS editions names.

    Parameters
    ----------
    editions : iterable of int
        HS editions in use: 5 is HS 2017.
    links : polars.DataFrame, optional
        `edition_links`; the shipped ones if not given.

    Returns
    -------
    list of Good
        In the order of their oldest codes; empty where no edition is named.
    """
    numbers = set(editions)
    if not numbers:
        return []
    oldest, newest = min(numbers), max(numbers)
    return _shipped_goods(oldest, newest) if links is None else families.goods(links, oldest, newest)


@cache
def _shipped_goods(oldest: int, newest: int) -> list[families.Good]:
    return families.goods(_shipped_links(), oldest, newest)


def family_map(editions: Iterable[int], links: pl.DataFrame | None = None) -> pl.DataFrame:
    """Which good a code of an edition belongs to, for the codes whose good is not themselves or is unstable.

    A family is named by the smallest code of its oldest edition, with +.

    Parameters
    ----------
    editions : iterable of int
        Numbers of the HS editions in the data; only links between the oldest and the newest are used.
    links : polars.DataFrame, optional
        `edition_links`; those that are here if not given.

    Returns
    -------
    polars.DataFrame
        edition (Int8), cmd_code, good, is_unstable, unstable_since (Int8, the newest edition that breaks it, else
        null), sorted by edition and code.
    """
    numbers = set(editions)
    return families.map_of(linked_goods(numbers, links), numbers)


def good_members(good: str) -> list[str]:
    """The codes a good stands for in any edition there is a table for; a plain code stands for itself.

    A family is looked for over all changes of edition together, then over each alone, the newest first.

    Parameters
    ----------
    good : str
        A code, or a family with its +.

    Returns
    -------
    list of str
        Six-digit codes, sorted.

    Examples
    --------
    >>> good_members("851712+")
    ['851712', '851713', '851714']
    >>> good_members("847130")
    ['847130']
    """
    return list(_family_members().get(good, [good.rstrip("+")]))


@cache
def _family_members() -> dict[str, list[str]]:
    steps = sorted(set(edition_tables().select("older", "newer").iter_rows()))
    members: dict[str, list[str]] = {}
    for editions in [*steps, (steps[0][0], steps[-1][1])]:
        for good in linked_goods(editions):
            if good.name.endswith("+"):
                members[good.name] = sorted({code for _, code in good.nodes})
    return members
