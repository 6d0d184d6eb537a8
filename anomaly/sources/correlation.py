"""UNSD's workbook of a change of the HS: its sheet of correlations, never the one of forced one-to-one conversions."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from anomaly.sources.reading.limits import Limits
from anomaly.sources.reading.text import refused
from anomaly.sources.reading.workbooks import sheet_as_csv, sheet_names

COLUMNS = ("HS2022", "HS2017", "Relationship")
MOST_HEADING_ROWS = 10  # above the row of names


def as_csv(path: Path, name: str, limits: Limits | None = None) -> bytes:
    """The correlations of a workbook as CSV, as `editions.edition_links` takes them.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    name : str
        For errors.
    limits : Limits, optional
        How far it may grow.

    Returns
    -------
    bytes
        hs2022, hs2017, relationship; codes of six digits as text.

    Raises
    ------
    DataRejected
        It is no workbook, has no such sheet or two, or no row of these names near its top.
    """
    limits = limits or Limits()
    sheets = sheet_names(path, name, limits)
    named = [sheet for sheet in sheets if "correlation" in sheet.lower()]
    if len(named) != 1:
        raise refused(name, "one sheet of correlations", f"the sheets {', '.join(sheets)}"[:300])
    rows = list(csv.reader(io.StringIO(sheet_as_csv(path, name, named[0], limits).decode())))
    for number, cells in enumerate(rows[:MOST_HEADING_ROWS]):
        places = {cell.replace(" ", "").lower(): place for place, cell in enumerate(cells)}  # one begins with a blank
        if {column.lower() for column in COLUMNS} <= set(places):
            at = [places[column.lower()] for column in COLUMNS]
            return _written([[row[place].strip() for place in at] for row in rows[number + 1 :] if any(row)])
    came = "; ".join(",".join(row)[:60] for row in rows[:3])
    raise refused(name, f"the names {', '.join(COLUMNS)} in a row near the top of {named[0]}", came, row=0)


def _written(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.lower() for column in COLUMNS])
    writer.writerows((*(_code(cell) for cell in row[:2]), row[2]) for row in rows)
    return text.getvalue().encode()


def _code(cell: str) -> str:
    """0101.21, and a number that has lost its zero, as 010121; what is no code stays, to be refused by name."""
    digits = cell.replace(".", "")
    return digits.zfill(6) if re.fullmatch(r"\d{5,6}", digits, re.ASCII) else cell
