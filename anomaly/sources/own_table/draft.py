"""A first mapping for a table, out of its first rows: what its cells prove is written, what they leave open is a comment."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from itertools import product

import polars as pl

from anomaly.contract.errors import DataRejected
from anomaly.reference import countries, nomenclature
from anomaly.sources.base import RawFile
from anomaly.sources.own_table.forms import text_of
from anomaly.sources.own_table.periods import month_of, names_of_months, pattern_of
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.numbers import evidence, marks_of
from anomaly.sources.reading.tables import text_csv_batches
from anomaly.sources.reading.text import Text

ROWS = 2_000  # looked at
SHARE = 0.9  # of a column's filled cells that must fit, for it to be proposed
_SEPARATORS = (",", ";", "\t", "|")
_ENCODINGS = ("utf-8", "cp1251", "gbk", "cp1252")
_FORMATS = (
    *("%Y-%m", "%Y%m", "%m/%Y", "%m.%Y", "%Y/%m", "%Y.%m", "%YM%m", "%Y-M%m", "%b-%y", "%b %Y", "%b. %Y", "%b-%Y"),
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%Y", "%YQ%q", "%Y-Q%q", "%q/%Y"),
)
_WORDS = {  # what columns of a role are called, in pieces, the likeliest first
    "reporter": "reporter|declarant|repcode|exporter_country|страна.?отч",
    "partner": "partner|destination|counter|country|cty|страна|importer|origin|ülke|pais|pays|land|贸易伙伴|伙伴",
    "code": "hs|commodity|cmd|product|tnved|тн ?вэд|код|code|商品编码|gtip|ncm|cn8|sitc",
    "value": "primary|value|usd|fob|стоимость|amount|trade|美元|人民币|val",
    "weight": "netw|weight|mass|kg|вес|масса|tonn|qty_kg|重量",
    "flow": "flow|direction|regime|export|направление",
    "classification": "classif|nomencl|edition|hs_?rev",
    "month": "month|mois|monat|месяц|月",
}
_FLOWS = {
    "X": ("x", "export", "exports", "exp", "экспорт", "эк", "2"),
    "M": ("m", "import", "imports", "imp", "импорт", "им", "1"),
    "RX": ("rx", "re-export", "re-exports", "reexport", "реэкспорт"),
    "RM": ("rm", "re-import", "re-imports", "reimport", "реимпорт"),
}


def drafted(raw: RawFile) -> str:
    """A first mapping for a table.

    Parameters
    ----------
    raw : RawFile
        The table; its first ROWS rows are looked at.

    Returns
    -------
    str
        TOML, with a comment wherever something is open.

    Raises
    ------
    DataRejected
        Where there is no table.
    """
    text, encoding, separator, line, frame = _opened(raw)
    doubts: list[str] = []
    if encoding != "utf-8":
        doubts.append(
            f"the text is not UTF-8; it can be {encoding}, and {', '.join(_ENCODINGS[1:])} cannot be told apart: do the names read well?"
        )
    roles = _roles(frame, doubts)
    top = ["# a first mapping, from the first rows of the file; look through every comment before you use it"]
    top += [f'encoding = "{encoding}"'] if encoding != "utf-8" else []
    top += [f'separator = "{separator}"'.replace("\t", "\\t")] if separator != "," and ".tsv" not in raw.name else []
    top += [f"header_row = {line}"] if line > 1 else []
    top += _countries(frame, roles, doubts)
    top += _period(frame, roles, doubts)
    top += _constants(roles, frame, doubts)
    sections = ["", "[columns]", *(f"{role} = {_quoted(column)}" for role, column in roles.items())]
    sections += _flows(frame, roles, doubts)
    sections += _units(frame, roles, doubts)
    _of_codes(frame, roles, doubts)
    _of_foot(text, separator, doubts)
    return "\n".join([*top, *sections, "", *(f"# open: {doubt}" for doubt in doubts)]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _opened(raw: RawFile) -> tuple[Text, str, str, int, pl.DataFrame]:
    """The text, what it is written in, what separates its cells, the line of the names, and the first rows."""
    if raw.path.suffix.lower() == ".parquet":
        frame = pl.read_parquet(raw.path, n_rows=ROWS).with_columns(pl.all().cast(pl.String))
        return Text(b"", "utf-8"), "utf-8", ",", 1, frame
    first: DataRejected | None = None
    for encoding in _ENCODINGS:
        try:
            text, separator = text_of(raw, encoding, ",", "")
            break
        except DataRejected as error:
            first = first or error
    else:
        raise first or DataRejected("a table", raw.name)
    lines = text.content[:200_000].decode(errors="replace").split("\n")[:60]
    separator = max(_SEPARATORS, key=lambda mark: (sum(line.count(mark) for line in lines), mark == separator))
    counts = [len(next(csv.reader([line], delimiter=separator), [])) - 1 for line in lines]
    width = max(set(counts), key=lambda count: (count > 0, counts.count(count)))
    line = next((number for number, count in enumerate(counts, start=1) if count == width), 1)
    lines_of_bytes = text.content.split(b"\n")
    head = Text(b"\n".join(lines_of_bytes[: line + ROWS]), text.encoding)
    layout = Layout(separator=separator, header_line=line, is_loose=True, trailing_separator=True)
    frame = next(text_csv_batches(head, raw.name, layout)).drop("row")
    return text, _written(text.encoding), separator, line, frame.with_columns(pl.all().str.strip_chars())


def _written(encoding: str) -> str:
    return "utf-8" if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-16") else encoding


def _filled(frame: pl.DataFrame, column: str) -> pl.Series:
    cells = frame[column].drop_nulls()
    return cells.filter(cells != "")


def _fits(cells: pl.Series, pattern: str) -> bool:
    return cells.len() > 0 and int(cells.str.contains(pattern).sum()) >= SHARE * cells.len()


def _roles(frame: pl.DataFrame, doubts: list[str]) -> dict[str, str]:
    """Role → column, where its name and its cells agree; what is left open is a doubt."""
    of_cells = {column: _filled(frame, column) for column in frame.columns}
    tests: dict[str, Callable[[pl.Series], bool]] = {
        "code": lambda cells: _fits(cells, r"^'?-?[0-9][0-9. ]{1,13}$"),
        "value": lambda cells: _fits(cells, r"^-?[0-9][0-9.,  ']*$"),
        "weight": lambda cells: _fits(cells, r"^(-?[0-9][0-9.,  ']*|NA|-)$"),
        "reporter": lambda cells: _system(cells) != "",
        "partner": lambda cells: _system(cells) != "",
        "flow": lambda cells: 0 < cells.n_unique() <= 6 and any(_flow_of(cell) for cell in cells.unique()),
        "classification": lambda cells: _fits(cells, r"^(H[0-9]|CN[0-9]{4})$"),
        "month": lambda cells: (
            cells.len() > 0 and all(month_of(cell, names_of_months("en")) for cell in cells.unique())
        ),
    }
    period = next((column for column in frame.columns if _format_of(of_cells[column])), None)
    roles: dict[str, str] = {}
    for role in ("reporter", "partner", "code", "value", "weight", "flow", "classification", "month"):
        named = [
            column
            for piece, column in product(_WORDS[role].split("|"), frame.columns)
            if re.search(piece, column, re.IGNORECASE) and column not in roles.values() and column != period
        ]
        fitting = [column for column in dict.fromkeys(named) if tests[role](of_cells[column])]
        if fitting:
            roles[role] = fitting[0]
            if len(fitting) > 1:
                doubts.append(f"{role} may also be {', '.join(fitting[1:4])}")
    if period:
        roles["period"] = period
    order = ("reporter", "partner", "period", "month", "code", "value", "weight", "flow", "classification")
    return {role: roles[role] for role in order if role in roles}


def _system(cells: pl.Series) -> str:
    """The system of countries that knows nearly all of a column's texts; empty where none does."""
    written = cells.unique()
    for system in ("iso3", "iso2", "name", "m49"):
        if written.len() and countries.resolve(written, system, {}).height >= 0.7 * written.len():
            return system
    return ""


def _format_of(cells: pl.Series) -> str:
    written = cells.unique().sort().head(400).to_list()
    for text in _FORMATS:
        pattern = pattern_of(text)
        if written and all(pattern.fullmatch(cell) for cell in written):
            years = re.findall(r"(?:19|20)[0-9]{2}", "".join(written))
            if years or "%y" in text:
                return text
    return ""


def _countries(frame: pl.DataFrame, roles: dict[str, str], doubts: list[str]) -> list[str]:
    if "partner" not in roles:
        return []
    cells = _filled(frame, roles["partner"])
    system = _system(cells)
    names = set(countries.resolve(cells.unique(), system, {})["text"])
    unknown = sorted(set(cells.unique()) - names)
    if unknown:
        doubts.append(
            f"these are no countries in {system}; say what they are under [country]: {', '.join(unknown[:8])}"
        )
    if system == "m49":
        doubts.append("numbers of countries were taken for the UN's M49; compare a few with the names")
    return [f'countries = "{system}"']


def _period(frame: pl.DataFrame, roles: dict[str, str], doubts: list[str]) -> list[str]:
    if "period" in roles:
        text = _format_of(_filled(frame, roles["period"]))
        if text == "%Y" and "month" not in roles:
            doubts.append("the periods are years; if there are months in another column name it as columns.month")
        return [f'period = "{text}"']
    years = [column for column in frame.columns if re.search(r"(19|20)[0-9]{2}", column)]
    if len(years) > 1:
        text = re.sub(r"(?:19|20)[0-9]{2}", "%Y", years[0], count=1)
        doubts.append(f"the periods seem to be in the names of columns: say [wide] value = {_quoted(text)}")
    else:
        doubts.append(
            'no column of periods was found; name it as columns.period, and say how it is written: period = "%Y-%m"'
        )
    return []


def _constants(roles: dict[str, str], frame: pl.DataFrame, doubts: list[str]) -> list[str]:
    lines = []
    for role, shown in (("reporter", "KAZ"), ("partner", "DEU")):
        if role not in roles:
            doubts.append(f'no column of {role}s was found; name it, or say {role} = "{shown}" for the whole table')
            lines.append(f'# {role} = "{shown}"')
    if "flow" not in roles:
        doubts.append("nothing says whether these are exports or imports")
        lines.append('# flow = "X"                     # X exports, M imports')
    if "classification" not in roles:
        doubts.append("nothing says in which edition the codes are; by year is the edition in force in each row's year")
        lines.append('classification = "by year"')
    return lines


def _flow_of(word: str) -> str:
    return next((flow for flow, spelt in _FLOWS.items() if word.lower() in spelt), "")


def _flows(frame: pl.DataFrame, roles: dict[str, str], doubts: list[str]) -> list[str]:
    if "flow" not in roles:
        return []
    words = _filled(frame, roles["flow"]).unique(maintain_order=True).to_list()
    meaning = {word: flow for word in words if (flow := _flow_of(word))}
    for word in words:
        if word not in meaning:
            doubts.append(f"the flow {word!r} is not known")
    return ["", "[flows]", *(f'{_quoted(word)} = "{meaning.get(word, "X?")}"' for word in words)]


def _units(frame: pl.DataFrame, roles: dict[str, str], doubts: list[str]) -> list[str]:
    if "value" not in roles:
        doubts.append("no column of values was found; name it as columns.value")
        return []
    title = roles["value"].lower()
    lines = ["", "[value]", 'currency = "USD"']
    scale = next(
        (
            number
            for word, number in (("thousand", 1000), ("тыс", 1000), ("million", 10**6), ("млн", 10**6), ("1000", 1000))
            if word in title
        ),
        0,
    )
    lines.append(f"multiplier = {scale}" if scale else "# multiplier = 1000")
    doubts.append(
        "is the value in USD, and in single ones? the file does not say" if not scale else "is the value in USD?"
    )
    cells = _filled(frame, roles["value"])
    marks = marks_of(cells)
    if evidence(cells).is_open:
        doubts.append('three digits after every point: say [number] thousands = "." or decimal = "."')
    elif marks.decimal != "." or marks.thousands:
        lines += [
            "",
            "[number]",
            f'decimal = "{marks.decimal}"',
            *([f'thousands = "{marks.thousands}"'] if marks.thousands else []),
        ]
    odd = cells.filter(~cells.str.contains("[0-9]")).unique().to_list()
    if odd:
        doubts.append(
            f"cells of the value that are no numbers: {', '.join(map(repr, odd[:5]))}; say what they mean under [marks]"
        )
    if "weight" in roles:
        lines += ["", "[weight]", 'unit = "kg"']
        doubts.append("is the weight in kg?")
    return lines


def _of_codes(frame: pl.DataFrame, roles: dict[str, str], doubts: list[str]) -> None:
    if "code" not in roles:
        doubts.append("no column of commodity codes was found; name it as columns.code")
        return
    digits = _filled(frame, roles["code"]).str.replace_all(r"[^0-9]", "")
    lengths = sorted({len(code) for code in digits})
    if any(length in (1, 3, 5, 7) for length in lengths):
        doubts.append(
            f'codes of {", ".join(map(str, lengths))} digits: zeros at the begin may be lost; [code] zeros = "restore"'
        )
    six = digits.filter(digits.str.len_chars() >= 6).str.slice(0, 6).unique()
    unknown = six.filter(~six.is_in(nomenclature.codes()["code"].unique().implode()))
    if unknown.len():
        doubts.append(f"no codes of any edition listed: {', '.join(unknown.sort().head(5))}")
    if any(length > 8 for length in lengths):
        doubts.append("national lines are cut to six digits and added up")


def _of_foot(text: Text, separator: str, doubts: list[str]) -> None:
    last = text.content.rstrip().rsplit(b"\n", 1)[-1].decode(errors="replace")
    if text.content and separator not in last:
        doubts.append(f"the last line has one cell: {last[:60]!r}; it is passed over as a note")
