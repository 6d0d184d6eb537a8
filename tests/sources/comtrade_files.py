"""Files in the true shape of UN Comtrade's three formats, with values of our own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

# One row as the API gives it: keys, order and types as published.
API_ROW: Row = {
    "typeCode": "C",
    "freqCode": "A",
    "refPeriodId": 20220101,
    "refYear": 2022,
    "refMonth": 52,
    "period": "2022",
    "reporterCode": 51,
    "reporterISO": "ARM",
    "reporterDesc": "Armenia",
    "flowCode": "X",
    "flowDesc": "Export",
    "partnerCode": 643,
    "partnerISO": "RUS",
    "partnerDesc": "Russian Federation",
    "partner2Code": 0,
    "partner2ISO": "W00",
    "partner2Desc": "World",
    "classificationCode": "H6",
    "classificationSearchCode": "HS",
    "isOriginalClassification": True,
    "cmdCode": "870323",
    "cmdDesc": 'Vehicles; "cars", with engines',
    "aggrLevel": 6,
    "isLeaf": True,
    "customsCode": "C00",
    "customsDesc": "TOTAL CPC",
    "mosCode": "0",
    "motCode": 0,
    "motDesc": "TOTAL MOT",
    "qtyUnitCode": 8,
    "qtyUnitAbbr": "kg",
    "qty": 1200.5,
    "isQtyEstimated": False,
    "altQtyUnitCode": -1,
    "altQtyUnitAbbr": "N/A",
    "altQty": None,
    "isAltQtyEstimated": False,
    "netWgt": 1200.5,
    "isNetWgtEstimated": False,
    "grossWgt": None,
    "isGrossWgtEstimated": False,
    "cifvalue": None,
    "fobvalue": 1000.0,
    "primaryValue": 1000.0,
    "legacyEstimationFlag": 0,
    "isReported": False,
    "isAggregate": True,
}

BULK_HEADER = (
    "datasetCode typeCode freqCode refPeriodId refYear refMonth period reporterCode flowCode partnerCode partner2Code "
    "classificationSearchCode classificationCode isOriginalClassification cmdCode customsCode mosCode motCode "
    "qtyUnitCode qty isQtyEstimated altQtyUnitCode altQty isAltQtyEstimated netWgt isnetWgtEstimated grossWgt "
    "isgrossWgtEstimated CIFValue FOBValue primaryValue legacyEstimationFlag isReported isAggregate"
)
BULK_COLUMNS = BULK_HEADER.split(" ")


def row(**changes: Any) -> Row:
    """The row, with some cells changed. An unknown name is a slip of the test."""
    unknown = changes.keys() - API_ROW.keys()
    assert not unknown, unknown
    return {**API_ROW, **changes}


def web_export(rows: Sequence[Row], encoding: str = "cp1252") -> bytes:
    """The web export: CRLF, quoted, the header without the comma that ends every row of data."""
    lines = [",".join(API_ROW)]
    lines += [",".join(_web_cell(cell) for cell in cells.values()) + "," for cells in rows]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def _web_cell(cell: Any) -> str:
    if cell is None:
        return ""
    text = str(cell).lower() if isinstance(cell, bool) else f"{cell:.15g}" if isinstance(cell, float) else str(cell)
    return '"' + text.replace('"', '""') + '"'


def answer(rows: Sequence[Row], **envelope: Any) -> bytes:
    """The API's answer."""
    whole = {"elapsedTime": "0.21 secs", "count": len(rows), "data": list(rows), "error": "", **envelope}
    return json.dumps(whole).encode()


def bulk(rows: Sequence[Row]) -> bytes:
    """A bulk file: gzip, tab separated, 34 columns, booleans 0 and 1."""
    lines = ["\t".join(BULK_COLUMNS)]
    for cells in rows:
        by_name = {name.lower(): cell for name, cell in cells.items()} | {"datasetcode": 20051202200001052}
        lines.append("\t".join(_bulk_cell(by_name[name.lower()]) for name in BULK_COLUMNS))
    return gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)


def _bulk_cell(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(int(cell))
    return "" if cell is None else str(cell)
