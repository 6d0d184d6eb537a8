"""Whose licences a run depends on: `python -m release.licences`, which is `make licences`; --write makes the page."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from release.packages import LOCK, ROOT, Package, run_time

PAGE = ROOT / "docs" / "licences.md"
# Packages that do not say it where programs look: read in the licence file that they install.
READ_BY_HAND = {"dataframely": "BSD-3-Clause"}
_HEAD = """# Licences of what a run needs

The project is Apache-2.0. A run needs the packages below, in the versions of `requirements.lock`; tools of development are not
among them. `make licences` prints the list from what the installed packages say of themselves, `python -m release.licences --write`
writes this page, and a test compares. `make dist` puts the same into a bill of materials (CycloneDX) beside each release.

**LGPL:** {lgpl}. They read 7z archives, which Eurostat's bulk files are, and are imported unchanged and only when such an
archive is read. Whoever passes the project on together with them passes on their licence and the way to replace them, which pip
is. Without them everything but 7z works; archives can be unpacked by hand.

Wheels hold libraries of others as well (OpenBLAS and GCC's run-times of Fortran and OpenMP in numpy, scipy and scikit-learn, Rust
crates in Polars, C++ libraries in pyarrow); their licences are in the packages' own licence files, not in this list.

"""


def licence(package: Package) -> str:
    """What a package says of its licence, or what its licence file does.

    Parameters
    ----------
    package : Package
        A package of the run.

    Returns
    -------
    str
        One line.
    """
    return READ_BY_HAND.get(package.name, package.licence) if package.licence == "not said" else package.licence


def is_lgpl(package: Package) -> bool:
    """Whether a licence is of the GNU family, which asks more of whoever passes a package on.

    Parameters
    ----------
    package : Package
        A package of the run.

    Returns
    -------
    bool
        Also true of the GPL, which none has.
    """
    return "GPL" in licence(package)


def page(packages: Iterable[Package]) -> str:
    """docs/licences.md.

    Parameters
    ----------
    packages : iterable of Package
        In the order of the table.

    Returns
    -------
    str
        Markdown.
    """
    listed = list(packages)
    lgpl = ", ".join(f"`{package.name}`" for package in listed if is_lgpl(package))
    rows = "".join(f"| {package.name} | {package.version} | {licence(package)} |\n" for package in listed)
    return _HEAD.format(lgpl=lgpl) + "| package | version | licence |\n|---|---|---|\n" + rows


def main(*arguments: str) -> int:
    """Print a line a package; 1 where one does not say its licence.

    Parameters
    ----------
    *arguments : str
        --write writes docs/licences.md too.

    Returns
    -------
    int
        Exit code.
    """
    _, packages = run_time(LOCK.read_text(encoding="utf-8"))
    for package in packages.values():
        print(f"{package.name}=={package.version}\t{licence(package)}")
    if "--write" in arguments:
        PAGE.write_text(page(packages.values()), encoding="utf-8")
    silent = [package.name for package in packages.values() if licence(package) == "not said"]
    if silent:
        print(f"expected a licence of every package, came none of {', '.join(silent)}: read theirs", file=sys.stderr)
    return int(bool(silent))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
