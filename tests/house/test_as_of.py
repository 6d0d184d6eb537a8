"""A run as of a day sees what had come by then, in a folder of its own; questions as of that day read it and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anomaly.cli.commands import main
from anomaly.contract.errors import BadRequest
from anomaly.store import as_of as dated
from anomaly.store.store import Store
from pipelines import bilateral, coverage, families, flows, run, seen
from pipelines import raw as raw_folder
from pipelines.running import run_jobs
from tests.sources.test_ingest import table

TRADE = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
DAY = date(2024, 6, 30)


def release(root: Path, folder: str, value_usd: int, origin: str = "") -> None:
    """One row in a folder of its own, whose origin.toml says this."""
    place = table(root / "raw" / folder, [f"KAZ,RUS,2022,851713,{value_usd}"]).parent
    if origin:
        (place / "origin.toml").write_text(origin, encoding="utf-8")


def ran(root: Path, as_of: date | None) -> int:
    """Dollars that are current."""
    data = dated.folder(root / "data", as_of)
    run_jobs(TRADE, "run", root / "raw", data, "russia-2022", as_of=as_of)
    rows = Store(data).read("flows")
    return int(rows.filter("is_current")["primary_value_usd"].sum())


def ask(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(data)])


def test_a_revision_that_came_later_is_not_seen_and_today_it_is(tmp_path):
    release(tmp_path, "old", 5, 'dataset = "d"\nvintage = "2024-01-31"\n')
    release(tmp_path, "new", 7, 'dataset = "d"\nvintage = "2024-07-01"\n')
    assert (ran(tmp_path, DAY), ran(tmp_path, date(2024, 7, 1)), ran(tmp_path, None)) == (5, 7, 7)


@pytest.mark.parametrize(
    ("origin", "is_seen"),
    [
        ("fetched_at = 2024-06-30T23:59:59Z\n", True),
        ("fetched_at = 2024-07-01T00:00:00Z\n", False),
        ('fetched_at = "2024-06-30"\nvintage = "2024-07-01"\n', False),  # the latest counts
        ('fetched_at = "2024-07-01"\nvintage = "2020-01-01"\n', False),
        ('vintage = "V202401"\n', False),  # no day
        ("", False),
    ],
)
def test_the_latest_date_of_a_file_counts_and_one_without_any_is_left_out(tmp_path, origin, is_seen):
    release(tmp_path, "a", 5, origin)
    paths = [tmp_path / "raw" / "a" / "trade.csv"]
    assert seen.by(paths, tmp_path / "raw", DAY)[0] == (paths if is_seen else [])


def test_a_release_of_a_fetch_is_dated_by_its_folder(tmp_path):
    for day in ("2024-06-30", "2024-07-01"):
        release(tmp_path, f"comtrade/monthly/202401/{day}T010203Z-0a1b2c3d", 5)
    paths = sorted((tmp_path / "raw").rglob("trade.csv"))
    assert seen.by(paths, tmp_path / "raw", DAY) == (paths[:1], [])


def test_files_that_do_not_say_when_they_came_are_named(tmp_path):
    release(tmp_path, "a", 5)
    assert seen.undated(tmp_path / "raw", DAY) == ["a/trade.csv"]


def test_a_file_that_comes_later_while_a_run_as_of_a_day_reads_is_none_of_its_business(tmp_path):
    release(tmp_path, "old", 5, 'vintage = "2024-01-31"\n')
    hashed = raw_folder.inputs(tmp_path / "raw", DAY)
    release(tmp_path, "new", 7, 'vintage = "2024-07-01"\n')
    with raw_folder.unchanged(tmp_path / "raw", hashed) as later:
        pass
    assert later == []


def test_tables_say_as_of_when_they_are_and_those_of_today_do_not(tmp_path):
    release(tmp_path, "old", 5, 'vintage = "2024-01-31"\n')
    ran(tmp_path, DAY)
    ran(tmp_path, None)
    inputs = [
        Store(folder).meta("flows")["inputs"] for folder in (dated.folder(tmp_path / "data", DAY), tmp_path / "data")
    ]
    assert [of_table.get("as_of") for of_table in inputs] == ["2024-06-30", None]


def test_a_question_as_of_a_day_is_answered_from_the_run_as_of_that_day_and_says_so(tmp_path):
    release(tmp_path, "old", 5, 'dataset = "d"\nvintage = "2024-01-31"\n')
    release(tmp_path, "new", 7, 'dataset = "d"\nvintage = "2024-07-01"\n')
    for day in (DAY, None):
        ran(tmp_path, day)
    route = ("series", "8517.13", "KAZ", "RUS", "--format", "csv")
    then, now = ask(tmp_path / "data", *route, "--as-of", str(DAY)), ask(tmp_path / "data", *route)
    assert "as of 2024-06-30" in then.stderr, then.output
    assert "as of" not in now.stderr
    assert (",5," in then.stdout, ",7," in now.stdout, ",7," in then.stdout) == (True, True, False)


def test_without_such_a_run_the_question_ends_with_69_and_says_what_to_do(tmp_path):
    result = ask(tmp_path / "data", "query", "8517", "--as-of", "2024-06-30")
    assert (result.exit_code, "anomaly run --as-of 2024-06-30" in result.stderr) == (69, True), result.stderr


def test_tables_of_another_day_under_that_name_are_refused(tmp_path):
    release(tmp_path, "old", 5, 'vintage = "2024-01-31"\n')
    ran(tmp_path, None)
    (tmp_path / "data").rename(dated.folder(tmp_path / "data", DAY))
    result = ask(tmp_path / "data", "query", "8517", "--as-of", "2024-06-30")
    assert (result.exit_code, "tables of today" in result.stderr) == (78, True), result.stderr


def test_a_run_of_today_does_not_go_into_the_folder_of_a_day(tmp_path):
    with pytest.raises(BadRequest, match="--as-of 2024-06-30"):
        run.main(tmp_path / "raw", dated.folder(tmp_path / "data", DAY), "russia-2022")


@pytest.mark.parametrize("text", ["2024", "2024-13-01", "yesterday"])
def test_what_is_no_day_is_refused(tmp_path, text):
    assert ask(tmp_path, "query", "8517", "--as-of", text).exit_code == 2
