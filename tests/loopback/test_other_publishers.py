"""BACI, the US Census, HMRC and UNSD on loopback: what the world knows, in their forms, with their traps."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from urllib.parse import quote, unquote

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from anomaly.sources.baci import SOURCE
from anomaly.sources.base import Context, RawFile
from loopback.publishers.census import SCHEDULE_C
from loopback.server import Loopback, serving
from tests.loopback.asking import SOCKETS, UNMETERED, ask, small_world

pytestmark = SOCKETS
BACI = "/DATA_DOWNLOAD/baci/data/BACI_HS17_V202301.zip"
CENSUS = "/data/timeseries/intltrade/exports/hs?key=loopback-free&get="
ALL_OF_2022 = quote("MonthId ge 202201 and MonthId le 202212", safe="")


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def exports(iso: str, *months: str) -> pl.DataFrame:
    places = [small_world().world.month(month) for month in months]
    return small_world().reports.filter(pl.col("reporter") == iso, pl.col("flow") == "X", pl.col("month").is_in(places))


def test_the_reader_takes_the_zip_and_finds_the_worlds_exports_of_whole_years(server, tmp_path):
    path = tmp_path / "BACI_HS17_V202301.zip"
    path.write_bytes(ask(server.url + BACI).body)
    flows = pl.concat([batch.flows for batch in SOURCE.read(RawFile(path, f"baci/{path.name}"), Context({}))])
    assert flows["ref_date"].unique().sort().to_list() == [date(year, 1, 1) for year in (2018, 2019, 2020, 2021)]
    planted = exports("KAZ", *(f"2021-{month:02}" for month in range(1, 13)))["value_usd"].sum()
    of_2021 = flows.filter(pl.col("ref_date") == date(2021, 1, 1), pl.col("reporter_iso") == "KAZ")
    assert (
        abs(int(of_2021["primary_value_usd"].sum()) - int(planted)) <= of_2021.height
    )  # thousands with three decimals


def test_the_zip_has_a_code_with_letters_a_padded_na_and_names_that_were_read_wrong(server):
    archive = zipfile.ZipFile(io.BytesIO(ask(server.url + BACI).body))
    table = archive.read("BACI_HS17_Y2021_V202301.csv").decode()
    assert ",           NA\n" in table
    assert ",9999AA," in table
    assert "TÃ¼rkiye" in archive.read("country_codes_V202301.csv").decode()


def test_a_release_is_out_from_the_end_of_its_january(server):
    of_2024 = BACI.replace("202301", "202401")
    assert ask(server.url + of_2024).status == 404
    with serving(small_world(), UNMETERED, today=date(2024, 1, 31)) as later:
        names = zipfile.ZipFile(io.BytesIO(ask(later.url + of_2024).body)).namelist()
    assert "BACI_HS17_Y2022_V202401.csv" in names


def test_census_exports_are_the_worlds_with_groups_among_the_countries(server):
    got = ask(f"{server.url}{CENSUS}E_COMMODITY,CTY_CODE,ALL_VAL_MO,SUMMARY_LVL&COMM_LVL=HS6&time=2022-06")
    assert b"],\n[" in got.body
    head, *rows = got.json
    assert head == ["E_COMMODITY", "CTY_CODE", "ALL_VAL_MO", "SUMMARY_LVL", "COMM_LVL", "time"]
    countries = Counter({(row[1], row[0]): int(row[2]) for row in rows if row[3] == "DET"})
    assert countries == Counter(
        {
            (SCHEDULE_C[row["partner"]], row["code"]): row["value_usd"]
            for row in exports("USA", "2022-06").iter_rows(named=True)
        }
    )
    assert sum(int(row[2]) for row in rows if row[1] == "-") == sum(countries.values())


def test_census_takes_months_from_and_to_and_names_a_predicate_twice_that_is_asked_for_too(server):
    head, *rows = ask(f"{server.url}{CENSUS}CTY_CODE,time&CTY_CODE=*&time=from+2022-01+to+2022-03").json
    assert head == ["CTY_CODE", "time", "CTY_CODE", "time"]
    assert {row[1] for row in rows} == {"2022-01", "2022-02", "2022-03"}


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        (f"{CENSUS}XYZ", 400, b"error: unknown variable 'XYZ'"),
        (f"{CENSUS}CTY_CODE&E_COMMODITY=999999", 204, b""),
        (CENSUS.replace("loopback-free", "planted") + "CTY_CODE", 200, b"<title>Invalid Key</title>"),
    ],
)
def test_census_says_what_is_wrong_in_its_own_ways(server, query, status, body):
    got = ask(server.url + query)
    assert (got.status, body in got.body) == (status, True)
    assert (got.headers["Content-Type"].startswith("text/html")) == (b"html" in got.body)


def pages_of(server: Loopback, address: str) -> list[dict]:
    """All rows of an address and of those that follow, page by page."""
    rows = []
    while address:
        answer = ask(server.url + address).json
        rows += answer["value"]
        following = answer.get("@odata.nextLink", "").removeprefix(server.url)
        address = following and following.split("?")[0] + "?" + quote(unquote(following.split("?")[1]), safe="$=&")
    return rows


def test_hmrc_pages_lead_on_to_every_row_and_no_row_twice():
    with serving(small_world(), replace(UNMETERED, page_rows=70)) as server:
        in_pages = pages_of(server, f"/OTS?$filter={ALL_OF_2022}")
        assert len([entry for entry in server.log if entry["path"] == "/OTS"]) > 2
    with serving(small_world(), UNMETERED) as server:
        assert in_pages == ask(f"{server.url}/OTS?$filter={ALL_OF_2022}").json["value"]
    assert all(202201 <= row["MonthId"] <= 202212 for row in in_pages)


def test_hmrc_codes_are_numbers_that_lead_to_six_digits_and_partners_to_letters(server):
    rows = [
        row
        for row in ask(f"{server.url}/OTS?$filter={quote('MonthId eq 202206')}").json["value"]
        if row["CommodityId"] > 0
    ]
    codes = {row["CommodityId"]: row["Hs6Code"] for row in ask(f"{server.url}/Commodity").json["value"]}
    letters = {row["CountryId"]: row["CountryCodeAlpha"] for row in ask(f"{server.url}/Country").json["value"]}
    iso2 = {country.iso3: country.iso2 for country in small_world().world.countries}
    came = Counter(
        (letters[row["CountryId"]], codes[row["CommodityId"]]) for row in rows if row["FlowTypeId"] in (2, 4)
    )
    assert came == Counter(
        (iso2[row["partner"]], row["code"]) for row in exports("GBR", "2022-06").iter_rows(named=True)
    )


def test_hmrc_aggregates_have_negative_codes(server):
    rows = ask(f"{server.url}/OTS?$filter={quote('CommodityId lt 0')}").json["value"]
    assert {row["CommodityId"] for row in rows} == {-990}


def test_hmrc_refuses_an_order_and_a_name_in_another_case(server):
    assert ask(f"{server.url}/OTS?$orderby=MonthId").status == 400
    assert ask(f"{server.url}/ots").status == 404


def test_the_gate_before_hmrc_turns_an_address_away_once():
    with serving(small_world(), replace(UNMETERED, forbidden_of=1)) as server:
        first, second = ask(f"{server.url}/Country"), ask(f"{server.url}/Country")
    assert (first.status, second.status) == (403, 200)
    assert b"Ip Forbidden" in first.body
    assert first.headers["Content-Type"].startswith("text/html")


def test_the_correlation_workbook_has_its_header_in_the_second_row_with_a_leading_blank(server):
    got = ask(f"{server.url}/unsd/classifications/Econ/tables/HS2022toHS2017ConversionAndCorrelationTables.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(got.body))
    rows = book.get_sheet_by_name("HS2022-HS2017 Correlations").to_python()
    assert rows[1] == ["HS2022", " HS2017", "Relationship"]
    assert ["851713", "851712", "n:1"] in rows
    assert ["854231", "854231", "1:1"] in rows


def test_a_file_of_codes_in_csv_is_whole(server):
    archive = zipfile.ZipFile(io.BytesIO(ask(server.url + BACI).body))
    codes = {
        row["code"] for row in csv.DictReader(io.StringIO(archive.read("product_codes_HS17_V202301.csv").decode()))
    }
    assert codes == {good.code for good in small_world().world.goods} | {"9999AA"}
