"""Kyrgyzstan's National Statistical Committee: the workbook of trade by heading and country.

docs/sources/kyrgyzstan.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.own_table.flows import flows_of, judged
from anomaly.sources.own_table.grids import has_sheet, roles
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.own_table.periods import month_of, names_of_months
from anomaly.sources.reading.text import refused
from anomaly.sources.reading.workbooks import sheets

NAME = "kyrgyzstan"
_SHEET = re.compile(r"(экспорт|импорт).*4 ?зн", re.IGNORECASE)
_FLOWS = {"экспорт": "X", "импорт": "M"}
_SPAN = re.compile(r"(?:([а-яё]+)\s*[-–—]\s*)?([а-яё]+)[\s_]+((?:19|20)[0-9]{2})\s*г", re.IGNORECASE)
_YEAR = re.compile(r"(?:за|в)\s+((?:19|20)[0-9]{2})\s*г", re.IGNORECASE)
_MONTHS = names_of_months("ru")
_MOST_TITLE_ROWS = 20
_VALUE = 5  # column F: thousand USD


def claims(raw: RawFile) -> bool:
    """Whether the file is the committee's: a workbook in `kyrgyzstan/`, or one with a sheet by four digits.

    Parameters
    ----------
    raw : RawFile
        Its name, and where that does not decide the names of its sheets.

    Returns
    -------
    bool
        False for what is no workbook.
    """
    is_ours = raw.name.split("/")[0] == NAME and raw.path.suffix.lower() in (".xls", ".xlsx")
    return is_ours or has_sheet(raw, _SHEET)


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The workbook's flows: headings, of a year or of a January, in whole USD out of thousands.

    Parameters
    ----------
    raw : RawFile
        xlsx or xls.
    context : Context
        batch_rows.

    Returns
    -------
    iterator of Batch
        In the order of the sheets.

    Raises
    ------
    DataRejected
        Where it is not whole, has no sheet by four digits, or is a sum over some months of a year.
    """
    by_flow = sheets(raw.path, raw.name, raw.limits, _SHEET)
    bodies = {title: _body(rows, title, raw) for title, rows in by_flow.items()}
    periods = {title: _period(by_flow[title][:at], title, raw) for title, at in bodies.items()}
    if len(set(periods.values())) != 1:
        raise refused(
            raw.name, "sheets of one period", ", ".join(f"{title}: {text}" for title, text in periods.items())
        )
    period = next(iter(periods.values()))
    mapping = TableMapping(
        {"code": "A", "partner": "B", "period": "", "value": "F"},
        {"reporter": "KGZ", "classification": "by year"},
        {flow: flow for flow in _FLOWS.values()},
        multiplier=1000.0,
        countries="name",
        period="%Y-%m" if "-" in period else "%Y",
        unknown=("", "-"),
    )
    parts = (_part(by_flow[title], at, _FLOWS[_flow_word(title)], period) for title, at in bodies.items())
    return flows_of(judged(parts, raw, mapping, context, NAME), raw, mapping, context, NAME)


def _flow_word(title: str) -> str:
    return next(word for word in _FLOWS if word in title.lower())


def _body(rows: list[list[str]], title: str, raw: RawFile) -> int:
    """The first row of products: the one after the total of all."""
    for at, row in enumerate(rows[:_MOST_TITLE_ROWS]):
        if any(cell.strip().upper().startswith("ВСЕГО") for cell in row[:2]):
            unit = " ".join(" ".join(above).lower() for above in rows[:at])
            if "долл" in unit:
                return at + 1
            raise refused(
                raw.name, "a column in thousands of dollars (тыс. долл.)", f"sheet {title.strip()}: none is titled so"
            )
    raise refused(
        raw.name,
        "the committee's layout: ВСЕГО, then products and their countries",
        f"sheet {title.strip()}: no row ВСЕГО",
    )


def _period(title_rows: list[list[str]], title: str, raw: RawFile) -> str:
    """The period that the rows above the table say: a year, or the January that is a month by itself."""
    words = " ".join(" ".join(row) for row in title_rows)
    for match in _SPAN.finditer(words):
        last = month_of(match[2], _MONTHS)
        first = month_of(match[1], _MONTHS) if match[1] else last
        if last and first == 1 and last == 12:
            return match[3]
        if last and first == last == 1:
            return f"{match[3]}-01"
        if last and first:
            came = (
                f"sheet {title.strip()}: {match[0]}: a sum over months"
                if first != last
                else f"sheet {title.strip()}: {match[0]}"
            )
            hint = (
                "take the workbook of a whole year; or put the releases of a year into one table of your own and say "
                "cumulative = true"
            )
            raise refused(raw.name, "a year, or a January: the releases are sums from January on", came, hint=hint)
    if year := _YEAR.search(words):
        return year[1]
    raise refused(
        raw.name, "a title that says the period, such as за 2023 год", f"sheet {title.strip()}: {words[:150]!r}"
    )


def _part(rows: list[list[str]], at: int, flow: str, period: str) -> pl.DataFrame:
    numbers, codes, partners, values, code = [], [], [], [], ""
    for number, row in enumerate(rows[at:], start=1):
        cells = [*row, *[""] * (_VALUE + 1)]
        code = cells[0].strip() or code
        name = cells[1].strip()
        if code and name:
            numbers.append(number)
            codes.append(code)
            partners.append("All countries" if cells[0].strip() else name)
            values.append(cells[_VALUE].strip())
    constants = {"reporter": "KGZ", "period": period, "flow": flow, "classification": "by year"}
    return roles(numbers, {"code": codes, "partner": partners, "value": values, **constants})


SOURCE = Source(
    name=NAME,
    title="Kyrgyzstan's national statistics: workbook of trade by four digits and country",
    publisher="National Statistical Committee of the Kyrgyz Republic",
    licence="free to use, the source to be named",
    url="https://stat.gov.kg/",
    claims=claims,
    read=read,
    precedence=16,
)
