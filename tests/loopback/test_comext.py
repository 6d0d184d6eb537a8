"""Comext and the ECB on loopback: the listing, files that the reader takes, slices and rates, as the world has them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import polars as pl
import py7zr
import pytest

from anomaly.sources.base import Context, RawFile
from anomaly.sources.comext import SOURCE
from anomaly.world.as_comext import in_the_eu
from loopback.publishers import comext
from loopback.publishers.comext import HEADER
from loopback.server import Loopback, serving
from tests.loopback.asking import SOCKETS, UNMETERED, ask, small_world

pytestmark = SOCKETS
FILES = "/eurostat/api/dissemination/files"
FOLDER = "comext/COMEXT_DATA/PRODUCTS"
SLICES = "/eurostat/api/comext/dissemination/sdmx/2.1/data/DS-045409"
RATES = pl.DataFrame({"month": pl.date_range(date(2018, 1, 1), date(2023, 12, 1), "1mo", eager=True)}).with_columns(
    usd_per_unit=1.0
)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def listing(server: Loopback) -> dict[str, tuple[str, int]]:
    """Name → address and size, as the page has them."""
    page = ask(f"{server.url}{FILES}/?sort=1&dir={quote(FOLDER, safe='')}").body.decode()
    table = page.partition('id="filetable"')[2]
    rows = re.findall(r'<a href="([^"]+)">([^<]+)</a></td><td title="(\d+) bytes">', table)
    return {name: (address, int(size)) for address, name, size in rows}


def member_of(content: bytes, folder) -> tuple[str, str]:
    with py7zr.SevenZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.getnames()
        archive.extractall(folder)
    return name, (folder / name).read_text(encoding="utf-8")


def planted(month: str) -> pl.DataFrame:
    world = small_world().world
    rows = small_world().reports.filter(pl.col("reporter").is_in(list(world.eu)))
    return in_the_eu(world, rows, small_world().usd_per_eur).filter(pl.col("period") == month)


def test_the_listing_has_every_month_with_its_size_and_files_that_are_no_months(server):
    files = listing(server)
    months = {f"full_v2_{month:%Y%m}.7z" for month in small_world().world.calendar}
    assert months < set(files)
    assert {"full_v2_202252.7z", "full_partxixu_v2_202206.7z"} < set(files)
    address, size = files["full_v2_202206.7z"]
    assert len(ask(address).body) == size


def test_a_month_is_a_7z_with_one_table_of_another_name_and_the_columns_of_today(server, tmp_path):
    name, text = member_of(ask(listing(server)["full_v2_202206.7z"][0]).body, tmp_path)
    assert name == "full_202206.dat"
    assert text.splitlines()[0] == HEADER
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["PERIOD"] for row in rows} == {"202206"}
    assert {row["TRADE_TYPE"] for row in rows} == {"I", "E"}


def test_a_month_told_in_statistical_procedures_sums_to_the_worlds_exports(server, tmp_path):
    _, text = member_of(ask(listing(server)["full_v2_202206.7z"][0]).body, tmp_path)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["STAT_PROCEDURE"] for row in rows} == {"1", "3"}
    sums: Counter = Counter()
    for row in rows:
        sums[row["REPORTER"], row["PARTNER"], row["PRODUCT_NC"]] += int(row["VALUE_EUR"])
    iso2 = {country.iso3: country.iso2 for country in small_world().world.countries}
    assert sums == Counter({(iso2[row[0]], row[2], row[1]): row[4] for row in planted("2022-06").iter_rows()})


def test_the_reader_takes_a_month_and_hides_what_is_confidential(server, tmp_path):
    path = tmp_path / "full_v2_202206.7z"
    path.write_bytes(ask(listing(server)["full_v2_202206.7z"][0]).body)
    batches = list(SOURCE.read(RawFile(path, f"comext/{path.name}"), Context({"EUR": RATES})))
    flows = pl.concat([batch.flows for batch in batches])
    assert flows["reported_value"].sum() == planted("2022-06")["euro"].sum()
    assert flows.filter(pl.col("is_confidential")).height == 2


def test_a_year_has_a_period_that_no_month_has(server, tmp_path):
    _, text = member_of(ask(listing(server)["full_v2_202252.7z"][0]).body, tmp_path)
    assert {row["PERIOD"] for row in csv.DictReader(io.StringIO(text))} == {"202252"}


def test_a_part_of_a_file_cannot_be_had(server):
    address, size = listing(server)["full_v2_202206.7z"]
    got = ask(address, {"Range": "bytes=100-"})
    assert (got.status, len(got.body)) == (200, size)
    assert "Accept-Ranges" not in got.headers


def test_two_servers_hand_out_the_same_bytes(server):
    first = ask(listing(server)["full_v2_202206.7z"][0]).body
    comext.packed_once.cache_clear()
    with serving(small_world(), UNMETERED) as another:
        assert ask(listing(another)["full_v2_202206.7z"][0]).body == first


def test_a_file_that_is_not_there_is_404(server):
    assert ask(f"{server.url}{FILES}?file={quote(FOLDER + '/full_v2_209901.7z', safe='')}").status == 404


def sliced(server: Loopback, key: str, query: str = "") -> list[dict[str, str]]:
    got = ask(f"{server.url}{SLICES}/{key}?format=SDMX-CSV{query}")
    assert got.status == 200
    text = got.body.decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_slice_has_the_euros_and_the_hundreds_of_kilograms_of_the_world(server):
    rows = sliced(server, "M.DE...2.", "&startPeriod=2022-06&endPeriod=2022-06")
    eight = [row for row in rows if len(row["product"]) == 8 and len(row["partner"]) == 2]
    of_world = planted("2022-06").filter(pl.col("reporter") == "DEU")
    euros = {
        (row["partner"], row["product"]): int(row["OBS_VALUE"])
        for row in eight
        if row["indicators"] == "VALUE_IN_EUROS"
    }
    kilos = {
        (row["partner"], row["product"]): round(float(row["OBS_VALUE"]) * 100)
        for row in eight
        if row["indicators"] == "QUANTITY_IN_100KG"
    }
    assert euros == {(row[2], row[1]): row[4] for row in of_world.iter_rows()}
    assert kilos == {(row[2], row[1]): row[5] for row in of_world.iter_rows() if row[5] is not None}


def test_a_slice_of_all_partners_and_products_has_the_sums_among_them(server):
    rows = sliced(server, "M....2.VALUE_IN_EUROS", "&startPeriod=2022-01&endPeriod=2022-12")
    assert {"WORLD", "EXT_EU27_2020", "INT_EU27_2020"} < {row["partner"] for row in rows}
    of_chapter: Counter = Counter()
    for row in rows:
        of_chapter[row["partner"]] += int(row["OBS_VALUE"]) if row["product"] == "84" else 0
    countries = sum(value for partner, value in of_chapter.items() if len(partner) == 2)
    assert of_chapter["WORLD"] == countries == of_chapter["EXT_EU27_2020"] + of_chapter["INT_EU27_2020"]


def test_several_values_of_a_dimension_are_joined_by_plus(server):
    one, both = (sliced(server, f"M.{reporters}.WORLD.84.2.VALUE_IN_EUROS") for reporters in ("DE", "DE+PL"))
    assert {row["reporter"] for row in both} == {"DE", "PL"}
    assert [row for row in both if row["reporter"] == "DE"] == one


def test_a_slice_that_is_too_large_is_413_with_the_estimate():
    with serving(small_world(), replace(UNMETERED, slice_rows=100)) as server:
        got = ask(f"{server.url}{SLICES}/M.....?format=SDMX-CSV")
    assert got.status == 413
    assert b"EXTRACTION_TOO_BIG: The requested extraction is too big, estimated" in got.body
    assert b"max authorised is 100," in got.body


def test_a_slice_of_nothing_is_a_fault_and_so_is_a_key_of_five_dimensions(server):
    nothing = ask(f"{server.url}{SLICES}/M.XX....?format=SDMX-CSV")
    assert (nothing.status, b"NO_RESULTS" in nothing.body) == (404, True)
    assert ask(f"{server.url}{SLICES}/M.DE...2?format=SDMX-CSV").status == 400


def test_the_rates_are_the_worlds(server):
    got = ask(f"{server.url}/service/data/EXR/M.USD.EUR.SP00.A?format=csvdata&startPeriod=2022-01&endPeriod=2022-12")
    rows = list(csv.DictReader(io.StringIO(got.body.decode())))
    assert {row["KEY"] for row in rows} == {"EXR.M.USD.EUR.SP00.A"}
    first = small_world().world.month("2022-01")
    assert [float(row["OBS_VALUE"]) for row in rows] == small_world().usd_per_eur[first : first + 12]


def test_rates_of_several_currencies_come_together_and_of_none_not_at_all(server):
    got = ask(f"{server.url}/service/data/EXR/M.USD+GBP.EUR.SP00.A?format=csvdata")
    assert {row["CURRENCY"] for row in csv.DictReader(io.StringIO(got.body.decode()))} == {"USD", "GBP"}
    assert ask(f"{server.url}/service/data/EXR/M.XYZ.EUR.SP00.A?format=csvdata").status == 404


def test_rates_as_json_are_not_acceptable(server):
    assert ask(f"{server.url}/service/data/EXR/M.USD.EUR.SP00.A", {"Accept": "application/json"}).status == 406
