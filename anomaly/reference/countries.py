"""Countries: read what people and publishers write, refuse what is in no table. Nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.reference.tables import read

MOST_NEAR = 4  # nearest right answers shown to a person
EU27 = (
    "AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN", "FRA", "DEU", "GRC", "HUN", "IRL",
    "ITA", "LVA", "LTU", "LUX", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE",
)  # fmt: skip


@cache
def table() -> pl.DataFrame:
    """iso3, iso2 (null for what is no country), name, kind: country, group, special or confidential."""
    return read("countries.csv").select("iso3", "iso2", "name", "kind")


def _aliases(column: str, separator: str) -> pl.DataFrame:
    return (
        read("countries.csv")
        .select(pl.col(column).str.split(separator).alias("text"), "iso3", "kind")
        .explode("text")
        .drop_nulls("text")
        .with_columns(pl.col("text").str.strip_chars())
    )


@cache
def m49_table() -> pl.DataFrame:
    """UN codes: m49 (Int32), iso3, kind. UN Comtrade's own codes and the plain M49 of a country are both in it."""
    return _aliases("m49", " ").select(pl.col("text").cast(pl.Int32).alias("m49"), "iso3", "kind")


@cache
def iso2_table() -> pl.DataFrame:
    """iso2, iso3, kind: ISO 3166-1 alpha-2 and the codes and aggregates of Eurostat."""
    of_iso = read("countries.csv").select(text="iso2", iso3="iso3", kind="kind").drop_nulls("text")
    return pl.concat([of_iso, _aliases("eurostat", " ")]).rename({"text": "iso2"})


@cache
def comtrade_iso_table() -> pl.DataFrame:
    """iso, iso3, kind: the ISO texts UN Comtrade writes, trailing spaces taken off. Its numbers are the safer key."""
    of_comtrade = _aliases("comtrade_iso", " ")
    of_iso = (
        read("countries.csv").select(text="iso3", iso3="iso3", kind="kind").join(of_comtrade, on="text", how="anti")
    )
    return pl.concat([of_iso, of_comtrade]).rename({"text": "iso"})


@cache
def _iso3s() -> frozenset[str]:
    return frozenset(table()["iso3"])


def plain(text: str) -> str:
    """A name as two spellings of it are compared: lower case, no accents, no punctuation.

    Parameters
    ----------
    text : str
        A name as someone wrote it.

    Returns
    -------
    str
        Letters of any script and digits, single spaces between words; may be empty.

    Examples
    --------
    >>> plain("Côte d’Ivoire")
    'cote d ivoire'
    """
    bare = "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
    return re.sub(r"[\W_]+", " ", bare.replace("ı", "i").casefold().replace("&", " and ")).strip()


@cache
def _country_names() -> dict[str, str]:
    """Plain spelling → iso3, of names, other names, codes and numbers; a code wins over a name."""
    names = read("countries.csv").select(text="name", iso3="iso3", kind="kind")
    numbers = m49_table().select(pl.col("m49").cast(pl.String).str.zfill(3).alias("text"), "iso3", "kind")
    codes = [names, _aliases("aliases", ";"), numbers, iso2_table().rename({"iso2": "text"})]
    spellings = {plain(text): iso3 for frame in codes for text, iso3 in frame.select("text", "iso3").iter_rows()}
    spellings |= {iso3.casefold(): iso3 for iso3 in table()["iso3"]}
    return {text: iso3 for text, iso3 in spellings.items() if text}


def is_name(text: str) -> bool:
    """Whether `parse_country` knows a text, such as a name that has a comma in it.

    Parameters
    ----------
    text : str
        As someone wrote it.

    Returns
    -------
    bool
        In any case and spelling.
    """
    return plain(text) in _country_names()


def parse_country(text: str) -> str:
    """ISO 3166-1 alpha-3 of a country; also of groups and special areas.

    Parameters
    ----------
    text : str
        ISO-2, ISO-3, M49 or an English name, in any case and spelling.

    Returns
    -------
    str
        A code of `table`.

    Raises
    ------
    BadRequest
        For anything else, with the nearest names; nothing is guessed.

    Examples
    --------
    >>> parse_country("Türkiye"), parse_country("kz"), parse_country("398")
    ('TUR', 'KAZ', 'KAZ')
    """
    if text in _iso3s():
        return text
    plain_text = plain(text)
    spellings = _country_names()
    if plain_text in spellings:
        return spellings[plain_text]
    if plain_text.isdecimal() and plain_text.zfill(3) in spellings:
        return spellings[plain_text.zfill(3)]
    name_of = dict(table().select("iso3", "name").iter_rows())
    import difflib  # only where a name is not understood

    near = [spellings[match] for match in difflib.get_close_matches(plain_text, spellings, n=3 * MOST_NEAR, cutoff=0.6)]
    near += [iso3 for name, iso3 in spellings.items() if len(plain_text) > 3 and plain_text in name]
    shown = ", ".join(f"{name_of[iso3]} ({iso3})" for iso3 in list(dict.fromkeys(near))[:MOST_NEAR])
    raise BadRequest(
        "a country as ISO-2, ISO-3 or English name",
        repr(text[:40]),
        hint=f"did you mean {shown}?" if shown else "such as KZ, KAZ or Kazakhstan",
    )


MISSING = ("NA", "N/A", "#N/A", "NaN", "null", "None", "")  # how programs write that nothing stood there


@cache
def texts(system: str) -> dict[str, str]:
    """What publishers write beside a system's own codes: totals, old codes, names of their own.

    Parameters
    ----------
    system : str
        iso3, iso2, m49 or name.

    Returns
    -------
    dict of str to str
        Plain spelling → iso3.
    """
    written = read("country_texts.csv").filter(pl.col("systems").str.split(" ").list.contains(system))
    return {plain(text): iso3 for text, iso3 in written.select("text", "iso3").iter_rows()}


def resolve(written: pl.Series, system: str, own: dict[str, str]) -> pl.DataFrame:
    """What the texts of a column of countries mean.

    Parameters
    ----------
    written : pl.Series
        The distinct texts of the column, without nulls.
    system : str
        iso3, iso2, m49 or name.
    own : dict of str to str
        A dictionary beside the table: text, exactly or in another spelling → iso3, or aggregate.

    Returns
    -------
    pl.DataFrame
        text, iso3, kind (country, group, special, confidential) of the texts that are known; the others are left out.
    """
    kind_of = dict(table().select("iso3", "kind").iter_rows())
    kind_of |= {"aggregate": "group"}
    by_own = {plain(text) or text.strip(): meaning for text, meaning in own.items()}
    rows = []
    for text in written.sort():
        spelt = plain(text) or text.strip()
        iso3 = own.get(text) or by_own.get(spelt) or _in_system(text, system) or texts(system).get(plain(text))
        if iso3 in kind_of:
            rows.append((text, iso3, kind_of[iso3]))
    schema = {"text": pl.String, "iso3": pl.String, "kind": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


@cache
def _by_iso2() -> dict[str, str]:
    return dict(iso2_table().unique("iso2", keep="first", maintain_order=True).select("iso2", "iso3").iter_rows())


@cache
def _by_m49() -> dict[int, str]:
    return dict(m49_table().select("m49", "iso3").iter_rows())


def _in_system(text: str, system: str) -> str | None:
    if system == "iso2":
        return _by_iso2().get(text)
    if system == "iso3":
        return text if text in _iso3s() else None
    if system == "m49":
        return _by_m49().get(int(text)) if re.fullmatch(r"[0-9]{1,3}", text) else None
    return None if text in MISSING else _country_names().get(plain(text))
