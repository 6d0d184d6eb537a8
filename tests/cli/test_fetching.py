"""`anomaly fetch` by its text: what it would ask, what it brought, how it ends."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from pipelines import fetch as job
from pipelines.streams import TERMINATED
from tests import ROOT
from tests.fetch.comtrade_service import KEY, Comtrade, trade
from tests.fetch.wire import Hand, reply, served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
SINCE = ("--since", "2026-01")


@pytest.fixture
def no_key(monkeypatch):
    monkeypatch.delenv("COMTRADE_API_KEY", raising=False)


@pytest.fixture
def quick(monkeypatch):
    """No second is waited."""
    monkeypatch.setattr("anomaly.fetch.run.Clock", lambda: Hand().clock())


def cli(*arguments):
    return CliRunner().invoke(main, ["fetch", *map(str, arguments)])


def test_a_plan_asks_nobody_and_writes_nothing(no_key, tmp_path):
    result = cli("comtrade", "--plan", "--raw", tmp_path / "raw", "--format", "json", *SINCE)
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert {row["why"] for row in rows} == {"missing"}
    assert all(row["calls"] > 0 for row in rows)
    assert "no key, so previews only" in result.stderr
    assert not (tmp_path / "raw").exists()


def test_what_was_brought_is_a_row_a_publisher_and_a_note_beside_it(no_key, quick, monkeypatch, tmp_path):
    service = Comtrade(trade((276, 398), ("202601", "202602"), (643, 112)))
    with served(service.answer) as wire:
        monkeypatch.setenv("ANOMALY_COMTRADE_URL", wire.url)
        result = cli("comtrade", "--raw", tmp_path, "--format", "json", *SINCE)
    assert result.exit_code == 0, result.stderr
    (row,) = json.loads(result.stdout)
    assert (row["source"], row["status"], row["releases"]) == ("comtrade", "ok", 5)
    status = json.loads((tmp_path / job.STATUS).read_text())
    assert status["steps"] == [row]


def test_a_key_comes_from_a_file_and_is_said_nowhere(no_key, quick, monkeypatch, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    service = Comtrade(trade((276, 398), ("202601",), (643, 112)))
    with served(service.answer) as wire:
        monkeypatch.setenv("ANOMALY_COMTRADE_URL", wire.url)
        result = cli("comtrade", "--raw", tmp_path / "raw", "--key-file", key_file, "--log-format", "json", *SINCE)
    assert result.exit_code == 0, result.stderr
    assert any("/data/v1/get/" in asked.path for asked in wire.asked)
    written = [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]
    texts = [
        result.output.encode(),
        *(path.read_bytes() for path in written),
        *(str(path).encode() for path in written),
    ]
    assert sum(text.count(KEY.encode()) for text in texts) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nobody",), 2, "there are comtrade"),
        (("comtrade", "--since", "yesterday"), 2, "a period such as"),
        (("comtrade-bulk",), 77, "COMTRADE_API_KEY"),
        (("comtrade", "--key-file", os.devnull), 77, "a key of UN Comtrade"),
        (("comtrade", "--scenario", "nowhere"), 78, "a scenario"),
    ],
)
def test_what_cannot_be_asked_ends_before_anyone_is(no_key, tmp_path, arguments, code, words):
    result = cli("--raw", tmp_path / "raw", *arguments)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: reply(b'{"message": "Resource not found"}', 404), 69),
        (lambda: reply(b'{"message": "Out of call volume quota. Quota will be replenished in 03:14:17."}', 403), 75),
        (lambda: reply(b'{"message": "invalid"}', 401), 77),
    ],
)
def test_each_end_has_its_code(no_key, quick, monkeypatch, tmp_path, answer, code):
    with served(lambda _asked: answer()) as wire:
        monkeypatch.setenv("ANOMALY_COMTRADE_URL", wire.url)
        result = cli("comtrade", "--raw", tmp_path, *SINCE)
    assert result.exit_code == code, result.stderr
    (step,) = json.loads((tmp_path / job.STATUS).read_text())["steps"]
    assert (step["status"], step["exit_code"]) == ("failed", code)


def test_an_address_that_others_could_listen_to_ends_with_78(no_key, monkeypatch, tmp_path):
    monkeypatch.setenv("ANOMALY_COMTRADE_URL", "http://example.org")
    assert cli("comtrade", "--raw", tmp_path, *SINCE).exit_code == 78


@pytest.mark.slow
def test_a_fetch_that_is_asked_to_end_says_so_and_goes_on_later(tmp_path):
    service = Comtrade(trade((276, 398), ("202601", "202602"), (643, 112)))
    process: list[subprocess.Popen[str]] = []

    def answer(asked):
        if "/preview/" in asked.path and process:
            process.pop().terminate()
        return service.answer(asked)

    with served(answer) as wire:
        environment = {**os.environ, "ANOMALY_COMTRADE_URL": wire.url}
        environment.pop("COMTRADE_API_KEY", None)
        command = [sys.executable, "-c", "from anomaly.cli.commands import program; program()", "fetch", "comtrade"]
        begun = subprocess.Popen([*command, "--raw", str(tmp_path), *SINCE], cwd=ROOT, env=environment, text=True)
        process.append(begun)
        assert begun.wait(timeout=120) == TERMINATED
    (step,) = json.loads((tmp_path / job.STATUS).read_text())["steps"]
    assert (step["status"], step["message"]) == ("stopped", "Terminated")


def test_help_and_questions_load_no_http():
    code = "import sys; from anomaly.cli.commands import main; main(['fetch', '-h'], standalone_mode=False); print([m for m in ('httpx2', 'ssl', 'pydantic') if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
