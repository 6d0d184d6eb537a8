"""`anomaly health`: what it looks at, with planted troubles, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anomaly.cli import health
from anomaly.cli.commands import main
from pipelines import bilateral, coverage, families, flows
from pipelines.running import run_jobs
from tests.sources.test_ingest import table

TRADE = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
NOW = datetime(2024, 7, 15, 4, tzinfo=UTC)
LAGS = {"monthly": {"comext": 3, "other": 4}, "annual": {"comtrade": 10, "other": 12}}
WELL_ENDED = {"status": "ok", "exit_code": 0, "started_at": "2024-07-15T02:00:00+00:00", "seconds": 600}


def ages(rows: list[tuple[str, str, str, date]], today: date, simulated: list[str] | None = None) -> dict[str, bool]:
    columns = ["source", "freq_code", "reporter_iso", "ref_date"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return {f"{each.check} {each.of}": each.is_well for each in health.of_ages(frame, LAGS, today, simulated or [])}


@pytest.mark.parametrize(
    ("newest", "today", "is_well"),
    [
        (date(2024, 3, 1), date(2024, 7, 31), True),  # March is over three months by the end of June, April not yet
        (date(2024, 2, 1), date(2024, 7, 1), False),
        (date(2024, 2, 1), date(2024, 6, 30), True),
    ],
)
def test_a_publishers_newest_month_is_held_against_its_lag(newest, today, is_well):
    assert ages([("comext", "M", "DEU", newest)], today) == {"age comext M": is_well}


@pytest.mark.parametrize(("today", "is_well"), [(date(2024, 10, 31), True), (date(2024, 11, 1), False)])
def test_a_year_is_expected_when_its_end_and_the_lag_are_past(today, is_well):
    assert ages([("comtrade", "A", "KAZ", date(2022, 1, 1))], today) == {"age comtrade A": is_well}


@pytest.mark.parametrize(("newest", "is_well"), [(date(2024, 1, 1), True), (date(2023, 10, 1), False)])
def test_a_quarter_is_expected_when_its_end_and_the_lag_are_past(newest, is_well):
    assert ages([("own", "Q", "KAZ", newest)], date(2024, 8, 1)) == {"age own Q": is_well}


@pytest.mark.parametrize(
    ("newest", "is_late"),
    [
        (date(2024, 3, 1), False),
        (date(2023, 12, 1), False),  # three months more: one month in twelve comes so late
        (date(2023, 11, 1), True),
        (date(2023, 2, 1), True),
        (date(2023, 1, 1), False),  # it has stopped
    ],
)
def test_a_country_that_is_later_than_the_others_is_named_and_one_that_has_stopped_is_not(newest, is_late):
    rows = [("comext", "M", "DEU", date(2024, 3, 1)), ("comext", "M", "FRA", newest)]
    assert ("late reporters comext M" in ages(rows, date(2024, 7, 10))) == is_late


def test_the_age_of_what_is_made_up_says_nothing():
    assert ages([("comext", "M", "DEU", date(2020, 1, 1))], date(2024, 7, 1), ["comext"]) == {"age comext M": True}


@pytest.mark.parametrize(
    ("change", "wells"),
    [
        ({}, [True, True]),
        ({"status": "failed", "exit_code": 65}, [False, True]),
        ({"exit_code": 3, "message": "not fetched: comtrade (69)"}, [False, True]),
        ({"started_at": "2024-07-13T15:49:59+00:00"}, [True, False]),  # it ended 36 hours and a second ago
        ({"started_at": "2024-07-13T15:50:01+00:00"}, [True, True]),
        ({"started_at": None}, [True, False]),
    ],
)
def test_the_last_run_has_to_have_ended_well_and_lately(change, wells):
    assert [each.is_well for each in health.of_status({**WELL_ENDED, **change}, NOW, 36)] == wells


@pytest.mark.parametrize(("errors", "is_well"), [(5, True), (6, False)])
def test_half_the_limit_of_bad_rows_is_too_near(errors, is_well):
    files = pl.DataFrame({"source": ["a", "a"], "rows_in": [600, 400], "rows_errors": [errors, 0]})
    assert [each.is_well for each in health.of_rejected(files, 0.01)] == [is_well]


@pytest.mark.parametrize(("rows", "is_well"), [(95, True), (94, False), (200, True)])
def test_a_table_that_shrank_needs_a_look(rows, is_well):
    assert health.of_rows("flows", rows, 100).is_well == is_well


def ran(root: Path, years: range, *, is_quarantine: bool = False) -> None:
    table(root / "raw", [f"KAZ,RUS,{year},851713,5" for year in years])
    run_jobs(TRADE, "run", root / "raw", root / "data", "russia-2022", is_quarantine=is_quarantine)


def ask(root: Path) -> Result:
    return CliRunner().invoke(main, ["health", "--data", str(root / "data"), "--format", "json"])


def looks(result: Result) -> set[tuple[str, str]]:
    return {(row["check"], row["of"]) for row in json.loads(result.stdout) if row["state"] == "look"}


def test_a_night_that_went_well_ends_with_0_and_old_figures_with_3(tmp_path):
    today = datetime.now(UTC)
    ran(tmp_path, range(today.year - 3, today.year))
    assert (ask(tmp_path).exit_code, looks(ask(tmp_path))) == (0, set()), ask(tmp_path).stdout
    ran(tmp_path, range(today.year - 6, today.year - 3))
    assert (ask(tmp_path).exit_code, looks(ask(tmp_path))) == (3, {("age", "table A")})


def test_rows_that_went_away_a_file_set_aside_and_a_file_that_is_gone_need_a_look(tmp_path):
    year = datetime.now(UTC).year
    ran(tmp_path, range(year - 3, year))
    (tmp_path / "raw" / "bad.csv").write_text("a,b\n\0", encoding="utf-8")
    ran(tmp_path, range(year - 2, year), is_quarantine=True)
    seen = looks(ask(tmp_path))
    assert seen >= {("last run", "how it ended"), ("set aside", "files"), ("rows", "flows"), ("rows", "bilateral")}
    next((tmp_path / "data" / "bilateral").glob("*/part-00000.parquet")).unlink()
    next((tmp_path / "data" / "bilateral").glob("*/part-00000.parquet")).unlink()
    assert ("record", "run") in looks(ask(tmp_path))


def test_where_no_run_has_ended_it_ends_with_69(tmp_path):
    assert ask(tmp_path).exit_code == 69
