"""The packages that a run needs: from the lock with their hashes, from the installed ones with their licences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
PYTHONS = ("3.11", "3.12", "3.13")
_PIN = re.compile(r"^([a-z0-9-]+)==([^\s\\]+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)
_BEGINS_A_PACKAGE = re.compile(r"^[^\s#]", re.MULTILINE)
_OF_THE_CLASSIFIERS = "License :: "


@dataclass(frozen=True)
class Package:
    """A package that is installed for a run.

    Parameters
    ----------
    name, version : str
        As the lock has them.
    sha256 : tuple of str
        Of every file that may be installed for it: one for each kind of machine and version of Python.
    licence : str
        SPDX where the package says it so, else its own words.
    needs : tuple of str
        Names of the packages it requires, sorted.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    licence: str
    needs: tuple[str, ...]


def pins(lock: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    r"""Read a lock: of each package its version and the sha256 of its files.

    Parameters
    ----------
    lock : str
        Text in pip's form, as pip-compile writes it with hashes.

    Returns
    -------
    dict of str to tuple
        Name → version, hashes in the lock's order.

    Raises
    ------
    ValueError
        Where a line is no exact pin with a hash at least.

    Examples
    --------
    >>> pins("click==8.5.1 \\\n    --hash=sha256:" + "a" * 64 + "\n    # via anomaly\n")["click"][0]
    '8.5.1'
    """
    read = {
        match[1]: (match[2], tuple(re.findall(r"sha256:([0-9a-f]{64})", match[3]))) for match in _PIN.finditer(lock)
    }
    pinned = {match.start() for match in _PIN.finditer(lock)}
    for match in _BEGINS_A_PACKAGE.finditer(lock):
        if match.start() not in pinned:
            line = lock[match.start() :].split("\n", 1)[0]
            raise ValueError(f"expected a name, == a version and sha256 hashes in the lock, came {line!r}: remake it")
    return read


def licence_of(package: metadata.PackageMetadata) -> str:
    """What a package says of its own licence: an SPDX expression, a short name, or its classifiers; else "not said".

    Parameters
    ----------
    package : importlib.metadata.PackageMetadata
        Of an installed package.

    Returns
    -------
    str
        One line.
    """
    if "License-Expression" in package:
        return package["License-Expression"]
    named = package["License"].strip() if "License" in package else ""
    if named and "\n" not in named and len(named) <= 60:
        return named
    classifiers = [line for line in package.get_all("Classifier") or [] if line.startswith(_OF_THE_CLASSIFIERS)]
    return " AND ".join(line.rpartition(" :: ")[2] for line in classifiers) or "not said"


def required_by(distribution: metadata.Distribution) -> tuple[str, ...]:
    """Names of the packages that a package requires, without extras, on Linux with any Python of PYTHONS.

    Parameters
    ----------
    distribution : importlib.metadata.Distribution
        An installed package.

    Returns
    -------
    tuple of str
        Canonical names, sorted.
    """
    machines = [
        {"extra": "", "python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
        for python in PYTHONS
    ]
    requirements = [Requirement(line) for line in distribution.requires or []]
    return tuple(
        sorted(
            {
                canonicalize_name(requirement.name)
                for requirement in requirements
                if requirement.marker is None or any(requirement.marker.evaluate(machine) for machine in machines)
            }
        )
    )


def run_time(
    lock: str, installed: Callable[[str], metadata.Distribution] = metadata.distribution
) -> tuple[tuple[str, ...], dict[str, Package]]:
    """Find what a run needs, and what those packages need in turn.

    Parameters
    ----------
    lock : str
        Text of the lock.
    installed : callable, optional
        Name → installed package.

    Returns
    -------
    tuple of str, dict of str to Package
        What the project itself requires, and every package by its name, sorted.

    Raises
    ------
    ValueError
        Where a package is not in the lock, or installed in another version.
    """
    pinned = pins(lock)
    direct = required_by(installed("anomaly"))
    packages: dict[str, Package] = {}
    waiting = list(direct)
    while waiting:
        name = waiting.pop()
        if name in packages:
            continue
        distribution = installed(name)
        version, hashes = pinned.get(name, ("none", ()))
        if version != distribution.version:
            raise ValueError(f"{name}: expected {version} of the lock, came {distribution.version}: run `make setup`")
        needs = required_by(distribution)
        packages[name] = Package(name, version, hashes, licence_of(distribution.metadata), needs)
        waiting.extend(needs)
    return direct, {name: packages[name] for name in sorted(packages)}
