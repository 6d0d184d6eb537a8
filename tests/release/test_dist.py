"""Wheel and sdist: the same bytes every time, with every file of the program, and they run without the checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests import ROOT
from tests.house.test_promises import table_file

pytestmark = pytest.mark.slow
EPOCH = "1764028800"


def run(*arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A program in an environment that knows nothing of this checkout."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ANOMALY", "PIP"))
    }
    done = subprocess.run(
        [str(argument) for argument in arguments], cwd=cwd, env=environment | variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build(checkout: Path, target: Path, epoch: str = EPOCH) -> tuple[Path, Path]:
    """Wheel and sdist, as `make dist` builds them."""
    run(sys.executable, "-m", "hatchling", "build", "--directory", target, cwd=checkout, SOURCE_DATE_EPOCH=epoch)
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return wheel, sdist


def digests(*files: Path) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_built_again_elsewhere_and_later_they_are_the_same_bytes(built, tmp_path):
    wheel, sdist = built
    copy = tmp_path / "another checkout"
    with tarfile.open(sdist) as packed:
        packed.extractall(copy, filter="data")
    (source,) = copy.iterdir()
    for path in source.rglob("*"):
        os.utime(path, (time.time(), time.time() - 1e6))
    (source / "left lying.csv").write_text("not of the project\n")
    assert digests(*build(source, tmp_path / "dist")) == digests(wheel, sdist)
    assert digests(*build(source, tmp_path / "other", epoch="1764028802")) != digests(wheel, sdist)


def test_the_wheel_holds_every_file_of_the_program_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    tracked = {
        path.relative_to(ROOT).as_posix()
        for folder in ("anomaly", "pipelines")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == tracked


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A new environment with the packages of the lock, as they are installed here: nothing is fetched."""
    folder = tmp_path_factory.mktemp("bare")
    made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this Python makes no environment with pip: {made.stderr.strip()[-200:]}")
    python = folder / "bin" / "python"
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip()
    # a line of a .pth file adds a folder and not the .pth files in it: the checkout, installed editable there, stays unseen
    Path(purelib, "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.mark.parametrize("which", [0, 1], ids=["wheel", "sdist"])
def test_installed_in_a_new_environment_it_reads_a_raw_file_and_answers(which, built, bare, tmp_path):
    python, anomaly = bare / "bin" / "python", bare / "bin" / "anomaly"
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    run(python, "-m", "pip", *install, "--force-reinstall", built[which], cwd=tmp_path)
    installed_path = run(python, "-c", "import anomaly, pipelines; print(anomaly.__file__)", cwd=tmp_path).stdout
    assert Path(installed_path.strip()).is_relative_to(bare)
    table_file(tmp_path / "raw", [("KAZ", "RUS", year, "010121", "5") for year in ("2021", "2022")])
    for job in ("flows", "families", "coverage", "bilateral"):
        run(python, "-m", "pipelines", job, "--raw", tmp_path / "raw", "--data", tmp_path / "data", cwd=tmp_path)
    question = ("query", "0101.21", "--exporter", "KAZ", "--importer", "RUS", "--period", "2022", "--format", "csv")
    answer = run(anomaly, *question, "--data", tmp_path / "data", cwd=tmp_path).stdout
    assert "\n010121,KAZ,RUS,2022,A,5,5," in answer
