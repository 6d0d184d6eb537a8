"""Immutable versions of a folder behind one pointer: whatever stops a commit, a reader sees the old or the new whole.

    <folder>/<version>/…      files that never change once they are there
    <folder>/CURRENT.json     {version, files: {path: sha256}, previous: [versions kept]}
    <folder>/.staging/…       a commit under way; what is found there later is left over and removed

A version is the hash of its files, so the same content is the same version and is not written twice. The order of a
commit: files into staging, each synced; staging renamed; folder synced; pointer written beside, synced, moved over
the old one; folder synced; versions beyond those kept removed. The caller holds the store's lock.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from anomaly.contract.errors import StoreFailure

POINTER = "CURRENT.json"
STAGING = ".staging"
TEMPORARY = ".new"
FAIL_AT = "ANOMALY_FAIL_AT"
SPARE_BYTES = 1 << 20  # kept free beside every file: the pointer and the folders need room too
VERSION_DIGITS = 32

_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_DIGITS}}}")


class Faults:
    """The numbered points of a stage at which a test may let the machine fail.

    ANOMALY_FAIL_AT=flows:7:kill ends the process at the seventh point of stage `flows` as kill -9 does;
    flows:7:ENOSPC, flows:7:EIO and so on raise that error of the operating system there. Unset, nothing happens.
    """

    def __init__(self, stage: str) -> None:
        self.reached = 0
        name, _, rest = os.environ.get(FAIL_AT, "").partition(":")
        at, _, self._how = rest.partition(":")
        self._at = int(at) if name == stage and at.isdigit() else 0

    def point(self) -> None:
        """One more point is reached."""
        self.reached += 1
        if self.reached != self._at:
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._how)
        raise OSError(number, os.strerror(number))


@dataclass(frozen=True, slots=True)
class Current:
    """What a pointer says: the version, its files with their sha256, and the versions kept before it."""

    version: str
    files: dict[str, str]
    previous: tuple[str, ...] = ()


@contextlib.contextmanager
def spoken(path: Path, size_bytes: int | None = None, verb: str = "write") -> Iterator[None]:
    """Turn an error of the operating system into StoreFailure with the path, and the bytes where there are any."""
    try:
        yield
    except OSError as error:
        size = "" if size_bytes is None else f" ({size_bytes:,} bytes)"
        raise StoreFailure(
            f"to {verb} {path}{size}",
            error.strerror or str(error),
            hint=_hint(error.errno),
        ) from error


def _hint(number: int | None) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the disk and run again; the version before is untouched"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "let this user write there, or name another folder with --data; the version before is untouched"
    return "look at the disk and run again; the version before is untouched"


def current(folder: Path) -> Current | None:
    """The version that `folder` points to, or None where nothing was committed yet."""
    path = folder / POINTER
    with spoken(path, verb="read"):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        told = json.loads(text)
        files, previous = told["files"], told["previous"]
        names = [told["version"], *previous]
        if not all(_VERSION.fullmatch(name) for name in names) or any(".." in name for name in files):
            raise ValueError("names that are none of this program's")
        return Current(told["version"], dict(files), tuple(previous))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreFailure(
            f"a pointer to a version in {path}", f"{type(error).__name__}: {error}", hint="remove it and run again"
        ) from error


def digest(path: Path) -> str:
    """sha256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def broken(folder: Path) -> list[str]:
    """Paths under `folder` of the current version's files that are missing or not what was committed."""
    now = current(folder)
    if now is None:
        return []
    return [
        f"{now.version}/{name}" for name, told in now.files.items() if not _is_whole(folder / now.version / name, told)
    ]


def _is_whole(path: Path, told: str) -> bool:
    try:
        return digest(path) == told
    except OSError:
        return False


def write_over(path: Path, data: bytes, faults: Faults) -> None:
    """Put `data` in place of a file in one step: whole old or whole new."""
    temporary = path.with_name(path.name + TEMPORARY)
    with spoken(path, len(data)):
        try:
            _write(temporary, data, faults)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        faults.point()
        _sync_folder(path.parent)


def _write(path: Path, data: bytes, faults: Faults) -> None:
    faults.point()
    if shutil.disk_usage(path.parent).free < len(data) + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        faults.point()
        file.write(data[len(data) // 2 :])
        file.flush()
        faults.point()
        os.fsync(file.fileno())
    faults.point()


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@dataclass(slots=True)
class Staging:
    """The files of a version to be, under `<folder>/.staging`. Use under the lock, one at a time."""

    folder: Path
    faults: Faults
    files: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the staged files lie."""
        return self.folder / STAGING

    def begin(self) -> None:
        """Remove what an earlier commit left over and make an empty folder."""
        with spoken(self.path):
            self.faults.point()
            self.clear()
            self.path.mkdir(parents=True)
            self.faults.point()

    def clear(self) -> None:
        """Remove the staged files; what cannot be removed now is left over and removed by the next commit."""
        shutil.rmtree(self.path, ignore_errors=True)
        (self.folder / (POINTER + TEMPORARY)).unlink(missing_ok=True)

    def write(self, name: str, data: bytes) -> None:
        """Stage one file under the version's folder; a file of that name is replaced."""
        path = self.path / name
        with spoken(path, len(data)):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data, self.faults)
        self.files[name] = hashlib.sha256(data).hexdigest()

    def version(self) -> str:
        """The name of the version that the staged files are."""
        text = json.dumps(self.files, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]

    def settle(self, name: str) -> None:
        """Give the staged folder its name. A folder of that name that is whole already stays."""
        target = self.folder / name
        with spoken(target):
            for folder in sorted({(self.path / file).parent for file in self.files}):
                _sync_folder(folder)
            self.faults.point()
            if target.is_dir():
                if all(_is_whole(target / file, told) for file, told in self.files.items()):
                    self.clear()
                    return
                shutil.rmtree(target)
            self.faults.point()
            self.path.rename(target)
            self.faults.point()
            _sync_folder(self.folder)
            self.faults.point()

    def commit(self, keep: int) -> bool:
        """Make the staged files the current version and drop versions beyond `keep`. False: it was current already."""
        before, version = current(self.folder), self.version()
        if before is not None and before.version == version and not broken(self.folder):
            self.clear()
            self._prune({version, *before.previous[: keep - 1]})
            return False
        self.settle(version)
        previous = [name for name in ((before.version, *before.previous) if before else ()) if name != version]
        pointer = {"version": version, "files": dict(sorted(self.files.items())), "previous": previous[: keep - 1]}
        write_over(self.folder / POINTER, json.dumps(pointer, indent=1).encode() + b"\n", self.faults)
        self._prune({version, *previous[: keep - 1]})
        return True

    def _prune(self, kept: set[str]) -> None:
        """Remove other versions. The commit stands by now: what cannot be removed is removed by a later one."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if path.is_dir() and _VERSION.fullmatch(path.name) and path.name not in kept:
                    self.faults.point()
                    shutil.rmtree(path, ignore_errors=True)
            self.faults.point()

    def sweep(self) -> None:
        """Remove what a commit that was killed left over. Use under the lock, with no commit under way."""
        self.clear()
        now = current(self.folder)
        if now is not None:
            self._prune({now.version, *now.previous})


def point_link(link: Path, target: str, faults: Faults) -> None:
    """Let a relative link point to `target`, in one step."""
    temporary = link.with_name(link.name + TEMPORARY)
    with spoken(link):
        faults.point()
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target, target_is_directory=True)
        faults.point()
        temporary.replace(link)
        faults.point()
        _sync_folder(link.parent)
        faults.point()
