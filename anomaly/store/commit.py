"""Immutable versions of a folder behind one pointer: whatever stops a commit, a reader sees the old or the new whole.

    <folder>/<version>/…      files that never change once they are there
    <folder>/CURRENT.json     {version, files: {path: sha256}, previous: [versions kept]}: what the next job reads
    <folder>/.staging/…       a commit under way; what is found there later is left over and removed

A version is the hash of its files, so the same content is the same version and is not written twice. The order of a
commit: files into staging, each synced; staging renamed; folder synced; pointer written beside, synced, moved over
the old one; folder synced; versions beyond those kept removed. The caller holds the store's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anomaly.contract.errors import StoreFailure
from anomaly.store.disk import TEMPORARY, Faults, digest, named_failures, sync_folder, write_over, write_synced

POINTER = "CURRENT.json"
STAGING = ".staging"
VERSION_DIGITS = 32

_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Current:
    """What a pointer says.

    Parameters
    ----------
    version : str
        Name of the current version, 32 hexadecimal digits.
    files : dict of str to str
        Path under the version's folder → sha256.
    previous : tuple of str
        Versions kept before it, the newest first.
    """

    version: str
    files: dict[str, str]
    previous: tuple[str, ...] = ()


def current(folder: Path) -> Current | None:
    """The version that a folder points to.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table.

    Returns
    -------
    Current or None
        None where nothing was committed yet.

    Raises
    ------
    StoreFailure
        Where the pointer cannot be read or is none of this program's.
    """
    path = folder / POINTER
    with named_failures(path, verb="read"):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        return parsed(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreFailure(
            f"a pointer to a version in {path}",
            f"{type(error).__name__}: {error}",
            hint="remove its folder and run again",
        ) from error


def parsed(pointer: Mapping[str, Any]) -> Current:
    """A version as JSON names it.

    Parameters
    ----------
    pointer : mapping
        version and files, and previous where it is that of a folder.

    Returns
    -------
    Current
        Raises ValueError, KeyError or TypeError where that is none of this program's.
    """
    files, previous = pointer["files"], pointer.get("previous", [])
    versions = [pointer["version"], *previous]
    if not all(_VERSION.fullmatch(version) for version in versions) or any(".." in name for name in files):
        raise ValueError("names that are none of this program's")
    if version_of(files) != pointer["version"]:
        raise ValueError("files that are not those of its version")
    return Current(pointer["version"], dict(files), tuple(previous))


def current_or_lost(folder: Path) -> Current | None:
    """The version that a folder points to; one whose pointer is lost is not taken for one that was never made.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table.

    Returns
    -------
    Current or None
        None where nothing was committed yet.

    Raises
    ------
    StoreFailure
        Where the pointer is lost, or cannot be read.
    """
    committed = current(folder)
    if committed is None and is_lost(folder):
        raise StoreFailure(
            f"the pointer {folder / POINTER}",
            "versions of the table without it",
            hint="run again: the table is made again",
        )
    return committed


def broken(folder: Path) -> list[str]:
    """Files of the current version that are missing or not what was committed.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table; every file of its current version is read.

    Returns
    -------
    list of str
        Paths under the folder; empty where all are whole or nothing was committed.
    """
    committed = current(folder)
    return [] if committed is None else broken_of(folder, committed)


def broken_of(folder: Path, committed: Current) -> list[str]:
    """Files of one version that are missing or not what was committed.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table.
    committed : Current
        The version; each of its files is read.

    Returns
    -------
    list of str
        Paths under the folder.
    """
    return [
        f"{committed.version}/{name}"
        for name, sha256 in committed.files.items()
        if not is_whole(folder / committed.version / name, sha256)
    ]


def faults(folder: Path) -> list[str]:
    """All that is not as it was committed: files, the pointer to the last byte, and a pointer that is lost.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table.

    Returns
    -------
    list of str
        Paths under the folder; empty where all is whole, or nothing was committed.
    """
    try:
        committed = current(folder)
    except StoreFailure:
        return [POINTER]
    if committed is None:
        return [POINTER] if is_lost(folder) else []
    is_as_written = (folder / POINTER).read_bytes() == _pointer(committed.version, committed.files, committed.previous)
    is_kept = all((folder / version).is_dir() for version in committed.previous)
    return [*broken(folder), *([] if is_as_written and is_kept else [POINTER])]


def is_lost(folder: Path) -> bool:
    """Whether versions lie there and no pointer: it was taken away, or the first commit was stopped before it.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table.

    Returns
    -------
    bool
        False where there is no such folder.
    """
    if (folder / POINTER).exists() or not folder.is_dir():
        return False
    return bool(versions(folder))


def versions(folder: Path) -> list[str]:
    """Versions that lie in a folder, whoever points to them.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table; need not be there.

    Returns
    -------
    list of str
        Their names, in order.
    """
    return sorted(path.name for path in folder.iterdir() if _VERSION.fullmatch(path.name)) if folder.is_dir() else []


def version_of(files: Mapping[str, str]) -> str:
    """Name of the version that files are: a hash of their names and contents.

    Parameters
    ----------
    files : mapping of str to str
        Path under the version's folder → sha256.

    Returns
    -------
    str
        VERSION_DIGITS hexadecimal digits.
    """
    text = json.dumps(files, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _pointer(version: str, files: Mapping[str, str], previous: Sequence[str]) -> bytes:
    pointer = {"version": version, "files": dict(sorted(files.items())), "previous": list(previous)}
    return json.dumps(pointer, indent=1).encode() + b"\n"


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there and has the content that was written.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sha256 : str
        Of what was written.

    Returns
    -------
    bool
        False where it cannot be read.
    """
    try:
        return digest(path) == sha256
    except OSError:
        return False


@dataclass(slots=True)
class Staging:
    """The files of a version to be, under `<folder>/.staging`. Use under the lock, one at a time.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a table, or of the reports.
    faults : Faults
        Where a test may let the machine fail.
    held : frozenset of str
        Versions that are never removed: readers may be reading them.
    files : dict of str to str
        Path under the version's folder → sha256, of what was staged so far.
    """

    folder: Path
    faults: Faults
    held: frozenset[str] = frozenset()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the staged files lie."""
        return self.folder / STAGING

    def begin(self) -> None:
        """Remove what an earlier commit left over and make an empty folder."""
        with named_failures(self.path):
            self.faults.point()
            self.clear()
            self.path.mkdir(parents=True)
            self.faults.point()

    def clear(self) -> None:
        """Remove the staged files; what cannot be removed now is left over and removed by the next commit."""
        shutil.rmtree(self.path, ignore_errors=True)
        (self.folder / (POINTER + TEMPORARY)).unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Stage one file under the version's folder; a file of that name is replaced.

        Parameters
        ----------
        name : str
            Path under the version's folder, with slashes.
        content : bytes
            What the file shall hold.

        Raises
        ------
        StoreFailure
            Where the disk refuses.
        """
        path = self.path / name
        with named_failures(path, len(content)):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_synced(path, content, self.faults)
        self.files[name] = hashlib.sha256(content).hexdigest()

    def version(self) -> str:
        """Name of the version that the staged files are: a hash of their names and contents."""
        return version_of(self.files)

    def settle(self, name: str) -> None:
        """Give the staged folder its name. A folder of that name that is whole already stays.

        Parameters
        ----------
        name : str
            Version of a table, or run of the reports.

        Raises
        ------
        StoreFailure
            Where the disk refuses.
        """
        target = self.folder / name
        with named_failures(target):
            for folder in sorted({(self.path / file).parent for file in self.files}):
                sync_folder(folder)
            self.faults.point()
            if target.is_dir():
                if all(is_whole(target / file, sha256) for file, sha256 in self.files.items()):
                    self.clear()
                    return
                shutil.rmtree(target)
            self.faults.point()
            self.path.rename(target)
            self.faults.point()
            sync_folder(self.folder)
            self.faults.point()

    def commit(self, keep: int) -> bool:
        """Make the staged files the current version and drop older ones.

        Parameters
        ----------
        keep : int
            Versions that stay, the current one among them; at least 1.

        Returns
        -------
        bool
            False where the version was current already and nothing was written.

        Raises
        ------
        StoreFailure
            Where the disk refuses; the version before is then still the current one.
        """
        before, version = current(self.folder), self.version()
        if before is not None and before.version == version and not broken(self.folder):
            self.clear()
            self._prune({version, *before.previous[: keep - 1]})
            return False
        self.settle(version)
        previous = [name for name in ((before.version, *before.previous) if before else ()) if name != version]
        write_over(self.folder / POINTER, _pointer(version, self.files, previous[: keep - 1]), self.faults)
        self._prune({version, *previous[: keep - 1]})
        return True

    def _prune(self, kept: set[str]) -> None:
        """Remove other versions. The commit stands by now: what cannot be removed is removed by a later one."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if path.is_dir() and _VERSION.fullmatch(path.name) and path.name not in kept | self.held:
                    self.faults.point()
                    shutil.rmtree(path, ignore_errors=True)
            self.faults.point()

    def sweep(self) -> None:
        """Remove what a commit that was killed left over. Use under the lock, with no commit under way."""
        self.clear()
        committed = current(self.folder)
        if committed is not None:
            self._prune({committed.version, *committed.previous})
        elif is_lost(self.folder):
            self._prune(set())  # nobody can tell which of the others counts: it is made again
