"""`anomaly verify`: tables, documents and raw files, each held against the hash that was kept of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anomaly.cli.output import say, show
from anomaly.cli.store import open_store
from anomaly.contract.errors import AnomalyError, StoreFailure
from anomaly.store import runs
from anomaly.store.documents import Published
from anomaly.store.store import Store


def verify(data: Path, raw: Path | None, form: str) -> None:
    """Answer `anomaly verify`: each table, the newest report and the raw files, with what of them is broken.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables and reports.
    raw : pathlib.Path, optional
        Folder of the raw files; that of the last run where it is not said.
    form : str
        One of output.FORMATS.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder.
    StoreFailure
        After the rows are printed, naming every file that is not what was written.
    """
    from anomaly.contract import schema

    store, record_faults = _opened(data)
    names = [name for name in schema.TABLES if "." not in name]
    rows: list[dict[str, Any]] = []
    for name in names:
        broken = store.verify(name)
        if broken or store.exists(name):
            rows.append({"table": name, "version": None if broken else store.version(name), "broken": broken})
    held = {str(row["table"]) for row in rows}
    inputs = {row["table"]: store.meta(row["table"])["inputs"] for row in rows if not row["broken"]}
    documents, broken = _documents(store)
    needed = {name for made_of in inputs.values() for name in made_of}
    needed |= set((documents.tables or {}) if documents is not None else {})
    if gone := sorted((needed & set(names)) - held):
        rows += [
            {"table": name, "version": None, "broken": [f"{name}: it is gone, and others are made of it"]}
            for name in gone
        ]
    if documents is not None or broken:
        rows.append({"table": "reports", "version": documents.run if documents else None, "broken": broken})
    if store.ended is not None:
        rows.append({"table": "run", "version": store.ended.id, "broken": record_faults})
    elif record_faults:
        rows.append({"table": "run", "version": None, "broken": record_faults})
    if "flows" in inputs:
        rows.append({"table": "raw files", "version": None, "broken": _changed(inputs["flows"], raw, store)})
    show([{**row, "broken": row["broken"] or "nothing"} for row in rows], form)
    broken = [str(file) for row in rows for file in row["broken"]]
    if broken:
        raise StoreFailure(
            "files with the content that was written or read",
            "others",
            count=len(broken),
            examples=broken,
            hint="fetch changed raw files again; move the folder of a broken table (or of the report) away, and run again",
        )


def _opened(data: Path) -> tuple[Store, list[str]]:
    """The tables that questions read; where nobody can say which these are, those committed last."""
    faults = runs.faults(data)
    try:
        return open_store(data), faults
    except StoreFailure:
        return Store(data), faults


def _documents(store: Store) -> tuple[Published | None, list[str]]:
    """The documents that are shown, and what of them is broken."""
    broken = store.broken_documents()
    try:
        return store.published(), broken
    except StoreFailure:
        return None, broken


def _changed(read: Mapping[str, str], raw: Path | None, store: Store) -> list[str]:
    """Raw files that are not those that the tables were made of; stderr says where they cannot be found at all."""
    from pipelines import raw as raw_folder

    folder = raw or _raw_of_last_run(store)
    if folder is None or not (folder.exists() or raw is not None):
        say("raw files were not compared: name their folder with --raw")
        return []
    try:
        hashed_now = raw_folder.inputs(folder)
    except AnomalyError as error:
        return [f"{folder}: {error.came}"]
    return [name for name, sha256 in read.items() if name.startswith("raw/") and hashed_now.get(name) != sha256]


def _raw_of_last_run(store: Store) -> Path | None:
    try:
        return Path(json.loads((store.root / "run-status.json").read_bytes())["raw"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
