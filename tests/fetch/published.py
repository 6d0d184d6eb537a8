"""What each publisher answers where nothing goes wrong, made up by us in the documented shape, a small file of each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from urllib.parse import unquote

import xlsxwriter

from anomaly.fetch import baci, census, comext, comext_slices, ecb, hmrc, unsd
from anomaly.fetch.base import Need, Publisher
from tests.fetch.answers import HTML, Answered, need, seven_zip, zipped
from tests.sources.comext_files import BULK_HEADER, bulk_row

Answer = Callable[[str, dict[str, str]], Answered]
MONTH = need(date(2024, 1, 1), date(2024, 1, 1))
KEY = "0123456789abcdef0123456789abcdef01234567"  # nobody's


@dataclass(frozen=True)
class Example:
    """A publisher, what is needed of it, what it answers, whose faults count, and the file that is kept."""

    publisher: Publisher
    need: Need
    answer: Answer
    only: str
    file: str
    key: str | None = None
    takes_ranges: bool = False


@cache  # an archive has its time in it
def comext_month(period: str = "202401") -> bytes:
    lines = "\n".join(bulk_row(product="85423190", partner=partner, period=period) for partner in ("KZ", "KG", "AM"))
    return seven_zip(f"full_{period}.dat", f"{BULK_HEADER}\n{lines}\n".encode())


def of_comext(path: str, query: dict[str, str]) -> Answered:
    content = comext_month()
    if "dir" in query:
        row = f'<tr><td><a href="x">full_v2_202401.7z</a></td><td title="{len(content)} bytes">1</td><td>18/04/2024 11:00</td></tr>'
        return Answered(f"<table>{row}</table>".encode(), HTML)
    return Answered(content, takes_ranges=True)


def slice_of(month: str = "2024-01", update: str = "15/05/24", value: object = 1200, good: str = "854231") -> bytes:
    rows = (
        comext_slices.HEADER.decode(),
        f"ESTAT:DS-059341(1.0),{update},M,DE,KZ,{good},2,VALUE_EUR,{month},{value}",
        f"ESTAT:DS-059341(1.0),{update},M,DE,KZ,{good},2,QUANTITY_KG,{month},30",
        f"ESTAT:DS-059341(1.0),{update},M,DE,WORLD,{good},2,VALUE_EUR,{month},9000",
    )
    return "".join(f"{row}\r\n" for row in rows).encode()


def of_slices(path: str, query: dict[str, str]) -> Answered:
    return Answered(slice_of(), "application/vnd.sdmx.data+csv")


def rates(months: int = 5) -> bytes:
    lines = ["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS"]
    for currency, per_eur in (("USD", 1.08), ("GBP", 0.86), ("JPY", 161.2)):
        for month in range(1, months):
            lines.append(f"EXR.M.{currency}.EUR.SP00.A,M,{currency},EUR,SP00,A,2024-{month:02},{per_eur},A")
    return "".join(f"{line}\r\n" for line in lines).encode()


def of_ecb(path: str, query: dict[str, str]) -> Answered:
    return Answered(rates(), "application/vnd.sdmx.data+csv;version=1.0.0")


@cache
def baci_zip(vintage: str = "V202401") -> bytes:
    rows = "2022,276,417,854231,41.207,0.003\n2022,842,784,880330,105.9,           NA\n2022,516,643,9999AA,1.5,2\n"
    return zipped(
        {
            f"BACI_HS17_Y2022_{vintage}.csv": f"t,i,j,k,v,q\n{rows}".encode(),
            f"country_codes_{vintage}.csv": "country_code,country_name,country_iso2,country_iso3\n516,Namibia,,NAM\n"
            "384,CÃ´te d'Ivoire,CI,CIV\n".encode(),
        }
    )


def of_baci(path: str, query: dict[str, str]) -> Answered:
    if path.endswith(".zip"):
        is_out = path.endswith("BACI_HS17_V202401.zip")
        return Answered(baci_zip(), takes_ranges=True) if is_out else Answered(b"not there", HTML, 404)
    return Answered(b"<a href='/DATA_DOWNLOAD/baci/data/BACI_HS17_V202401.zip'>HS17</a>", HTML)


def census_table(*rows: tuple[str, ...], time: str = "2024-01") -> bytes:
    names = ("E_COMMODITY", "CTY_CODE", "CTY_NAME", "ALL_VAL_MO", "COMM_LVL", "SUMMARY_LVL", "time")
    table = [names, *((*row, "HS6", "DET", time) for row in rows)]
    return ("[" + ",\n".join(json.dumps(row) for row in table) + "]").encode()


def of_census(path: str, query: dict[str, str]) -> Answered:
    return Answered(census_table(("854231", "4634", "KAZAKHSTAN", "12000")), "application/json")


def ots_row(commodity: int = 85423190, flow: int = 4, **other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "MonthId": 202401, "FlowTypeId": flow, "SuppressionIndex": 0, "CommodityId": commodity, "CommoditySitcId": 1,
        "CountryId": 79, "PortId": 1, "Value": 1000.4, "NetMass": 12.0, "SuppUnit": None,
    }  # fmt: skip
    return row | other


COUNTRY_LIST = {"value": [{"CountryId": 79, "CountryCodeAlpha": "KZ"}, {"CountryId": 4, "CountryCodeAlpha": "DE"}]}


def of_hmrc(path: str, query: dict[str, str]) -> Answered:
    if path == "/Country":
        return Answered(json.dumps(COUNTRY_LIST).encode(), "application/json")
    flow = 2 if "FlowTypeId eq 2" in unquote(query.get("$filter", "")) else 4
    rows = [ots_row(flow=flow, CountryId=4 if flow == 2 else 79)]
    return Answered(json.dumps({"value": rows}).encode(), "application/json")


@cache
def workbook(*links: tuple[str, str, str]) -> bytes:
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        conversions = book.add_worksheet("HS2022-HS2017 Conversions")
        conversions.write_row(1, 0, ("From HS2022", "To HS2017"))
        conversions.write_row(2, 0, ("854151", "851712"))
        sheet = book.add_worksheet("HS2022-HS2017 Correlations")
        sheet.write_row(0, 0, ("Correlation between HS 2022 and HS 2017",))
        sheet.write_row(1, 0, ("HS2022", " HS2017", "Relationship"))
        for row, link in enumerate(links, start=2):
            sheet.write_row(row, 0, link)
    return packed.getvalue()


LINKS = (("851713", "851712", "n:1"), ("851714", "851712", "n:1"), ("010121", "010121", "1:1"))


def of_unsd(path: str, query: dict[str, str]) -> Answered:
    return Answered(
        workbook(*LINKS), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", takes_ranges=True
    )


EXAMPLES = {
    "comext": Example(comext.PUBLISHER, MONTH, of_comext, "file=", "full_v2_202401.7z", takes_ranges=True),
    "comext-slices": Example(comext_slices.PUBLISHER, MONTH, of_slices, "sdmx", "DS-059341_202401-202401_*.csv"),
    "ecb": Example(ecb.PUBLISHER, MONTH, of_ecb, "EXR", "EXR_M_EUR_SP00_A.csv"),
    "baci": Example(baci.PUBLISHER, need(date(2019, 1, 1), date(2024, 1, 1)), of_baci, ".zip", "BACI_HS17_V202401.zip", takes_ranges=True),
    "census": Example(census.PUBLISHER, MONTH, of_census, "intltrade", "census_exports_hs6_2024-01.json", KEY),
    "hmrc": Example(hmrc.PUBLISHER, MONTH, of_hmrc, "/OTS", "OTS_2024-01.zip"),
    "unsd": Example(unsd.PUBLISHER, MONTH, of_unsd, ".xlsx", "HS2022toHS2017ConversionAndCorrelationTables.xlsx", takes_ranges=True),
}  # fmt: skip
