"""Archives read once to their end before they are kept: whole, one table each, no bomb; nothing is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from anomaly.contract.errors import DataRejected
from anomaly.fetch.faults import Transient
from anomaly.sources.reading.archives import unpack_7z, zip_blocks, zip_members
from anomaly.sources.reading.limits import Limits

SEVEN_ZIP, ZIP = b"7z\xbc\xaf\x27\x1c", b"PK\x03\x04"
_CHECKED = Limits()  # those of a run that has no own ones


@dataclass(frozen=True, slots=True)
class Contained:
    """What an archive holds.

    Parameters
    ----------
    sha256 : str
        Of what comes out of it.
    rows : int
        Lines but for those of names, one a table.
    """

    sha256: str
    rows: int


def seven_zip(path: Path, headers: Sequence[bytes]) -> Contained:
    """The table in a 7z, read to its end.

    Parameters
    ----------
    path : pathlib.Path
        As it came.
    headers : sequence of bytes
        How its table may begin.

    Returns
    -------
    Contained
        Its content and rows.

    Raises
    ------
    Transient
        It is no 7z, damaged, cut, or holds something else: worth another try.
    DataRejected
        It grows beyond the limits.
    """
    _refuse_other(path, SEVEN_ZIP, "7z")
    sink = _Sink()
    _to_the_end(lambda: unpack_7z(path, path.name, cast("IO[bytes]", sink), _CHECKED))
    return sink.contained(headers)


def zipped(path: Path, allowed: re.Pattern[str], headers: Sequence[bytes]) -> Contained:
    """The tables in a zip, read to their ends.

    Parameters
    ----------
    path : pathlib.Path
        As it came.
    allowed : re.Pattern
        What a table's whole name must match; other members are not read.
    headers : sequence of bytes
        How a table may begin.

    Returns
    -------
    Contained
        Of all tables in order of name.

    Raises
    ------
    Transient
        It is no zip, damaged, cut, or holds no such table: worth another try.
    DataRejected
        A table grows beyond the limits.
    """
    _refuse_other(path, ZIP, "zip")
    whole = _Sink()

    def read_all() -> None:
        members = zip_members(path, path.name, allowed)
        for member in members:
            table = _Sink(whole.hashed)
            for block in zip_blocks(path, path.name, member, _CHECKED):
                table.write(block)
            whole.lines += table.contained(headers).rows
        if not members:
            raise Transient("a zip without a table")

    _to_the_end(read_all)
    return Contained(whole.hashed.hexdigest(), whole.lines)


def believed(check: Callable[[], object]) -> None:
    """A check of a reader's, made while the file can be asked for again.

    Parameters
    ----------
    check : callable
        Raises DataRejected where a file is not what it should be.

    Raises
    ------
    Transient
        In its place.
    """
    try:
        check()
    except DataRejected as error:
        raise Transient(" ".join(str(error).split())[:300]) from error


def _to_the_end(read: Callable[[], None]) -> None:
    """Read an archive: damage is worth another try, a bomb is not."""
    try:
        read()
    except DataRejected as error:
        if f"{_CHECKED}" in str(error):
            raise
        raise Transient(" ".join(str(error).split())[:300]) from error


class _Sink:
    """Takes what is unpacked: counts lines, hashes, looks at its begin, keeps nothing."""

    def __init__(self, hashed: hashlib._Hash | None = None) -> None:
        self.hashed = hashed or hashlib.sha256()
        self.lines = 0
        self.begin = self.last = b""

    def write(self, block: bytes) -> int:
        if len(self.begin) < 64:
            self.begin += block[: 64 - len(self.begin)]
        self.hashed.update(block)
        self.lines += block.count(b"\n")
        self.last = block[-1:] or self.last
        return len(block)

    def seek(self, _offset: int) -> int:
        return 0

    def contained(self, headers: Sequence[bytes]) -> Contained:
        if not self.begin.removeprefix(b"\xef\xbb\xbf").startswith(tuple(headers)):
            raise Transient(f"a table that begins {self.begin[:40]!r}")
        if self.last != b"\n":
            raise Transient("a table without a line end at its end")
        return Contained(self.hashed.hexdigest(), self.lines - 1)


def _refuse_other(path: Path, magic: bytes, kind: str) -> None:
    with path.open("rb") as file:
        begin = file.read(len(magic))
    if begin != magic:
        raise Transient(f"no {kind}: it begins {begin!r}")
