"""What comes over a wire that fails in every way it can: whole in the end, or an error by its name; never a part."""

import gzip
import hashlib
import json
import logging
import random
import traceback
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from anomaly.contract.errors import (
    AnomalyError,
    BadRequest,
    DataRejected,
    KeyRefused,
    SettingsWrong,
    SourceUnavailable,
    TryLater,
)
from anomaly.fetch.client import Client, address_of, key_of
from anomaly.fetch.download import download
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.service import Limits, Service
from tests.fetch.wire import CLOSE, HANG, RESET, Hand, Reply, as_json, chunked, reply, served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
LIMITS = Limits(least_seconds=1.0, attempts=4, read_seconds=30.0, most_bytes=2**20)
SERVICE = Service("publisher", "A publisher", "https://example.org", LIMITS, "PUBLISHER_KEY", "X-Key")
GOOD = {"rows": [1, 2, 3]}
CONTENT = random.Random(7).randbytes(300_000)


def service_for(fault):
    """Waits shortly where nothing comes; else long, as a busy machine may be slow."""
    return replace(SERVICE, limits=replace(LIMITS, read_seconds=0.5)) if fault == "timeout" else SERVICE


def parsed(answer):
    try:
        answered = json.loads(answer.content)
        if "complaint" in answered:
            raise BadRequest("to be understood", answered["complaint"])
        rows = answered["rows"]
    except (ValueError, KeyError):
        raise Transient(f"no rows: {sentence_of(answer.content)}") from None
    return rows


def ask(replies, hand=None, key=None, service=SERVICE, **options):
    """Ask once; the replies come one after the other, the last one for good."""
    left = list(replies)
    with (
        served(lambda _asked: left.pop(0) if len(left) > 1 else left[0]) as wire,
        Client(service, key, (hand or Hand()).clock(), wire.url, **options) as client,
    ):
        try:
            return client.ask("/rows", (("a", "1"),), parsed), wire
        except AnomalyError as error:
            return error, wire


BODY = gzip.compress(json.dumps(GOOD).encode(), mtime=0)
PACKED: dict[str, Any] = {"content_type": "application/json", "content_encoding": "gzip"}
FAULTS = {
    "429": lambda: as_json({"message": "Rate limit is exceeded."}, 429, retry_after="1"),
    "500": lambda: reply(b"Something went wrong.", 500),
    "502": lambda: reply(b"", 502),
    "503": lambda: reply(b"", 503),
    "504": lambda: reply(b"", 504),
    "reset": lambda: Reply(b"HTTP/1.1 200 X\r\ncontent-le", RESET),
    "timeout": lambda: Reply(b"", HANG),
    "short body": lambda: Reply(reply(BODY, **PACKED).content[:-5], CLOSE),
    "truncated chunk": lambda: chunked([BODY[:9]], is_whole=False, **PACKED),
    "truncated gzip": lambda: reply(BODY[:-9], **PACKED),
    "damaged gzip": lambda: reply(BODY[:12] + b"\xff\xff" + BODY[14:], **PACKED),
    "HTML with 200": lambda: reply(b"<html><title>Sorry</title></html>", content_type="text/html"),
    "malformed JSON": lambda: reply(b'{"rows": [1, 2', content_type="application/json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_after_a_fault_is_whole(fault):
    rows, wire = ask([FAULTS[fault](), as_json(GOOD)], service=service_for(fault))
    assert rows == [1, 2, 3]
    assert len(wire.asked) == 2 or fault == "timeout"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_an_error_by_its_name_after_all_attempts(fault):
    error, wire = ask([FAULTS[fault]()], service=service_for(fault))
    assert (type(error), len(wire.asked)) == (SourceUnavailable, LIMITS.attempts)


def test_what_is_asked_to_be_waited_is_waited_to_the_second():
    hand = Hand()
    ask([as_json({}, 429, retry_after="7"), as_json(GOOD)], hand)
    assert hand.slept[0] == 7.0


def test_a_date_to_wait_for_is_waited_for():
    hand = Hand()
    later = format_datetime(hand.begin.replace(minute=1), usegmt=True)
    ask([as_json({}, 503, retry_after=later), as_json(GOOD)], hand)
    assert hand.slept[0] == 60.0


def test_a_real_clock_waits_as_long_as_it_is_asked_to():
    left = [as_json({}, 429, retry_after="1"), as_json(GOOD)]
    with served(lambda _asked: left.pop(0)) as wire, Client(SERVICE, address=wire.url) as client:
        client.ask("/rows", (), parsed)
    assert wire.asked[1].at - wire.asked[0].at >= 1.0


def test_a_wait_that_is_too_long_ends_with_the_time_from_which_it_goes_on():
    error, wire = ask([as_json({"message": "Out of call volume quota. Quota will be replenished in 03:14:17."}, 403)])
    assert (type(error), len(wire.asked)) == (TryLater, 1)
    assert "2026-11-20 12:14" in str(error)


def test_requests_are_never_closer_than_the_publishers_pace():
    hand = Hand()
    with served(lambda _asked: as_json(GOOD)) as wire, Client(SERVICE, None, hand.clock(), wire.url) as client:
        for _ in range(4):
            client.ask("/rows", (), parsed)
    assert hand.slept == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, KeyRefused), (403, KeyRefused), (404, SourceUnavailable), (409, BadRequest)],
)
def test_a_refusal_is_not_asked_again(status, kind):
    error, wire = ask([as_json({"message": "no"}, status)])
    assert (type(error), len(wire.asked)) == (kind, 1)


def test_a_dripping_answer_ends_with_the_time_of_a_request():
    hand = Hand()

    def drip(_asked):
        hand.seconds += 700.0
        return as_json(GOOD)

    with (
        served(drip) as wire,
        Client(SERVICE, None, hand.clock(), wire.url) as client,
        pytest.raises(SourceUnavailable, match="in the time for one request"),
    ):
        client.ask("/rows", (), parsed)
    assert len(wire.asked) == 1


def test_a_run_whose_time_is_over_is_resumed_later():
    error, _ = ask([reply(b"", 500)], run_seconds=0.5)
    assert type(error) is TryLater


def test_what_unpacks_to_more_than_is_allowed_is_stopped():
    bomb = gzip.compress(b"0" * (LIMITS.most_bytes * 3), mtime=0)
    error, _ = ask([reply(bomb, **PACKED)])
    assert type(error) is DataRejected


# the key


@pytest.mark.parametrize("fault", [*FAULTS, "success", "echo", "page", "complaint", "401", "400", "redirect", "quota"])
def test_the_key_appears_nowhere_but_in_its_header(fault, caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    replies = {
        "success": as_json(GOOD),
        "echo": reply(f"your key {KEY} is odd".encode(), 500),
        "page": reply(f"<html>{KEY}".encode(), content_type="text/html", etag=KEY),
        "complaint": as_json({"complaint": f"{KEY}?"}),
        "401": as_json({"message": f"invalid key {KEY}"}, 401),
        "400": as_json({"error": f"{KEY}?"}, 400),
        "redirect": reply(b"", 302, location="/rows?a=1"),
        "quota": as_json({"message": f"{KEY}: replenished in 03:14:17."}, 403),
    }
    result, wire = ask(
        [replies[fault] if fault in replies else FAULTS[fault]()], key=SecretStr(KEY), service=service_for(fault)
    )
    said = str(result) + repr(result)
    if isinstance(result, Exception):
        said += "".join(traceback.format_exception(result)) + traceback.format_exc()
    said += caplog.text + "".join(capfd.readouterr()) + "".join(asked.path + str(asked.params) for asked in wire.asked)
    assert said.count(KEY) == 0
    assert all(asked.headers["x-key"] == KEY for asked in wire.asked)


def test_the_key_does_not_follow_to_another_host():
    with served(lambda _asked: as_json(GOOD)) as other:
        (rows, wire) = ask([reply(b"", 302, location=f"{other.url}/rows")], key=SecretStr(KEY))
    assert rows == [1, 2, 3]
    assert [("x-key" in asked.headers) for asked in (*wire.asked, *other.asked)] == [True, False]


@pytest.mark.parametrize("text", ["", "short", "two words in it", "lettér-lettér", "a" * 9 + "\n" + "b" * 9])
def test_a_file_without_a_key_is_refused(text):
    with pytest.raises(KeyRefused):
        key_of(SERVICE, text, {})


def test_a_key_is_taken_from_the_file_before_the_environment():
    environment = {"PUBLISHER_KEY": "f" * 32}
    keys = [
        key_of(SERVICE, text, variables)
        for text, variables in ((f"{KEY}\n", environment), (None, environment), (None, {}))
    ]
    assert [key and key.get_secret_value() for key in keys] == [KEY, "f" * 32, None]


@pytest.mark.parametrize(
    "address", ["http://example.org", "ftp://127.0.0.1", "example.org", "http://127.0.0.1.example.org"]
)
def test_an_address_that_others_could_listen_to_is_refused(address):
    with pytest.raises(SettingsWrong):
        address_of(SERVICE, {"ANOMALY_PUBLISHER_URL": address})


def test_a_publisher_can_be_asked_on_this_machine():
    assert address_of(SERVICE, {"ANOMALY_PUBLISHER_URL": "http://127.0.0.1:8080/"}) == "http://127.0.0.1:8080"
    assert address_of(SERVICE, {}) == "https://example.org"


# files


def file_server(cuts, *, has_ranges=True, etag='"v1"', content=CONTENT):
    """Answers a file, cut at `cuts` bytes of what is still to come, one cut a request."""
    left = list(cuts)

    def answer(asked):
        begin, headers = 0, {"etag": etag} if etag else {}
        if has_ranges and "range" in asked.headers and asked.headers.get("if-range") == etag:
            begin = int(asked.headers["range"].removeprefix("bytes=").removesuffix("-"))
            headers["content_range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        whole = reply(content[begin:], 206 if begin else 200, content_type="application/octet-stream", **headers)
        head = len(whole.content) - len(content[begin:])
        return Reply(whole.content[: head + left.pop(0)], RESET if len(left) % 2 else CLOSE) if left else whole

    return answer


def brought(answer, tmp_path, **options):
    hand = Hand()
    with served(answer) as wire, Client(SERVICE, None, hand.clock(), wire.url) as client:
        done = download(client, "/file.7z", tmp_path / "file.7z", **options)
    return done, client, wire


def test_a_download_cut_ten_times_is_taken_up_where_it_broke_off(tmp_path):
    done, client, _ = brought(file_server([25_000] * 10), tmp_path)
    assert hashlib.sha256(done.path.read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
    assert client.bytes_read <= 1.2 * len(CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["file.7z"]


def test_a_server_without_ranges_is_asked_anew(tmp_path):
    done, client, _ = brought(file_server([25_000], has_ranges=False), tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert client.bytes_read > len(CONTENT)


def test_a_file_without_a_mark_of_its_version_is_not_gone_on_with(tmp_path):
    done, _, wire = brought(file_server([25_000], etag=""), tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert "range" not in wire.asked[1].headers


def test_a_download_goes_on_after_its_process_ended(tmp_path):
    with pytest.raises(SourceUnavailable):
        brought(file_server([60_000] + [0] * 20), tmp_path)
    done, client, _ = brought(file_server([]), tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert client.bytes_read <= len(CONTENT) - 60_000


def test_a_file_that_changed_meanwhile_begins_anew(tmp_path):
    with pytest.raises(SourceUnavailable):
        brought(file_server([60_000] + [0] * 20), tmp_path)
    newer = CONTENT[::-1]
    done, _, _ = brought(file_server([], etag='"v2"', content=newer), tmp_path)
    assert done.path.read_bytes() == newer


def test_a_file_that_is_not_what_it_should_be_is_never_given_its_name(tmp_path):
    def check(_path):
        raise Transient("no end of stream")

    with pytest.raises(SourceUnavailable, match="no end of stream"):
        brought(file_server([]), tmp_path, check=check)
    assert list(tmp_path.iterdir()) == []


def test_a_page_in_place_of_a_file_is_an_error(tmp_path):
    with pytest.raises(SourceUnavailable, match="a page in place of a file: Sorry"):
        brought(lambda _asked: reply(b"<html>Sorry</html>", content_type="text/html"), tmp_path)
    assert not (tmp_path / "file.7z").exists()


def test_a_file_larger_than_allowed_is_refused_before_it_is_brought(tmp_path):
    with pytest.raises(DataRejected):
        brought(file_server([], content=b"0" * (LIMITS.most_bytes + 1)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_asked_for(tmp_path):
    (tmp_path / "file.7z").write_bytes(b"whole")
    done, _, wire = brought(file_server([]), tmp_path)
    assert (done.path.read_bytes(), wire.asked) == (b"whole", [])
