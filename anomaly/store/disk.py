"""What a commit does on the disk, each step whole or not at all, and where a test lets it fail."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from anomaly.contract.errors import StoreFailure

TEMPORARY = ".new"
FAIL_AT = "ANOMALY_FAIL_AT"
SPARE_BYTES = 1 << 20  # kept free beside every file: the pointer and the folders need room too


class Faults:
    """The numbered points of a stage at which a test may let the machine fail.

    ANOMALY_FAIL_AT=flows:7:kill ends the process at the seventh point of stage `flows` as kill -9 does;
    flows:7:ENOSPC, flows:7:EIO and so on raise that error of the operating system there. Unset, nothing happens.

    Parameters
    ----------
    stage : str
        A table, `reports` or `status`; empty for what has no points.
    """

    def __init__(self, stage: str) -> None:
        self.reached = 0
        name, _, place = os.environ.get(FAIL_AT, "").partition(":")
        at, _, self._how = place.partition(":")
        self._at = int(at) if name == stage and at.isdigit() else 0

    def point(self) -> None:
        """Count one more point, and fail there if this is the one."""
        self.reached += 1
        if self.reached != self._at:
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._how)
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def named_failures(path: Path, size_bytes: int | None = None, verb: str = "write", hint: str = "") -> Iterator[None]:
    """Turn an error of the operating system into StoreFailure that names the path.

    Parameters
    ----------
    path : pathlib.Path
        What is read, written or locked inside the block.
    size_bytes : int, optional
        How much is written; part of the message.
    verb : str
        What is done to it, for the message.
    hint : str
        What to do about it; empty says it of the tables.

    Yields
    ------
    None
        Nothing; the block runs inside.

    Raises
    ------
    StoreFailure
        For any OSError of the block, with what to do about it.
    """
    try:
        yield
    except OSError as error:
        elsewhere = error.filename not in (None, str(path), path)
        size = "" if size_bytes is None else f" ({size_bytes:,} bytes)"
        raise StoreFailure(
            f"to {verb} {path}{size}",
            (error.strerror or str(error)) + (f": {error.filename}" if elsewhere else ""),
            hint=hint or _hint(error.errno),
        ) from error


def _hint(number: int | None) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the disk and run again; the version before is untouched"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "let this user write there, or name another folder with --data; the version before is untouched"
    return "look at the disk and run again; the version before is untouched"


def digest(path: Path) -> str:
    """Hash of a file's content.

    Parameters
    ----------
    path : pathlib.Path
        A file of any size; it is read in pieces.

    Returns
    -------
    str
        sha256, 64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_over(path: Path, content: bytes, faults: Faults) -> None:
    """Replace a file in one step: whoever reads it sees the whole old or the whole new one.

    Parameters
    ----------
    path : pathlib.Path
        The file, in a folder that is there.
    content : bytes
        What it shall hold.
    faults : Faults
        Where a test may let the machine fail.

    Raises
    ------
    StoreFailure
        Where the disk refuses; the old file is then untouched.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    with named_failures(path, len(content)):
        try:
            write_synced(temporary, content, faults)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        faults.point()
        sync_folder(path.parent)


def write_synced(path: Path, content: bytes, faults: Faults) -> None:
    """Write a file and wait until the disk has it.

    Parameters
    ----------
    path : pathlib.Path
        The file, in a folder that is there.
    content : bytes
        What it shall hold.
    faults : Faults
        Where a test may let the machine fail.

    Raises
    ------
    OSError
        Where the disk refuses, or would have less than SPARE_BYTES left.
    """
    faults.point()
    if shutil.disk_usage(path.parent).free < len(content) + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        faults.point()
        file.write(content[len(content) // 2 :])
        file.flush()
        faults.point()
        os.fsync(file.fileno())
    faults.point()


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of a folder's files.

    Parameters
    ----------
    folder : pathlib.Path
        A folder that is there.
    """
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def point_link(link: Path, target: str, faults: Faults) -> None:
    """Let a relative link point somewhere else, in one step.

    Parameters
    ----------
    link : pathlib.Path
        The link; made where it is not there yet.
    target : str
        Name of a folder beside the link.
    faults : Faults
        Where a test may let the machine fail.

    Raises
    ------
    StoreFailure
        Where the disk refuses.
    """
    if link.is_dir() and not link.is_symlink():
        came = "a folder, as a copy leaves it that follows links"
        raise StoreFailure(f"a link at {link}", came, hint="remove the folder, and copy with `cp -a`")
    temporary = link.with_name(link.name + TEMPORARY)
    with named_failures(link):
        faults.point()
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target, target_is_directory=True)
        faults.point()
        temporary.replace(link)
        faults.point()
        sync_folder(link.parent)
        faults.point()
