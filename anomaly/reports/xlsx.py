"""flags.xlsx: the flags and all that stands behind them, one sheet each.

Every text is written as text: no cell can become a formula, a link or a number. Whatever Excel cannot hold is
cut where it stands with a mark that says so, and counted on the first sheet.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter

from anomaly.contract.errors import ContractBroken
from anomaly.contract.visible import visible
from anomaly.reports.base import Findings, Report
from anomaly.reports.excel import sheets
from anomaly.reports.excel.sheet import Sheet
from anomaly.reports.tallies import measures_day

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767  # counted as Excel does, in UTF-16 units
WRITTEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
NUMBER_FORMATS = {
    "usd": "#,##0;[Red]−#,##0",
    "count": "#,##0",
    "share": "0.0%",
    "change": "+0%;−0%;0%",
    "score": "0.0000",
    "date": "yyyy-mm",
}


@dataclass(slots=True)
class _Book:
    """A workbook on its way, its formats, and what had to be cut."""

    workbook: Any
    formats: dict[str, Any]
    cuts: list[str] = field(default_factory=list)


def render(findings: Findings) -> bytes:
    """The flags and all that stands behind them as an Excel workbook.

    Parameters
    ----------
    findings : Findings
        All of it but series.

    Returns
    -------
    bytes
        The workbook, a sheet a table, the first one says how to read it and what was cut.

    Raises
    ------
    ContractBroken
        Where a cell could not be written, or the run's description lacks a key.
    """
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file, WRITTEN)
    workbook.set_properties({"title": visible(str(findings.run.get("title", ""))), "created": _document_date(findings)})
    book = _Book(workbook, _formats(workbook))
    first = workbook.add_worksheet("Read me first")
    tables = sheets.all_sheets(findings)
    for sheet in tables:
        _write_table(book, sheet)
    _write_first(book, first, sheets.read_me(findings, tables))
    workbook.close()
    return file.getvalue()


def _document_date(findings: Findings) -> datetime:
    """The day of the scenario's measures: a date that is no clock's, so that the same findings give the same bytes."""
    day = measures_day(findings) or date(2000, 1, 1)
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - Excel knows no zones


def cut(text: str) -> str:
    """Text that fits a cell of Excel.

    Parameters
    ----------
    text : str
        Of any length.

    Returns
    -------
    str
        Of at most MOST_CHARACTERS; what was longer ends in a mark with its true length.
    """
    if len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS:
        return text
    mark = f" … [cut here: {len(text):,} characters in all, the whole text is in flags.parquet]"
    room = MOST_CHARACTERS - len(mark)
    return text.encode("utf-16-le")[: 2 * room].decode("utf-16-le", errors="ignore") + mark


def _formats(workbook: Any) -> dict[str, Any]:
    top = {"valign": "top"}
    numbers = {name: workbook.add_format({**top, "num_format": code}) for name, code in NUMBER_FORMATS.items()}
    return {
        **numbers,
        "text": workbook.add_format({**top, "num_format": "@"}),
        "wrapped": workbook.add_format({**top, "num_format": "@", "text_wrap": True}),
        "head": workbook.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom"}),
        "title": workbook.add_format({"bold": True, "font_size": 16}),
        "strong": workbook.add_format({**top, "bold": True}),
        "warning": workbook.add_format(
            {"bold": True, "text_wrap": True, "bg_color": "#FFF3D6", "valign": "top", "border": 1}
        ),
    }


def _write_table(book: _Book, sheet: Sheet) -> None:
    """One sheet: header, rows, and a last row with a mark where not all rows are on it."""
    page = book.workbook.add_worksheet(sheet.name)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width)
        _write(book, page, 0, place, column.title, "head")
    rows = sheet.rows[: MOST_ROWS - 2]  # the header, and the mark
    for row, values in enumerate(rows, start=1):
        for place, (column, value) in enumerate(zip(sheet.columns, values, strict=True)):
            _write(book, page, row, place, value, column.kind)
    if rows:
        page.autofilter(0, 0, len(rows), len(sheet.columns) - 1)
    cut_rows = sheet.total - len(rows)
    if cut_rows > 0:
        missing = f"{cut_rows:,} more rows do not fit here; they are in {sheet.whole_in}"
        _write(book, page, len(rows) + 1, 0, missing, "strong")
        book.cuts.append(f"{sheet.name}: {missing}.")
    page.freeze_panes(1, sheet.frozen_columns)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)


def _write_first(book: _Book, page: Any, lines: Sequence[tuple[str, str, str]]) -> None:
    """The first sheet: lines of (format, left, right), after them what was cut."""
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 110)
    page.hide_gridlines(2)
    marks = [("warning", "Cut", text) for text in book.cuts]
    for row, (kind, left, right) in enumerate([*lines[:2], *marks, *lines[2:]]):
        _write(book, page, row, 0, left, "title" if kind == "title" else "strong")
        _write(book, page, row, 1, right, "warning" if kind == "warning" else "wrapped")


def _write(book: _Book, page: Any, row: int, place: int, value: object, kind: str) -> None:
    style = book.formats[kind]
    if value is None:
        code = page.write_blank(row, place, None, style)
    elif isinstance(value, bool):
        code = page.write_string(row, place, "yes" if value else "no", style)
    elif isinstance(value, int | float):
        code = page.write_number(row, place, value, style)
    elif isinstance(value, date):
        code = page.write_datetime(row, place, value, style)
    else:
        whole = visible(str(value))
        text = cut(whole)
        if text != whole:
            book.cuts.append(f"{page.get_name()}, row {row + 1}: a text of {len(whole):,} characters was cut.")
        code = page.write_string(row, place, text, style)
    if code:
        raise ContractBroken(
            "a cell that Excel can hold", f"code {code} from sheet {page.get_name()}, row {row + 1}, column {place + 1}"
        )


REPORT = Report(
    name="flags",
    suffix=".xlsx",
    says="a workbook: flags, reasons, goods, hubs, what was refused, files and settings",
    render=render,
)
