"""The forms files come in: the same figures, whatever wrote them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from anomaly.contract.errors import DataRejected
from anomaly.sources import comext, comtrade, find, table
from anomaly.sources.base import Batch, Context, RawFile
from tests.sources.comtrade_files import API_ROW, row

MONTHS = [date(year, month, 1) for year in (2021, 2022) for month in range(1, 13)]
RATES = Context(usd_per={"EUR": pl.DataFrame({"month": MONTHS, "usd_per_unit": [2.0] * len(MONTHS)})})
TOML = """
countries = "iso3"
period = "%Y-%m"
flow = "X"
classification = "by year"
[columns]
reporter = "rep"
partner = "par"
period = "when"
code = "hs"
value = "usd"
"""
HEADER = ("rep", "par", "when", "hs", "usd")
ROWS = (("KAZ", "RUS", "2022-07", "851713", 1033.25), ("KAZ", "RUS", "2022-08", "010121", 2000))


def own(folder: Path, name: str, content: bytes, toml: str = TOML) -> Batch:
    (folder / "mine.toml").write_text(toml, encoding="utf-8")
    (folder / name).write_bytes(content)
    (batch,) = table.read(RawFile(folder / name, name), Context())
    return batch


def plain(rows: tuple[tuple[object, ...], ...] = ROWS) -> bytes:
    return "".join(",".join(map(str, line)) + "\n" for line in (HEADER, *rows)).encode()


def workbook(sheets: dict[str, tuple[tuple[object, ...], ...]]) -> bytes:
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        for title, lines in sheets.items():
            sheet = book.add_worksheet(title)
            for at, line in enumerate(lines):
                sheet.write_row(at, 0, line)
    return written.getvalue()


def page(rows: tuple[tuple[object, ...], ...] = ROWS) -> bytes:
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in (HEADER, *rows))
    return f"<html><head><meta charset=utf-8></head><body><table>{lines}</table></body></html>".encode()


def zipped(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


FORMS = {
    "mine.csv": plain(),
    "mine.xlsx": workbook({"data": (HEADER, *ROWS)}),
    "mine.xls": page(),
    "mine.html": page(),
    "mine.zip": zipped({"data.csv": plain(), "readme.md": b"x"}),
    "mine.tsv": plain().replace(b",", b"\t"),
    "mine.txt": plain().decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_table_says_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    flows = own(tmp_path, name, FORMS[name]).flows
    assert flows.select("cmd_code", "primary_value_usd").rows() == [("851713", 1033), ("010121", 2000)]


def test_a_workbook_of_several_sheets_asks_for_one(tmp_path: Path) -> None:
    content = workbook({"notes": (("a note",),), "data": (HEADER, *ROWS)})
    with pytest.raises(DataRejected, match="notes, data"):
        own(tmp_path, "mine.xlsx", content)
    assert own(tmp_path, "mine.xlsx", content, 'sheet = "data"\n' + TOML).flows.height == 2
    with pytest.raises(DataRejected, match="there are notes, data"):
        own(tmp_path, "mine.xlsx", content, 'sheet = "sums"\n' + TOML)


def test_numbers_of_a_workbook_are_numbers_and_no_marks_between_thousands(tmp_path: Path) -> None:
    rows = (("KAZ", "RUS", "2022-07", "851713", 1033.125), ("KAZ", "RUS", "2022-08", "851713", 984))
    assert own(tmp_path, "mine.xlsx", workbook({"data": (HEADER, *rows)})).flows["primary_value_usd"].to_list() == [
        1033,
        984,
    ]


def test_codes_that_a_workbook_holds_as_numbers_have_lost_their_zero(tmp_path: Path) -> None:
    batch = own(tmp_path, "mine.xlsx", workbook({"data": (HEADER, ("KAZ", "RUS", "2022-07", 30214, 5))}))
    assert "5 digits: a zero is lost" in batch.rejected["reason"][0]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("mine.xlsx", b"PK\x03\x04 cut", "damaged"),
        ("mine.xls", b"<html><p>no table</p></html>", "HTML without one"),
        ("mine.zip", zipped({"a.csv": plain(), "b.csv": plain()}), "2: a.csv, b.csv"),
        ("mine.zip", plain(), "a file that is none"),
        ("mine.html", b"<table>" * 500, "HTML without one"),
    ],
)
def test_a_form_that_is_not_whole_is_refused(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    with pytest.raises(DataRejected, match=says):
        own(tmp_path, name, data)


# UN Comtrade


def comtrade_of(folder: Path, name: str, content: bytes) -> Batch:
    (folder / name).write_bytes(content)
    (batch,) = comtrade.read(RawFile(folder / name, f"comtrade/{name}"), Context())
    return batch


def snake(name: str) -> str:
    """cmd_code of cmdCode, partner2_code of partner2Code, reporter_iso of reporterISO."""
    words = "".join(
        f"_{letter.lower()}" if letter.isupper() and not name[at - 1].isupper() else letter.lower()
        for at, letter in enumerate(name)
    )
    return words.strip("_")


def test_records_without_an_envelope_are_read(tmp_path: Path) -> None:
    batch = comtrade_of(tmp_path, "data.json", json.dumps([row(), row(cmdCode="870324")]).encode())
    assert batch.flows["cmd_code"].to_list() == ["870323", "870324"]


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_snake_case_is_the_same_row(tmp_path: Path, kind: str) -> None:
    record = {snake(name): value for name, value in row().items()}
    line = ",".join(
        "NA" if value is None else f'"{str(value).replace(chr(34), chr(34) * 2)}"' for value in record.values()
    )
    content = json.dumps([record]) if kind == "json" else f"{','.join(record)}\n{line}\n"
    expected = comtrade_of(tmp_path, "a.json", json.dumps([API_ROW]).encode()).flows
    assert comtrade_of(tmp_path, f"a.{kind}", content.encode()).flows.equals(expected)


def test_the_legacy_csv_is_read_by_its_own_names(tmp_path: Path) -> None:
    header = (
        "Classification,Year,Period,Period Desc.,Aggregate Level,Is Leaf Code,Trade Flow Code,Trade Flow,Reporter Code,"
    )
    header += "Reporter,Reporter ISO,Partner Code,Partner,Partner ISO,Commodity Code,Commodity,Qty,Netweight (kg),Trade Value (US$),Flag"
    lines = [
        "H4,2016,201607,July 2016,6,1,2,Exports,381,Italy,ITA,643,Russian Federation,RUS,851712,Phones,10,7,12000,4",
        "H4,2016,2016,2016,6,1,3,Re-Exports,398,Kazakhstan,KAZ,643,Russian Federation,RUS,851712,Phones,1,,2000,0",
        "H4,2016,201607,July 2016,6,1,2,Exports,381,Italy,ITA,0,World,WLD,851712,Phones,10,7,90000,0",
    ]
    path = tmp_path / "old.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    assert find(RawFile(path, "old.csv")) is comtrade.SOURCE
    batch = comtrade_of(tmp_path, "old.csv", path.read_bytes())
    columns = ("reporter_iso", "freq_code", "flow_code", "primary_value_usd", "net_wgt_g", "is_net_wgt_estimated")
    assert batch.flows.select(columns).rows() == [
        ("ITA", "M", "X", 12000, 7000, True),
        ("KAZ", "A", "RX", 2000, None, None),
    ]
    assert batch.rejected["rule"].to_list() == ["aggregate"]


@pytest.mark.parametrize(
    ("code", "rule", "says"),
    [
        ("30214", "zero_lost", "5 digits: a zero is lost"),
        ("851712.0", "zero_lost", "a number with a decimal point"),
        ("8542310000", "tariff_line", "a tariff line"),
        ("851712", "bad_code", "not of HS 2022"),
        ("771234", "bad_code", "no chapter 77"),
    ],
)
def test_a_comtrade_code_that_is_none_is_an_error_that_says_why(
    tmp_path: Path, code: str, rule: str, says: str
) -> None:
    rejected = comtrade_of(tmp_path, "a.json", json.dumps([row(cmdCode=code)]).encode()).rejected
    assert rejected.select("rule", "is_error").rows() == [(rule, True)]
    assert says in rejected["reason"][0]


def test_two_countries_in_one_row_are_doubted(tmp_path: Path) -> None:
    batch = comtrade_of(tmp_path, "a.json", json.dumps([row(reporterCode=51, reporterISO="KAZ")]).encode())
    assert batch.flows["reporter_iso"].to_list() == ["ARM"]
    assert batch.doubts is not None
    assert batch.doubts["rule"].to_list() == ["two_countries"]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"cmdCode": "1", "cmdCode": "2"}]',
        b'{"count": 1, "data": [' + b"9" * 5000 + b"]}",
        b'{"error": "no", "errorObject": 5}',
        b'[{"cmdCode": "\\ud800"}]',
        b"[1]",
        b"5",
    ],
)
def test_odd_json_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DataRejected, match=r"a\.json"):
        comtrade_of(tmp_path, "a.json", data)


# Eurostat


def comext_of(folder: Path, name: str, text: str) -> Batch:
    (folder / name).write_text(text, encoding="utf-8")
    (batch,) = comext.read(RawFile(folder / name, f"comext/{name}"), RATES)
    return batch


SAYS = ("reporter_iso", "partner_iso", "ref_date", "cmd_code", "reported_value", "net_wgt_g")
EXPECTED = ("DEU", "KGZ", date(2022, 1, 1), "85423190", 25310, 150_000)


def test_sdmx_csv_of_both_versions_says_the_same(tmp_path: Path) -> None:
    version_2 = "STRUCTURE,STRUCTURE_ID,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS\n"
    version_2 += "dataflow,ESTAT:DS-045409(1.0),M,DE,KG,85423190,2,VALUE_IN_EUROS,2022-01,25310,,\n"
    version_2 += "dataflow,ESTAT:DS-045409(1.0),M,DE,KG,85423190,2,QUANTITY_IN_100KG,2022-01,1.5,,\n"
    batch = comext_of(tmp_path, "ds.csv", version_2)
    assert batch.flows.select(SAYS).rows() == [EXPECTED]
    assert batch.flows.select("dataset", "vintage").rows() == [("DS-045409", "undated")]
    assert find(RawFile(tmp_path / "ds.csv", "ds.csv")) is comext.SOURCE


def test_the_tsv_with_a_column_a_month_is_read(tmp_path: Path) -> None:
    text = "freq,reporter,partner,product,flow,indicators\\TIME_PERIOD\t2022-01 \t2022-02 \n"
    text += "M,DE,KG,85423190,2,VALUE_IN_EUROS\t25310 \t: \nM,DE,KG,85423190,2,QUANTITY_IN_100KG\t1.5 e\t: c\n"
    assert comext_of(tmp_path, "ds.tsv", text).flows.select(SAYS).rows() == [EXPECTED]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_withheld_observation_is_set_aside_and_doubted(tmp_path: Path, form: str) -> None:
    header = "STRUCTURE,STRUCTURE_ID,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS"
    cells = ("2022-01,1500,,", "2022-02,,c,C")
    lines = [header, *(f"dataflow,ESTAT:DS-045409(1.0),M,AT,KG,87032319,2,VALUE_IN_EUROS,{cell}" for cell in cells)]
    content = "\n".join(lines) + "\n"
    if form == "tsv":
        content = "freq,reporter,partner,product,flow,indicators\\TIME_PERIOD\t2022-01 \t2022-02 \t2022-03 \n"
        content += "M,AT,KG,87032319,2,VALUE_IN_EUROS\t1500 p\t: c\t: \n"
    path = tmp_path / f"x.{form}"
    path.write_text(content, encoding="utf-8")
    (batch,) = comext.read(RawFile(path, f"comext/{path.name}"), RATES)
    assert batch.flows["ref_date"].to_list() == [date(2022, 1, 1)]
    assert batch.rejected.select("rule", "is_error").rows() == [("withheld", False)]
    assert batch.doubts is not None
    assert batch.doubts["rule"].to_list() == ["values_not_known"]


def test_the_relational_view_is_read_with_names_and_months_in_words(tmp_path: Path) -> None:
    text = "REPORTER,PARTNER,PRODUCT,FLOW,STAT_PROCEDURE,PERIOD,VALUE_IN_EUR,QUANTITY_IN_100KG\n"
    text += '"Germany","Kyrgyz, Republic","85423190","EXPORT","Total","Jan. 2022",25310,1.5\n'
    text += '"Germany","Kyrgyz, Republic","85423190","EXPORT","Inward","Jan. 2022",300,0.1\n'
    text += '"Germany","Kyrgyz, Republic","85423190","2-EXPORT","Total","202152-Jan.-Dec. 2021",120000,9\n'
    batch = comext_of(tmp_path, "rel.csv", text)
    assert batch.flows.select(SAYS).rows() == [EXPECTED]
    assert batch.rejected["rule"].unique().to_list() == ["annual_total"]


def test_a_product_is_held_against_the_edition_of_its_month(tmp_path: Path) -> None:
    lines = "".join(
        f"ESTAT:DS-045409(1.0),13/01/23,M,DE,KG,85171200,2,VALUE_IN_EUROS,{month},5\n"
        for month in ("2021-12", "2022-01")
    )
    header = "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE\n"
    batch = comext_of(tmp_path, "ds.csv", header + lines)
    assert batch.flows["ref_date"].to_list() == [date(2021, 12, 1)]
    assert "not of HS 2022" in batch.rejected["reason"][0]
