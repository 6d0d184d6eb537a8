"""Which scenario made the tables of a store: what each keeps beside it, and whether all are of one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anomaly.contract.errors import SettingsWrong
from anomaly.store.store import Store

Record = Mapping[str, Any]  # Settings.recorded

_HINT = "make them again by one scenario: make run SCENARIO=<name or file>"


def record(store: Store, tables: Iterable[str]) -> Record:
    """The settings of the scenario that made some tables of a store.

    Parameters
    ----------
    store : Store
        The store that holds them.
    tables : iterable of str
        Names of tables; one that is not there says nothing, a companion is its table's.

    Returns
    -------
    Record
        Every setting as JSON has it.

    Raises
    ------
    SettingsWrong
        Where they are of different scenarios, or do not say which one made them.
    """
    records, unsaid = _records(store, tables)
    if unsaid or not records:
        tables_unsaid = ", ".join(unsaid) or "none of them"
        raise SettingsWrong(
            "tables that keep the scenario that made them",
            f"{tables_unsaid}: made by a version that did not write it down",
            hint="run again from the raw files: make run SCENARIO=<name or file>",
        )
    by_scenario = _grouped(records)
    if len(by_scenario) > 1:
        raise SettingsWrong("tables of one scenario", _in_words(by_scenario), hint=_HINT)
    return next(iter(records.values()))


def refuse_other(store: Store, tables: Sequence[str], scenario: Record) -> None:
    """Refuse tables that another scenario made.

    Parameters
    ----------
    store : Store
        The store that holds them.
    tables : iterable of str
        Names of tables; one that is not there, or hangs on no scenario, is not looked at.
    scenario : mapping
        Settings.recorded of the scenario they should be of.

    Raises
    ------
    SettingsWrong
        Where one of them was made by another.
    """
    records, _ = _records(store, tables)
    differing = {name: recorded for name, recorded in records.items() if recorded != scenario}
    if differing:
        raise SettingsWrong(
            f"tables of the scenario {scenario['name']}",
            _in_words(_grouped({**differing, "this run": scenario})),
            hint=f"make {', '.join(differing)} again first, or say the scenario that made the tables",
        )


def of_other_scenarios(store: Store, tables: Iterable[str], scenario: Record) -> dict[str, list[str]]:
    """The tables that another scenario made.

    Parameters
    ----------
    store : Store
        The store that holds them.
    tables : iterable of str
        Names of tables to look at.
    scenario : mapping
        Settings.recorded of the scenario that they are held against.

    Returns
    -------
    dict
        Name of a scenario, with what differs where the name does not → its tables.
    """
    records, _ = _records(store, tables)
    named: dict[str, list[str]] = {}
    for name, recorded in records.items():
        if recorded != scenario:
            named.setdefault(_name(recorded, scenario), []).append(name)
    return named


def _records(store: Store, tables: Iterable[str]) -> tuple[dict[str, Record], list[str]]:
    """What the tables keep, and those that keep nothing since they are of an older version."""
    records: dict[str, Record] = {}
    unsaid = []
    for name in dict.fromkeys(table.partition(".")[0] for table in tables):
        if not store.exists(name):
            continue
        meta = store.meta(name)
        if "scenario" not in meta:
            unsaid.append(name)
        elif meta["scenario"] is not None:
            records[name] = meta["scenario"]
    return records, unsaid


def _grouped(records: Mapping[str, Record]) -> list[tuple[Record, list[str]]]:
    by_text: dict[str, tuple[Record, list[str]]] = {}
    for name, recorded in records.items():
        by_text.setdefault(json.dumps(recorded, sort_keys=True), (recorded, []))[1].append(name)
    return list(by_text.values())


def _in_words(by_scenario: Sequence[tuple[Record, Sequence[str]]]) -> str:
    first = by_scenario[0][0]
    return "; ".join(f"{', '.join(names)} of {_name(recorded, first)}" for recorded, names in by_scenario)


def _name(recorded: Record, beside: Record) -> str:
    """The scenario's name; where another of the same name is beside it, also what they differ in."""
    if recorded is beside or recorded["name"] != beside["name"]:
        return str(recorded["name"])
    differing = sorted(key for key in recorded.keys() | beside.keys() if recorded.get(key) != beside.get(key))
    return f"{recorded['name']} with another {' and '.join(differing)}"
