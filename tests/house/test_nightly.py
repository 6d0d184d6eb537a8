"""A nightly run: it fetches first, goes on with what lies there where that fails, and reads again what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from anomaly.contract.errors import Locked, SourceUnavailable, StoreFailure
from anomaly.store.store import Store
from pipelines import bilateral, coverage, families, fetch, flows, verified
from pipelines.running import Bring, Outcome, Step, run_jobs
from tests.fetch.wire import Hand, reply, served
from tests.sources.test_ingest import table

TRADE = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
ROW = "KAZ,RUS,2022,851713,5"


def nightly(root: Path, bring: Bring | None, **options: Any) -> Outcome:
    return run_jobs(TRADE, "run", root / "raw", root / "data", "russia-2022", bring=bring, is_verified=True, **options)


def status(root: Path) -> dict[str, Any]:
    return json.loads((root / "data" / "run-status.json").read_bytes())


def brought(root: Path, failed: list[str]) -> Bring:
    """A fetch that brings one file."""

    def bring() -> tuple[Step, list[str]]:
        table(root / "raw", [ROW])
        return {"job": "fetch", "status": "failed" if failed else "done", "exit_code": 0}, failed

    return bring


def test_what_is_fetched_is_read_in_the_same_run_and_what_was_written_is_read_again(tmp_path):
    assert nightly(tmp_path, brought(tmp_path, [])).exit_code == 0
    assert [step["job"] for step in status(tmp_path)["steps"]] == ["fetch", *(job.name for job in TRADE), "verify"]
    assert Store(tmp_path / "data").read("flows")["primary_value_usd"].sum() == 5


def test_a_night_without_news_is_no_change(tmp_path):
    nightly(tmp_path, brought(tmp_path, []))
    quiet: Bring = lambda: ({"job": "fetch", "status": "no change", "exit_code": 0}, [])  # noqa: E731
    assert not nightly(tmp_path, quiet).is_changed
    assert status(tmp_path)["status"] == "no change"


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: reply(b'{"message": "Resource not found"}', 404), 69),
        (lambda: reply(b'{"message": "Out of call volume quota. Quota will be replenished in 03:14:17."}', 403), 75),
        (lambda: reply(b'{"message": "invalid"}', 401), 77),
    ],
)
def test_a_publisher_that_fails_does_not_cost_the_night_and_the_end_says_so(tmp_path, monkeypatch, answer, code):
    monkeypatch.delenv("COMTRADE_API_KEY", raising=False)
    monkeypatch.setattr("anomaly.fetch.run.Clock", lambda: Hand().clock())
    table(tmp_path / "raw", [ROW])
    with served(lambda _asked: answer()) as wire:
        monkeypatch.setenv("ANOMALY_COMTRADE_URL", wire.url)
        outcome = nightly(tmp_path, fetch.bring(["comtrade"], tmp_path / "raw", "russia-2022"))
    assert outcome.exit_code == 3
    assert Store(tmp_path / "data").read("flows").height == 1
    said = status(tmp_path)
    assert (said["status"], said["exit_code"], said["message"]) == ("ok", 3, f"not fetched: comtrade ({code})")
    assert (said["steps"][0]["exit_code"], said["steps"][0]["publishers"][0]["source"]) == (code, "comtrade")


def test_a_raw_folder_that_another_fetch_holds_does_not_cost_the_night(tmp_path, monkeypatch):
    def held(*_: object) -> None:
        raise Locked("to be alone", "held by process 1")

    monkeypatch.setattr(fetch, "_asked_all", held)
    table(tmp_path / "raw", [ROW])
    assert nightly(tmp_path, fetch.bring([], tmp_path / "raw", "russia-2022")).message == "not fetched: any (75)"


def test_a_fault_of_the_fetch_does_not_cost_the_night_and_leaves_its_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fetch, "_asked_all", lambda *_: 1 / 0)
    table(tmp_path / "raw", [ROW])
    assert nightly(tmp_path, fetch.bring([], tmp_path / "raw", "russia-2022")).message == "not fetched: any (70)"
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_where_nothing_came_and_nothing_lies_there_the_run_ends_with_69_and_the_fetch_is_in_its_status(tmp_path):
    with pytest.raises(SourceUnavailable):
        nightly(tmp_path, lambda: ({"job": "fetch", "status": "failed", "exit_code": 75}, ["comtrade (75)"]))
    assert [(step["job"], step["exit_code"]) for step in status(tmp_path)["steps"]] == [("fetch", 75)]


def test_a_second_run_is_refused_while_the_first_one_fetches(tmp_path):
    refused: list[int] = []

    def bring() -> tuple[Step, list[str]]:
        with pytest.raises(Locked) as error:
            nightly(tmp_path, None)
        refused.append(error.value.exit_code)
        return brought(tmp_path, [])()

    nightly(tmp_path, bring)
    assert refused == [75]


def test_a_byte_that_is_turned_over_is_named_by_the_last_step(tmp_path):
    nightly(tmp_path, brought(tmp_path, []))
    store = Store(tmp_path / "data")
    part = tmp_path / "data" / "bilateral" / store.version("bilateral") / "part-00000.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(StoreFailure, match="bilateral"):
        verified.step(store)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--fetch", "nobody"), "there are comtrade"), (("--fetch", "--as-of", "2024-01-01"), "--fetch or --as-of")],
)
def test_what_cannot_be_fetched_is_refused_before_anything_is_written(tmp_path, arguments, words):
    folders = ("--raw", str(tmp_path / "raw"), "--data", str(tmp_path / "data"))
    result = CliRunner().invoke(main, ["run", *arguments, *folders])
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "data").exists()
