"""One pointer for a run: whoever asks sees the whole run before or the whole new one, whatever stops the new one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anomaly.cli import answers
from anomaly.cli.commands import main
from anomaly.cli.store import Asked
from anomaly.contract.errors import SourceUnavailable, StoreFailure, TryLater
from anomaly.contract.schema import TABLES
from anomaly.store import disk, runs
from anomaly.store.store import Store, of_last_run
from pipelines import bilateral, coverage, families, flows, run
from pipelines.job import Job, Run
from pipelines.running import Outcome, run_jobs
from tests import ROOT
from tests.sources.test_ingest import table

EVERY_FAULT = bool(os.environ.get("ANOMALY_EVERY_FAULT"))
TRADE = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
IN_A_RUN = [job.name for job in run.JOBS if job.in_run]


def trade_of(root: Path, value_usd: int, jobs: Sequence[Job] = TRADE) -> Outcome:
    """A run on two routes that carry so many dollars."""
    table(root / "raw", [f"KAZ,RUS,2022,851713,{value_usd}", f"KGZ,RUS,2022,851713,{value_usd}"])
    return run_jobs(jobs, "run", root / "raw", root / "data", "russia-2022")


def told(store: Store) -> tuple[int, int]:
    """Dollars of the same trade in the first and in the last of the tables."""
    return int(store.read("flows")["primary_value_usd"].sum()), int(store.read("bilateral")["value_usd"].sum())


def stopped_after(job: str, monkeypatch: pytest.MonkeyPatch, root: Path, value_usd: int) -> None:
    """A run that fails between that job and the next: all that comes after is left as it was."""
    names = [each.name for each in TRADE]
    monkeypatch.setenv(disk.FAIL_AT, f"jobs:{names.index(job) + 1}:EIO")
    with pytest.raises(StoreFailure):
        trade_of(root, value_usd)
    monkeypatch.delenv(disk.FAIL_AT)


def broken(data: Path) -> list[str]:
    """All that is damaged but the raw files, which may be newer than the run."""
    store = of_last_run(data)
    tables = [file for name in ("flows", "families", "coverage", "bilateral") for file in store.verify(name)]
    return [*tables, *store.broken_documents(), *runs.faults(data)]


def ask(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(data)])


@pytest.mark.parametrize("job", ["flows", "families", "coverage", "bilateral"])
def test_a_run_that_is_stopped_between_two_jobs_is_not_seen_and_the_next_one_is(
    tmp_path: Path, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 5)
    stopped_after(job, monkeypatch, tmp_path, 7)
    assert told(of_last_run(tmp_path / "data")) == (10, 10)
    assert Store(tmp_path / "data").read("flows")["primary_value_usd"].sum() == 14  # what the next job would read
    assert trade_of(tmp_path, 7).is_changed
    assert told(of_last_run(tmp_path / "data")) == (14, 14)


def test_runs_that_are_stopped_one_after_another_do_not_take_away_what_readers_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 3)
    trade_of(tmp_path, 5)
    reader = of_last_run(tmp_path / "data")
    for value_usd in (7, 11, 13, 17):
        stopped_after("bilateral", monkeypatch, tmp_path, value_usd)
        assert told(reader) == told(of_last_run(tmp_path / "data")) == (10, 10)
    assert broken(tmp_path / "data") == []


def test_a_question_that_began_before_a_run_ended_reads_on_in_the_run_that_it_began_with(tmp_path: Path) -> None:
    trade_of(tmp_path, 5)
    reader = of_last_run(tmp_path / "data")
    trade_of(tmp_path, 7)
    assert told(reader) == (10, 10)
    assert told(of_last_run(tmp_path / "data")) == (14, 14)


def test_what_the_run_before_has_left_stays_for_its_readers_though_runs_are_stopped_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 5)
    reader = of_last_run(tmp_path / "data")
    trade_of(tmp_path, 7)
    for value_usd in (11, 13, 17):
        stopped_after("bilateral", monkeypatch, tmp_path, value_usd)
    assert told(reader) == (10, 10)


def test_a_question_that_two_runs_overtake_is_asked_to_begin_again_and_never_answered_from_another_run(
    tmp_path: Path,
) -> None:
    trade_of(tmp_path, 5)
    reader = of_last_run(tmp_path / "data")
    for value_usd in (7, 11):
        trade_of(tmp_path, value_usd)
    for read in (lambda: reader.read("flows"), lambda: reader.meta("flows"), lambda: list(reader.chunks("bilateral"))):
        with pytest.raises(TryLater, match="two runs have ended"):
            read()
    assert TryLater.exit_code == 75


def test_the_versions_of_two_runs_are_kept_and_no_others(tmp_path: Path) -> None:
    for value_usd in (3, 5, 7, 11):
        trade_of(tmp_path, value_usd)
    for name in ("flows", "coverage", "bilateral"):
        versions = [path for path in (tmp_path / "data" / name).iterdir() if path.is_dir()]
        assert len(versions) == 2, name
    assert len(list((tmp_path / "data" / "runs").glob("*/RUN.json"))) == 3  # the two, one of them by its link too


def test_a_first_run_that_is_stopped_says_that_none_has_ended_and_the_next_one_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for point in ("flows:17:EIO", "jobs:2:EIO"):  # before the first pointer of a table, and after it
        monkeypatch.setenv(disk.FAIL_AT, point)
        with pytest.raises(StoreFailure):
            trade_of(tmp_path, 5)
        monkeypatch.delenv(disk.FAIL_AT)
        for words in (("query", "851713"), ("verify",), ("report",), ("sources", "--doubts")):
            result = ask(data, *words)
            assert (result.exit_code, "none has ended" in result.stderr) == (69, True), (words, result.output)
        assert ask(data, "tables").exit_code == 0
    trade_of(tmp_path, 5)
    assert ask(data, "verify").exit_code == 0
    assert told(of_last_run(data)) == (10, 10)


@pytest.mark.parametrize("point", [1, 4, 8, 11])
def test_where_a_first_run_cannot_even_write_that_it_began_no_table_is_made(
    tmp_path: Path, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(disk.FAIL_AT, f"runs:{point}:ENOSPC")
    with pytest.raises(StoreFailure):
        trade_of(tmp_path, 5)
    monkeypatch.delenv(disk.FAIL_AT)
    assert not (tmp_path / "data" / "flows").exists()
    assert ask(tmp_path / "data", "query", "851713").exit_code == 69
    trade_of(tmp_path, 5)
    assert told(of_last_run(tmp_path / "data")) == (10, 10)


def test_killed_before_its_first_pointer_a_first_commit_is_no_lost_pointer(tmp_path: Path) -> None:
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    words = ["flows", "--raw", str(tmp_path / "raw"), "--data", str(tmp_path / "data")]
    fault = {"ANOMALY_FAIL_AT": "flows:33:kill", "PYTHONPATH": str(ROOT)}
    killed = subprocess.run(
        [sys.executable, "-m", "pipelines", *words], env={**os.environ, **fault}, check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "data" / "flows" / "CURRENT.json").exists()
    assert [path for path in (tmp_path / "data" / "flows").iterdir() if path.name != ".staging"]
    assert ask(tmp_path / "data", "verify").exit_code == 69
    trade_of(tmp_path, 5)
    assert ask(tmp_path / "data", "verify").exit_code == 0


def test_one_job_alone_is_shown_where_nothing_hangs_on_it_and_else_when_the_others_are_made_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    for job in TRADE:
        assert trade_of(tmp_path, 5, (job,)).is_shown
    for job in TRADE[:-1]:
        assert not trade_of(tmp_path, 7, (job,)).is_shown
        assert told(of_last_run(data)) == (10, 10)
    assert "questions still answer from the run before" in capsys.readouterr().err
    assert trade_of(tmp_path, 7, (bilateral.JOB,)).is_shown
    assert told(of_last_run(data)) == (14, 14)
    assert "questions still" not in capsys.readouterr().err


def test_a_table_that_is_gone_is_said_and_does_not_drop_out_of_what_readers_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trade_of(tmp_path, 5)
    shutil.rmtree(tmp_path / "data" / "bilateral")
    assert not trade_of(tmp_path, 5, TRADE[:3]).is_shown
    assert "bilateral is gone" in capsys.readouterr().err
    trade_of(tmp_path, 5)
    assert told(of_last_run(tmp_path / "data")) == (10, 10)


def test_a_first_version_that_no_run_names_is_left_over_and_no_lost_pointer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 5, TRADE[:1])
    with monkeypatch.context() as patched:
        patched.setattr("anomaly.store.commit.write_over", lambda *_: (_ for _ in ()).throw(OSError(5, "EIO")))
        with pytest.raises(StoreFailure):
            trade_of(tmp_path, 5, TRADE[:2])
    assert [path for path in (tmp_path / "data" / "families").iterdir() if path.is_dir()]
    assert not (tmp_path / "data" / "families" / "CURRENT.json").exists()
    assert ask(tmp_path / "data", "verify").exit_code == 0


def test_a_table_beside_the_run_is_left_out_while_it_is_older_and_keeps_nothing_back(tmp_path: Path) -> None:
    def beside(run: Run) -> None:
        with run.writer() as writer:
            writer.add(TABLES["backtest"].create_empty())

    job = Job("backtest", "a table that no run makes", beside, reads=("flows",), in_run=False)
    trade_of(tmp_path, 5, (*TRADE, job))
    assert of_last_run(tmp_path / "data").exists("backtest")
    trade_of(tmp_path, 7)
    assert told(of_last_run(tmp_path / "data")) == (14, 14)
    assert not of_last_run(tmp_path / "data").exists("backtest")


def test_the_command_backtest_shows_what_its_job_has_just_made_though_questions_do_not_see_it_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(_raw: Path, data: Path, _scenario: str, name: str) -> None:
        with Store(data).writer(name, inputs={"flows": "of another run"}) as writer:
            writer.add(TABLES["backtest"].create_empty())

    trade_of(tmp_path, 5)
    monkeypatch.setattr(run, "main", made)
    result = ask(tmp_path / "data", "backtest", "--raw", str(tmp_path / "raw"))
    assert (result.exit_code, "there is no date" in result.output) == (0, True)


def test_a_page_that_questions_do_not_see_yet_is_named_by_its_own_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    assert run._page(data) == data / "reports" / "latest" / "report.html"
    Store(data).publish("newer", {"report.html": b"newer"}, {"flows": "newer"})
    assert run._page(data).read_bytes() == b"newer"


def published(text: str) -> Job:
    """A job that publishes a page of that text."""

    def build(run: Run) -> None:
        run.publish({"report.html": text.encode(), "manifest.json": b'{"scenario": {"name": "x"}}'})

    return Job("report", "a page", build, reads=("flows", "bilateral"), publishes=True)


def test_the_latest_report_is_that_of_the_run_that_questions_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "data" / "reports" / "latest" / "report.html"
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == ("five", (10, 10))
    monkeypatch.setenv(disk.FAIL_AT, "jobs:5:EIO")  # after the new page was published
    with pytest.raises(StoreFailure):
        trade_of(tmp_path, 7, (*TRADE, published("seven")))
    monkeypatch.delenv(disk.FAIL_AT)
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == ("five", (10, 10))
    assert not trade_of(tmp_path, 11).is_shown  # without its page
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == ("five", (10, 10))
    (page.parents[1] / "DOCUMENTS.json").unlink()
    assert not trade_of(tmp_path, 11).is_shown  # nobody knows of what its page is
    trade_of(tmp_path, 7, (*TRADE, published("seven")))
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == ("seven", (14, 14))
    assert ask(tmp_path / "data", "verify").exit_code == 0


END_POINTS = 14  # numbered points of going over to a run


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("point", range(1, END_POINTS + 1))
def test_a_disk_fault_at_any_point_of_going_over_leaves_one_run_whole_with_its_page(
    tmp_path: Path, point: int, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    monkeypatch.setenv(disk.FAIL_AT, f"runs:{point}:{fault}")
    with pytest.raises(StoreFailure) as caught:
        trade_of(tmp_path, 7, (*TRADE, published("seven")))
    assert caught.value.exit_code == 74
    monkeypatch.delenv(disk.FAIL_AT)
    page = (tmp_path / "data" / "reports" / "latest" / "report.html").read_text(encoding="utf-8")
    assert (page, told(of_last_run(tmp_path / "data"))) in [("five", (10, 10)), ("seven", (14, 14))]
    assert broken(tmp_path / "data") == []
    trade_of(tmp_path, 7, (*TRADE, published("seven")))
    assert told(of_last_run(tmp_path / "data")) == (14, 14)
    assert ask(tmp_path / "data", "verify").exit_code == 0


GO_OVER = """
import sys
from pathlib import Path
from tests.store.test_runs import TRADE, published, trade_of
trade_of(Path(sys.argv[1]), 7, (*TRADE, published("seven")))
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", range(1, END_POINTS + 1) if EVERY_FAULT else (8, 11, 12, 13))
def test_killed_at_any_point_of_going_over_readers_see_one_run_whole_with_its_page(tmp_path: Path, point: int) -> None:
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    command = [sys.executable, "-c", GO_OVER, str(tmp_path)]
    killed = subprocess.run(
        command, cwd=ROOT, env={**os.environ, disk.FAIL_AT: f"runs:{point}:kill"}, check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    page = tmp_path / "data" / "reports" / "latest" / "report.html"
    is_over = point > END_POINTS - 2
    expected = ("seven", (14, 14)) if is_over else ("five", (10, 10))
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == expected
    assert broken(tmp_path / "data") == []
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (page.read_text(encoding="utf-8"), told(of_last_run(tmp_path / "data"))) == ("seven", (14, 14))
    assert not (tmp_path / "data" / "runs" / ".staging").exists()
    assert ask(tmp_path / "data", "verify").exit_code == 0


def test_there_is_no_point_of_going_over_beyond_those_that_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    monkeypatch.setenv(disk.FAIL_AT, f"runs:{END_POINTS + 1}:EIO")
    assert trade_of(tmp_path, 7, (*TRADE, published("seven"))).is_shown


def as_before_there_were_runs(data: Path) -> None:
    """What a version without runs would have left: pointers of tables, and a link to the newest documents."""
    newest = json.loads((data / "reports" / "DOCUMENTS.json").read_bytes())
    shutil.rmtree(data / "runs")
    (data / "reports" / "latest").unlink()
    (data / "reports" / "latest").symlink_to(newest["run"])
    del newest["tables"]
    (data / "reports" / "DOCUMENTS.json").write_text(json.dumps(newest, indent=1) + "\n", encoding="utf-8")


def test_a_folder_of_a_version_without_runs_is_read_as_it_stands_and_goes_over_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    as_before_there_were_runs(data)
    assert told(of_last_run(data)) == (10, 10)
    assert (ask(data, "verify").exit_code, ask(data, "report").exit_code) == (0, 0)
    stopped_after("flows", monkeypatch, tmp_path, 7)
    assert told(of_last_run(data)) == (10, 10)
    assert (data / "reports" / "latest" / "report.html").read_text(encoding="utf-8") == "five"
    trade_of(tmp_path, 7, (*TRADE, published("seven")))
    assert told(of_last_run(data)) == (14, 14)
    assert (data / "reports" / "latest" / "report.html").read_text(encoding="utf-8") == "seven"


def test_a_lost_pointer_in_a_folder_without_runs_is_no_table_that_was_never_made(tmp_path: Path) -> None:
    trade_of(tmp_path, 5)
    shutil.rmtree(tmp_path / "data" / "runs")
    (tmp_path / "data" / "bilateral" / "CURRENT.json").unlink()
    result = ask(tmp_path / "data", "query", "851713")
    assert (result.exit_code, "bilateral/CURRENT.json" in result.stderr) == (74, True)


def test_a_table_that_is_of_no_run_is_not_read(tmp_path: Path) -> None:
    trade_of(tmp_path, 5, TRADE[:2])
    with Store(tmp_path / "data").writer("coverage", inputs={}) as writer:
        writer.add(TABLES["coverage"].create_empty())
    store = of_last_run(tmp_path / "data")
    assert not store.exists("coverage")
    with pytest.raises(SourceUnavailable):
        store.read("coverage")


def record(data: Path) -> Path:
    return data / "runs" / "latest" / "RUN.json"


def test_a_change_of_any_byte_of_the_record_of_a_run_is_named_and_the_next_run_mends_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    trade_of(tmp_path, 5)
    whole, missed = record(data).read_bytes(), []
    for at in range(len(whole)):
        record(data).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        if runs.faults(data) != ["runs/latest/RUN.json"]:
            missed.append((at, whole[at - 5 : at + 5]))
    assert missed == []
    for words in (("query", "851713"), ("verify",)):
        result = ask(data, *words)
        assert (result.exit_code, "RUN.json" in result.output) == (74, True), words
    trade_of(tmp_path, 5)
    assert ask(data, "verify").exit_code == 0
    assert told(of_last_run(data)) == (10, 10)


LOSSES: dict[str, Callable[[Path], object]] = {
    "the link": lambda data: (data / "runs" / "latest").unlink(),
    "the record": lambda data: record(data).unlink(),
    "what the link names": lambda data: shutil.rmtree(record(data).resolve().parent),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_record_that_is_lost_is_named_and_nothing_is_answered_without_it(tmp_path: Path, loss: str) -> None:
    trade_of(tmp_path, 5)
    trade_of(tmp_path, 7)
    LOSSES[loss](tmp_path / "data")
    for words in (("query", "851713"), ("verify",)):
        assert ask(tmp_path / "data", *words).exit_code == 74, words
    trade_of(tmp_path, 7)
    assert told(of_last_run(tmp_path / "data")) == (14, 14)
    assert ask(tmp_path / "data", "verify").exit_code == 0


def test_a_link_to_other_documents_than_the_runs_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    (data / "reports" / "latest").unlink()
    (data / "reports" / "latest").symlink_to("elsewhere")
    result = ask(data, "verify")
    assert (result.exit_code, "reports/latest" in result.output) == (74, True)
    trade_of(tmp_path, 5, (*TRADE, published("five")))
    assert ask(data, "verify").exit_code == 0


def test_a_copy_in_which_links_became_folders_is_read(tmp_path: Path) -> None:
    trade_of(tmp_path, 5)
    trade_of(tmp_path, 7)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    assert told(of_last_run(tmp_path / "copy")) == (14, 14)


def test_a_question_opens_the_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trade_of(tmp_path, 5)
    opened: list[Path] = []
    latest = runs.latest

    def counted(root: Path) -> runs.EndedRun | None:
        opened.append(root)
        return latest(root)

    monkeypatch.setattr(runs, "latest", counted)
    answers.routes_of(Asked("851713", "coalition", "RUS", "2022", None, "USD"), None, tmp_path / "data")
    assert len(opened) == 1


GOODS = ("851713", "847130", "854231", "870323", "841191", "392010")


def small_world(raw: Path, step_usd: int) -> None:
    """Seven years of 18 routes in six goods, all amounts moved by a step."""
    rows = [
        f"{exporter},{importer},{year},{good},{100_000 + 1013 * place + step_usd}"
        for place, (exporter, importer, good) in enumerate(
            (exporter, importer, good)
            for exporter in ("KAZ", "KGZ", "TUR")
            for importer in ("RUS", "DEU")
            for good in GOODS
        )
        for year in range(2017, 2024)
    ]
    table(raw, rows)


def asked_now(data: Path) -> dict[str, str]:
    """What four questions answer, each of which opens the run once and reads several tables."""
    asked = Asked("851713", "KAZ", "RUS", "2022", None, "USD")
    store = of_last_run(data)
    published = store.published()
    assert published is not None
    manifest = json.loads((data / "reports" / published.run / "manifest.json").read_bytes())
    tables = {name: store.read(name).select(pl.sum("value_usd")).item() for name in ("bilateral", "features")}
    versions = {name: [store.version(name), made["version"]] for name, made in manifest["tables"].items()}
    return {
        "query": str(answers.routes_of(asked, None, data).rows.rows()),
        "series": str(answers.periods_of(asked, None, data).rows.rows()),
        "tables and documents": json.dumps([tables, versions]),
        "page": (data / "reports" / "latest" / "flags.csv").read_text(encoding="utf-8"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("after", range(1, len(IN_A_RUN) + 1) if EVERY_FAULT else [7])
def test_killed_between_two_jobs_with_a_reader_in_a_loop_every_answer_is_of_one_run(
    tmp_path: Path, made_once: Callable[[str, Callable[[Path], object]], Path], after: int
) -> None:
    """The reader asks without a break while a run is killed after a job, and while the next one ends."""

    def fill(root: Path) -> None:
        for step_usd in (2_500_000, 2_000_000):
            small_world(root / "raw", step_usd)
            run.main(root / "raw", root / "data", "russia-2022")

    world = made_once("runs_world", fill)
    shutil.copytree(world, tmp_path / "world", symlinks=True)
    raw, data = tmp_path / "world" / "raw", tmp_path / "world" / "data"
    small_world(raw, 2_900_000)
    before, seen, stop = asked_now(data), [], threading.Event()

    def reader() -> None:
        while not stop.is_set():
            seen.append(asked_now(data))

    thread = threading.Thread(target=reader)
    thread.start()
    job = [sys.executable, "-m", "pipelines", "run", "--raw", str(raw), "--data", str(data)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        fault = {"ANOMALY_FAIL_AT": f"jobs:{after}:kill"}
        killed = subprocess.run(job, env={**environment, **fault}, check=False, capture_output=True)
        assert killed.returncode == -signal.SIGKILL
        assert asked_now(data) == before
        subprocess.run(job, env=environment, check=True, capture_output=True)
    finally:
        stop.set()
        thread.join()
    after_all = asked_now(data)
    for question, answer in after_all.items():
        assert before[question] != answer or question == "page"
        assert {answered[question] for answered in seen} <= {before[question], answer}, question
