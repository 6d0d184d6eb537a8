"""What holds for every publisher alike: a file is kept whole or not at all, and is one that a reader takes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from anomaly import sources
from anomaly.contract.errors import AnomalyError, BadRequest, SourceUnavailable
from anomaly.fetch import PUBLISHERS, run
from anomaly.sources.base import Context
from pipelines.raw import find
from tests.fetch.answers import NOW, Passing, Publishing, fetched, serve
from tests.fetch.published import EXAMPLES, Example
from tests.fetch.wire import Wire

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

every = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
RATES = {code: pl.DataFrame({"month": [date(2024, 1, 1)], "usd_per_unit": [1.1]}) for code in ("EUR", "GBP")}


def bring(example: Example, server: Wire, raw: Path, *faults: object) -> Publishing:
    publishing = Publishing(example.answer, list(faults), only=example.only)
    fetched(example.publisher, example.need, raw, serve(server, publishing), example.key)
    return publishing


def kept(raw: Path, example: Example) -> list[Path]:
    return [path for path in raw.rglob(example.file) if ".part-" not in str(path)]


def test_every_publisher_but_comtrade_has_an_example():
    assert {publisher.name for publisher in PUBLISHERS} - {"comtrade", "comtrade-bulk"} == set(EXAMPLES)


@every
def test_a_release_lies_there_and_its_own_reader_takes_it(httpserver, tmp_path, example):
    bring(example, httpserver, tmp_path)
    (path,) = kept(tmp_path, example)
    if example.publisher.name == "unsd":
        return  # a table of reference: tests/reference
    (described,) = [item for item in find(tmp_path) if item.raw.path == path]
    assert described.fault is None
    source = sources.find(described.raw)
    assert source.name == example.publisher.source
    batches = list(source.read(described.raw, Context(RATES)))
    rows_kept = sum(batch.flows.height for batch in batches)
    assert sum(batch.rejected["is_error"].sum() for batch in batches) == 0
    assert (rows_kept > 0) == (source.name != "ecb")


@every
def test_what_was_brought_today_is_not_asked_for_again(httpserver, tmp_path, example):
    publishing = bring(example, httpserver, tmp_path)
    asked = len(publishing.asked)
    again = fetched(example.publisher, example.need, tmp_path, httpserver.url, example.key)
    assert again.planned == 0
    assert len(publishing.asked) - asked == (example.publisher.news is not None)


@every
@pytest.mark.parametrize("fault", ["html", 503, "truncated", "cut", 500, 429])
def test_one_bad_answer_is_asked_for_again_and_the_file_is_the_same(httpserver, tmp_path, example, fault):
    publishing = bring(example, httpserver, tmp_path, fault)
    (path,) = kept(tmp_path, example)
    whole = tmp_path / "without fault"
    fetched(example.publisher, example.need, whole, httpserver.url, example.key)
    assert not publishing.faults
    assert path.read_bytes() == kept(whole, example)[0].read_bytes()


@every
@pytest.mark.parametrize("fault", ["html", "truncated", 404, 400, 503])
def test_bad_answers_alone_end_in_an_error_with_a_name_and_leave_nothing(httpserver, tmp_path, example, fault):
    with pytest.raises(AnomalyError) as caught:
        bring(example, httpserver, tmp_path, *[fault] * 100)
    assert isinstance(caught.value, BadRequest if fault == 400 else SourceUnavailable)
    assert kept(tmp_path, example) == []


@every
def test_a_413_is_no_data(httpserver, tmp_path, example):
    with pytest.raises(AnomalyError):
        bring(example, httpserver, tmp_path, *[413] * 100)
    assert kept(tmp_path, example) == []


@pytest.mark.parametrize(
    "example", [it for it in EXAMPLES.values() if it.takes_ranges], ids=lambda it: it.publisher.name
)
def test_a_download_cut_four_times_takes_a_fifth_more_bytes_at_most(httpserver, tmp_path, example):
    publishing = bring(example, httpserver, tmp_path)
    beside = publishing.bytes_sent - kept(tmp_path, example)[0].stat().st_size  # listings, pages
    again = tmp_path / "cut"
    publishing.faults, publishing.bytes_sent = ["cut"] * 4, 0
    fetched(example.publisher, example.need, again, httpserver.url, example.key)
    size = kept(again, example)[0].stat().st_size
    assert publishing.faults == []
    assert publishing.bytes_sent - beside <= 1.2 * size


@every
def test_a_key_is_in_no_file_and_no_sentence(httpserver, tmp_path, example, caplog):
    key = "planted-key-0123456789"
    sentences: list[str] = []
    publishing = Publishing(example.answer, [503], only=example.only)
    address = serve(httpserver, publishing)
    run.fetch(
        example.publisher,
        example.need,
        tmp_path,
        SecretStr(key),
        clock=Passing().clock(),
        say=sentences.append,
        address=address,
    )
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.encode() not in written
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert key not in " ".join([*sentences, logged, *(str(path) for path in tmp_path.rglob("*"))])
    assert (key in " ".join(publishing.asked)) == (example.publisher.name == "census")  # it was sent where it belongs


@every
def test_a_year_of_nights_asks_little_where_nothing_changes(httpserver, tmp_path, example):
    publishing = bring(example, httpserver, tmp_path)
    address = httpserver.url
    releases = [
        release
        for day in range(1, 100, 9)
        for release in fetched(
            example.publisher, example.need, tmp_path, address, example.key, NOW + timedelta(days=day)
        ).releases
    ]
    assert releases == []
    assert len(publishing.asked) < 45
