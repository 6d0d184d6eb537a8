"""`anomaly verify`: tables, documents and raw files, each held against the hash that was kept of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from anomaly.cli.output import say, show
from anomaly.cli.store import open_store
from anomaly.contract.errors import AnomalyError, StoreFailure
from anomaly.store.store import Store
from pipelines import verified


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
    with contextlib.suppress(StoreFailure):  # what is damaged is named below
        open_store(data)
    store, record_faults = verified.opened(data)
    rows = verified.rows(store, record_faults)
    if any(row["table"] == "flows" and not row["broken"] for row in rows):
        read = store.meta("flows")["inputs"]
        rows.append({"table": "raw files", "version": None, "broken": _changed(read, raw, store)})
    show([{**row, "broken": row["broken"] or "nothing"} for row in rows], form)
    verified.refuse_broken(rows)


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
