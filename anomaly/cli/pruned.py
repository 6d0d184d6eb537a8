"""`anomaly prune`: what lies there longer than it is kept and nothing names any more; it says, and deletes only when told to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from anomaly.cli.output import say, show
from anomaly.contract.errors import StoreFailure
from anomaly.contract.schema import TABLES
from anomaly.store import as_of as dated
from anomaly.store import commit, documents, runs
from anomaly.store.disk import named_failures
from anomaly.store.lock import Lock
from anomaly.store.store import Store

YEARS = 10  # what is younger is kept
MANIFEST = "manifest.json"
DEEP = 4  # folders of a release below the raw folder: <source>/<dataset>/<period>/<day>…


@dataclass(frozen=True, slots=True)
class Old:
    """A folder that is kept no longer, or is although it is old.

    Parameters
    ----------
    what : str
        raw release, report or table version.
    path : pathlib.Path
        The folder.
    size_bytes : int
        Of the files in it.
    named_by : str
        What names it, so that it is kept; empty: nothing does.
    """

    what: str
    path: Path
    size_bytes: int
    named_by: str = ""


def prune(data: Path, raw: Path, form: str, years: int, *, is_deleted: bool) -> None:
    """Answer `anomaly prune`: a row for each folder that is old, what becomes of it, and how many bytes that is.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables and reports.
    raw : pathlib.Path
        The raw folder.
    form : str
        One of output.FORMATS.
    years : int
        What is younger is kept.
    is_deleted : bool
        Delete; otherwise it is only said.

    Raises
    ------
    StoreFailure
        A record or a manifest cannot be read, so that nobody knows what it names, or a folder cannot be deleted.
    Locked
        A run or a fetch is under way, and it should be deleted.
    """
    today = datetime.now(UTC).date()
    before = date(today.year - years, today.month, min(today.day, 28))
    if not is_deleted:
        folders = list(old(data, raw, before))
    else:
        with Lock(data).held(), Lock(raw).held():
            folders = list(old(data, raw, before))
            for folder in folders:
                if not folder.named_by:
                    with named_failures(folder.path, verb="delete"):
                        shutil.rmtree(folder.path)
    fate = "deleted" if is_deleted else "would be deleted"
    rows = [
        {
            "what": folder.what,
            "path": str(folder.path),
            "bytes": folder.size_bytes,
            "fate": f"kept: {folder.named_by}" if folder.named_by else fate,
        }
        for folder in folders
    ]
    show(rows, form)
    gone = [folder for folder in folders if not folder.named_by]
    size = sum(folder.size_bytes for folder in gone)
    hint = "" if is_deleted or not gone else "; --yes deletes"
    say(f"{len(gone):,} folders, {size:,} bytes {fate} (older than {before}); {len(folders) - len(gone):,} kept{hint}")


def old(data: Path, raw: Path, before: date) -> Iterator[Old]:
    """Reports from before a day, versions of tables that are left over, and raw releases that newer ones replaced.

    A raw release goes only where no report that stays, and no table of the two last runs, was made of it, as of today or of a day.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables and reports.
    raw : pathlib.Path
        The raw folder.
    before : datetime.date
        What is of this day or younger is kept.

    Yields
    ------
    Old
        Reports, versions, raw releases, each kind sorted by path.

    Raises
    ------
    StoreFailure
        A record or a manifest cannot be read.
    """
    kept_runs = _runs(data)
    reports = list(_reports(data, kept_runs, before))
    yield from reports
    yield from _versions(data)
    gone = {report.path for report in reports if not report.named_by}
    named = _named_raw(data, kept_runs, gone)
    for folder in dated.folders(data):
        named |= _named_raw(folder, _runs(folder), set())
    yield from _releases(raw, before, named)


def _runs(data: Path) -> list[runs.EndedRun]:
    """The two last runs."""
    newest = runs.latest(data)
    if newest is None:
        return [runs.standing(data)[0]] if data.is_dir() else []
    return [newest, *([runs.of_id(data, newest.before)] if newest.before else [])]


def _reports(data: Path, kept_runs: list[runs.EndedRun], before: date) -> Iterator[Old]:
    folder = data / documents.REPORTS
    named = {run.published.run for run in kept_runs if run.published is not None}
    newest = documents.published(folder)
    named |= {newest.run} if newest is not None else set()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        manifest = path / MANIFEST
        modified = (manifest if manifest.is_file() else path).stat().st_mtime
        written = datetime.fromtimestamp(modified, UTC).date()
        if written < before:
            yield Old("report", path, _size(path), "it is of one of the two last runs" if path.name in named else "")


def _versions(data: Path) -> Iterator[Old]:
    """Versions that neither the pointer of their table nor the two last runs name: left over where a run was killed."""
    for table in (name for name in TABLES if "." not in name):
        current = commit.current_or_lost(data / table)
        if current is None:
            continue
        named = {current.version, *current.previous, *runs.kept(data, table)}
        for version in commit.versions(data / table):
            if version not in named:
                yield Old("table version", data / table / version, _size(data / table / version))


def _named_raw(data: Path, kept_runs: list[runs.EndedRun], gone: set[Path]) -> dict[str, str]:
    """Name of a raw file → what names it: manifests of reports that stay, and the tables of the two last runs."""
    named: dict[str, str] = {}
    for manifest in sorted((data / documents.REPORTS).glob(f"*/{MANIFEST}")):
        if manifest.parent.is_symlink() or manifest.parent in gone:
            continue
        with named_failures(manifest, verb="read"):
            text = manifest.read_bytes()
        try:
            named |= {
                str(row["path"]): f"the report {manifest.parent.name} is of it" for row in json.loads(text)["raw_files"]
            }
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFailure(
                f"a manifest in {manifest}", f"{type(error).__name__}: {error}", hint="nothing was deleted; look at it"
            ) from error
    for run in kept_runs:
        store = Store(data, ended=run)
        if store.exists("flows"):
            inputs = [name.removeprefix("raw/") for name in store.meta("flows")["inputs"] if name.startswith("raw/")]
            named |= dict.fromkeys(inputs, "the tables are made of it")
    return named


def _releases(raw: Path, before: date, named: dict[str, str]) -> Iterator[Old]:
    """Releases that lie beside a newer one of the same period."""
    places: dict[Path, list[Path]] = {}
    for path in sorted(raw.glob("/".join(["*"] * DEEP))) if raw.is_dir() else []:
        if path.is_dir() and not path.is_symlink() and _day(path.name) is not None:
            places.setdefault(path.parent, []).append(path)
    for releases in places.values():
        for path in releases[:-1]:  # the newest stays, however old it is
            day = _day(path.name)
            if day is not None and day < before:
                files = [file.relative_to(raw).as_posix() for file in sorted(path.rglob("*")) if file.is_file()]
                yield Old("raw release", path, _size(path), next((named[file] for file in files if file in named), ""))


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name[:10])
    except ValueError:
        return None


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
