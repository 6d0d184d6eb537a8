"""How the command line writes an answer: a table for people, or CSV, JSON, NDJSON or Markdown for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from anomaly.cli.layout import Column, folded, laid_out, width_of_screen
from anomaly.contract.visible import visible

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("table", "csv", "json", "ndjson", "markdown")
Row = Mapping[str, Any]

NOT_REPORTED = "not reported"
_SIZES = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))
_AMOUNTS = ("_usd", "_eur", "_gbp", "_jpy", "_g")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a text that begins so
_NAMES = {
    "exporter_iso": "exporter",
    "importer_iso": "importer",
    "freq_code": "frequency",
    "value_prior_year": "year before",
    "value_baseline": "baseline",
    "change_percent": "change",
    "is_flagged": "flagged",
    "flag_type": "type",
    "q_value": "q",
    "best_q_value": "best q",
    "export_value_fob": "exporter reports",
    "import_value_cif": "importer reports",
    "reexport_value_fob": "re-exports",
    "net_wgt_g": "weight kg",
    "net_wgt_kg": "weight kg",
    "value_basis": "basis",
    "unit_value_usd_per_kg": "unit value USD/kg",
    "median_unit_value_usd_per_kg": "median unit value USD/kg",
}


def say(text: str) -> None:
    """Write a remark: everything that is not the answer goes to stderr.

    Parameters
    ----------
    text : str
        Without the line's end.
    """
    click.echo(visible(text), err=True)


def line(text: str) -> None:
    """Write a sentence of the answer to stdout.

    Parameters
    ----------
    text : str
        Without the line's end; folded where stdout is a terminal.
    """
    _out(folded(visible(text), width_of_screen()))


def _out(text: str, *, nl: bool = True) -> None:
    """Write to stdout; nothing from data acts on a terminal."""
    click.echo(visible(text), nl=nl)


def show(rows: pl.DataFrame | Sequence[Row], form: str, columns: Sequence[str] = ()) -> None:
    """Write rows to stdout.

    Parameters
    ----------
    rows : polars.DataFrame or sequence of Row
        Mappings may differ in their keys; what one lacks stays empty.
    form : str
        One of output.FORMATS.
    columns : sequence of str, optional
        Those that people see, in order; programs get all, and people too where none is there.
    """
    listed = [dict(row) for row in rows] if isinstance(rows, Sequence) else rows.to_dicts()
    names = list(dict.fromkeys(name for row in listed for name in row)) if isinstance(rows, Sequence) else rows.columns
    if form == "json":
        _out(_json(listed, indent=2))
    elif form == "ndjson":
        for row in listed:
            _out(_json(row))
    elif form == "csv":
        _out(_csv(listed, names), nl=False)
    else:
        shown = [name for name in columns if name in names] or names
        _people(listed, shown, form)


def document(parts: Mapping[str, Any], form: str) -> None:
    """Write a document of named parts to stdout.

    Parameters
    ----------
    parts : mapping of str to Any
        Each a mapping, a list of rows or a list of sentences.
    form : str
        One of output.FORMATS.
    """
    if form == "json":
        _out(_json(parts, indent=2))
    elif form == "ndjson":
        for name, part in parts.items():
            _out(_json({"part": name, "content": part}))
    elif form == "csv":
        _out(
            _csv(
                [{"part": name, **row} for name, part in parts.items() for row in _flat(part)],
                ["part", "row", "name", "value"],
            ),
            nl=False,
        )
    else:
        for name, part in parts.items():
            title = name.replace("_", " ")
            click.echo(f"## {title}\n" if form == "markdown" else click.style(title.upper(), bold=True))
            _part(part, form)
            click.echo()


def _part(part: Any, form: str) -> None:
    if not part:
        click.echo("none")
    elif isinstance(part, Mapping):
        _people(
            [{"name": heading(name), "value": cell(name, value)} for name, value in part.items()],
            ["name", "value"],
            form,
        )
    elif isinstance(part[0], Mapping):
        _people(part, list(part[0]), form)
    else:
        for sentence in part:
            _out(folded(visible(f"- {sentence}"), width_of_screen() if form == "table" else None, "  "))


def _flat(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, Mapping):
        return [{"row": "", "name": name, "value": value} for name, value in part.items()]
    return [
        {"row": number, "name": name, "value": value}
        for number, item in enumerate(part, start=1)
        for name, value in (item.items() if isinstance(item, Mapping) else [("text", item)])
    ]


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str, allow_nan=False)


def _csv(rows: Sequence[Row], names: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_csv_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _csv_cell(value: Any) -> str | None:
    if value is None or isinstance(value, (int, float)):
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = " | ".join(_text(item) for item in value) if isinstance(value, (list, tuple)) else _text(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _text(value: Any) -> str:
    return _json(value) if isinstance(value, Mapping) else str(value)


def _people(rows: Sequence[Row], names: Sequence[str], form: str) -> None:
    texts = [
        [visible(cell(name, row.get(name))).replace("\n", " ").replace("\t", " ") for name in names] for row in rows
    ]
    headings = [heading(name) for name in names]
    is_number = [name.endswith(_AMOUNTS) or any(_is_number(row.get(name)) for row in rows) for name in names]
    if form == "markdown":
        _out(_markdown(headings, texts, is_number))
        return
    columns = [
        Column(
            heading=visible(headings[at]),
            texts=tuple(row[at] for row in texts),
            short_texts=tuple(short(name, row.get(name), text[at]) for row, text in zip(rows, texts, strict=True)),
            is_number=is_number[at],
        )
        for at, name in enumerate(names)
    ]
    _out(laid_out(columns, width_of_screen()))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def heading(name: str) -> str:
    """A column's name for people, with its unit where it is a currency.

    Parameters
    ----------
    name : str
        Of a column, such as value_prior_year_usd.

    Returns
    -------
    str
        Such as year before USD.
    """
    stem, _, unit = name.rpartition("_")
    if stem and len(unit) == 3 and unit in ("usd", "eur", "gbp", "jpy"):
        return f"{_NAMES.get(stem, stem.replace('_', ' '))} {unit.upper()}"
    stem, _, last = name.rpartition(" ")  # of two that are compared
    if stem and last in _NAMES:
        return f"{stem} {_NAMES[last]}"
    return _NAMES.get(name, name.replace("_", " "))


def cell(name: str, value: Any) -> str:
    """A value for people: thousands apart, percent with its sign.

    Parameters
    ----------
    name : str
        Of its column, whose ending tells the unit.
    value : Any
        As the table has it; a weight in grams is told in kilograms.

    Returns
    -------
    str
        For null, not reported where it is a reported amount, unknown where it is another one, else nothing.
    """
    if value is None:
        return (
            NOT_REPORTED
            if ("value" in name or "wgt" in name) and name.endswith(_AMOUNTS)
            else "unknown"
            if name.endswith(_AMOUNTS)
            else ""
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_percent"):
        return percent(value)
    if name == "net_wgt_g":
        return f"{value / 1000:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def short(name: str, value: Any, text: str) -> str:
    """An amount as a person says it, where a screen has no room for all its digits.

    Parameters
    ----------
    name : str
        Of its column: only amounts of money and weights are shortened.
    value : Any
        As the table has it.
    text : str
        What `cell` says of it.

    Returns
    -------
    str
        Such as 950, 12.3 k, 37.0 m or 3.7 bn; the text itself where it is no such amount.
    """
    if not name.endswith(_AMOUNTS) or not isinstance(value, int) or isinstance(value, bool):
        return text
    amount = value / 1000 if name == "net_wgt_g" else value
    for size, unit in _SIZES:
        if abs(amount) >= size * 0.99995:  # what would round up to the next size
            return f"{amount / size:,.1f} {unit}"
    return f"{amount:,.0f}"


def percent(value: float) -> str:
    """+381 %, −44 %.

    Parameters
    ----------
    value : float
        In percent.

    Returns
    -------
    str
        Without decimals, always with its sign.
    """
    return f"{value:+,.0f} %".replace("-", "−")


def arrow(before: int | None, now: int | None, currency: str = "USD") -> str:
    """Two amounts in one unit, with one decimal from a thousand on.

    Parameters
    ----------
    before : int or None
        The first; None is not reported.
    now : int or None
        The second; None is not reported.
    currency : str, optional
        Its code.

    Returns
    -------
    str
        Such as 37.0 → 178.0 million USD; billions only from ten on.
    """
    largest = max(before or 0, now or 0)
    sizes = ((1e10, 1e9, "billion "), (1e6, 1e6, "million "), (1e3, 1e3, "thousand "))
    size, word = next(((size, word) for least, size, word in sizes if largest >= least), (1.0, ""))
    digits = 1 if word else 0
    unit = f" {word}{currency}"
    then, today = (NOT_REPORTED if value is None else f"{value / size:,.{digits}f}" for value in (before, now))
    if now is None:
        return f"{then}{'' if before is None else unit} → {today}"
    return f"{then} → {today}{unit}"


def _markdown(headings: Sequence[str], texts: Sequence[Sequence[str]], is_number: Sequence[bool]) -> str:
    rule = ["---:" if right else "---" for right in is_number]
    escaped = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in texts]
    return "\n".join(f"| {' | '.join(line)} |" for line in [headings, rule, *escaped])
