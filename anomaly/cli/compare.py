"""`anomaly compare`: two hubs, or two goods, in the same windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cli.output import say, show
from anomaly.cli.store import families, open_store, say_if_simulated, scenario_of
from anomaly.contract.errors import BadRequest, SourceUnavailable
from anomaly.contract.keys import ROUTE_KEY
from anomaly.query import compare as comparing
from anomaly.query import question as asking
from anomaly.reference import countries, goods
from anomaly.store.store import Store

_SIDE_BY_SIDE = ("traded_usd", "change_percent", "flagged_usd", "flags")  # for people; programs get every figure


def compare(first: str, second: str, period: str | None, *, limit: int, data: Path, form: str) -> None:
    """Answer `anomaly compare`: a row a window for people, a row a window and subject for programs.

    Parameters
    ----------
    first, second : str
        Two countries, or two codes or names of goods, as typed.
    period : str, optional
        As typed; every window of the run where it is not said.
    limit : int
        Most windows, the newest first.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    BadRequest
        Where the two are not of one kind, are the same or not understood.
    SourceUnavailable
        Where there is no such folder, or nothing measured in it.
    SettingsWrong
        Where features and flags are not of one scenario.
    """
    names = [_subject(text) for text in (first, second)]
    if names[0][0] != names[1][0] or names[0][1] == names[1][1]:
        raise BadRequest(
            "two hubs, or two goods", f"{first[:40]!r} and {second[:40]!r}", hint="such as KAZ KGZ, or 8517.13 8542"
        )
    windows = asking.windows_of(asking.parse_span(period)) if period else ()
    store = open_store(data)
    if not (store.exists("features") and store.exists("flags")):
        raise SourceUnavailable(
            "tables of features and flags", "not in the store", hint="run `make`, or name another folder with --data"
        )
    targets = list(scenario_of(store, ("features", "flags")).targets)
    subjects = {
        name: _rows_of(name, store) if kind == "good" else pl.col("exporter_iso") == name for kind, name in names
    }
    is_asked = pl.col("importer_iso").is_in(targets) & pl.any_horizontal(list(subjects.values()))
    rows = comparing.compare(
        store.read("features", [*ROUTE_KEY, "value_usd", "value_prior_year_usd", "baseline_gap_years"], is_asked).sort(
            "baseline_gap_years"
        ),
        store.read("flags", [*ROUTE_KEY, "flag_type", "value_usd", "q_value"], is_asked),
        subjects,
        windows,
    )
    say_if_simulated(store)
    say(
        "; ".join(f"{name}: {_name_of(kind, name)}" for kind, name in names)
        + "; trade with the targets that was compared"
    )
    if rows.is_empty():
        say("no trade of either with the targets was compared in this window")
    in_all = rows.height // len(subjects)
    shown = rows.head(limit * len(subjects))
    show(_side_by_side(shown) if form in ("table", "markdown") else shown, form)
    if in_all > limit:
        say(f"{limit:,} of {in_all:,} windows, the newest first; --limit shows more")


def _subject(text: str) -> tuple[str, str]:
    """Whether a text means a hub or a good, and the hub's ISO-3 or the good's code."""
    if not any(letter.isdecimal() for letter in text) and countries.is_name(text):
        side = asking.parse_side(text, {})
        return "hub", side.name if side is not None else text
    return "good", goods.code_of_words(text) or goods.parse_code(text)


def _rows_of(code: str, store: Store) -> pl.Expr:
    is_good = asking.parse_goods(code, families(store))
    if is_good is None:
        raise BadRequest("two goods", asking.TOTAL, hint="name two codes")
    return is_good


def _name_of(kind: str, name: str) -> str:
    if kind == "good":
        return goods.good_name(name)
    return str(dict(countries.table().select("iso3", "name").iter_rows()).get(name, name))


def _side_by_side(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """A row a window, each figure of the one beside that of the other."""
    by_window: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows.to_dicts():
        window = by_window.setdefault(
            (row["period"], row["freq_code"]), {"period": row["period"], "freq_code": row["freq_code"]}
        )
        window.update({f"{row['subject']} {figure}": row[figure] for figure in _SIDE_BY_SIDE})
    figures = [f"{subject} {figure}" for figure in _SIDE_BY_SIDE for subject in dict.fromkeys(rows["subject"])]
    return [{name: window.get(name) for name in ("period", "freq_code", *figures)} for window in by_window.values()]
