"""Workbooks (xlsx, xls) and HTML tables saved as .xls, as text: one sheet or table becomes CSV, judged like any other.

Pandas speaks to the workbook here, and nowhere else; what it calls a missing cell is an empty one, and "NA" stays "NA".
"""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from anomaly.sources.reading.archives import zip_blocks, zip_members
from anomaly.sources.reading.limits import Limits
from anomaly.sources.reading.text import refused

if TYPE_CHECKING:
    import pandas as pd

ZIP_MAGIC, OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MOST_BYTES = 500_000_000
MOST_CELLS = 50_000_000
MOST_UNPACKED_BYTES = 2 * 2**30  # of a sheet's XML; the reader holds it whole


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin as xlsx (a zip) or xls do.

    Parameters
    ----------
    content : bytes
        A file's first bytes, at least four.

    Returns
    -------
    bool
        False also for HTML that is named .xls.
    """
    return content.startswith((ZIP_MAGIC, OLE_MAGIC))


def sheet_names(path: Path, name: str, limits: Limits) -> list[str]:
    """The names of a workbook's sheets.

    Parameters
    ----------
    path : pathlib.Path
        Where the workbook lies, xlsx or xls.
    name : str
        RawFile.name, for errors.
    limits : Limits
        How far what is packed in an xlsx may grow.

    Returns
    -------
    list of str
        In its order.

    Raises
    ------
    DataRejected
        For a workbook that cannot be opened or grows beyond the limits.
    """
    _refuse_bomb(path, name, limits)
    import python_calamine

    try:
        with path.open("rb") as file, python_calamine.CalamineWorkbook.from_filelike(file) as book:  # by content
            return list(book.sheet_names)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # the reader raises its own kinds for every damage
        raise refused(name, "a workbook, xlsx or xls", f"one that is damaged or locked ({error})"[:200]) from error


def sheet_as_csv(path: Path, name: str, sheet: str, limits: Limits) -> bytes:
    """A sheet of a workbook as CSV.

    Parameters
    ----------
    path : pathlib.Path
        Where the workbook lies, xlsx or xls.
    name : str
        RawFile.name, for errors.
    sheet : str
        The sheet's name; empty where only one has something in it.
    limits : Limits
        How far what is packed in an xlsx may grow, all of it together; MOST_UNPACKED_BYTES at most.

    Returns
    -------
    bytes
        UTF-8, every line as long as the longest; dates as 2022-07-31, an empty cell for one that is missing.

    Raises
    ------
    DataRejected
        For a workbook that cannot be opened or grows beyond the limits, a sheet that is not there, and where there are several with something in
        them and none is named.
    """
    frames = sheets(path, name, limits, sheet)
    filled = [title for title, rows in frames.items() if rows]
    if len(filled) != 1:
        came = f"sheets {', '.join(filled)[:400]}" if filled else "no sheet with anything in it"
        raise refused(name, "one sheet with a table", came, hint='name one in the mapping: sheet = "…"')
    return _as_csv(frames[filled[0]])


def sheets(path: Path, name: str, limits: Limits, wanted: str | re.Pattern[str] = "") -> dict[str, list[list[str]]]:
    """The rows of a workbook's sheets, as text.

    Parameters
    ----------
    path : pathlib.Path
        Where the workbook lies, xlsx or xls.
    name : str
        RawFile.name, for errors.
    limits : Limits
        How far what is packed in an xlsx may grow, all of it together; MOST_UNPACKED_BYTES at most.
    wanted : str or re.Pattern
        A sheet's name, or what is to be found in the names of those to open; empty opens all.

    Returns
    -------
    dict of str to list of list of str
        Title → rows; empty rows at the end are left out.

    Raises
    ------
    DataRejected
        For a workbook that cannot be opened or grows beyond the limits, and where no sheet is wanted.
    """
    if path.stat().st_size > MOST_BYTES:
        raise refused(name, f"a workbook of at most {MOST_BYTES:,} bytes", f"{path.stat().st_size:,}")
    _refuse_bomb(path, name, limits)
    import pandas as pd  # 300 ms, and only for workbooks

    try:
        with pd.ExcelFile(path, engine="calamine") as book:
            names = [str(sheet_name) for sheet_name in book.sheet_names]
            titles = [title for title in names if _is_wanted(title, wanted)]
            if not titles:
                expected = (
                    f"a sheet named {wanted}" if isinstance(wanted, str) else f"a sheet whose name has {wanted.pattern}"
                )
                hint = "mend sheet" if isinstance(wanted, str) else "take the publisher's workbook that has it"
                raise refused(name, expected, f"there are {', '.join(names)[:400]}", hint=hint)
            return {title: _cells(book, title) for title in titles}
    except (OSError, MemoryError):
        raise
    except Exception as error:  # the reader raises its own kinds for every damage
        if error.__class__.__name__ == "DataRejected":
            raise
        raise refused(name, "a workbook, xlsx or xls", f"one that is damaged or locked ({error})"[:200]) from error


def _is_wanted(title: str, wanted: str | re.Pattern[str]) -> bool:
    return title == wanted or not wanted if isinstance(wanted, str) else wanted.search(title) is not None


def _refuse_bomb(path: Path, name: str, limits: Limits) -> None:
    """Unpack an xlsx once, keeping nothing: the reader of workbooks has no limit of its own."""
    if not zipfile.is_zipfile(path):
        return
    bytes_left = min(limits.unpacked_bytes, MOST_UNPACKED_BYTES)
    for member in zip_members(path, name, re.compile(r".*", re.DOTALL)):
        if not member.endswith("/"):
            allowed = Limits(bytes_left, limits.unpacked_ratio)
            bytes_left -= sum(len(block) for block in zip_blocks(path, name, member, allowed))


def _cells(book: pd.ExcelFile, sheet: str) -> list[list[str]]:
    import pandas as pd

    frame = pd.read_excel(book, sheet_name=sheet, header=None, dtype=object, na_filter=False)
    if frame.size > MOST_CELLS:
        raise ValueError(f"{frame.size:,} cells in {sheet}")
    rows = [[_text(cell) for cell in row] for row in frame.itertuples(index=False, name=None)]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _text(cell: object) -> str:
    """A cell as text: whole numbers without a point, others so that no point can be taken for one between thousands."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
        fraction = text.partition(".")[2]
        return f"{text}0" if len(fraction) == 3 and fraction.isdecimal() else text
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell).replace("\0", "").strip()


_BETWEEN = {"br": " ", "sup": "^", "s": "~", "strike": "~", "del": "~"}


class _Tables(HTMLParser):
    """The rows of every table of a page, nested ones apart.

    A cell over several columns is repeated as empty ones, one over several rows as itself: a name stands for all of them.
    What is raised or struck out keeps a mark, so that a note is no digit.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._open: list[int] = []
        self._cell: list[str] | None = None
        self._span, self._rows = 1, 1
        self._below: list[dict[int, tuple[int, str]]] = []  # of each table: column → rows to come, text
        self.number_over_rows: dict[int, str] = {}  # of each table, the first

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
            self._below.append({})
            self._open.append(len(self.tables) - 1)
        elif tag == "tr" and self._open:
            self._close()
            self.tables[self._open[-1]].append([])
        elif tag in ("td", "th") and self._open:
            self._close()
            self._cell = []
            self._span, self._rows = (_span(dict(attrs).get(name)) for name in ("colspan", "rowspan"))
        elif tag in _BETWEEN and self._cell is not None:
            self._cell.append(_BETWEEN[tag])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._close()
        if tag == "tr" and self._open and self.tables[self._open[-1]]:
            self._fill(self._open[-1])
        if tag == "table" and self._open:
            self._open.pop()

    @property
    def is_open(self) -> bool:
        """Whether a table has begun and not ended."""
        return bool(self._open)

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _close(self) -> None:
        if self._cell is None or not self._open:
            return
        table = self.tables[self._open[-1]]
        if not table:
            table.append([])
        self._fill(self._open[-1])
        text, at = " ".join("".join(self._cell).split()), len(table[-1])
        table[-1] += [text, *[""] * (self._span - 1)]
        if self._rows > 1:
            self._below[self._open[-1]] |= {
                at + place: (self._rows - 1, "" if place else text) for place in range(self._span)
            }
            if text and not any(letter.isalpha() for letter in text):
                self.number_over_rows.setdefault(self._open[-1], text)
        self._cell = None

    def _fill(self, number: int) -> None:
        """Put in what stands in this row from a cell that began above."""
        row, below = self.tables[number][-1], self._below[number]
        while len(row) in below:
            left, text = below.pop(len(row))
            if left > 1:
                below[len(row)] = (left - 1, text)
            row.append(text)


def _span(text: str | None) -> int:
    return min(int(text), 1000) if text and text.isdecimal() and text.isascii() else 1


def page_rows(text: str, name: str) -> list[list[str]]:
    """The rows of the largest table of an HTML page.

    Parameters
    ----------
    text : str
        The page.
    name : str
        RawFile.name, for errors.

    Returns
    -------
    list of list of str
        Those with anything in them.

    Raises
    ------
    DataRejected
        Where the page has no table of two rows and more, or ends before a table does, or has a number over several rows.
    """
    parser = _Tables()
    parser.feed(text)
    is_cut = parser.is_open or not text.rstrip().endswith(">")
    parser.close()
    tables = [[row for row in table if any(row)] for table in parser.tables]
    at = max(range(len(tables)), key=lambda number: sum(map(len, tables[number])), default=-1)
    if at in parser.number_over_rows:
        came = f"{parser.number_over_rows[at]!r}, over several rows: it may be their sum, or stand for each"
        raise refused(name, "a number for each row", came, hint="take the merged cells apart and save it again")
    largest = tables[at] if tables else []
    if len(largest) < 2:
        raise refused(name, "a page with a table in it", "HTML without one")
    if is_cut:
        raise refused(name, "a whole page", "HTML that ends within a table or a tag")
    return largest


def page_as_csv(text: str, name: str) -> bytes:
    """The largest table of an HTML page as CSV.

    Parameters
    ----------
    text : str
        The page.
    name : str
        RawFile.name, for errors.

    Returns
    -------
    bytes
        UTF-8, every line as long as the longest.

    Raises
    ------
    DataRejected
        Where the page has no table of two rows and more.
    """
    return _as_csv(page_rows(text, name))


def _as_csv(rows: list[list[str]]) -> bytes:
    width = max(map(len, rows))
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [cell.replace("\r", " ").replace("\n", " ") for cell in row] + [""] * (width - len(row)) for row in rows
    )
    return written.getvalue().encode()
