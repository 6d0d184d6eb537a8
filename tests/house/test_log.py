"""The log of runs: a person reads what was always there, a program reads JSON, and neither reads a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main as cli
from anomaly.contract.errors import BadRequest, DataRejected
from pipelines import flows, log
from pipelines.running import FAULT, INTERRUPTED, exit_code_of, run_jobs
from tests import ROOT
from tests.house.test_pipeline import content
from tests.house.test_promises import table_file

ROWS = [("KAZ", "RUS", year, "010121", "5") for year in ("2022", "2023")]
AS_LOGGED = "https://publisher.example/data?reporterCode=398&subscription-key=[redacted]&period=2022"


def job(tmp_path: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m pipelines flows` on two rows, in a process of its own."""
    table_file(tmp_path / "raw", ROWS)
    words = ["flows", "--raw", str(tmp_path / "raw"), "--data", str(tmp_path / "data"), *options]
    environment = {name: value for name, value in os.environ.items() if name != log.VARIABLE} | variables
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *words],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_untold_the_log_is_the_plain_lines_that_people_read(tmp_path: Path) -> None:
    balance, duration = job(tmp_path).stderr.splitlines()
    assert balance == "flows: trade.csv: 2 rows in = 2 kept + 0 rejected + 0 deduplicated"
    assert re.fullmatch(r"flows: 2 rows in \d+\.\d+ s", duration)


@pytest.mark.slow  # whole runs
@pytest.mark.parametrize(("options", "variables"), [(("--log-format", "json"), {}), ((), {log.VARIABLE: "json"})])
def test_on_request_every_line_of_the_log_is_json_with_time_level_run_and_job(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    lines = [json.loads(line) for line in job(tmp_path, *options, **variables).stderr.splitlines()]
    assert all(line.keys() >= {"time", "level", "run_id", "job", "message"} for line in lines)
    status = json.loads((tmp_path / "data" / "run-status.json").read_text(encoding="utf-8"))
    assert {line["run_id"] for line in lines} == {status["run_id"]}
    assert (lines[-1]["job"], lines[-1]["level"], lines[-1]["rows"]) == ("flows", "info", 2)
    assert lines[-1]["message"].startswith("flows: 2 rows in ")


@pytest.mark.slow
def test_the_form_of_the_log_changes_no_byte_of_a_table(tmp_path: Path) -> None:
    job(tmp_path / "one", "--log-format", "json")
    job(tmp_path / "two", "--log-format", "plain")
    assert content(tmp_path / "one" / "data") == content(tmp_path / "two" / "data") != {}


def test_two_runs_have_ids_of_their_own_and_what_is_inside_a_run_has_its_id(tmp_path: Path) -> None:
    with log.of_run() as first_run, log.of_run() as inside:
        table_file(tmp_path / "raw", ROWS)
        run_jobs((flows.JOB,), "flows", tmp_path / "raw", tmp_path / "data", "russia-2022")
    status = json.loads((tmp_path / "data" / "run-status.json").read_text(encoding="utf-8"))
    with log.of_run() as second_run:
        assert second_run != first_run == inside == status["run_id"]


def test_a_run_that_fails_says_so_in_the_form_that_was_asked_for(tmp_path: Path) -> None:
    words = ["run", "--raw", str(tmp_path / "none"), "--data", str(tmp_path / "data"), "--log-format", "json"]
    result = CliRunner().invoke(cli, words)
    line = json.loads(result.stderr)
    assert (line["level"], line["exit_code"]) == ("error", result.exit_code) == ("error", 69)


@pytest.mark.parametrize(
    ("error", "code", "level"),
    [(DataRejected("rows", "none"), 65, "error"), (KeyboardInterrupt(), INTERRUPTED, "warning"), (ValueError("x"), FAULT, "error")],
)  # fmt: skip
def test_each_way_to_fail_has_its_exit_code_and_its_level(
    error: BaseException, code: int, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise error

    assert exit_code_of(work, "json") == code
    line = json.loads(capsys.readouterr().err)
    assert (line["exit_code"], line["level"]) == (code, level)
    assert ("Traceback" in line.get("exception", "")) == (code == FAULT)


def test_a_fault_shows_a_person_where_it_was_and_then_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(lambda: [][1], "plain") == FAULT
    message = capsys.readouterr().err
    assert message.startswith("Traceback")
    assert message.endswith(
        "IndexError: list index out of range\na fault of this program, not of the data; the tables are those of before\n"
    )


@pytest.mark.parametrize("form", log.FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        AS_LOGGED.replace(log.REDACTED, "s3cr3t"),
        'the server answered to {"token": "s3cr3t"}',
        "Authorization: Bearer s3cr3t",
        "password=s3cr3t;",
    ],
)
def test_no_secret_in_a_text_reaches_the_log(text: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    with log.of_run(form):
        log.say(f"cannot read: {text}", path=text, api_key="s3cr3t")
    logged = capsys.readouterr().err
    assert "s3cr3t" not in logged
    assert log.REDACTED in logged


def test_what_stands_beside_a_secret_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    log.say(AS_LOGGED.replace(log.REDACTED, "s3cr3t"))
    assert capsys.readouterr().err == AS_LOGGED + "\n"


def test_jobs_that_another_program_runs_ask_the_variable_for_the_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(log.VARIABLE, "json")
    with log.of_run():
        log.say("2 rows", rows=2)
    assert json.loads(capsys.readouterr().err)["rows"] == 2


def test_a_form_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadRequest, match="plain or json"), log.of_run("yaml"):
        pass
