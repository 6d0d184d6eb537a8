"""A raw file's bytes as text, read strictly: what is not whole, or not in the declared encoding, is refused.

`refused` makes the error that names the place: file, row and column.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anomaly.contract.errors import DataRejected
from anomaly.sources.reading.limits import HINT, Limits

GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text.

    Parameters
    ----------
    content : bytes
        UTF-8 without a byte order mark.
    encoding : str
        The encoding it came in.
    """

    content: bytes
    encoding: str


def refused(
    name: str, expected: str, came: str, *, row: int | None = None, column: str = "", hint: str = ""
) -> DataRejected:
    """The error of a file that cannot be read, with its place.

    Parameters
    ----------
    name : str
        RawFile.name.
    expected : str
        What should stand there.
    came : str
        What stands there.
    row : int or None
        1 is the first row of data, 0 the header; None where it is the file as a whole.
    column : str
        The file's own name of it; empty where it is the row as a whole.
    hint : str
        What to do about it; empty says to fetch the file again.

    Returns
    -------
    DataRejected
        To be raised by the caller.
    """
    place = name
    if row is not None:
        place += f", the header row (row {row})" if row == 0 else f", row {row}"
    if column:
        place += f", column {column}"
    return DataRejected(expected, f"{place}: {came}", hint=hint or "fetch the file again; it was not changed or used")


def read_bytes(path: Path, name: str, limits: Limits, *, gzipped: bool | None = None) -> bytes:
    """A file's bytes, unpacked where its first bytes say gzip.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    name : str
        RawFile.name, for errors.
    limits : Limits
        How far it may grow; counted as the bytes come out.
    gzipped : bool or None
        True demands gzip, False demands that it is not; None takes either.

    Returns
    -------
    bytes
        Never empty.

    Raises
    ------
    DataRejected
        For an empty file, a gzip that is cut, damaged or missing, and one that grows beyond the limits.
    """
    with path.open("rb") as file:
        begin = file.read(16)
        if not begin:
            raise refused(name, "a file with data", "0 bytes")
        is_gzip = begin.startswith(GZIP_MAGIC)
        if gzipped is not None and gzipped != is_gzip:
            expected = "gzip, whose first two bytes are 1f 8b" if gzipped else "a file that is not packed"
            raise refused(name, expected, f"a file that begins {begin!r}")
        if is_gzip:
            file.seek(0)
            return _unpacked(file, name, limits)
    if (size := path.stat().st_size) > limits.unpacked_bytes:
        raise refused(name, f"{limits}", f"{size:,} bytes", hint=HINT)
    return path.read_bytes()


def _unpacked(packed: IO[bytes], name: str, limits: Limits) -> bytes:
    unpacked = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            while block := stream.read(_BLOCK_BYTES):
                unpacked.write(block)
                if fault := limits.fault(unpacked.tell(), packed.tell()):
                    raise refused(name, f"{limits}", fault, hint=HINT)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refused(name, "a whole gzip file", f"a damaged or cut one ({error})") from error
    if not unpacked.tell():
        raise refused(name, "a file with data", "a gzip file with nothing in it")
    return unpacked.getvalue()


def lacks_line_end(path: Path) -> bool:
    """Whether a text does not end with a line end: then its last cell may be cut, and a shorter number is a number too.

    Parameters
    ----------
    path : pathlib.Path
        A file that is not packed; what is packed says itself where it is cut.

    Returns
    -------
    bool
        False of an empty file.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - 4, 0))  # the line end of UTF-32 has four bytes
        end = file.read()
    return bool(end) and not end.rstrip(b"\0").endswith(b"\n")


def decoded(content: bytes, name: str, encodings: Sequence[str] = ("utf-8",)) -> Text:
    """A file's bytes as text, from the first of the declared encodings that fits every byte.

    A UTF-8 byte order mark is taken off; UTF-16 is read where its own mark, or the declared encoding, says so.

    Parameters
    ----------
    content : bytes
        The whole file, unpacked.
    name : str
        RawFile.name, for errors.
    encodings : sequence of str
        In the order in which they are tried; at least one.

    Returns
    -------
    Text
        With the encoding that fitted.

    Raises
    ------
    DataRejected
        For NUL, and with row and column of the first byte that fits none of the encodings.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or any(_is_wide(encoding) for encoding in encodings):
        return _from_wide(content, name, encodings)
    if (at := content.find(b"\0")) >= 0:
        row, column = _place(content[:at])
        raise refused(
            name, "text", "a NUL byte", row=row, column=column, hint="it is UTF-16 or damaged: save it as UTF-8"
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    if content.isascii():
        return Text(content, encodings[0])
    first_error: UnicodeDecodeError | None = None
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            first_error = first_error or error
        else:
            is_utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
            return Text(content if is_utf8 else text.encode(), encoding)
    if first_error is None:
        raise ValueError("decoded() needs at least one encoding")
    row, column = _place(content[: first_error.start])
    came = f"byte {content[first_error.start]:02x}"
    raise refused(name, f"text in {' or '.join(encodings)}", came, row=row, column=column, hint="declare its encoding")


def _is_wide(encoding: str) -> bool:
    return encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32"))


def _from_wide(content: bytes, name: str, encodings: Sequence[str]) -> Text:
    """The text of UTF-16 or UTF-32, which has zeros between its letters and is none of the others."""
    encoding = next((declared for declared in encodings if _is_wide(declared)), "utf-16")
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        raise refused(name, f"text in {encoding}", f"{error}"[:120], hint="declare its encoding") from error
    if "\0" in text:
        raise refused(name, "text", "a NUL letter", row=text[: text.find("\0")].count("\n"))
    return Text(text.encode(), encoding)


def _place(before: bytes) -> tuple[int, str]:
    """Row and column number of what follows these bytes, counting line ends; quoted line ends count too."""
    line = before[before.rfind(b"\n") + 1 :]
    fields = max(line.count(separator) for separator in (b",", b"\t", b";"))
    return before.count(b"\n"), f"number {fields + 1}"
