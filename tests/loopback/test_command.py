"""`python -m loopback`: says where it answers and what to export, or runs a command that finds its way there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anomaly.fetch import PUBLISHERS as FETCHED
from loopback.__main__ import KEY_VARIABLES, main
from loopback.publishers import PUBLISHERS
from tests import ROOT
from tests.loopback.asking import SOCKETS, ask

pytestmark = [*SOCKETS, pytest.mark.slow]
START = [sys.executable, "-m", "loopback"]
ASKS = (
    "import os, urllib.request as r; base = os.environ['ANOMALY_COMTRADE_URL'];"
    "key = {'Ocp-Apim-Subscription-Key': os.environ['COMTRADE_API_KEY']};"
    "print(r.urlopen(r.Request(base + '/data/v1/get/C/M/HS?reporterCode=398&period=202206&countOnly=true', headers=key)).status);"
    "raise SystemExit(7)"
)


def test_a_command_finds_the_publishers_and_its_exit_code_is_handed_on():
    done = subprocess.run(
        [*START, "--", sys.executable, "-c", ASKS], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("200\n", 7)
    assert "was asked 1 times" in done.stderr


def test_what_it_says_can_be_put_into_a_shell_and_leads_there_until_it_is_ended():
    with subprocess.Popen([*START, "--today", "2022-09-01"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().rstrip()]
        while not lines[-1].startswith(f"export {KEY_VARIABLES[-1]}"):
            lines.append(server.stdout.readline().rstrip())
        exports = dict(line.removeprefix("export ").split("=") for line in lines if line.startswith("export "))
        assert set(exports) == {f"ANOMALY_{publisher.name.upper()}_URL" for publisher in PUBLISHERS} | set(
            KEY_VARIABLES
        )
        assert ask(f"{exports['ANOMALY_ECB_URL']}/-/today").json == {"today": "2022-09-01"}
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait(10) == 0


def test_whoever_can_be_fetched_is_answered_for_under_the_same_name():
    variables = {publisher.service.key_variable for publisher in FETCHED if publisher.service.key_variable}
    assert {publisher.service.name for publisher in FETCHED} <= {publisher.name for publisher in PUBLISHERS}
    assert set(KEY_VARIABLES) <= variables


@pytest.mark.parametrize(
    "words", [["--faults", "418"], ["--outage", "nobody:2022-01-01:2022-01-02"], ["--today", "soon"]]
)
def test_what_cannot_be_understood_ends_before_anything_is_served(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert words[1].split(":")[0] in capsys.readouterr().err


def test_the_wheel_has_no_server_in_it():
    settings = (Path(ROOT) / "pyproject.toml").read_text(encoding="utf-8")
    assert 'packages = ["anomaly", "pipelines"]' in settings
