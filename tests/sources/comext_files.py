"""Files in the true shape of Eurostat's API and bulk download, with values of our own."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import date
from pathlib import Path

import polars as pl
import py7zr

from anomaly.sources import comext
from anomaly.sources.base import Batch, Context, RawFile
from anomaly.sources.reading.limits import Limits

API_HEADER = "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE"
BULK_HEADER = (
    "REPORTER,PARTNER,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA21,PRODUCT_CPA22,PRODUCT_BEC,PRODUCT_BEC5,"
    "PRODUCT_SECTION,FLOW,STAT_PROCEDURE,SUPPL_UNIT,PERIOD,VALUE_EUR,VALUE_NAC,QUANTITY_KG,QUANTITY_SUPPL_UNIT"
)
OLD_HEADER = (
    "DECLARANT,DECLARANT_ISO,PARTNER,PARTNER_ISO,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_cpa2002,PRODUCT_cpa2008,"
    "PRODUCT_CPA2_1,PRODUCT_BEC,PRODUCT_SECTION,FLOW,STAT_REGIME,SUPP_UNIT,PERIOD,VALUE_IN_EUROS,QUANTITY_IN_KG,SUP_QUANTITY"
)
OLD_ROW = "001,FR,0003,NL,I,{product},00151,0122,0143,.....,111,01,{flow},1,A,200101,{value},{kg},1"
RATES = {(2022, 7): 1.02, (2022, 8): 1.01, (2024, 2): 1.08, (2001, 1): 0.94}
CONTEXT = Context(
    usd_per={
        "EUR": pl.DataFrame({"month": [date(y, m, 1) for y, m in RATES], "usd_per_unit": list(RATES.values())}),
    }
)


def api_row(
    reporter: str = "AT",
    partner: str = "KG",
    product: str = "87032319",
    flow: str = "2",
    indicator: str = "VALUE_IN_EUROS",
    period: str = "2022-07",
    value: object = 1000,
    dataflow: str = "ESTAT:DS-045409(1.0)",
    update: str = "13/01/23",
) -> str:
    """One row of an API answer."""
    return f"{dataflow},{update},M,{reporter},{partner},{product},{flow},{indicator},{period},{value}"


def api(*rows: str, header: str = API_HEADER) -> bytes:
    """An API answer: CRLF."""
    return "".join(f"{line}\r\n" for line in (header, *rows)).encode()


def bulk_row(
    reporter: str = "DE",
    partner: str = "KZ",
    product: str = "85423190",
    flow: int = 2,
    procedure: object = 1,
    period: str = "202402",
    value: object = 1000,
    kg: object = 5,
    trade_type: str = "E",
) -> str:
    """One row of a bulk file of today."""
    classes = f"{reporter},{partner},{trade_type},{product},77641,2611,2611,422,.....,16"
    return f"{classes},{flow},{procedure},NO_SU,{period},{value},{value},{kg},0"


def bulk(*rows: str, header: str = BULK_HEADER) -> bytes:
    """The table in a bulk file: LF."""
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def seven_zip(members: dict[str, bytes]) -> bytes:
    """A 7z archive."""
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return packed.getvalue()


def seven_zip_named(name: str, content: bytes) -> bytes:
    """A 7z archive whose one member has a name that the library itself refuses to write."""
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(content, "x" * len(name))
    whole = packed.getvalue()
    start, size = struct.unpack("<QQ", whole[12:28])
    header = whole[32 + start : 32 + start + size].replace(
        ("x" * len(name)).encode("utf-16-le"), name.encode("utf-16-le")
    )
    checked = struct.pack("<QQL", start, size, zlib.crc32(header))
    hostile = whole[:8] + struct.pack("<L", zlib.crc32(checked)) + checked + whole[32 : 32 + start] + header
    with py7zr.SevenZipFile(io.BytesIO(hostile)) as archive:
        assert archive.getnames() == [name]
    return hostile


def read(
    folder: Path, name: str, content: bytes, context: Context = CONTEXT, limits: Limits | None = None
) -> list[Batch]:
    """The batches of a file with these bytes, each with its rows accounted for."""
    path = folder / name
    path.write_bytes(content)
    batches = list(comext.read(RawFile(path, f"comext/{name}", limits=limits or Limits()), context))
    for batch in batches:
        assert batch.rows_in == batch.flows.height + batch.rejected.height + batch.rows_deduplicated
    return batches


def only_batch(folder: Path, name: str, content: bytes) -> Batch:
    """The one batch of a file."""
    batches = read(folder, name, content)
    assert len(batches) == 1
    return batches[0]


def read_bulk(folder: Path, *rows: str) -> Batch:
    """The one batch of a monthly 7z with these rows."""
    return only_batch(folder, "full_v2_202402.7z", seven_zip({"full_202402.dat": bulk(*rows)}))


def judged(batch: Batch) -> list[tuple[str, str, str | None, bool]]:
    """Rule, column, value and is_error of every rejected row."""
    return list(batch.rejected.select("rule", "column", "value", "is_error").iter_rows())
