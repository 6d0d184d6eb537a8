"""`anomaly prune`: what is old and named by nothing goes, when it is told to, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anomaly.cli.commands import main
from anomaly.store import as_of as dated
from anomaly.store.lock import Lock
from anomaly.store.store import Store
from pipelines import bilateral, coverage, families, flows
from pipelines.running import run_jobs
from tests.sources.test_ingest import table

TRADE = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
LONG_AGO = "2010-01-31T010203Z-0a1b2c3d"
PLACE = "own/annual/2022"


def release(root: Path, name: str, value_usd: int = 5) -> Path:
    return table(root / "raw" / PLACE / name, [f"KAZ,RUS,2022,851713,{value_usd}"]).parent


def ran(root: Path) -> None:
    run_jobs(TRADE, "run", root / "raw", root / "data", "russia-2022")


def report(root: Path, name: str, year: int, raw_files: list[str]) -> Path:
    """A report of a year that names these raw files."""
    folder = root / "data" / "reports" / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"raw_files": [{"path": file} for file in raw_files]}))
    written = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    os.utime(folder / "manifest.json", (written, written))
    return folder


def prune(root: Path, *words: str) -> Result:
    folders = ("--data", str(root / "data"), "--raw", str(root / "raw"))
    return CliRunner().invoke(main, ["prune", *words, *folders, "--format", "json"])


def fates(result: Result) -> dict[str, str]:
    return {Path(row["path"]).name: row["fate"].partition(":")[0] for row in json.loads(result.stdout)}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A release of long ago that nothing names, beside the newest one, which the tables are made of."""
    release(tmp_path, "2024-01-31T010203Z-4e5f6a7b", 7)
    ran(tmp_path)
    release(tmp_path, LONG_AGO)
    return tmp_path


def test_without_a_word_nothing_is_deleted_and_folders_and_bytes_are_said(old):
    result = prune(old)
    assert (result.exit_code, fates(result)) == (0, {LONG_AGO: "would be deleted"})
    size = sum(path.stat().st_size for path in (old / "raw" / PLACE / LONG_AGO).iterdir())
    assert f"1 folders, {size:,} bytes would be deleted" in result.stderr
    assert (old / "raw" / PLACE / LONG_AGO).is_dir()


def test_with_yes_what_is_old_goes_and_the_newest_stays(old):
    assert fates(prune(old, "--yes")) == {LONG_AGO: "deleted"}
    assert [path.name for path in (old / "raw" / PLACE).iterdir()] == ["2024-01-31T010203Z-4e5f6a7b"]
    assert fates(prune(old)) == {}


def test_the_newest_release_of_a_period_stays_however_old_it_is(tmp_path):
    release(tmp_path, LONG_AGO)
    assert fates(prune(tmp_path)) == {}


def test_what_the_tables_are_made_of_stays(old):
    ran(old)
    assert fates(prune(old, "--yes")) == {LONG_AGO: "kept"}
    assert (old / "raw" / PLACE / LONG_AGO).is_dir()


def test_what_a_report_that_stays_names_stays_and_goes_with_the_last_report_that_does(old):
    young = report(old, "young", 2024, [f"{PLACE}/{LONG_AGO}/trade.csv"])
    report(old, "aged", 2011, [f"{PLACE}/{LONG_AGO}/trade.csv"])
    assert fates(prune(old, "--yes")) == {"aged": "deleted", LONG_AGO: "kept"}
    shutil.rmtree(young)
    assert fates(prune(old, "--yes")) == {LONG_AGO: "deleted"}


def test_what_only_an_old_report_names_goes_with_it(old):
    report(old, "aged", 2011, [f"{PLACE}/{LONG_AGO}/trade.csv"])
    assert fates(prune(old, "--yes")) == {"aged": "deleted", LONG_AGO: "deleted"}


def test_a_release_that_is_younger_stays_although_a_newer_one_replaced_it(old):
    release(old, f"{datetime.now(UTC).year - 5}-01-31T010203Z-0a1b2c3d")
    release(old, f"{datetime.now(UTC).year}-01-01T010203Z-0a1b2c3d")
    assert set(fates(prune(old, "--years", "10"))) == {LONG_AGO}


def test_what_tables_as_of_a_day_are_made_of_stays(old):
    day = date(2012, 1, 1)
    run_jobs(TRADE, "run", old / "raw", dated.folder(old / "data", day), "russia-2022", as_of=day)
    assert fates(prune(old, "--yes")) == {LONG_AGO: "kept"}
    shutil.rmtree(dated.folder(old / "data", day))
    assert fates(prune(old, "--yes")) == {LONG_AGO: "deleted"}


def test_reports_of_ten_years_stay_and_the_number_of_years_can_be_said(old):
    report(old, "two", datetime.now(UTC).year - 2, [])
    assert "two" not in fates(prune(old))
    assert fates(prune(old, "--years", "1"))["two"] == "would be deleted"


def test_documents_of_the_last_run_stay_however_old_they_are(old):
    store = Store(old / "data")
    folder = store.publish("run1", {"manifest.json": b'{"raw_files": []}'}, {})
    os.utime(folder / "manifest.json", (0, 0))
    assert fates(prune(old, "--yes"))["run1"] == "kept"
    assert folder.is_dir()


def test_a_version_that_a_killed_run_left_goes_and_those_of_the_two_last_runs_stay(tmp_path):
    for value_usd in (5, 6):
        table(tmp_path / "raw", [f"KAZ,RUS,2022,851713,{value_usd}"])
        ran(tmp_path)
    folder = tmp_path / "data" / "bilateral"
    held = {path.name for path in folder.iterdir() if path.is_dir()}
    shutil.copytree(folder / Store(tmp_path / "data").version("bilateral"), folder / ("0" * 32))
    assert fates(prune(tmp_path, "--yes")) == {"0" * 32: "deleted"}
    assert {path.name for path in folder.iterdir() if path.is_dir()} == held


def test_nothing_is_deleted_where_a_manifest_cannot_be_read(old):
    (report(old, "young", 2024, []) / "manifest.json").write_text("{")
    assert prune(old, "--yes").exit_code == 74
    assert (old / "raw" / PLACE / LONG_AGO).is_dir()


def test_nothing_is_deleted_while_a_run_or_a_fetch_is_under_way(old):
    for folder in ("data", "raw"):
        with Lock(old / folder).held():
            assert prune(old, "--yes").exit_code == 75
    assert (old / "raw" / PLACE / LONG_AGO).is_dir()
