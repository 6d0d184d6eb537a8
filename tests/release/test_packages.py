"""Licences and the bill of materials: of what a run needs, all of it and nothing else, with the hashes of the lock."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from release import licences
from release.bill import bill
from release.packages import LOCK, PYTHONS, Package, pins, required_by, run_time
from tests import ROOT

A, B = "a" * 64, "b" * 64
MADE = datetime(2026, 11, 25, tzinfo=UTC)
DIRECT = ("reader",)
PACKAGES = {
    "codec": Package("codec", "1.0", (A, B), "LGPL-2.1-or-later", ()),
    "reader": Package("reader", "2.1", (B,), "Some words of its own", ("codec",)),
}


class Installed(metadata.Distribution):
    """A package as its metadata describe it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read_text(self, filename: str) -> str | None:
        return self.text if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


def installed(name: str, *lines: str, version: str = "1") -> Installed:
    return Installed("\n".join(("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines)) + "\n")


def entry(name: str, version: str = "1", digest: str = A) -> str:
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n    # via anomaly\n"


@pytest.mark.parametrize(
    "line", ["reader==1\n", "reader>=1 \\\n    --hash=sha256:" + A + "\n", "reader==1 \\\n    --hash=md5:0\n", "-e .\n"]
)
def test_a_package_without_an_exact_version_or_a_hash_is_refused(line):
    with pytest.raises(ValueError, match=re.escape(line.split("\n")[0])):
        pins(entry("codec") + line + entry("table"))


def test_every_package_of_both_locks_has_an_exact_version_and_hashes_and_setup_checks_them():
    for lock in (LOCK, ROOT / "mutants.lock"):
        text = lock.read_text(encoding="utf-8")
        assert len(pins(text)) > 20
        assert not re.search(r"//|-r /", text)  # no host, no folder of whoever made it
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    installs = [line for line in recipes if "pip install" in line and "--requirement" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)


def test_the_lock_holds_all_that_the_project_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    locked = pins(LOCK.read_text(encoding="utf-8"))
    for requirement in map(Requirement, named):
        assert requirement.specifier.contains(locked[requirement.name][0]), requirement


def test_the_supported_pythons_are_the_same_wherever_they_are_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    classified = [line.rpartition(" ")[2] for line in project["classifiers"]]
    makefile = re.search(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert makefile is not None
    assert classified == makefile[1].split() == list(PYTHONS)
    assert project["requires-python"] == f">={PYTHONS[0]}"


def test_what_a_run_needs_is_followed_through_packages_and_not_into_extras_or_other_systems():
    world = {
        "anomaly": installed("anomaly", "Requires-Dist: Reader>=1", 'Requires-Dist: linter; extra == "dev"'),
        "reader": installed("reader", "Requires-Dist: codec", 'Requires-Dist: winapi; sys_platform == "win32"'),
        "codec": installed("codec", 'Requires-Dist: backport; python_version < "3.12"'),
        "backport": installed("backport"),
    }
    lock = "".join(entry(name) for name in ("backport", "codec", "linter", "reader"))
    direct, packages = run_time(lock, world.__getitem__)
    assert direct == ("reader",)
    assert list(packages) == ["backport", "codec", "reader"]
    assert packages["reader"].needs == ("codec",)


@pytest.mark.parametrize("lock", [entry("reader", "2"), entry("codec")])
def test_a_package_that_is_not_the_one_of_the_lock_is_refused(lock):
    world = {"anomaly": installed("anomaly", "Requires-Dist: reader"), "reader": installed("reader")}
    with pytest.raises(ValueError, match=r"reader: expected .* came 1: run `make setup`"):
        run_time(lock, world.__getitem__)


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (("License-Expression: MIT", "License: else"), "MIT"),
        (("License: BSD",), "BSD"),
        (("License: The whole", "        text", "Classifier: License :: OSI Approved :: MIT License"), "MIT License"),
        ((), "not said"),
    ],
)
def test_a_licence_is_what_the_package_says_in_the_newest_way_it_has(lines, licence):
    world = {
        "anomaly": installed("anomaly", "Requires-Dist: reader"),
        "reader": installed("reader", *lines),
    }
    assert run_time(entry("reader"), world.__getitem__)[1]["reader"].licence == licence


def test_the_page_of_licences_is_what_the_installed_packages_say():
    _, packages = run_time(LOCK.read_text(encoding="utf-8"))
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(packages.values()), (
        "run `python -m release.licences --write`"
    )
    assert {name for name, package in packages.items() if licences.is_lgpl(package)} == {
        *("inflate64", "multivolumefile", "py7zr", "pybcj", "pyppmd")
    }
    assert set(required_by(metadata.distribution("anomaly"))) <= set(packages)
    assert not {"pytest", "mypy", "ruff", "hatchling"} & set(packages)


def test_a_package_that_says_no_licence_ends_the_command_with_1(monkeypatch, capsys):
    silent = replace(PACKAGES["reader"], licence="not said")
    monkeypatch.setattr(licences, "run_time", lambda _: (DIRECT, {**PACKAGES, "reader": silent}))
    assert licences.main() == 1
    assert "came none of reader" in capsys.readouterr().err


def test_the_bill_of_this_checkout_is_valid_cyclonedx_1_5():
    direct, packages = run_time(LOCK.read_text(encoding="utf-8"))
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(bill("1", direct, packages, MADE)) is None


def test_the_bill_says_of_each_package_its_version_licence_hashes_and_what_it_needs():
    document = json.loads(bill("0.1.0", DIRECT, PACKAGES, MADE))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert document["metadata"]["component"]["version"] == "0.1.0"
    codec, reader = document["components"]
    assert codec["purl"] == "pkg:pypi/codec@1.0"
    assert [item["content"] for item in codec["hashes"]] == [A, B]
    assert codec["licenses"] == [{"license": {"id": "LGPL-2.1-or-later"}}]
    assert reader["licenses"] == [{"license": {"name": "Some words of its own"}}]
    needs = {item["ref"]: item.get("dependsOn", []) for item in document["dependencies"]}
    assert needs == {"anomaly==0.1.0": ["reader==2.1"], "reader==2.1": ["codec==1.0"], "codec==1.0": []}


def test_the_bill_of_the_same_packages_at_the_same_moment_is_the_same_bytes_and_of_others_has_another_number():
    original = bill("1", DIRECT, PACKAGES, MADE)
    assert bill("1", DIRECT, dict(reversed(PACKAGES.items())), MADE) == original
    changed = {**PACKAGES, "codec": replace(PACKAGES["codec"], sha256=(B,))}
    numbers = [json.loads(text)["serialNumber"] for text in (original, bill("1", DIRECT, changed, MADE))]
    assert numbers[0] != numbers[1]
