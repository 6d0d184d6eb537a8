"""What one run left, behind one link: a reader sees all tables and documents of the run before, or all of the new one.

    runs/<id>/RUN.json     tables: name → version and its files; the documents; the run before
    runs/<id>/reports      → reports/<run>, where there are documents
    runs/latest            → <id>, replaced in one step after the last job of a run
    reports/latest         → ../runs/latest/reports, so that it moves with it

The id is a hash of the rest of RUN.json. `CURRENT.json` of a table and `DOCUMENTS.json` are where the jobs of a run under
way find what was made so far; who asks a question never looks at them, but in a folder of a version that had no runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anomaly.contract.errors import StoreFailure
from anomaly.store import commit, documents
from anomaly.store.commit import VERSION_DIGITS, Current, Staging
from anomaly.store.disk import Faults, named_failures, point_link
from anomaly.store.documents import Published

RUNS = "runs"
RECORD = "RUN.json"
LATEST = "latest"
STAGE = "runs"  # its numbered points

_HINT = "run again: the next run that ends puts it right"
_NAME = re.compile(rf"[0-9a-f]{{{VERSION_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class EndedRun:
    """The tables and documents that belong together.

    Parameters
    ----------
    tables : dict of str to Current
        Name of a table → its version and files.
    published : Published or None
        Its documents; None where none were made.
    before : str or None
        Id of the run before, which is kept, too.
    """

    tables: dict[str, Current]
    published: Published | None = None
    before: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing, as the record does with which the first run of a folder begins."""
        return not self.tables and self.published is None

    @property
    def id(self) -> str:
        """A hash of all it names, 32 hexadecimal digits."""
        text = json.dumps(self._says(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]

    def record(self) -> bytes:
        """Content of RUN.json: the same for the same tables and documents after the same run."""
        # in one line: every question writes it again to compare it, and indented that takes twenty times as long
        return json.dumps({"run": self.id, **self._says()}).encode() + b"\n"

    def _says(self) -> dict[str, Any]:
        return {
            "tables": {
                name: {"version": table.version, "files": dict(sorted(table.files.items()))}
                for name, table in sorted(self.tables.items())
            },
            "reports": None if self.published is None else self.published.says(),
            "before": self.before,
        }


def latest(root: Path) -> EndedRun | None:
    """What the run that ended last has left.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.

    Returns
    -------
    EndedRun or None
        Without tables where runs began and none has ended; None in a folder in which none ever began.

    Raises
    ------
    StoreFailure
        Where the record is damaged, or the link is lost.
    """
    path = root / RUNS / LATEST / RECORD
    with named_failures(path, verb="read"):
        try:
            return _parsed(path.read_bytes(), path)
        except (FileNotFoundError, NotADirectoryError):
            names = _ids(root)
    if not names and not path.parent.is_symlink():
        return None
    if len(names) == 1 and not path.parent.is_symlink():  # stopped between the first record and the link to it
        return of_id(root, names[0])
    raise StoreFailure(f"the run that ended last, {path}", "not there, though runs have ended", hint=_HINT)


def of_id(root: Path, name: str) -> EndedRun:
    """What a run has left that is kept: the one that ended last, or the one before.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.
    name : str
        Its id.

    Returns
    -------
    EndedRun
        Its tables and documents.

    Raises
    ------
    StoreFailure
        Its record is gone or damaged.
    """
    path = root / RUNS / name / RECORD
    with named_failures(path, verb="read"):
        return _parsed(path.read_bytes(), path)


def _ids(root: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(path.name for path in (root / RUNS).iterdir() if _NAME.fullmatch(path.name))
    return []


def _parsed(text: bytes, path: Path) -> EndedRun:
    try:
        says = json.loads(text)
        tables = {name: commit.parsed(pointer) for name, pointer in says["tables"].items()}
        reports = None if says["reports"] is None else documents.parsed(says["reports"])
        ended = EndedRun(tables, reports, says["before"])
        if ended.record() != text:
            raise ValueError("not what was written")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreFailure(f"the record of a run in {path}", f"{type(error).__name__}: {error}", hint=_HINT) from error
    return ended


def standing(root: Path) -> tuple[EndedRun, list[StoreFailure]]:
    """What the tables' own pointers say, for a folder in which no run of this version began.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.

    Returns
    -------
    EndedRun
        The tables whose pointers can be read, and the newest documents.
    list of StoreFailure
        One for each pointer that is lost or damaged.
    """
    tables: dict[str, Current] = {}
    failures: list[StoreFailure] = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if folder.name in (RUNS, documents.REPORTS) or not folder.is_dir():
            continue
        try:
            committed = commit.current_or_lost(folder)
        except StoreFailure as error:
            failures.append(error)
        else:
            tables |= {} if committed is None else {folder.name: committed}
    return EndedRun(tables, documents.linked(root / documents.REPORTS)), failures


def end(root: Path, ended: EndedRun) -> bool:
    """Let readers see what a run has left, in one step, and drop the records before the one before. Use under the lock.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.
    ended : EndedRun
        Its tables and documents; `before` is filled in here.

    Returns
    -------
    bool
        False where readers see just that already.

    Raises
    ------
    StoreFailure
        Where the disk refuses; the run before is then what readers see.
    """
    before = None
    with contextlib.suppress(StoreFailure):  # a damaged record is replaced, and remembers nothing
        before = latest(root)
    is_same = before is not None and replace(ended, before=before.before).id == before.id
    if is_same and (root / RUNS / LATEST).is_symlink():
        _link_documents(root, Faults(STAGE))
        return False
    ended = before if before is not None and is_same else replace(ended, before=before.id if before else None)
    folder, faults = root / RUNS, Faults(STAGE)
    staging = Staging(folder, faults)
    try:
        staging.begin()
        staging.write(RECORD, ended.record())
        if ended.published is not None:
            _link(staging.path / documents.REPORTS, f"../../{documents.REPORTS}/{ended.published.run}")
        staging.settle(ended.id)
    except BaseException:
        staging.clear()
        raise
    point_link(folder / LATEST, ended.id, faults)
    _link_documents(root, faults)
    for name in _ids(root):
        if name not in (ended.id, ended.before):
            shutil.rmtree(folder / name, ignore_errors=True)
    return True


def _link(link: Path, target: str) -> None:
    with named_failures(link):
        link.symlink_to(target, target_is_directory=True)


def _link_documents(root: Path, faults: Faults) -> None:
    """Let reports/latest follow runs/latest for good; until the first run it was a link to a folder beside it."""
    link, target = root / documents.REPORTS / LATEST, f"../{RUNS}/{LATEST}/{documents.REPORTS}"
    if link.parent.is_dir() and not (link.is_symlink() and str(link.readlink()) == target):
        point_link(link, target, faults)


def kept(root: Path, table: str) -> frozenset[str]:
    """Versions of a table that readers may be reading: of the run that ended last, and of the one before.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.
    table : str
        Its name.

    Returns
    -------
    frozenset of str
        All that are there, where the record cannot be read.
    """
    try:
        newest = latest(root)
        if newest is None:
            return frozenset()
        runs = [newest, *([of_id(root, newest.before)] if newest.before in _ids(root) else [])]
    except StoreFailure:
        return frozenset(commit.versions(root / table))
    return frozenset(run.tables[table].version for run in runs if table in run.tables)


def faults(root: Path) -> list[str]:
    """What is damaged of the record of the run that ended last, and of the links to it and its documents.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the tables.

    Returns
    -------
    list of str
        Paths under the root; empty where all is whole, or no run ended.
    """
    try:
        ended = latest(root)
    except StoreFailure:
        return [f"{RUNS}/{LATEST}/{RECORD}"]
    if ended is None or ended.published is None:
        return []
    link, folder = root / documents.REPORTS / LATEST, root / documents.REPORTS / ended.published.run
    return [] if link.resolve() == folder.resolve() else [f"{documents.REPORTS}/{LATEST}"]
