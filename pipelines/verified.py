"""Tables and documents read again, each held against the hash that was kept of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anomaly.contract import schema
from anomaly.contract.errors import StoreFailure
from anomaly.store import runs
from anomaly.store.documents import Published
from anomaly.store.store import Store, of_last_run
from pipelines import log

WHOLE = "whole"


def rows(store: Store, record_faults: Sequence[str]) -> list[dict[str, Any]]:
    """Each table, the documents and the record of the run, with what of them is broken.

    Parameters
    ----------
    store : Store
        What is read of it is what counts.
    record_faults : sequence of str
        As `runs.faults`.

    Returns
    -------
    list of dict of str to Any
        table, version (None where it is broken) and broken (a list, empty where all is whole).
    """
    names = [name for name in schema.TABLES if "." not in name]
    held: list[dict[str, Any]] = []
    for name in names:
        broken = store.verify(name)
        if broken or store.exists(name):
            held.append({"table": name, "version": None if broken else store.version(name), "broken": broken})
    documents, broken = _documents(store)
    needed = {made_of for row in held if not row["broken"] for made_of in store.meta(row["table"])["inputs"]}
    needed |= set((documents.tables or {}) if documents is not None else {})
    gone = sorted((needed & set(names)) - {str(row["table"]) for row in held})
    held += [
        {"table": name, "version": None, "broken": [f"{name}: it is gone, and others are made of it"]} for name in gone
    ]
    if documents is not None or broken:
        held.append({"table": "reports", "version": documents.run if documents else None, "broken": broken})
    if store.ended is not None:
        held.append({"table": "run", "version": store.ended.id, "broken": list(record_faults)})
    elif record_faults:
        held.append({"table": "run", "version": None, "broken": list(record_faults)})
    return held


def refuse_broken(held: Sequence[dict[str, Any]]) -> None:
    """End where something is broken, naming every file.

    Parameters
    ----------
    held : sequence of dict of str to Any
        As `rows`.

    Raises
    ------
    StoreFailure
        Files are not what was written or read.
    """
    broken = [str(file) for row in held for file in row["broken"]]
    if broken:
        raise StoreFailure(
            "files with the content that was written or read",
            "others",
            count=len(broken),
            examples=broken,
            hint="fetch changed raw files again; move the folder of a broken table (or of the report) away, and run again",
        )


def opened(data: Path) -> tuple[Store, list[str]]:
    """The tables that questions read, and the faults of their record.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables.

    Returns
    -------
    store : Store
        Where nobody can say which these are, of those committed last.
    faults : list of str
        As `runs.faults`.
    """
    faults = runs.faults(data)
    try:
        return of_last_run(data), faults
    except StoreFailure:
        return Store(data), faults


def step(store: Store) -> dict[str, Any]:
    """The last step of a run: what readers see now is whole. Raw files were hashed when they were read.

    Parameters
    ----------
    store : Store
        Of the run, held by its lock.

    Returns
    -------
    dict of str to Any
        For the status file.

    Raises
    ------
    StoreFailure
        It is not whole; every file is named.
    """
    clock = time.monotonic()
    held = rows(*opened(store.root))
    refuse_broken(held)
    seconds = round(time.monotonic() - clock, 2)
    log.say(f"verify: {len(held)} tables and records are whole, {seconds} s", job="verify", status=WHOLE)
    return {"job": "verify", "status": WHOLE, "seconds": seconds, "rows": len(held)}


def _documents(store: Store) -> tuple[Published | None, list[str]]:
    """The documents that are shown, and what of them is broken."""
    broken = store.broken_documents()
    try:
        return store.published(), broken
    except StoreFailure:
        return None, broken
