"""World Bank WITS: its bulk download and the table "By HS6 product" of its pages, both of UN Comtrade's annual figures.

docs/sources/wits.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.own_table.flows import flows_of, judged
from anomaly.sources.own_table.forms import text_frames, text_of
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.reading.text import refused

NAME = "wits"
_BY_NAME = re.compile(r"dataj?ob-?id.*|by-?hs6product.*", re.IGNORECASE)
_BULK = {
    "reporter": "ReporterISO3", "partner": "PartnerISO3", "period": "Year", "code": "ProductCode",
    "flow": "TradeFlowName", "value": "TradeValue in 1000 USD", "classification": "Nomenclature",
}  # fmt: skip
_BULK_WEIGHT = "NetWeight in KGM"
_OF_PAGE = {
    "reporter": "Reporter", "partner": "Partner", "period": "Year", "code": "ProductCode", "flow": "TradeFlow",
    "value": "Trade Value 1000USD",
}  # fmt: skip
_FLOWS = {
    "X": ("Gross Exp.", "Gross Exports", "Gross Export", "Export", "Exports"),
    "M": ("Gross Imp.", "Gross Imports", "Gross Import", "Import", "Imports"),
    "RX": ("Re-Export", "Re-Exports", "Re-export", "Re-exports"),
    "RM": ("Re-Import", "Re-Imports", "Re-import", "Re-imports"),
}
_SUFFIXES = (".csv", ".xlsx", ".xls", ".zip")
_COMBINED = ("HS", "HS Combined")  # as reported: no one edition


def claims(raw: RawFile) -> bool:
    """Whether the file is WITS's: it lies in `wits/`, has the name of a download, or begins with one of its headers.

    Parameters
    ----------
    raw : RawFile
        Its name, and where that does not decide its first bytes.

    Returns
    -------
    bool
        False for a suffix that none of the forms has.
    """
    if raw.path.suffix.lower() not in _SUFFIXES:
        return False
    if raw.name.split("/")[0] == NAME or _BY_NAME.fullmatch(raw.path.stem):
        return True
    try:
        with raw.path.open("rb") as file:
            begin = file.read(400)
    except OSError:
        return False
    return all(name.encode() in begin for name in ("ReporterISO3", "PartnerISO3", "TradeValue in 1000 USD"))


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's flows: years, in whole USD out of thousands.

    Parameters
    ----------
    raw : RawFile
        CSV, the CSV in its zip, or a workbook.
    context : Context
        batch_rows.

    Returns
    -------
    iterator of Batch
        In the file's order.

    Raises
    ------
    DataRejected
        Where the file is not whole, has neither of the two headers, or says one key twice, differently.
    """
    mapping = _mapping(raw)
    of_edition = pl.col("classification").is_in(_COMBINED)
    by_year = pl.when(of_edition).then(pl.lit("by year")).otherwise("classification").alias("classification")
    rows = judged((part.with_columns(by_year) for part in text_frames(raw, mapping)), raw, mapping, context, NAME)
    return flows_of(rows, raw, mapping, context, NAME)


def _mapping(raw: RawFile) -> TableMapping:
    """What the columns mean, by the header that the file has."""
    text, separator = text_of(raw, "utf-8", ",", "")
    header = text.content.split(b"\n", 1)[0].decode().strip()
    names = [name.strip().strip('"') for name in header.split(separator)]
    flows = {word: flow for flow, words in _FLOWS.items() for word in words}
    if set(_BULK.values()) <= set(names):
        weight = {"weight": _BULK_WEIGHT} if _BULK_WEIGHT in names else {}
        return TableMapping({**_BULK, **weight}, flows=flows, multiplier=1000.0, countries="iso3")
    if set(_OF_PAGE.values()) <= set(names):
        constants = {"classification": "by year"}
        return TableMapping(dict(_OF_PAGE), constants, flows, multiplier=1000.0, countries="name")
    expected = f"the columns of WITS's bulk download ({', '.join(_BULK.values())}) or of its pages ({', '.join(_OF_PAGE.values())})"
    raise refused(raw.name, expected, f"there are {', '.join(names)}"[:400], row=0)


SOURCE = Source(
    name=NAME,
    title="World Bank WITS: bulk download (DataJobID), tables of its pages (By-HS6Product)",
    publisher="World Bank, from UN Comtrade",
    licence="the terms of WITS and of UN Comtrade: for one's own use, not to be passed on",
    url="https://wits.worldbank.org/",
    claims=claims,
    read=read,
    precedence=25,
)
