"""Sheets and pages with a title over the table and a period over each column: as rows of text, then as rows with roles."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import polars as pl

from anomaly.sources.base import RawFile
from anomaly.sources.own_table.faults import ROLES
from anomaly.sources.reading.text import decoded, read_bytes, refused
from anomaly.sources.reading.workbooks import is_workbook, page_rows, sheets

ENCODINGS = ("utf-8", "cp1252")
_TAG = re.compile(r"<[^>]*>")


def grid_of(raw: RawFile) -> tuple[list[list[str]], str]:
    """A small file as rows of cells, whatever its form, and the words around its table.

    Parameters
    ----------
    raw : RawFile
        A workbook with one sheet, HTML, or text separated by tabs, semicolons or commas.

    Returns
    -------
    rows : list of list of str
        Cells without blanks at their ends.
    words : str
        All text of an HTML page up to its hundredth line; empty of the other forms.

    Raises
    ------
    DataRejected
        Where the file is damaged, empty, or no table.
    """
    content = read_bytes(raw.path, raw.name, raw.limits, gzipped=False)
    if is_workbook(content):
        filled = [rows for rows in sheets(raw.path, raw.name, raw.limits).values() if rows]
        if len(filled) != 1:
            raise refused(raw.name, "one sheet with a table", f"{len(filled)}", hint="save the one sheet by itself")
        return filled[0], ""
    text = decoded(content, raw.name, ENCODINGS).content.decode()
    if text.lstrip()[:1] == "<":
        words = "\n".join(line.strip() for line in _TAG.sub("\n", text).split("\n") if line.strip())
        return page_rows(text, raw.name), "\n".join(words.split("\n")[:100])
    begin = text[:100_000]
    separator = max("\t;,", key=begin.count) if "\t" not in begin.split("\n", 1)[0] else "\t"
    try:
        rows = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text), delimiter=separator)]
    except csv.Error as error:
        raise refused(raw.name, "a table of text", f"{error}") from error
    rows = [cells for cells in rows if any(cells)]
    if len(rows) < 2:
        raise refused(raw.name, "a table with a header and a row", f"{len(rows)} rows with anything in them")
    return rows, ""


def roles(row: Sequence[int], cells: Mapping[str, Sequence[str | None] | str]) -> pl.DataFrame:
    """Rows with roles, as own_table.forms.text_frames gives them.

    Parameters
    ----------
    row : sequence of int
        Numbers of the rows in the file, 1 is the first row of data.
    cells : mapping of str to (sequence of str or str)
        Role → its cells, or one text for all rows.

    Returns
    -------
    polars.DataFrame
        `row`, `is_foot` (false) and all ROLES, null where a role has no cells.
    """
    columns = [
        pl.Series(
            role,
            [cells[role]] * len(row) if isinstance(cells.get(role), str) else cells.get(role, [None] * len(row)),
            dtype=pl.String,
        )
        for role in ROLES
    ]
    frame = pl.DataFrame([pl.Series("row", row, dtype=pl.Int64), *columns])
    return frame.with_columns(is_foot=pl.lit(value=False)).select("row", "is_foot", *ROLES)


def forward(cells: Sequence[str], length: int) -> list[str]:
    """The cells of a header whose titles stand over several columns, each title in all of them.

    Parameters
    ----------
    cells : sequence of str
        Empty where the title on the left reaches.
    length : int
        Of the table.

    Returns
    -------
    list of str
        Of that length.

    Examples
    --------
    >>> forward(["", "January", "", "February"], 5)
    ['', 'January', 'January', 'February', 'February']
    """
    filled: list[str] = []
    for at in range(length):
        cell = cells[at].strip() if at < len(cells) else ""
        filled.append(cell or (filled[-1] if filled else ""))
    return filled


def has_sheet(raw: RawFile, title: re.Pattern[str]) -> bool:
    """Whether a file is an xlsx with a sheet of a name.

    Parameters
    ----------
    raw : RawFile
        Any file; only the list of sheets is read.
    title : re.Pattern
        What is to be found in a sheet's name.

    Returns
    -------
    bool
        False also for what is no xlsx, or a damaged one; xls does not say it so cheaply.
    """
    if raw.path.suffix.lower() != ".xlsx":
        return False
    try:
        with zipfile.ZipFile(raw.path) as archive, archive.open("xl/workbook.xml") as member:
            names = re.findall(r'<sheet\b[^>]*\bname="([^"]*)"', member.read(2**20).decode(errors="replace"))
    except (OSError, KeyError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError):
        return False
    return any(title.search(html.unescape(name)) for name in names)
