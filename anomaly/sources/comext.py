"""Eurostat Comext: the EU's trade by month and CN8 code, from the API's SDMX-CSV and from the bulk files.

docs/sources/comext.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.comext_api import read_api
from anomaly.sources.comext_bulk import read_bulk
from anomaly.sources.comext_rules import NAME
from anomaly.sources.reading.text import GZIP_MAGIC

_BULK_NAME = re.compile(r"full(_v2_|_partxixu\w*_|_)?\d{6}\.(7z|dat)", re.ASCII | re.IGNORECASE)
_SUFFIXES = (".7z", ".dat", ".csv", ".tsv", ".gz")
_API_HEADER = (b"DATAFLOW,LAST UPDATE,", b"freq,reporter,partner,product,flow,indicators\\TIME_PERIOD")
_SDMX_2_HEADER = b"STRUCTURE,STRUCTURE_ID,"


def claims(raw: RawFile) -> bool:
    """Whether the file is Comext's: it lies in `comext/`, has a bulk file's name, or begins as the API's answer."""
    if raw.path.suffix.lower() not in _SUFFIXES:
        return False
    if raw.name.split("/")[0] == NAME or _BULK_NAME.fullmatch(raw.path.name):
        return True
    begin = _first_bytes(raw).removeprefix(b"\xef\xbb\xbf")
    return begin.startswith(_API_HEADER) or (begin.startswith(_SDMX_2_HEADER) and b"ESTAT:DS-" in begin)


def _first_bytes(raw: RawFile) -> bytes:
    try:
        with raw.path.open("rb") as file:
            begin = file.read(2**12)
        return zlib.decompressobj(wbits=31).decompress(begin, 2**8) if begin.startswith(GZIP_MAGIC) else begin
    except (OSError, zlib.error):
        return b""


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's flows, values in EUR and, by the month's mean rate, in USD.

    Raises DataRejected where the file is not whole, holds a year's totals, says one key twice, differently, or has a
    month for which there is no rate.
    """
    if raw.path.suffix.lower() in (".7z", ".dat"):
        return read_bulk(raw, context)
    return read_api(raw, context)


SOURCE = Source(
    name=NAME,
    title="Eurostat Comext: SDMX-CSV of the API, monthly bulk files",
    publisher="Eurostat",
    licence="CC BY 4.0, source and changes to be stated",
    url="https://ec.europa.eu/eurostat/web/international-trade-in-goods/database",
    claims=claims,
    read=read,
    precedence=20,
)
