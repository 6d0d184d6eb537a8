"""On a terminal each job shows that it is at work, and for how long; anywhere else there are plain lines."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.sources.test_ingest import table

SLOW_JOB = """
import sys, time
from pathlib import Path
from pipelines import flows, running
from pipelines.job import Job

def build(run):
    flows.JOB.build(run)
    time.sleep(2)

root = Path(sys.argv[1])
job = Job("flows", "", build, inputs=flows.JOB.inputs)
running.run_jobs((job,), "flows", root / "raw", root / "data", "russia-2022")
"""


def on_a_terminal(root: Path) -> str:
    """What a person sees on a terminal while a job takes two seconds."""
    here, there = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_JOB, str(root)], stderr=there, env=environment, cwd=root
    ) as process:
        os.close(there)
        shown = b""
        try:
            while part := os.read(here, 4096):
                shown += part
        except OSError:  # the other end was closed
            pass
        assert process.wait() == 0, shown
    os.close(here)
    return shown.decode()


@pytest.mark.slow
def test_a_job_that_takes_seconds_counts_them_on_a_terminal_and_its_plain_lines_stay(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    shown = on_a_terminal(tmp_path)
    assert "0:00:01" in shown
    assert "files" in shown  # what of it can be counted is
    assert "flows: 1 rows in " in shown.replace("\r\n", "\n")


@pytest.mark.slow
def test_elsewhere_there_are_plain_lines_and_nothing_else(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SLOW_JOB, str(tmp_path)]
    said = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True).stderr
    assert [line.partition(" in ")[0] for line in said.splitlines()] == ["flows: trade.csv: 1 rows", "flows: 1 rows"]
    assert "\x1b" not in said
