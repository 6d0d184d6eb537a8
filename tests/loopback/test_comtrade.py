"""UN Comtrade on loopback says what the simulated world knows, in the API's envelopes, under its caps, with its errors."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from anomaly.sources.base import Context, RawFile
from anomaly.sources.comtrade import SOURCE
from anomaly.world.as_comtrade import API, BULK
from loopback.server import Loopback, serving
from tests.loopback.asking import FREE, PREMIUM, SOCKETS, UNMETERED, ask, small_world

pytestmark = SOCKETS
TOTALS = "motCode=0&partner2Code=0&customsCode=C00"
KAZ, ARM = 398, 51


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def get(server: Loopback, query: str, kind: str = "C/M/HS") -> dict:
    return ask(f"{server.url}/data/v1/get/{kind}?{query}", FREE).json


def reports_of(iso: str, month: str) -> pl.DataFrame:
    world = small_world().world
    return small_world().reports.filter(pl.col("reporter") == iso, pl.col("month") == world.month(month))


def test_rows_of_six_digits_and_countries_are_the_worlds_own(server):
    answer = get(server, f"reporterCode={KAZ}&period=202206&cmdCode=AG6&includeDesc=true&{TOTALS}")
    came = Counter(
        (row["partnerISO"], row["flowCode"], row["cmdCode"], int(row["primaryValue"]), row["netWgt"])
        for row in answer["data"]
        if row["partnerCode"]
    )
    planted = reports_of("KAZ", "2022-06").select("partner", "flow", "code", "value_usd", "net_wgt_kg")
    assert len(planted) > 10
    assert came == Counter(planted.iter_rows())


def test_an_answer_has_the_envelope_and_the_keys_of_the_api_in_their_order(server):
    answer = get(server, f"reporterCode={KAZ}&period=202206")
    assert list(answer) == ["elapsedTime", "count", "data", "error"]
    assert answer["count"] == len(answer["data"])
    assert answer["error"] == ""
    assert tuple(answer["data"][0]) == API


def test_what_partners_sum_to_is_the_row_of_the_world(server):
    rows = get(server, f"reporterCode={KAZ}&period=202206&cmdCode=TOTAL&{TOTALS}")["data"]
    by_flow = {row["flowCode"]: row["primaryValue"] for row in rows if row["partnerCode"] == 0}
    for flow, whole in by_flow.items():
        assert whole == sum(row["primaryValue"] for row in rows if row["partnerCode"] and row["flowCode"] == flow)
    assert set(by_flow) == set(reports_of("KAZ", "2022-06")["flow"])


@pytest.mark.parametrize(("flow", "breakdown"), [("X", "motCode"), ("M", "customsCode"), ("M", "partner2Code")])
def test_breakdown_rows_stand_beside_totals_and_sum_to_them(server, flow, breakdown):
    total = {"motCode": 0, "customsCode": "C00", "partner2Code": 0}
    rows = get(server, f"reporterCode={ARM}&period=202206&cmdCode=TOTAL&flowCode={flow}")["data"]
    rows = [
        row
        for row in rows
        if row["partnerCode"] and all(row[name] == total[name] for name in total if name != breakdown)
    ]
    whole = sum(row["primaryValue"] for row in rows if row[breakdown] == total[breakdown])
    assert sum(row["primaryValue"] for row in rows if row[breakdown] != total[breakdown]) == whole > 0


def test_names_of_parameters_and_paths_are_taken_in_any_case(server):
    usual = get(server, f"reporterCode={KAZ}&period=202206&cmdCode=AG2&flowCode=X")
    shouted = ask(f"{server.url}/DATA/V1/GET/c/m/hs?REPORTERCODE={KAZ}&Period=202206&cmdcode=ag2&FLOWCODE=x", FREE).json
    assert shouted["data"] == usual["data"] != []


def test_without_descriptions_names_are_null_and_codes_are_there(server):
    row = get(server, f"reporterCode={KAZ}&period=202206&includeDesc=false")["data"][0]
    assert (row["reporterISO"], row["partnerDesc"], row["cmdDesc"]) == (None, None, None)
    assert row["reporterCode"] == KAZ
    described = get(server, f"reporterCode={KAZ}&period=202206&includeDesc=true")["data"][0]
    assert described["reporterISO"] == "KAZ"


def test_a_preview_needs_no_key_and_is_cut_at_its_cap_without_a_word(server):
    query = "period=202206&includeDesc=true"
    whole = get(server, query)
    cut = ask(f"{server.url}/public/v1/preview/C/M/HS?{query}&maxRecords=20").json
    assert len(whole["data"]) > 500
    assert (cut["count"], cut["error"]) == (500, "")
    assert cut["data"] == whole["data"][:500]


def test_with_a_key_the_cap_can_be_set_and_an_answer_at_it_looks_like_any_other():
    with serving(small_world(), replace(UNMETERED, key_rows=40)) as server:
        cut = get(server, f"reporterCode={KAZ}&period=202206")
        assert (cut["count"], len(cut["data"]), cut["error"]) == (40, 40, "")
        counts = [get(server, f"reporterCode={KAZ}&period=202206&maxRecords={most}")["count"] for most in (7, 1000)]
    assert counts == [7, 40]


def test_only_counting_gives_the_number_beyond_the_cap():
    with serving(small_world(), replace(UNMETERED, key_rows=40)) as server:
        counted = get(server, f"reporterCode={KAZ}&period=202206&countOnly=true")
    assert counted["data"] == []
    assert counted["count"] > 40


def test_nothing_there_is_an_empty_answer_and_no_error(server):
    assert get(server, f"reporterCode={KAZ}&period=199901") == {
        "elapsedTime": "0.02 secs",
        "count": 0,
        "data": [],
        "error": "",
    }


@pytest.mark.parametrize("kind", ["C/M/H4", "C/A/HS", "S/M/EB"])
def test_what_the_world_has_not_is_empty(server, kind):
    assert get(server, f"reporterCode={KAZ}&period=202206", kind)["count"] == 0


def test_a_fixed_edition_gives_only_who_reports_in_it(server):
    of_older = get(server, "reporterCode=398,417&period=202206&cmdCode=AG6&includeDesc=true", "C/M/H5")["data"]
    assert {(row["reporterISO"], row["classificationCode"]) for row in of_older} == {("KGZ", "H5")}


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("reporterCode=KAZ", "reporterCode"),
        ("period=202213", "period"),
        ("period=2022-06", "period"),
        ("cmdCode=8517", None),
        ("cmdCode=85171", "cmdCode"),
        ("partnerCode=x", "partnerCode"),
        ("flowCode=Z", "flowCode"),
        ("maxRecords=many", "maxRecords"),
    ],
)
def test_a_value_without_its_form_is_refused_with_a_count_of_minus_one(server, query, member):
    got = ask(f"{server.url}/data/v1/get/C/M/HS?{query}&countOnly=true", FREE)
    if member is None:
        assert got.status == 200
    else:
        assert (got.status, got.json["count"], got.json["data"]) == (400, -1, [])
        assert got.json["errorObject"] == [{"MemberNames": [member], "ErrorMessage": f"The field {member} is invalid"}]


def test_a_preview_takes_one_period_and_a_key_twelve(server):
    months = ",".join(f"2021{month:02}" for month in range(1, 13))
    refused = ask(f"{server.url}/public/v1/preview/C/M/HS?reporterCode={KAZ}&period=202101,202102")
    assert refused.status == 400
    assert refused.json["errorObject"][0]["ErrorMessage"] == "Maximum number of periods for preview is 1"
    assert ask(f"{server.url}/data/v1/get/C/M/HS?reporterCode={KAZ}&period={months}&countOnly=true", FREE).status == 200
    beyond = ask(f"{server.url}/data/v1/get/C/M/HS?reporterCode={KAZ}&period={months},202201", FREE)
    assert (beyond.status, beyond.json["count"]) == (400, -1)


def test_an_address_of_4096_characters_is_taken_and_a_longer_one_is_not(server):
    start = f"/data/v1/get/C/M/HS?reporterCode={KAZ}&period=202206&countOnly=true&unknown="
    room = 4096 - len("https://comtradeapi.un.org" + start)
    assert ask(server.url + start + "1" * room, FREE).status == 200
    longer = ask(server.url + start + "1" * (room + 1), FREE)
    assert longer.status == 414
    assert b"Request URL Too Long" in longer.body


@pytest.mark.parametrize(
    ("path", "headers", "says"),
    [
        ("/data/v1/get/C/M/HS", {}, "missing subscription key"),
        ("/data/v1/get/C/M/HS", {"Ocp-Apim-Subscription-Key": "planted"}, "invalid subscription key"),
        ("/data/v1/getLiveUpdate", {}, "missing subscription key"),
        ("/bulk/v1/get/C/M/HS", FREE, "invalid subscription key"),
    ],
)
def test_without_a_good_key_the_gateway_says_401(server, path, headers, says):
    got = ask(server.url + path, headers)
    assert (got.status, got.json["statusCode"]) == (401, 401)
    assert says in got.json["message"]


def test_a_key_in_the_address_is_good_too_and_stands_nowhere_in_the_log(server):
    got = ask(
        f"{server.url}/data/v1/get/C/M/HS?reporterCode={KAZ}&period=202206&subscription-key=loopback-free&countOnly=true"
    )
    assert got.status == 200
    assert server.log[-1]["key"] == "free"
    assert b"loopback-free" not in ask(f"{server.url}/-/log").body


def test_an_unknown_path_is_404_in_the_gateways_words(server):
    for path in ("/data/v1/nothing", "/nowhere"):
        assert ask(server.url + path, FREE).json == {"statusCode": 404, "message": "Resource not found"}


def test_who_asks_twice_in_a_second_gets_429_and_the_seconds_to_wait():
    with serving(small_world()) as server:
        first, second = (ask(f"{server.url}/public/v1/getDA/C/M/HS?reporterCode={KAZ}&period=202206") for _ in "12")
        of_key = ask(f"{server.url}/data/v1/getDA/C/M/HS?reporterCode={KAZ}&period=202206", FREE)
    assert (first.status, second.status, of_key.status) == (200, 429, 200)
    assert second.headers["Retry-After"] == "1"
    assert second.json == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 1 seconds."}


def test_a_quota_that_is_used_up_is_403_until_the_day_is_over():
    limits = replace(UNMETERED, calls_a_day={"comtrade": 2})
    with serving(small_world(), limits) as server:
        path = f"{server.url}/data/v1/getDA/C/M/HS?reporterCode={KAZ}&period=202206"
        assert [ask(path, FREE).status for _ in range(3)] == [200, 200, 403]
        refused = ask(path, FREE)
        hours, minutes, seconds = refused.json["message"].rstrip(".").split(" in ")[1].split(":")
        assert int(refused.headers["Retry-After"]) == int(hours) * 3600 + int(minutes) * 60 + int(seconds) > 0
        server.turn_to(None)
        assert ask(path, FREE).status == 200


def test_availability_counts_all_rows_and_says_days_with_and_without_fractions(server):
    available = ask(f"{server.url}/public/v1/getda/C/M/HS?reporterCode={ARM},{KAZ}&period=202206,202207,202208").json
    assert available["count"] == len(available["data"]) == 6
    for dataset in available["data"]:
        query = f"reporterCode={dataset['reporterCode']}&period={dataset['period']}&countOnly=true"
        assert get(server, query)["count"] == dataset["totalRecords"] > 0
    assert {"." in dataset["lastReleased"] for dataset in available["data"]} == {True, False}


def test_availability_as_csv_says_the_same_with_capitals(server):
    query = f"reporterCode={KAZ}&period=202206"
    row = ask(f"{server.url}/public/v1/getDA/C/M/HS?{query}").json["data"][0]
    text = ask(f"{server.url}/public/v1/getDA/C/M/HS?{query}&format=csv").body.decode()
    (line,) = csv.DictReader(io.StringIO(text))
    assert list(line) == [name[0].upper() + name[1:] for name in row]
    assert (line["TotalRecords"], line["DatasetChecksum"]) == (str(row["totalRecords"]), str(row["datasetChecksum"]))


def test_members_of_the_eu_publish_elsewhere(server):
    assert ask(f"{server.url}/public/v1/getDA/C/M/HS?reporterCode=276").json["count"] == 0


def test_metadata_are_notes_of_each_dataset(server):
    (described,) = ask(f"{server.url}/public/v1/getMetadata/C/M/HS?reporterCode={KAZ}&period=202206").json["data"]
    assert described["reporterISO"] == "KAZ"
    assert described["notes"][0]["importValuation"] == "CIF"


def test_the_newest_releases_come_first(server):
    days = [row["lastReleased"][:10] for row in ask(f"{server.url}/data/v1/getLiveUpdate", FREE).json["data"]]
    assert days == sorted(days, reverse=True) != []


def test_reference_tables_begin_with_a_byte_order_mark_and_are_not_sent_twice(server):
    path = f"{server.url}/files/v1/app/reference/Reporters.json"
    first = ask(path)
    assert first.body.startswith(b"\xef\xbb\xbf")
    again = ask(path, {"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_reference_tables_have_the_countries_and_the_traps_of_the_true_ones(server):
    reporters = {row["id"]: row for row in ask(f"{server.url}/files/v1/app/reference/Reporters.json").json["results"]}
    partners = ask(f"{server.url}/files/v1/app/reference/partnerAreas.json").json["results"]
    assert {country.m49 for country in small_world().world.countries} < set(reporters)
    assert reporters[356]["entryExpiredDate"].startswith("1974")
    assert "entryExpiredDate" not in reporters[KAZ]
    assert {row["PartnerCodeIsoAlpha3"] for row in partners if row["PartnerCode"] in (840, 842)} == {"USA"}
    codes = {row["id"] for row in ask(f"{server.url}/files/v1/app/reference/HS.json").json["results"]}
    assert set(small_world().reports["code"]) | {"TOTAL"} < codes


def test_every_table_of_the_list_of_tables_is_there(server):
    listed = ask(f"{server.url}/files/v1/app/reference/ListofReferences.json").json["results"]
    assert {ask(row["fileuri"]).status for row in listed} == {200}


def bulk_of(server: Loopback, query: str) -> tuple[dict, bytes]:
    (listed,) = ask(f"{server.url}/bulk/v1/get/C/M/HS?{query}", PREMIUM).json["data"]
    return listed, ask(listed["fileUrl"], PREMIUM).body


def test_a_bulk_file_holds_the_rows_that_calls_give(server):
    listed, packed = bulk_of(server, f"reporterCode={KAZ}&period=202206")
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode()), delimiter="\t"))
    assert listed["fileSize"] == f"{len(packed) / 1024:.2f} KB"
    assert tuple(rows[0]) == BULK
    called = get(server, f"reporterCode={KAZ}&period=202206")["data"]
    assert Counter(
        (row["partnerCode"], row["cmdCode"], row["flowCode"], float(row["primaryValue"])) for row in rows
    ) == Counter((str(row["partnerCode"]), row["cmdCode"], row["flowCode"], row["primaryValue"]) for row in called)


def test_the_reader_takes_answers_and_bulk_files_and_finds_the_worlds_flows_in_both(server, tmp_path):
    packed = tmp_path / "C_M_051.txt.gz"
    packed.write_bytes(bulk_of(server, f"reporterCode={ARM}&period=202206")[1])
    saved = tmp_path / "answer.json"
    saved.write_bytes(ask(f"{server.url}/data/v1/get/C/M/HS?reporterCode={ARM}&period=202206", FREE).body)
    planted = reports_of("ARM", "2022-06")["value_usd"].sum()
    for path in (packed, saved):
        batches = list(SOURCE.read(RawFile(path, f"comtrade/{path.name}", url="https://…/data/v1/get"), Context({})))
        assert sum(batch.flows["primary_value_usd"].sum() for batch in batches) == planted
