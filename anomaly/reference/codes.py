"""HS and country codes: read what people and publishers write, refuse what is not known, and link the HS editions.

The facts lie in `reference/*.csv`, each row or file with its source and date; docs/reference.md describes them. A code
that is not in a table maps to nothing.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from anomaly.contract.errors import BadRequest, DataRejected
from anomaly.reference import families

REFERENCE = Path(__file__).parent
EDITION_STARTS = (1988, 1996, 2002, 2007, 2012, 2017, 2022)  # year each HS edition came into force: H0 to H6
MOST_NEAR = 4  # nearest right answers shown to a person
EU27 = (
    "AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN", "FRA", "DEU", "GRC", "HUN", "IRL",
    "ITA", "LVA", "LTU", "LUX", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE",
)  # fmt: skip
_PLAIN_SEPARATORS = re.compile(r"[\s.\-_]+")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@cache
def _read(name: str) -> pl.DataFrame:
    """A reference table, every column as text; an empty cell is null."""
    return pl.read_csv(REFERENCE / name, infer_schema=False, encoding="utf8")


# ------------------------------------------------------------------ countries


@cache
def countries() -> pl.DataFrame:
    """iso3, iso2 (null for what is no country), name, kind: country, group, special or confidential."""
    return _read("countries.csv").select("iso3", "iso2", "name", "kind")


def _aliases(column: str, separator: str) -> pl.DataFrame:
    return (
        _read("countries.csv")
        .select(pl.col(column).str.split(separator).alias("text"), "iso3", "kind")
        .explode("text")
        .drop_nulls("text")
        .with_columns(pl.col("text").str.strip_chars())
    )


@cache
def m49_table() -> pl.DataFrame:
    """Every UN code known: m49 (Int32), iso3, kind. UN Comtrade's own codes and the plain M49 of a country are both in it."""
    return _aliases("m49", " ").select(pl.col("text").cast(pl.Int32).alias("m49"), "iso3", "kind")


@cache
def iso2_table() -> pl.DataFrame:
    """iso2, iso3, kind: ISO 3166-1 alpha-2 and the codes and aggregates of Eurostat."""
    own = _read("countries.csv").select(text="iso2", iso3="iso3", kind="kind").drop_nulls("text")
    return pl.concat([own, _aliases("eurostat", " ")]).rename({"text": "iso2"})


@cache
def comtrade_iso_table() -> pl.DataFrame:
    """iso, iso3, kind: the ISO texts UN Comtrade writes, trailing spaces taken off. Its numbers are the safer key."""
    told = _aliases("comtrade_iso", " ")
    own = _read("countries.csv").select(text="iso3", iso3="iso3", kind="kind").join(told, on="text", how="anti")
    return pl.concat([own, told]).rename({"text": "iso"})


@cache
def _iso3s() -> frozenset[str]:
    return frozenset(countries()["iso3"])


def _plain(text: str) -> str:
    """Lower case, no accents, no punctuation: how two spellings of a name are compared."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
    return re.sub(r"[^a-z0-9]+", " ", bare.replace("ı", "i").casefold().replace("&", " and ")).strip()


@cache
def _country_names() -> dict[str, str]:
    """Plain spelling → iso3, of names, other names, codes and numbers; a code wins over a name."""
    names = _read("countries.csv").select(text="name", iso3="iso3", kind="kind")
    numbers = m49_table().select(pl.col("m49").cast(pl.String).str.zfill(3).alias("text"), "iso3", "kind")
    codes = [names, _aliases("aliases", ";"), numbers, iso2_table().rename({"iso2": "text"})]
    known = {_plain(text): iso3 for frame in codes for text, iso3 in frame.select("text", "iso3").iter_rows()}
    known |= {iso3.casefold(): iso3 for iso3 in countries()["iso3"]}
    return {text: iso3 for text, iso3 in known.items() if text}


def parse_country(text: str) -> str:
    """ISO 3166-1 alpha-3 of a country, from its ISO-2, ISO-3, M49 or English name; also groups and special areas.

    Raises BadRequest with the nearest names; nothing is guessed.
    """
    if text in _iso3s():
        return text
    asked = _plain(text)
    known = _country_names()
    if asked in known:
        return known[asked]
    if asked.isdecimal() and asked.zfill(3) in known:
        return known[asked.zfill(3)]
    name_of = dict(countries().select("iso3", "name").iter_rows())
    near = [known[match] for match in difflib.get_close_matches(asked, known, n=3 * MOST_NEAR, cutoff=0.6)]
    near += [iso3 for name, iso3 in known.items() if len(asked) > 3 and asked in name]
    shown = ", ".join(f"{name_of[iso3]} ({iso3})" for iso3 in list(dict.fromkeys(near))[:MOST_NEAR])
    raise BadRequest(
        "a country as ISO-2, ISO-3 or English name",
        repr(text[:40]),
        hint=f"did you mean {shown}?" if shown else "such as KZ, KAZ or Kazakhstan",
    )


# ------------------------------------------------------------------ goods


@cache
def _chapter_names() -> dict[str, str]:
    return dict(_read("chapters.csv").select("chapter", "name").iter_rows())


@cache
def _good_names() -> dict[str, str]:
    return dict(_read("goods.csv").select("good", "name").iter_rows())


def chapter_name(chapter: str) -> str:
    """Short English name of an HS chapter, two digits; 'Chapter 98' where it has none."""
    return _chapter_names().get(chapter, f"Chapter {chapter}")


def good_name(good: str) -> str:
    """Short English name of a code or family, in our own words; '<chapter>, <code>' where it has none of its own."""
    names = _good_names()
    known = names.get(good) or names.get(good.rstrip("+")) or names.get(good[:6])
    chapter = chapter_name(good[:2])
    return known or (chapter if len(good) == 2 else f"{chapter}, {good}")


def parse_code(text: str) -> str:
    """Commodity code as digits: 2 to 6 or 8 of them; dots and spaces are taken off; a family keeps its + ('851712+').

    Whether trade has such a code is for the data to say; only the chapter is checked. Raises BadRequest.
    """
    digits = re.sub(r"^(?:HS|CN)", "", _PLAIN_SEPARATORS.sub("", text).upper())
    if not re.fullmatch(r"[0-9]{2,6}|[0-9]{6}\+|[0-9]{8}", digits):
        raise BadRequest("an HS code of 2 to 6 digits, or 8 of the CN", repr(text[:40]), hint=_near_goods(digits, text))
    if digits[:2] not in _chapter_names():
        names = [f"{near} ({chapter_name(near)})" for near in _near_chapters(digits[:2])]
        raise BadRequest(
            "a code in a chapter of the HS, 01 to 97 without 77, or 98 and 99",
            repr(text[:40]),
            hint=f"did you mean chapter {', '.join(names)}?",
        )
    return digits


def _near_chapters(chapter: str) -> list[str]:
    return sorted(_chapter_names(), key=lambda known: (abs(int(known) - int(chapter)), known))[:2]


def _near_goods(digits: str, text: str) -> str:
    """The nearest goods by code, or by name where letters were written."""
    names = _good_names()
    by_name = {_plain(name): good for good, name in names.items()}
    asked = _plain(text)
    near = difflib.get_close_matches(digits[:6], names, n=MOST_NEAR, cutoff=0.7) if digits[:4].isdecimal() else []
    near += [good for name, good in by_name.items() if len(asked) > 2 and asked in name]
    near += [by_name[match] for match in difflib.get_close_matches(asked, by_name, n=MOST_NEAR, cutoff=0.5)]
    shown = ", ".join(f"{good} ({names[good]})" for good in list(dict.fromkeys(near))[:MOST_NEAR])
    return f"did you mean {shown}?" if shown else "such as 8517.12, 851712, 8517 or 85"


@cache
def goods_list(file: str) -> pl.DataFrame:
    """A dated list of goods: hs6, tier, valid_from, valid_to (null: still valid), name. Raises BadRequest."""
    if not re.fullmatch(r"[\w-]+\.csv", file) or not (REFERENCE / file).is_file():
        raise BadRequest("a goods list in anomaly/reference", repr(file[:40]), hint="such as chpl.csv")
    return _read(file).select("hs6", "tier", pl.col("valid_from", "valid_to").str.to_date(), "name")


@cache
def policy_events() -> pl.DataFrame:
    """Dated measures: date, title, countries (ISO-3, spaces between), effect, source."""
    return _read("policy_events.csv").with_columns(pl.col("date").str.to_date())


def published_cases() -> pl.DataFrame:
    """The published cases as typed, every column text; `anomaly.reference.cases` takes them apart."""
    return _read("cases.csv")


# ------------------------------------------------------------------ periods


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole months. `end` is the first day of its last month; a year is annual, all else monthly."""

    text: str
    freq: str
    start: date
    end: date
    months: int


def parse_period(text: str) -> Period:
    """2022, 2022H1, 2022Q3 or 2022-07. Raises BadRequest."""
    asked = re.sub(r"\s+", "", text).upper()
    found = re.fullmatch(r"((?:19|20)[0-9]{2})(?:-?H([12])|-?Q([1-4])|[-M]?(0[1-9]|1[0-2]))?", asked, re.ASCII)
    if not found:
        raise BadRequest("a period such as 2022, 2022H1, 2022Q3 or 2022-07", repr(text[:40]), hint=_near_period(asked))
    year = int(found[1])
    if found[2]:
        return _months(f"{year}H{found[2]}", "M", year, 6 * int(found[2]) - 5, 6)
    if found[3]:
        return _months(f"{year}Q{found[3]}", "M", year, 3 * int(found[3]) - 2, 3)
    if found[4]:
        return _months(f"{year}-{found[4]}", "M", year, int(found[4]), 1)
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


# ------------------------------------------------------------------ editions and families


def edition_number(col: pl.Expr) -> pl.Expr:
    """HS edition of a classification code, Int8: H5 → 5, HS2017 → 5, CN2017 to CN2021 → 5; null where it is none."""
    code = col.str.strip_chars()
    year = code.str.extract(r"^(?:CN|HS)([0-9]{4})$").cast(pl.Int32, strict=False)
    reached = pl.sum_horizontal([(year >= start).cast(pl.Int8) for start in EDITION_STARTS])
    by_year = pl.when(year.is_between(EDITION_STARTS[0], EDITION_STARTS[-1] + 5)).then(reached - 1)
    return pl.coalesce(code.str.extract(r"^H([0-6])$").cast(pl.Int8, strict=False), by_year).cast(pl.Int8)


@cache
def edition_tables() -> pl.DataFrame:
    """Changes of edition that have a table of links: older, newer (Int8), chapter ('all' or two digits)."""
    return (
        _read("hs_editions.csv")
        .select(
            pl.col("older_edition").cast(pl.Int8).alias("older"),
            pl.col("newer_edition").cast(pl.Int8).alias("newer"),
            pl.col("chapters").str.split(" ").alias("chapter"),
        )
        .explode("chapter")
    )


def comparable_editions(older: int, newer: int, chapter: str) -> bool:
    """Whether codes of a chapter can be compared between two editions: every change between them has a table."""
    first, last = sorted((older, newer))
    steps = edition_tables().filter(pl.col("chapter").is_in(["all", chapter[:2]]))
    covered = set(steps.select("older", "newer").iter_rows())
    return all((step, step + 1) in covered for step in range(first, last))


@cache
def _shipped_links() -> pl.DataFrame:
    return _read("hs_families.csv").with_columns(pl.col("older_edition", "newer_edition").cast(pl.Int8))


def edition_links() -> pl.DataFrame:
    """Codes that a change of edition joins: older_edition, newer_edition (Int8), older_code, newer_code, relation."""
    return _shipped_links()


def _links(full_table: Path | None) -> pl.DataFrame:
    """The shipped links; a full correlation table takes the place of those from 2017 to 2022."""
    if full_table is None:
        return _shipped_links()
    try:
        table = pl.read_csv(full_table, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataRejected("a correlation table as CSV in UTF-8", f"{full_table.name}: {error}") from error
    table = table.rename({name: name.strip().lower() for name in table.columns})
    if not {"hs2022", "hs2017", "relationship"} <= set(table.columns):
        raise DataRejected(
            f"columns hs2022, hs2017, relationship in {full_table.name}",
            ", ".join(table.columns),
            hint="save the workbook's sheet of correlations as CSV, the row of headings first",
        )
    table = table.select(newer_code="hs2022", older_code="hs2017", relation="relationship")
    links = families.links_from_correlation(table.with_columns(pl.all().str.strip_chars()).unique(maintain_order=True))
    shipped = _shipped_links().filter(pl.col("newer_edition") != 6)
    full = links.with_columns(older_edition=pl.lit(5, pl.Int8), newer_edition=pl.lit(6, pl.Int8))
    return pl.concat([shipped, full.select(shipped.columns)])


def _goods(editions: Iterable[int], full_table: Path | None) -> list[families.Good]:
    asked = set(editions)
    if not asked:
        return []
    oldest, newest = min(asked), max(asked)
    return _shipped_goods(oldest, newest) if full_table is None else families.goods(_links(full_table), oldest, newest)


@cache
def _shipped_goods(oldest: int, newest: int) -> list[families.Good]:
    return families.goods(_shipped_links(), oldest, newest)


def family_map(editions: Iterable[int], full_table: Path | None = None) -> pl.DataFrame:
    """Which good a code of an edition belongs to, for the codes whose good is not themselves or is unstable.

    Columns edition (Int8), cmd_code, good, is_unstable, unstable_since (Int8, the newest edition that breaks it, else
    null). Only links between the oldest and the newest of `editions` are used. A family is named by the smallest
    code of its oldest edition, with +. `full_table` is a CSV hs2022, hs2017, relationship. Raises DataRejected.
    """
    asked = set(editions)
    return families.map_of(_goods(asked, full_table), asked)


def unstable_goods(editions: Iterable[int], full_table: Path | None = None) -> pl.DataFrame:
    """good, newer_edition (Int8): every change of edition that a good does not survive. Raises DataRejected."""
    return families.breaks_of(_goods(editions, full_table))


def good_members(good: str) -> list[str]:
    """The codes a good stands for in any edition there is a table for; a plain code stands for itself.

    A family is looked for over all changes of edition together, then over each alone, the newest first.
    """
    return list(_family_members().get(good, [good.rstrip("+")]))


@cache
def _family_members() -> dict[str, list[str]]:
    steps = sorted(set(edition_tables().select("older", "newer").iter_rows()))
    known: dict[str, list[str]] = {}
    for editions in [*steps, (steps[0][0], steps[-1][1])]:
        for good in _goods(editions, None):
            if good.name.endswith("+"):
                known[good.name] = sorted({code for _, code in good.nodes})
    return known
