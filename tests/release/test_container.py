"""The Containerfile and the units of systemd, as far as they can be held against anything without a builder or a machine."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from release.packages import LOCK, pins, run_time
from release.run_lock import lock
from tests import ROOT

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "release" / "systemd").iterdir())


def instructions() -> list[tuple[str, str]]:
    """Word and rest of each instruction, lines that go on put together."""
    whole = re.sub(r"\\\n", " ", TEXT)
    lines = [line for line in whole.splitlines() if line and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(at for at, (word, _) in enumerate(found) if word == "FROM") :]


def rest_of(word: str) -> list[str]:
    return [rest for each, rest in last_stage() if each == word]


def parsed(command: str) -> bool:
    """Whether the program understands a command line; --help keeps it from being carried out."""
    return CliRunner().invoke(main, [*shlex.split(command)[1:], "--help"]).exit_code == 0


def test_the_image_runs_as_nobody_in_particular_on_a_volume_that_is_the_users():
    assert rest_of("USER") == ["10001"]
    assert rest_of("VOLUME") == ["/data"]
    words = [word for word, _ in last_stage()]
    assert words.index("RUN") < words.index("VOLUME") < words.index("USER")  # what is owned after VOLUME is lost
    assert "chown anomaly:anomaly /data" in rest_of("RUN")[0]


def test_its_health_is_that_of_anomaly_health_and_its_work_a_night():
    (health,) = rest_of("HEALTHCHECK")
    assert "anomaly health" in health
    assert "|| exit 1" in health  # an image knows 0 and 1 only
    assert rest_of("ENTRYPOINT") == ['["anomaly"]']
    night = " ".join(part.strip('",[]') for part in rest_of("CMD")[0].split())
    assert parsed(f"anomaly {night}"), night


def test_all_that_is_copied_is_there_and_goes_through_the_list_of_what_may():
    copied = [
        name for word, rest in instructions() if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    ]
    ignore = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[0] == "*"
    assert [name for name in copied if not (ROOT / name).exists() or f"!{name}" not in ignore] == []
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() == ignore


def test_nothing_comes_in_without_its_hash_and_no_key_is_in_the_image():
    installs = re.findall(r"pip install ([^&]*)", " && ".join(rest for word, rest in instructions() if word == "RUN"))
    own = ("--editable .", "/wheel/*.whl")
    assert len(installs) == 4
    assert [each for each in installs if "--require-hashes" not in each and not any(word in each for word in own)] == []
    assert not any(word == "ADD" for word, _ in instructions())
    assert not re.search(r"^(ENV|ARG).*(KEY|TOKEN|SECRET)", TEXT, re.MULTILINE)
    assert {rest.split()[0] for word, rest in instructions() if word == "FROM"} == {
        "docker.io/library/python:3.13-slim"
    }


def test_the_lock_of_a_run_has_every_package_of_a_run_with_its_hashes_and_no_tool():
    packages = run_time(LOCK.read_text(encoding="utf-8"))[1]
    read = pins(lock(packages.values()))
    assert read == {name: (package.version, package.sha256) for name, package in packages.items()}
    assert {"polars", "scikit-learn"} <= set(read)
    assert not {"pytest", "mypy", "hatchling"} & set(read)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_one_and_what_it_starts_is_understood(unit: Path):
    options = configparser.RawConfigParser(strict=False)
    options.optionxform = str  # type: ignore[assignment,method-assign]
    options.read_string(unit.read_text(encoding="utf-8"))
    if unit.suffix == ".timer":
        assert (ROOT / "release" / "systemd" / f"{unit.stem}.service").is_file()
        assert options["Install"]["WantedBy"] == "timers.target"
    else:
        assert options["Service"]["User"] == "anomaly"
        assert parsed(options["Service"]["ExecStart"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_itself_has_nothing_against_a_unit(unit: Path, tmp_path: Path):
    """Its program is put in the place of ours, which lies where an operator lays it."""
    for each in UNITS:
        (tmp_path / each.name).write_text(
            each.read_text(encoding="utf-8").replace("/opt/anomaly/bin/anomaly", "/bin/true")
        )
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    own = [line for line in said.stderr.splitlines() if "anomaly" in line]
    assert (said.returncode, own) == (0, []), said.stderr
