"""HS and country codes: read what people and publishers write, refuse what is not known, and link the HS editions.

The facts lie in `reference/*.csv`, each row or file with its source and date; docs/reference.md describes them. A code
that is not in a table maps to nothing.
"""

from __future__ import annotations

import calendar
import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from anomaly.errors import BadRequest, DataRejected

REFERENCE = Path(__file__).parent / "reference"
EDITION_STARTS = (1988, 1996, 2002, 2007, 2012, 2017, 2022)  # year each HS edition came into force: H0 to H6
MOST_NEAR = 4  # nearest right answers shown to a person
_PLAIN_SEPARATORS = re.compile(r"[\s.\-_]+")
_RELATIONS = {"1:1", "n:1", "1:n", "n:n"}

Node = tuple[int, str]  # HS edition, code


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
    return known | {iso3.casefold(): iso3 for iso3 in countries()["iso3"]}


def parse_country(text: str) -> str:
    """ISO 3166-1 alpha-3 of a country, from its ISO-2, ISO-3, M49 or English name; also groups and special areas.

    Raises BadRequest with the nearest names; nothing is guessed.
    """
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
    return names.get(good) or names.get(good.rstrip("+")) or names.get(good[:6]) or f"{chapter_name(good[:2])}, {good}"


def parse_code(text: str) -> str:
    """Commodity code as digits: 2 to 6 or 8 of them; dots and spaces are taken off; a family keeps its + ('851712+').

    Whether trade has such a code is for the data to say; only the chapter is checked. Raises BadRequest.
    """
    digits = _PLAIN_SEPARATORS.sub("", text)
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
    year = re.search(r"(?:19|20)[0-9]{2}", asked, re.ASCII)
    if not year:
        return "write the year with four digits"
    named = [number for number in range(1, 13) if calendar.month_abbr[number].upper() in asked]
    month = f"{named[0]:02d}" if named else "07"
    return f"did you mean {year[0]}, {year[0]}H1, {year[0]}Q3 or {year[0]}-{month}?"


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


def links_from_correlation(table: pl.DataFrame) -> pl.DataFrame:
    """Links that make families and codes that break, out of a correlation table newer_code, older_code, relation.

    Returns older_code, newer_code, relation. 1:1 and n:1 links are kept, and 1:n links of a newer code that has no
    n:n link. A newer code without such a link, and an older code without one, is listed once as n:n with the other
    side null. Links of a code with itself alone are left out: a code listed nowhere is itself in both editions.
    """
    wrong = table.filter(~pl.col("relation").is_in(_RELATIONS))
    if wrong.height:
        shown = wrong["relation"].unique().sort().to_list()
        raise DataRejected("relations 1:1, n:1, 1:n or n:n", "others", count=wrong.height, examples=shown)
    is_mixed = (pl.col("relation") == "n:n").any().over("newer_code")
    is_same = pl.col("newer_code") == pl.col("older_code")
    joins = pl.col("relation").is_in(["1:1", "n:1"]) | ((pl.col("relation") == "1:n") & (~is_mixed | is_same))
    kept = table.filter(joins)
    alone = is_same & (pl.len().over("older_code") == 1) & (pl.len().over("newer_code") == 1)
    sides = [
        table.select(side).unique().join(kept, on=side, how="anti").with_columns(relation=pl.lit("n:n"))
        for side in ("newer_code", "older_code")
    ]
    frames = [kept.filter(~alone).select("older_code", "newer_code", "relation"), *sides]
    return pl.concat(frames, how="diagonal").sort("older_code", "newer_code", nulls_last=True)


def _links(full_table: Path | None) -> pl.DataFrame:
    """older_edition, newer_edition, older_code, newer_code, relation; a full table takes the place of 2017 → 2022."""
    shipped = _read("hs_families.csv").with_columns(pl.col("older_edition", "newer_edition").cast(pl.Int8))
    if full_table is None:
        return shipped
    table = pl.read_csv(full_table, infer_schema=False)
    table = table.rename({name: name.strip().lower() for name in table.columns})
    missing = {"hs2022", "hs2017", "relationship"} - set(table.columns)
    if missing:
        raise DataRejected("columns hs2022, hs2017, relationship", ", ".join(table.columns), hint=f"mend {full_table}")
    table = table.select(newer_code="hs2022", older_code="hs2017", relation="relationship")
    links = links_from_correlation(table.with_columns(pl.all().str.strip_chars()).unique(maintain_order=True))
    full = links.with_columns(older_edition=pl.lit(5, pl.Int8), newer_edition=pl.lit(6, pl.Int8))
    others = shipped.filter(pl.col("newer_edition") != 6)
    return pl.concat([others, full.select(others.columns)])


def _components(edges: Iterable[tuple[Node, Node]]) -> list[list[Node]]:
    """Sets of linked nodes, each sorted, by their first node."""
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for one, other in edges:
        parent[root(one)] = root(other)
    members: dict[Node, list[Node]] = defaultdict(list)
    for node in sorted(parent):
        members[root(node)].append(node)
    return sorted(members.values())


def _edges(links: pl.DataFrame, first: int, last: int) -> tuple[list[tuple[Node, Node]], list[tuple[Node, int]]]:
    """(links between nodes, breaks: node and the newer edition that breaks it) from edition `first` to `last`."""
    inside = links.filter(pl.col("older_edition") >= first, pl.col("newer_edition") <= last)
    mentioned = pl.concat([inside["older_code"], inside["newer_code"]]).drop_nulls().unique().sort()
    edges: list[tuple[Node, Node]] = []
    breaks: list[tuple[Node, int]] = []
    for step in range(first, last):
        rows = inside.filter(pl.col("older_edition") == step).select("older_code", "newer_code").rows()
        listed = {code for row in rows for code in row if code is not None}
        edges += [((step, code), (step + 1, code)) for code in mentioned if code not in listed]
        edges += [((step, old), (step + 1, new)) for old, new in rows if old is not None and new is not None]
        for old, new in rows:
            if old is None or new is None:
                node = (step, old) if new is None else (step + 1, new)
                edges.append((node, node))
                breaks.append((node, step + 1))
    return edges, breaks


def _families(editions: tuple[int, ...], full_table: Path | None) -> list[tuple[str, list[Node], list[int]]]:
    """(good, its nodes, the newer editions that break it) of every code that a link or a break names."""
    edges, breaks = _edges(_links(full_table), min(editions), max(editions))
    broken: dict[Node, list[int]] = defaultdict(list)
    for node, newer in breaks:
        broken[node].append(newer)
    found, taken = [], set[str]()
    for nodes in _components(edges):
        codes = [code for _, code in nodes]
        good = next((f"{code}+" for code in codes if f"{code}+" not in taken), codes[0] + "+")
        if len(set(codes)) == 1:
            good = codes[0]
        taken.add(good)
        found.append((good, nodes, sorted({newer for node in nodes for newer in broken[node]})))
    return found


def family_map(editions: Iterable[int], full_table: Path | None = None) -> pl.DataFrame:
    """Which good a code of an edition belongs to, for the codes whose good is not themselves or is unstable.

    Columns edition (Int8), cmd_code, good, is_unstable, unstable_since (Int8, the newest edition that breaks it, else
    null). Only links between the oldest and the newest of `editions` are used. A family is named by the smallest
    code of its oldest edition, with +. `full_table` is a CSV hs2022, hs2017, relationship.
    """
    asked = tuple(sorted(set(editions)))
    rows = [
        (edition, code, good, bool(breaks), max(breaks, default=None))
        for good, nodes, breaks in (_families(asked, full_table) if asked else [])
        for edition, code in nodes
        if edition in asked and (good != code or breaks)
    ]
    schema = {
        "edition": pl.Int8,
        "cmd_code": pl.String,
        "good": pl.String,
        "is_unstable": pl.Boolean,
        "unstable_since": pl.Int8,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("edition", "cmd_code")


def unstable_goods(editions: Iterable[int], full_table: Path | None = None) -> pl.DataFrame:
    """good, newer_edition (Int8): every change of edition that a good does not survive."""
    asked = tuple(sorted(set(editions)))
    rows = [(good, newer) for good, _, breaks in (_families(asked, full_table) if asked else []) for newer in breaks]
    schema = {"good": pl.String, "newer_edition": pl.Int8}
    return pl.DataFrame(rows, schema=schema, orient="row").unique().sort("good", "newer_edition")


def good_members(good: str) -> list[str]:
    """The codes a good stands for in any edition there is a table for; a plain code stands for itself.

    A family is looked for over all changes of edition together, then over each alone, the newest first.
    """
    steps = sorted({(int(older), int(newer)) for older, newer, _ in edition_tables().iter_rows()}, reverse=True)
    if good.endswith("+"):
        for editions in [(steps[-1][0], steps[0][1]), *steps]:
            for name, nodes, _ in _shipped_families(editions):
                if name == good:
                    return sorted({code for _, code in nodes})
    return [good.rstrip("+")]


@cache
def _shipped_families(editions: tuple[int, ...]) -> list[tuple[str, list[Node], list[int]]]:
    return _families(editions, None)
