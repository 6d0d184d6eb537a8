"""Where a table of Trade Map has what: whose trade with whom in which product, and over which columns the periods stand.

There are three layouts: countries by period for one product, products by period for two countries, and the flat table of
the newer pages. A download as text says neither the product nor, of two countries, which one sells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from anomaly.reference import countries, nomenclature
from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.base import RawFile
from anomaly.sources.own_table.grids import forward, roles
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.reading.text import refused

WORLD = "World"
NOT_REPORTED = ("", "-", "N.A.", "N/A", "..")
PERIODS = {"Y": "%Y", "Q": "%Y-Q%q", "M": "%Y-M%m"}
_PERIOD = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?:-?(M(?:0[1-9]|1[0-2])|Q[1-4]))?(?![0-9])")
_VALUE = re.compile(r"^(exported |imported )?value( (exported|imported))?\b|^$", re.IGNORECASE)
_OLD_NAME = re.compile(r"trade_map_-_.*", re.IGNORECASE)
_NEW_NAME = re.compile(
    r"(.+?)s[-_](exports-to|imports-from)[-_].+[-_]by[-_](product|importer|exporter).*", re.IGNORECASE
)
_OF_COUNTRY = re.compile(
    r"(?:exported|imported|commercialized)[ _]by[ _](.+?)(?:[ _]in[ _](?:19|20)[0-9]{2})?[_ ]*(?:\([0-9]*\))?$",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"\bProducts?\s*:\s*'?([0-9]{2,8}|TOTAL)\b")
_FLOW_OF_PAIR = re.compile(r"^(.+?)['\u2019]s?\s+(exports? to|imports? from)\s+(.+)$", re.IGNORECASE)
_UNIT = re.compile(r"\b((?:US )?[A-Z][a-z]+|USD|EUR)s? (thousand|million)s?\b")
_SAY_ALL = (
    'lay a mapping beside it, which goes before this reader: reporter = "KAZ", flow = "X", [code] constant = "851713", '
    '[value] multiplier = 1000, [wide] value = "Exported value in %Y"'
)


@dataclass(frozen=True, slots=True)
class Series:
    """A column of values.

    Parameters
    ----------
    column : int
        Its place.
    period : str
        2022, 2022-Q1 or 2022-M03.
    flow : str
        X or M.
    reporter, partner : str or None
        Names, where they are the same in all rows.
    """

    column: int
    period: str
    flow: str
    reporter: str | None = None
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table has what.

    Parameters
    ----------
    first_row : int
        The row after the header's last.
    series : list of Series
        Its columns of values.
    column_of : dict of str to int
        Role → column, of roles that differ by row.
    code : str
        The product, where it is the same in all rows; else empty.
    multiplier : float
        USD in one unit.
    """

    first_row: int
    series: list[Series]
    column_of: dict[str, int] = field(default_factory=dict)
    code: str = ""
    multiplier: float = 1000.0


def is_named(stem: str) -> bool:
    """Whether a file has the name of a download.

    Parameters
    ----------
    stem : str
        Its name without the suffix.

    Returns
    -------
    bool
        Of the older pages or the newer ones.

    Examples
    --------
    >>> is_named("Trade_Map_-_Bilateral_trade_between_Kenya_and_Japan"), is_named("kenyas-exports-to-japan-by-product_all")
    (True, True)
    """
    return bool(_OLD_NAME.fullmatch(stem.replace(" ", "_")) or _NEW_NAME.fullmatch(stem))


def layout_of(rows: list[list[str]], words: str, raw: RawFile) -> Layout:
    """Where a table has what.

    Parameters
    ----------
    rows : list of list of str
        The table with its header.
    words : str
        What stands around it.
    raw : RawFile
        Its name says the reporter of the older pages, and the flow of the newer ones.

    Returns
    -------
    Layout
        With at least one column of values.

    Raises
    ------
    DataRejected
        Where the file does not say whose trade in what it is, or is in another currency.
    """
    heads = {"importers", "exporters", "code", "product code", "reportercd"}
    at = next((n for n, row in enumerate(rows[:25]) if row and row[0].lower().lstrip("'") in heads), None)
    if at is None:
        came = f"rows that begin {', '.join(repr(row[0][:30]) for row in rows[:5] if row)}"
        raise refused(
            raw.name, "a header that begins with Importers, Exporters, Product code or reporterCd", came, row=0
        )
    title = "\n".join([words, *(" ".join(row) for row in rows[: at + 3])])
    multiplier = _multiplier(title, raw)
    first = rows[at][0].lower()
    if first == "reportercd":
        layout = _flat(rows[at], at, raw)
    elif first in ("importers", "exporters"):
        layout = _countries(rows, at, title, raw)
    else:
        layout = _products(rows, at, raw)
    if not layout.series:
        came = f"there are {', '.join(rows[at])}"[:400]
        raise refused(raw.name, "columns of values such as Exported value in 2022", came, row=0)
    if len({_kind(series.period) for series in layout.series}) > 1:
        raise refused(raw.name, "years, quarters or months", "several of them", row=0, hint="save each by itself")
    return Layout(layout.first_row, layout.series, layout.column_of, layout.code, multiplier)


def _kind(period: str) -> str:
    return period[5] if len(period) > 4 else "Y"


def _multiplier(title: str, raw: RawFile) -> float:
    units = {match.groups() for match in _UNIT.finditer(title)}
    other = sorted(f"{currency} {scale}" for currency, scale in units if currency not in ("US Dollar", "USD"))
    if other:
        raise refused(
            raw.name, "values in US Dollar thousand", other[0], hint="choose US Dollar on the page, and save it again"
        )
    return 1e6 if {scale for _, scale in units} == {"million"} else 1e3


def _periods(header: list[str], measures: list[str]) -> Iterator[tuple[int, str, str]]:
    """Place, period and name of the columns of values; `measures` stands under the periods, or is empty."""
    for at, cell in enumerate(header):
        measure = measures[at] if at < len(measures) else ""
        match = _PERIOD.search(cell)
        rest = f"{cell[: match.start()]} {measure}".replace(" in ", " ").strip() if match else ""
        if match and _VALUE.search(rest.strip()):
            yield at, f"{match[1]}-{match[2].upper()}" if match[2] else match[1], rest.lower()


def _countries(rows: list[list[str]], at: int, title: str, raw: RawFile) -> Layout:
    """Countries by period, of one product and one country, or of the world."""
    under = rows[at + 1] if at + 1 < len(rows) else []
    has_measures = any("value" in cell.lower() for cell in under)
    header = forward(rows[at], len(rows[at])) if has_measures else rows[at]
    columns = list(_periods(header, under if has_measures else []))
    are_importers = rows[at][0].lower() == "importers"
    flow_of_rows = "X" if are_importers else "M"
    says = {"X" if "export" in name else "M" for _, _, name in columns if "port" in name}
    first_row = at + (2 if has_measures else 1)
    code = match[1] if (match := _PRODUCT.search(title)) else ""
    if says and says != {flow_of_rows}:  # the exports of exporters: each country with the world
        flow = next(iter(says))
        series = [Series(column, period, flow, partner=WORLD) for column, period, _ in columns]
        return Layout(first_row, series, {"reporter": 0}, code or "TOTAL")
    reporter = _country_in(raw.path.stem, title)
    if not (reporter and code):
        missing = " and ".join(word for word, known in (("the reporter", reporter), ("the product", code)) if not known)
        raise refused(
            raw.name,
            "a table that says whose trade in which product it is",
            f"neither its name nor its title says {missing}; a download as text never names the product",
            hint=f"save the page as Excel, whose title names it, or {_SAY_ALL}",
        )
    return Layout(
        first_row, [Series(column, period, flow_of_rows, reporter) for column, period, _ in columns], {"partner": 0}, code
    )  # fmt: skip


def _country_in(stem: str, title: str) -> str:
    """The country that a file's name or a title says exports or imports; empty where neither says one."""
    lines = [stem.replace("_", " "), *title.split("\n")]
    named = [match[1].strip() for line in lines if (match := _OF_COUNTRY.search(line.strip()))]
    known = countries.resolve(pl.Series(named, dtype=pl.String).unique(), "name", {})["text"].to_list()
    return next((name for name in named if name in known), "")


def _products(rows: list[list[str]], at: int, raw: RawFile) -> Layout:
    """Products by period, of two countries with both flows beside each other, or of one country with the world."""
    label_columns = 1 + sum("label" in cell.lower() for cell in rows[at][:3])
    under = rows[at + 1] if at + 1 < len(rows) else []
    if not any(re.match(r"value in", cell, re.IGNORECASE) for cell in under):
        columns = list(_periods(rows[at], []))
        reporter = _country_in(raw.path.stem, "")
        sides = {"X" if "export" in name else "M" for _, _, name in columns if "port" in name}
        if columns and not (reporter and len(sides) == 1):
            raise refused(
                raw.name,
                "a table that says who sells to whom",
                f"columns {', '.join(rows[at][:6])}, without a title over them",
                hint=f"save the page as Excel, whose titles name the flow, or {_SAY_ALL}",
            )
        series = [Series(column, period, next(iter(sides)), reporter, WORLD) for column, period, _ in columns]
        return Layout(at + 1, series, {"code": 0})
    # the cells for code and label stand over both rows of the header: the second may begin without them
    under = under if not _PERIOD.search(under[0]) else [*[""] * label_columns, *under]
    titles = forward(rows[at], len(under))
    series = []
    for column, cell in enumerate(under):
        match, pair = _PERIOD.search(cell), _FLOW_OF_PAIR.match(titles[column])
        if match and pair:
            period = f"{match[1]}-{match[2].upper()}" if match[2] else match[1]
            flow = "X" if pair[2].lower().startswith("export") else "M"
            series.append(Series(column, period, flow, pair[1], WORLD if pair[3].lower() == "world" else pair[3]))
    return Layout(at + 2, series, {"code": 0})


def _flat(header: list[str], at: int, raw: RawFile) -> Layout:
    """The newer pages: reporter, partner and product in every row."""
    named = {cell.lower().replace("_", ""): place for place, cell in enumerate(header)}
    code = next((named[name] for name in ("productcd", "productcode", "code") if name in named), None)
    match = _NEW_NAME.fullmatch(raw.path.stem)
    if code is None or "reporterlabel" not in named or "partnerlabel" not in named:
        raise refused(
            raw.name, "columns reporterLabel, partnerLabel and productCd", f"there are {', '.join(header)}"[:400], row=0
        )
    if match is None:
        hint = (
            "give it the name it was saved under, such as kazakhstans-exports-to-russian-federation-by-product_all.xlsx"
        )
        raise refused(raw.name, "a name that says exports or imports", raw.path.name, hint=hint)
    flow = "X" if match[2].lower() == "exports-to" else "M"
    series = [Series(column, period, flow) for column, period, _ in _periods(header, [])]
    column_of = {"reporter": named["reporterlabel"], "partner": named["partnerlabel"], "code": code}
    return Layout(at + 1, series, column_of)


def mapping_of_layout(layout: Layout, rows: list[list[str]]) -> TableMapping:
    """What the cells mean: names of countries, thousands of USD, and the edition of the newest period.

    Parameters
    ----------
    layout : Layout
        Of the table.
    rows : list of list of str
        The table; the header names the columns in errors.

    Returns
    -------
    TableMapping
        Its classification is read as of a table that somebody converted where a code shows it.
    """
    header = rows[layout.first_row - 1]
    columns = {role: header[at] for role, at in layout.column_of.items() if at < len(header) and header[at]}
    columns |= {"period": "", "value": ""}  # in the names of columns and under them
    return TableMapping(
        columns,
        {"classification": _newest(layout)},
        {"X": "X", "M": "M"},
        multiplier=layout.multiplier,
        countries="name",
        period=PERIODS[_kind(layout.series[0].period)],
        decimal=".",
        thousands=",",
        unknown=NOT_REPORTED,
    )


def parts_of(layout: Layout, rows: list[list[str]]) -> Iterator[pl.DataFrame]:
    """The rows of a table once for each column of values.

    A code that the edition of a year has not, with a 0 or nothing, is no row of that year: the page shows one for all.

    Parameters
    ----------
    layout : Layout
        Of the table.
    rows : list of list of str
        The table with its header.

    Yields
    ------
    polars.DataFrame
        As own_table.forms.text_frames.
    """
    body = rows[layout.first_row :]
    numbers = list(range(1, len(body) + 1))

    def column(at: int) -> list[str]:
        return [row[at].strip() if at < len(row) else "" for row in body]

    by_row = {role: column(at) for role, at in layout.column_of.items()}
    for series in layout.series:
        codes = by_row.get("code", [layout.code] * len(body))
        edition = pl.select(nomenclature.in_force(pl.lit(int(series.period[:4])))).item()
        values = column(series.column)
        is_row = [
            value not in ("0", *NOT_REPORTED) or _is_of(code, edition)
            for value, code in zip(values, codes, strict=True)
        ]
        constants = {
            "reporter": series.reporter,
            "partner": series.partner,
            "flow": series.flow,
            "period": series.period,
        }
        named = {role: text for role, text in constants.items() if text is not None}
        cells = {**by_row, "code": codes, "value": values, "classification": _newest(layout), **named}
        yield roles(numbers, cells).filter(pl.Series(is_row, dtype=pl.Boolean))


def _newest(layout: Layout) -> str:
    year = max(int(series.period[:4]) for series in layout.series)
    return f"H{max(number for number, start in enumerate(EDITION_STARTS) if start <= max(year, EDITION_STARTS[0]))}"


def _is_of(code: str, edition: int) -> bool:
    digits = code.lstrip("'")
    return not re.fullmatch(r"[0-9]{6}", digits) or bool(nomenclature.passes(edition)[int(digits)])
