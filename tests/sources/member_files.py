"""Answers in the true shape of the US Census Bureau's and of HMRC's services, with values of our own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence

NAMES = ("E_COMMODITY", "CTY_CODE", "CTY_NAME", "ALL_VAL_MO", "COMM_LVL", "SUMMARY_LVL", "time")
COUNTRIES = ((4, "DE"), (79, "KZ"), (644, "QA"), (959, "QR"), (960, "QZ"), (961, "EU27_2020"))


def census_answer(
    *rows: Sequence[str], time: str = "2024-01", level: str = "DET", names: Sequence[str] = NAMES
) -> bytes:
    """An array of arrays, the names first, a row a line."""
    table = [list(names), *([*row, "HS6", level, time] for row in rows)]
    return ("[" + ",\n".join(json.dumps(row) for row in table) + "]").encode()


def ots(**cells: object) -> dict[str, object]:
    """A row of OTS: small cars to Kazakhstan in March 2022."""
    row: dict[str, object] = {
        "MonthId": 202203, "FlowTypeId": 4, "SuppressionIndex": 0, "CommodityId": 87032319, "CommoditySitcId": 78120,
        "CountryId": 79, "PortId": 1, "Value": 1000.0, "NetMass": 300.0, "SuppUnit": 1.0,
    }  # fmt: skip
    return row | cells


def ots_zip(*pages: Sequence[dict[str, object]], countries: Sequence[tuple[int, str]] | None = COUNTRIES) -> bytes:
    """A month's pages in a zip, with the list of countries."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        if countries is not None:
            listed = [{"CountryId": number, "CountryCodeAlpha": code} for number, code in countries]
            archive.writestr("Country.json", json.dumps({"value": listed}))
        for number, page in enumerate(pages, start=1):
            archive.writestr(f"OTS_4_{number:04}.json", json.dumps({"@odata.context": "x", "value": list(page)}))
    return packed.getvalue()
