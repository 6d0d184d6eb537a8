"""Commands about cases: all of them or some, and what changed since the run before."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cases import changes
from anomaly.cases.cases import in_order
from anomaly.cases.words import counted, figures, route
from anomaly.cli.output import line, say, show
from anomaly.cli.store import families, open_store, say_if_simulated
from anomaly.contract.errors import BadRequest, SourceUnavailable
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, ROUTE
from anomaly.contract.periods import window_of
from anomaly.flags import naming
from anomaly.query import question as asking
from anomaly.reference import countries, goods
from anomaly.store.store import Store

SOME_CHANGED = 1  # exit code of diff, where one is asked for
_WIDTH = 80
_ROUTE = ("case_id", "change", "severity", "flag_type", "is_alarm", *ROUTE)
_COLUMNS = (*_ROUTE, "period", "value_usd", "excess_usd", "best_q_value", "windows")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cases are asked for; None: all.

    Parameters
    ----------
    hub : str or None
        Country as typed.
    good : str or None
        Code as typed.
    severity : str or None
        high, medium or low, the worst of a case's windows.
    flag_type : str or None
        Type now.
    since : str or None
        Period as typed: newest windows that end in it or later.
    is_new : bool
        Only those that are new since the run before.
    """

    hub: str | None = None
    good: str | None = None
    severity: str | None = None
    flag_type: str | None = None
    since: str | None = None
    is_new: bool = False


def cases(filters: Filters, *, limit: int, data: Path, form: str) -> None:
    """Answer `anomaly cases`: for people two lines a case, else a row; how many there are goes to stderr.

    Parameters
    ----------
    filters : Filters
        Which of them.
    limit : int
        Most cases.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    BadRequest
        Where a filter is not understood.
    SourceUnavailable
        Where there is no such folder, or no cases in it.
    """
    store = _opened(data)
    table = store.read("changes")
    here = table.filter(pl.col("change") != "gone")
    asked = in_order(here.filter(*_conditions(filters, store, table)))
    say_if_simulated(store)
    _show(asked.head(limit), form)
    of_all = f" of {_words(here)}" if asked.height < here.height else ""
    say(f"{_words(asked)}{of_all}" + ("; --limit shows more" if asked.height > limit else ""))


def diff(data: Path, against: Path | None, form: str) -> int:
    """Answer `anomaly diff`: cases that changed since the run before, or beside another folder.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables.
    against : pathlib.Path or None
        Folder whose last run is the one before; None: the run before in the same folder.
    form : str
        One of output.FORMATS.

    Returns
    -------
    int
        0 where nothing changed, SOME_CHANGED where something did.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder, or no cases in it.
    """
    store = _opened(data)
    table = (
        store.read("changes") if against is None else changes.build(store.read("cases"), _opened(against).read("cases"))
    )
    say_if_simulated(store)
    numbers = changes.counts(table)
    if not numbers:
        say("no run before to compare with: every case is of a first run")
        return 0
    order = pl.col("change").replace_strict(
        {change: place for place, change in enumerate(changes.CHANGE_WORDS)}, return_dtype=pl.Int64
    )
    changed = in_order(table.filter(pl.col("change") != "same")).sort(order, maintain_order=True)
    _show(changed, form)
    say(", ".join(f"{number} {change}" for change, number in numbers.items() if number) or "no case in either run")
    return SOME_CHANGED if changed.height else 0


def _opened(data: Path) -> Store:
    store = open_store(data)
    if not store.exists("changes"):
        raise SourceUnavailable(
            "a table of cases", "none in the store", hint="run `make report`, or name another folder with --data"
        )
    return store


def _conditions(filters: Filters, store: Store, table: pl.DataFrame) -> list[pl.Expr]:
    conditions = []
    side = asking.parse_side(filters.hub, {})
    if side is not None:
        hub = {"exporter_iso": pl.col("leg") != COALITION_TO_HUB, "importer_iso": pl.col("leg") != HUB_TO_TARGET}
        conditions.append(
            pl.any_horizontal(pl.col(name).is_in(list(side.members)) & on_leg for name, on_leg in hub.items())
        )
    if filters.good is not None:
        asked_goods = asking.parse_goods(filters.good, families(store))
        conditions += [] if asked_goods is None else [asked_goods]
    if filters.severity is not None:
        conditions.append(pl.col("severity") == filters.severity)
    if filters.flag_type is not None:
        conditions.append(pl.col("flag_type") == _type(filters.flag_type, table))
    if filters.since is not None:
        conditions.append(pl.col("window_end") >= asking.parse_span(filters.since).start)
    if filters.is_new:
        conditions.append(pl.col("change") == "new")
    return conditions


def _type(text: str, table: pl.DataFrame) -> str:
    """A type by its name or its words."""
    name = text.strip().lower().replace(" ", "_").replace("-", "_")
    named = {naming.type_of(known).words.replace(" ", "_").replace("-", "_"): known for known in naming.names()}
    if name not in (*naming.names(), *named):
        there = ", ".join(sorted(table["flag_type"].unique())) or "none"
        raise BadRequest("a type of flag", repr(text[:40]), hint=f"types of the cases: {there}")
    return named.get(name, name)


def _words(table: pl.DataFrame) -> str:
    windows = int(table["windows"].list.len().sum())
    return f"{counted(table.height, 'case')}, {counted(windows, 'window')}"


def _show(table: pl.DataFrame, form: str) -> None:
    rows = table.to_dicts()
    if form != "table":
        show([{**row, "period": window_of(row).name} for row in rows], form, _COLUMNS)
        return
    names = dict(countries.table().select("iso3", "name").iter_rows())
    good_names = {row["good"]: goods.good_name(row["good"]).removesuffix(f", {row['good']}") for row in rows}
    for row in rows:
        for text in _lines(row, names, good_names):
            line(text)


def _lines(row: Mapping[str, Any], names: Mapping[str, str], good_names: Mapping[str, str]) -> Sequence[str]:
    """A case as people see it: none of its lines is wider than a terminal, and no number is cut."""
    change = "" if row["change"] in ("first run", "same") else f"  {row['change']}"
    says = f" {row['says'][:1].upper()}{row['says'][1:]}." if row["says"] else ""
    text = f"{route(row, names, good_names)}: {figures(row)}.{says}"
    indent = " " * 8
    return [
        f"{row['severity']:<7} {row['case_id']}  {naming.type_of(row['flag_type']).words}{change}",
        *textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False),
    ]
