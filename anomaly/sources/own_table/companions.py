"""What lies beside a table of one's own and its mapping names: a dictionary of countries, and rates of a currency."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

from anomaly.contract.errors import SettingsWrong

MOST_BYTES = 10_000_000


def own_countries(content: dict[str, Any], folder: Path) -> dict[str, str]:
    """What the user says the texts of countries mean.

    Parameters
    ----------
    content : dict
        The mapping: its [country] and the file that `country_table` names, with the columns text and iso3.
    folder : pathlib.Path
        Where that file lies.

    Returns
    -------
    dict of str to str
        Text → iso3 or "aggregate"; [country] wins over the file.

    Raises
    ------
    SettingsWrong
        Naming the line, where the file cannot be used.
    """
    meanings: dict[str, str] = {}
    if name := content.get("country_table"):
        for line, (text, meaning) in _rows(folder / name, ("text", "iso3")):
            if not re.fullmatch(r"[A-Z][A-Z0-9]{2}|aggregate", meaning):
                came = f"{name}, line {line}: {text!r} is {meaning!r}"
                raise SettingsWrong('three letters such as DEU, or "aggregate"', came, hint=f"mend {name}")
            meanings[text] = meaning
    return {**meanings, **content.get("country", {})}


def own_rates(value: dict[str, Any], folder: Path) -> dict[str, float]:
    """What the user says a currency was worth.

    Parameters
    ----------
    value : dict
        The mapping's [value]: its `rates` is a table, or a file with the columns period and usd_per_unit.
    folder : pathlib.Path
        Where that file lies.

    Returns
    -------
    dict of str to float
        Month (YYYY-MM) or year (YYYY) → USD in one unit; empty where nothing is said.

    Raises
    ------
    SettingsWrong
        Naming the line, where they cannot be used.
    """
    rates = value.get("rates", {})
    if isinstance(rates, dict):
        rows: list[tuple[object, tuple[str, str]]] = [(key, (key, str(rate))) for key, rate in rates.items()]
        place = "value.rates"
    else:
        rows, place = [(line, cells) for line, cells in _rows(folder / rates, ("period", "usd_per_unit"))], str(rates)
    usd_per_unit: dict[str, float] = {}
    for line, (period, rate) in rows:
        is_rate = re.fullmatch(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]{1,2})?", rate) and 0 < float(rate) < 1e6
        if not re.fullmatch(r"(19|20)[0-9]{2}(-(0[1-9]|1[0-2]))?", period) or not is_rate:
            came = f"{place}, {line}: {period!r}, {rate!r}"
            raise SettingsWrong("a month such as 2022-01, or a year, and USD in one unit", came, hint=f"mend {place}")
        usd_per_unit[period] = float(rate)
    return usd_per_unit


def _rows(path: Path, columns: tuple[str, str]) -> list[tuple[int, tuple[str, str]]]:
    """Line number and the two columns of a small CSV in UTF-8; blank lines are passed over."""
    expected = f"a small CSV in UTF-8 with the columns {', '.join(columns)}"
    try:
        content = path.read_bytes()
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) if len(content) < MOST_BYTES else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsWrong(expected, f"{path.name}: {error}"[:200], hint=f"mend {path.name}") from error
    header = [name.strip().lower() for name in lines[0]] if lines else []
    if not set(columns) <= set(header):
        raise SettingsWrong(expected, f"{path.name}: {', '.join(header)[:200] or 'nothing'}", hint=f"mend {path.name}")
    places = [header.index(name) for name in columns]
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            first, second = ((cells[place] if place < len(cells) else "").strip() for place in places)
            rows.append((number, (first, second)))
    return rows
