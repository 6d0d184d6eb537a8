"""Members of zip and 7z archives, as streams of bytes: by an allow-list of names, up to a limit, never as files.

A name out of an archive is only ever compared, never used as a path; sizes that an archive states are not believed,
the bytes that really come out are counted.
"""

from __future__ import annotations

import errno
import lzma
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, TypeVar

from anomaly.sources.reading.limits import HINT, Limits
from anomaly.sources.reading.text import refused

BLOCK_BYTES = 2**22  # larger ones cost memory and page faults, and save nothing
# what the two libraries raise on the way through damaged bytes, found by cutting and flipping (tests/sources)
_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, LookupError, OverflowError, TypeError, AttributeError, AssertionError, MemoryError),
)
Item = TypeVar("Item")


@contextmanager
def _damage_named(name: str, expected: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn what a library raises over damaged bytes into DataRejected; a disk's own errors stay what they are."""
    try:
        yield
    except (*kinds, *_DAMAGE) as error:
        raise refused(name, expected, f"a damaged, cut or locked one ({error!r})"[:200]) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # EINVAL: a place before the file's start
            raise
        raise refused(name, expected, f"a damaged or cut one ({error!r})"[:200]) from error


def zip_members(path: Path, name: str, allowed: re.Pattern[str]) -> list[str]:
    """The members of a zip whose whole name is allowed; all others are passed over.

    Parameters
    ----------
    path : pathlib.Path
        Where the archive lies.
    name : str
        RawFile.name, for errors.
    allowed : re.Pattern
        What a member's whole name must match.

    Returns
    -------
    list of str
        In order of name; empty where there is none.

    Raises
    ------
    DataRejected
        Where the archive is damaged, or an allowed name stands in it twice.
    """
    with _damage_named(name, "a whole zip archive"), zipfile.ZipFile(path) as archive:
        members = sorted(info.filename for info in archive.infolist() if allowed.fullmatch(info.filename))
    for before, member in pairwise(members):
        if before == member:
            raise refused(name, "each member once", f"two members named {member}")
    return members


def zip_blocks(path: Path, name: str, member: str, limits: Limits) -> Iterator[bytes]:
    """The bytes of a zip's member, in blocks.

    Parameters
    ----------
    path : pathlib.Path
        Where the archive lies.
    name : str
        RawFile.name, for errors.
    member : str
        One of `zip_members`.
    limits : Limits
        How far it may grow; what the archive states is not believed, the bytes that come out are counted.

    Yields
    ------
    bytes
        At most BLOCK_BYTES, never empty.

    Raises
    ------
    DataRejected
        Where the member is damaged, locked, or grows beyond the limits.
    """
    written = 0
    with (
        _damage_named(name, f"a whole member {member}"),
        zipfile.ZipFile(path) as archive,
        archive.open(member) as stream,
    ):
        began = archive.getinfo(member).header_offset
        while block := stream.read(BLOCK_BYTES):
            written += len(block)
            packed = archive.fp.tell() - began if archive.fp is not None else 0
            if fault := limits.fault(written, packed):
                raise refused(f"{name}, member {member}", f"{limits}", fault, hint=HINT)
            yield block


def file_blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """An open file's bytes, in blocks.

    Parameters
    ----------
    stream : file of bytes
        Read from where it stands; not closed.

    Yields
    ------
    bytes
        At most BLOCK_BYTES, never empty.
    """
    while block := stream.read(BLOCK_BYTES):
        yield block


def unpack_7z(path: Path, name: str, into: IO[bytes], limits: Limits) -> None:
    """Write the only member of a 7z into an open file of our own and go back to its start.

    Parameters
    ----------
    path : pathlib.Path
        Where the archive lies.
    name : str
        RawFile.name, for errors.
    into : file of bytes
        Open for writing and reading, and empty.
    limits : Limits
        How far it may grow; counted as the bytes come out.

    Raises
    ------
    DataRejected
        Where the archive is damaged, cut, locked, has not exactly one member, or its member grows beyond the limits.
    """
    import py7zr  # 60 ms, and only for 7z
    from py7zr.exceptions import AbsolutePathError, ArchiveError, PasswordRequired

    class Limited(py7zr.Py7zIO):
        """A member's bytes on their way into `into`, counted."""

        def __init__(self) -> None:
            self.written = 0

        def write(self, s: bytes | bytearray) -> int:
            self.written += len(s)
            if fault := limits.fault(self.written, packed.tell()):
                raise refused(name, f"{limits}", fault, hint=HINT)
            try:
                return into.write(s)
            except OSError as error:  # it has no name, and the folder of temporary files is full
                error.filename = f"{tempfile.gettempdir()} ({self.written:,} bytes)"
                raise

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self.written

    class OnlyOne(py7zr.WriterFactory):
        def create(self, filename: str) -> py7zr.Py7zIO:
            return Limited()

    damage = _damage_named(name, "a whole 7z archive", ArchiveError, AbsolutePathError, PasswordRequired)
    # an open file, not a path: py7zr then starts no threads, and the limit's error arrives here
    with path.open("rb") as packed, damage, py7zr.SevenZipFile(packed) as archive:
        members = [member for member in archive.list() if not member.is_directory]
        if len(members) == 1:
            archive.extract(targets=[members[0].filename], factory=OnlyOne())
    if len(members) != 1:
        raise refused(name, "one member", f"{len(members)} members")
    into.seek(0)


def temporary_file() -> IO[bytes]:
    """An unnamed file that is gone when it is closed."""
    return tempfile.TemporaryFile(prefix="anomaly-")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the next one made in a thread while the one before is used: unpacking beside parsing.

    Parameters
    ----------
    items : iterator
        Asked from that one thread only; what it raises comes out here.

    Yields
    ------
    object
        The items, in their order.
    """
    end = object()
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = worker.submit(next, items, end)
            yield item  # type: ignore[misc]
