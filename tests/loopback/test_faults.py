"""Faults come where they are asked for, in the order they are asked for, and on the wire; files can be had in parts."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from loopback.faults import ENDS, KINDS, Faults
from loopback.server import Loopback, serving
from tests.loopback.asking import FREE, PREMIUM, SOCKETS, UNMETERED, ask, small_world

pytestmark = SOCKETS
DATA = "/data/v1/get/C/M/HS?reporterCode=398&period=202206"
BACI = "/DATA_DOWNLOAD/baci/data/BACI_HS17_V202301.zip"
MONTH = f"/eurostat/api/dissemination/files?file={quote('comext/COMEXT_DATA/PRODUCTS/full_v2_202206.7z', safe='')}"


def faulty(*faults: str):
    return serving(small_world(), UNMETERED, faults)


def raw(
    server: Loopback, path: str, headers: dict | None = None
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request("GET", path, headers={**FREE, **(headers or {})})
    return connection, connection.getresponse()


@pytest.mark.parametrize(
    ("fault", "status", "header", "says"),
    [
        ("429", 429, "1", "Rate limit is exceeded. Try again in 1 seconds."),
        ("quota", 403, "11657", "Out of call volume quota. Quota will be replenished in 03:14:17."),
        ("403", 403, None, "All calls are rejected by policy."),
        ("500", 500, None, "Something went wrong. Please try again or contact comtrade@un.org."),
        ("502", 502, None, "502"),
        ("503", 503, None, "503"),
        ("504", 504, None, "504"),
    ],
)
def test_a_status_comes_once_with_its_words_and_then_the_answer(fault, status, header, says):
    with faulty(fault) as server:
        first, second = ask(server.url + DATA, FREE), ask(server.url + DATA, FREE)
    assert (first.status, first.headers.get("Retry-After")) == (status, header)
    assert says in first.body.decode()
    assert second.status == 200
    assert second.json["count"] > 0


def test_a_script_says_how_often_after_how_many_and_where():
    with faulty("503*2+1@/data/v1/get", "429*all@/getMetadata") as server:
        paths = [DATA, "/public/v1/getMetadata/C/M/HS?reporterCode=398&period=202206", DATA, DATA, DATA]
        assert [ask(server.url + path, FREE).status for path in paths] == [200, 429, 503, 503, 200]


def test_rules_of_one_address_take_turns(tmp_path):
    script = tmp_path / "faults.txt"
    script.write_text("# first this\n500\n\n502\n", encoding="utf-8")
    with faulty(f"@{script}") as server:
        assert [ask(server.url + DATA, FREE).status for _ in range(3)] == [500, 502, 200]


def test_a_fault_nobody_knows_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"came '418'; kinds are 429, quota"):
        Faults(["418"])


def test_chance_is_the_same_for_a_seed_and_ends_after_two_faults_of_an_address():
    addresses = [f"/data?period={number}" for number in range(200)]
    drawn, again, another = (
        [faults.of(address) for address in addresses * 3]
        for faults in (Faults(["random:0.3:7"]), Faults(["random:0.3:7"]), Faults(["random:0.3:8"]))
    )
    assert drawn == again != another
    assert 40 < sum(fault is not None for fault in drawn[:200]) < 80
    assert set(drawn[400:]) == {None}
    assert {fault for fault in drawn if fault} == set(KINDS) - set(ENDS)


def test_a_reset_ends_the_connection_without_an_answer():
    with faulty("reset") as server, pytest.raises(ConnectionResetError) as error:
        ask(server.url + DATA, FREE)
    assert not isinstance(error.value, http.client.RemoteDisconnected)  # what a mere end of the connection would be


def test_what_hangs_says_nothing_and_ends_with_the_server():
    with faulty("hang") as server:
        parts = urlsplit(server.url)
        connection = socket.create_connection((parts.hostname, parts.port), timeout=0.5)
        connection.sendall(f"GET {DATA} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            connection.recv(1)
    connection.settimeout(5)
    with connection:
        assert connection.recv(1) == b""


def test_a_short_body_lacks_its_last_bytes():
    with faulty("short_body") as server, pytest.raises(http.client.IncompleteRead) as error:
        ask(server.url + BACI)
    assert error.value.expected == 7


def test_half_a_file_can_be_finished_from_where_it_ended():
    with faulty("half") as server:
        with pytest.raises(http.client.IncompleteRead) as error:
            ask(server.url + BACI)
        begun = error.value.partial
        rest = ask(server.url + BACI, {"Range": f"bytes={len(begun)}-"})
        whole = ask(server.url + BACI).body
    assert 0 < len(begun) < len(whole)
    assert rest.status == 206
    assert rest.headers["Content-Range"] == f"bytes {len(begun)}-{len(whole) - 1}/{len(whole)}"
    assert begun + rest.body == whole


def test_a_chunk_is_cut_in_its_middle():
    with faulty("cut_chunk@/data") as server:
        connection, response = raw(server, DATA)
        assert response.headers["Transfer-Encoding"] == "chunked"
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        connection.close()


def test_a_gzip_on_the_way_lacks_its_end_though_the_length_is_right():
    with faulty("cut_gzip@/service") as server:
        got = raw(server, "/service/data/EXR/M.USD.EUR.SP00.A?format=csvdata")[1]
        body = got.read()
    assert (got.status, got.headers["Content-Encoding"], int(got.headers["Content-Length"])) == (200, "gzip", len(body))
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_a_page_comes_in_place_of_the_answer_with_200():
    with faulty("html") as server:
        got = ask(server.url + DATA, FREE)
    assert (got.status, got.body[:15]) == (200, b"<!DOCTYPE html>")


def test_json_that_breaks_off_is_sent_as_if_whole():
    with faulty("broken_json") as server:
        got = ask(server.url + DATA, FREE)
    assert got.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(got.body)


def test_a_count_is_one_more_than_the_rows():
    with faulty("wrong_count") as server:
        answer = ask(server.url + DATA, FREE).json
    assert answer["count"] == len(answer["data"]) + 1


def test_what_is_slow_comes_by_a_few_bytes_a_second():
    with faulty("slow") as server:
        connection, response = raw(server, DATA)
        begun = time.monotonic()
        assert len(response.read(24)) == 24
        assert time.monotonic() - begun > 0.8
        connection.close()


def test_answers_are_packed_on_the_way_for_who_takes_it():
    with faulty() as server:
        packed = raw(server, DATA, {"Accept-Encoding": "gzip"})[1]
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.read()) == ask(server.url + DATA, FREE).body


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def test_the_parts_of_a_file_are_its_bytes(server):
    whole = ask(server.url + BACI)
    size = len(whole.body)
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, first, last in (
        ("0-99", 0, 99),
        (f"{size - 5}-", size - 5, size - 1),
        ("-7", size - 7, size - 1),
        ("10-999999999", 10, size - 1),
    ):
        part = ask(server.url + BACI, {"Range": f"bytes={asked}"})
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {first}-{last}/{size}")
        assert part.body == whole.body[first : last + 1]


def test_a_part_beyond_the_end_is_416(server):
    got = ask(server.url + BACI, {"Range": "bytes=999999999-"})
    assert (got.status, got.headers["Content-Range"][:8]) == (416, "bytes */")


def test_a_part_of_a_file_that_changed_is_the_whole_new_file(server):
    whole = ask(server.url + BACI)
    for tag, status in ((whole.headers["ETag"], 206), (whole.headers["Last-Modified"], 206), ('"of-another"', 200)):
        got = ask(server.url + BACI, {"Range": "bytes=5-", "If-Range": tag})
        assert (got.status, len(got.body)) == (status, len(whole.body) - (5 if status == 206 else 0))


def test_a_bulk_file_can_be_had_in_parts(server):
    listed = ask(f"{server.url}/bulk/v1/get/C/M/HS?reporterCode=398&period=202206", PREMIUM).json["data"][0]
    whole = ask(listed["fileUrl"], PREMIUM).body
    parts = [ask(listed["fileUrl"], {**PREMIUM, "Range": asked}).body for asked in ("bytes=0-999", "bytes=1000-")]
    assert b"".join(parts) == whole


def test_only_the_head_of_a_file_has_its_length_and_no_bytes(server):
    whole, head = ask(server.url + MONTH), ask(server.url + MONTH, method="HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(whole.body)), b"")


def test_the_log_counts_by_path_and_says_faults_and_no_key():
    with faulty("500@202207") as server:
        ask(server.url + DATA, FREE)
        ask(server.url + DATA.replace("202206", "202207") + "&subscription-key=planted-key", FREE)
        log = ask(f"{server.url}/-/log").json
    assert log["counts"] == {"/data/v1/get/C/M/HS": 2}
    assert [(entry["status"], entry["fault"], entry["key"]) for entry in log["requests"]] == [
        (200, None, "free"),
        (500, "500", "free"),
    ]
    assert "planted-key" not in json.dumps(log)
    assert "loopback-free" not in json.dumps(log)


def test_many_at_once_get_their_own_answers(server):
    came: dict[str, int] = {}

    def one(month: str) -> None:
        rows = ask(f"{server.url}/data/v1/get/C/M/HS?reporterCode=398&period={month}", FREE).json["data"]
        came[month] = len({row["period"] for row in rows} ^ {month})

    months = [f"2022{month:02}" for month in range(1, 13)]
    threads = [threading.Thread(target=one, args=(month,)) for month in months]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == dict.fromkeys(months, 0)


def test_it_listens_on_this_machine_only(server):
    assert server.url.startswith("http://127.0.0.1:")
