"""Kazakhstan's Bureau of National Statistics: the workbook of trade with the other members of the EAEU by six digits.

docs/sources/kazakhstan.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.own_table.flows import flows_of, judged
from anomaly.sources.own_table.grids import forward, has_sheet, roles
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.own_table.periods import month_of, names_of_months
from anomaly.sources.reading.text import refused
from anomaly.sources.reading.workbooks import sheets

NAME = "kazakhstan"
_SHEET = re.compile("6 знак")
_ONE_MONTH = re.compile(r"^([а-яё]+)[\s_]*((?:19|20)[0-9]{2})\s*г?(?:од[а]?)?\.?$", re.IGNORECASE)
_SUM = re.compile(r"[-–—]|^\s*(?:за\s+)?(?:19|20)[0-9]{2}\s*г", re.IGNORECASE)
_FLOWS = {"экспорт": "X", "импорт": "M"}
_ALL_PARTNERS = "EAEU countries"  # a product's own row: the sum over its partners
_MONTHS = names_of_months("ru")
_MOST_TITLE_ROWS = 20


def claims(raw: RawFile) -> bool:
    """Whether the file is the bureau's: a workbook in `kazakhstan/`, or one with a sheet by six digits.

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
    """The workbook's flows: months, in whole USD out of thousands, grams out of tonnes.

    Parameters
    ----------
    raw : RawFile
        xlsx or xls.
    context : Context
        batch_rows.

    Returns
    -------
    iterator of Batch
        In the order of the sheet's months.

    Raises
    ------
    DataRejected
        Where it is not whole, has no sheet by six digits, no single months, or another order of columns.
    """
    sheet_rows = next(iter(sheets(raw.path, raw.name, raw.limits, _SHEET).values()))
    mapping = TableMapping(
        {"code": "A", "partner": "B", "period": "", "value": ""},
        {"reporter": "KAZ", "classification": "by year"},
        {flow: flow for flow in _FLOWS.values()},
        multiplier=1000.0,
        grams=1e6,
        countries="name",
        period="%Y-%m",
        unknown=("",),
    )
    whole = judged(_parts(sheet_rows, raw), raw, mapping, context, NAME)
    return flows_of(whole, raw, mapping, context, NAME)


def _parts(rows: list[list[str]], raw: RawFile) -> Iterator[pl.DataFrame]:
    """The rows of the sheet once for each month and flow."""
    at, columns = _columns(rows, raw)
    body, codes, code = [], [], ""
    for number, row in enumerate(rows[at:], start=1):
        cells = [*row, "", ""]
        code = cells[0] or code
        name = cells[1].strip()
        is_sum = bool(cells[0]) or name.lower().startswith("всего")
        if code and name:
            body.append((number, row, _ALL_PARTNERS if is_sum else name))
            codes.append(code)
    for period, flow, value, weight in columns:
        cells_of = {
            role: [row[column].strip() if 0 <= column < len(row) else "" for _, row, _ in body]
            for role, column in (("value", value), ("weight", weight))
        }
        is_filled = [bool(cell) for cell in cells_of["value"]]  # most products have no trade with most partners
        kept = [place for place, filled in enumerate(is_filled) if filled]
        yield roles(
            [body[place][0] for place in kept],
            {
                "reporter": "KAZ",
                "partner": [body[place][2] for place in kept],
                "period": period,
                "code": [codes[place] for place in kept],
                "flow": flow,
                "value": [cells_of["value"][place] for place in kept],
                "weight": [cells_of["weight"][place] for place in kept],
                "classification": "by year",
            },
        )


def _columns(rows: list[list[str]], raw: RawFile) -> tuple[int, list[tuple[str, str, int, int]]]:
    """The first row of data, and period, flow and columns of value and weight of every single month."""
    titled = [
        n
        for n, row in enumerate(rows[:_MOST_TITLE_ROWS])
        if any(_period(cell) or _SUM.search(cell) for cell in row[3:])
    ]
    at = next((n for n in titled if any("порт" in cell.lower() for cell in [*rows, [], []][n + 1])), None)
    if at is None or at + 3 > len(rows):
        came = "no row of months over a row of экспорт and импорт"
        raise refused(raw.name, "the bureau's layout: months, under them the flows, under these the units", came)
    width = max(len(row) for row in rows[at : at + 3])
    months, flows = forward(rows[at], width), forward(rows[at + 1], width)
    measures = [rows[at + 2][place].lower() if place < len(rows[at + 2]) else "" for place in range(width)]
    columns = []
    for place, measure in enumerate(measures):
        period, flow = _period(months[place]), _FLOWS.get(flows[place].lower().strip(), "")
        if not (period and flow and measure.startswith("тыс")):
            continue
        if "долл" not in measure:
            raise refused(raw.name, "values in тыс. долл. США", measure, row=0)
        before = range(max(place - 2, 0), place)
        weight = next(
            (other for other in before if measures[other].startswith("тонн") and months[other] == months[place]), -1
        )
        columns.append((period, flow, place, weight))
    if not columns:
        came = ", ".join(dict.fromkeys(cell for cell in months if cell))[:200]
        hint = (
            "take a workbook that has the months by themselves; or put the releases of a year into one table of your own "
            "and say cumulative = true"
        )
        raise refused(
            raw.name, "single months such as январь_2025 г", f"{came}: sums from January on", row=0, hint=hint
        )
    return at + 3, columns


def _period(cell: str) -> str:
    match = _ONE_MONTH.match(cell.strip())
    month = month_of(match[1], _MONTHS) if match else None
    return f"{match[2]}-{month:02}" if match and month else ""


SOURCE = Source(
    name=NAME,
    title="Kazakhstan's national statistics: workbook of trade with the EAEU by six digits",
    publisher="Bureau of National Statistics of Kazakhstan",
    licence="free to use, the source to be named",
    url="https://stat.gov.kz/ru/industries/economy/foreign-market/",
    claims=claims,
    read=read,
    precedence=15,
)
