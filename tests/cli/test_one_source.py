"""`--source` answers with that publisher's figures, also where another one speaks for the route."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from pipelines import bilateral, coverage, families, flows
from pipelines.running import run_jobs
from tests.sources.comtrade_files import answer, row

MAPPING = 'flow = "X"\nclassification = "H6"\nperiod = "%Y-%m"\n[columns]\n'
MAPPING += "".join(f'{role} = "{role}"\n' for role in ("reporter", "partner", "period", "code", "value"))
MONTHS = [(year, month) for year in (2022, 2023) for month in range(1, 13)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a route that a table says (7 a month) and Comtrade too (5 a month)."""
    root = tmp_path_factory.mktemp("sources")
    (root / "raw" / "comtrade").mkdir(parents=True)
    (root / "raw" / "mine.toml").write_text(MAPPING, encoding="utf-8")
    lines = ["reporter,partner,period,code,value", *(f"KAZ,RUS,{year}-{month:02},854231,7" for year, month in MONTHS)]
    (root / "raw" / "mine.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        row(freqCode="M", period=f"{year}{month:02}", reporterCode=398, reporterISO="KAZ", cmdCode="854231", primaryValue=5.0)
        for year, month in MONTHS
    ]  # fmt: skip
    rows += [
        row(freqCode="M", period=f"{year}{month:02}", reporterCode=643, reporterISO="RUS", partnerCode=398, partnerISO="KAZ",
            flowCode="M", cmdCode="854231", primaryValue=6.0)
        for year, month in MONTHS
    ]  # fmt: skip
    (root / "raw" / "comtrade" / "a.json").write_bytes(answer(rows))
    run_jobs(
        (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB), "bilateral", root / "raw", root / "data", "russia-2022"
    )
    return root / "data"


def answer_rows(data: Path, *options: str) -> list[dict[str, str]]:
    words = ["854231", "--exporter", "KAZ", "--importer", "RUS", "--period", "2023H1"]
    result = CliRunner().invoke(main, ["query", *words, *options, "--data", str(data), "--format", "csv"])
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize(("source", "value"), [("table", "42"), ("comtrade", "30")])
def test_a_question_of_one_source_has_its_figures(data: Path, source: str, value: str) -> None:
    (answered,) = answer_rows(data, "--source", source)
    assert (answered["value_usd"], answered["source"]) == (value, source)


def test_a_question_of_all_sources_has_those_of_the_one_that_speaks_for_the_route(data: Path) -> None:
    assert [answered["value_usd"] for answered in answer_rows(data)] == ["42"]


@pytest.mark.parametrize(("source", "mirrored"), [("table", None), ("comtrade", 6)])
def test_what_the_importer_told_another_source_does_not_stand_beside_the_exports_of_one(
    data: Path, source: str, mirrored: int | None
) -> None:
    words = ["854231", "KAZ", "RUS", "--period", "2023H1", "--source", source, "--data", str(data), "--format", "json"]
    result = CliRunner().invoke(main, ["series", *words])
    assert {period["import_value_cif_usd"] for period in json.loads(result.stdout)} == {mirrored}


def test_a_source_that_holds_nothing_answers_nothing(data: Path) -> None:
    assert answer_rows(data, "--source", "baci") == []


NO_ROWS = {  # what is asked of which source → the word for programs
    "not_asked": ("baci", "854231", "KAZ", "RUS", "2023H1"),
    "nothing_held": ("table", "854231", "KGZ", "TJK", "2023H1"),
    "nothing_reported": ("comtrade", "854231", "KAZ", "ARM", "2023H1"),
}


@pytest.mark.parametrize("command", ["query", "series"])
@pytest.mark.parametrize("word", NO_ROWS)
def test_nothing_reported_nothing_held_and_not_asked_are_three_answers(data: Path, command: str, word: str) -> None:
    source, code, exporter, importer, period = NO_ROWS[word]
    sides = ["--exporter", exporter, "--importer", importer] if command == "query" else [exporter, importer]
    words = [command, code, *sides, "--period", period, "--source", source, "--data", str(data), "--format", "json"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert [(row["source"], row["source_answer"]) for row in json.loads(result.stdout)] == [(source, word)]
    assert result.stderr.startswith(word.replace("_", " "))


def test_a_period_that_a_source_does_not_reach_is_not_held(data: Path) -> None:
    words = ["854231", "--exporter", "KAZ", "--importer", "RUS", "--period", "2019H1", "--source", "comtrade"]
    result = CliRunner().invoke(main, ["query", *words, "--data", str(data)])
    assert (
        "nothing held: what was read of comtrade has reports of these sides from 2022-01 to 2023-12 only"
        in result.stderr
    )


@pytest.mark.parametrize("command", ["query", "series"])
def test_rows_of_one_source_say_that_they_are_reported(data: Path, command: str) -> None:
    sides = ["--exporter", "KAZ", "--importer", "RUS"] if command == "query" else ["KAZ", "RUS"]
    words = [
        command,
        "854231",
        *sides,
        "--period",
        "2023H1",
        "--source",
        "comtrade",
        "--data",
        str(data),
        "--format",
        "json",
    ]
    assert {row["source_answer"] for row in json.loads(CliRunner().invoke(main, words).stdout)} == {"reported"}


def test_the_doubts_of_the_files_are_listed(data: Path) -> None:
    result = CliRunner().invoke(main, ["sources", "--doubts", "--data", str(data), "--format", "csv"])
    assert [doubt["rule"] for doubt in csv.DictReader(io.StringIO(result.stdout))] == ["takes_the_route"]


@pytest.mark.parametrize("command", ["query", "series"])
def test_a_mistyped_code_is_told_the_nearest_also_where_one_source_is_asked(data: Path, command: str) -> None:
    sides = ["--exporter", "KAZ", "--importer", "RUS"] if command == "query" else ["KAZ", "RUS"]
    result = CliRunner().invoke(main, [command, "854239", *sides, "--source", "comtrade", "--data", str(data)])
    assert result.exit_code != 0
    assert "854231" in result.stderr
