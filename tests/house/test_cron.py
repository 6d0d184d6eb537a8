"""The line for cron in docs/operations.md, run by sh in the environment that cron gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopback.server import Loopback, serving
from tests import ROOT
from tests.loopback.asking import SOCKETS, UNMETERED, small_world
from tests.sources.test_ingest import table

pytestmark = [*SOCKETS, pytest.mark.slow]
FIELD = r"(\*|\d+)"


def line() -> str:
    (found,) = re.findall(r"```cron\n(.*)\n```", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"))
    return str(found)


def test_the_line_is_one_of_cron():
    schedule, command = line().split(" ", 5)[:5], line().split(" ", 5)[5]
    assert all(re.fullmatch(FIELD, part) for part in schedule)
    assert "%" not in command  # cron would take it for the end of the line


def ran(home: Path, server: Loopback) -> subprocess.CompletedProcess[str]:
    """The command as cron starts it, in another folder, with one publisher, who is on this machine."""
    programs = Path(sys.executable).parent
    command = line().split(" ", 5)[5].replace("/var/lib/anomaly", str(home)).replace("/opt/anomaly/bin", str(programs))
    command = command.replace("--fetch ", "--fetch ecb ")
    environment = {"HOME": str(home), "LOGNAME": "anomaly", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env={**environment, **server.variables()},
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
    )


def test_it_runs_a_night_in_crons_environment_and_says_nothing_where_all_is_well_and_what_to_look_at_where_not(
    tmp_path,
):
    table(tmp_path / "raw", [f"KAZ,RUS,{year},851713,5" for year in range(2018, 2024)])
    with serving(small_world(), UNMETERED) as server:
        well = ran(tmp_path, server)
    assert (well.returncode, well.stdout, well.stderr) == (0, "", ""), (tmp_path / "nightly.log").read_text()
    status = json.loads((tmp_path / "processed" / "run-status.json").read_bytes())
    assert (status["status"], status["steps"][0]["status"], status["steps"][-1]["status"]) == ("ok", "done", "whole")
    shutil.rmtree(tmp_path / "raw" / "ecb")  # else it was asked today, and is not asked again
    with serving(small_world(), UNMETERED, faults=["403*all@/"]) as server:
        look = ran(tmp_path, server)
    assert look.returncode == 3
    assert "not fetched: ecb" in look.stdout
