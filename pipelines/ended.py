"""When readers go over to what a run made: when all tables and documents were made of each other, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anomaly.contract.errors import StoreFailure
from anomaly.contract.schema import TABLES
from anomaly.store.documents import REPORTS, Published
from anomaly.store.store import Store
from pipelines import log
from pipelines.report import TABLES as OF_A_RUN  # the others are beside it: one that is older is left out


def show(store: Store) -> bool:
    """Let readers see what the jobs made, if it is of one run; otherwise say what has to be made again first.

    Parameters
    ----------
    store : Store
        Its tables as the jobs left them; held by its lock.

    Returns
    -------
    bool
        Whether readers see something else than before.
    """
    reasons = left_behind(store)
    missing = {name: reason for name, reason in reasons.items() if name in (*OF_A_RUN, REPORTS)}
    if not missing:
        return store.end_run([name for name in _held(store) if name not in reasons])
    words = "; ".join(f"{name} {reason}" for name, reason in missing.items())
    log.say(f"questions still answer from the run before: {words}", status="not shown", left_behind=missing)
    return False


def left_behind(store: Store) -> dict[str, str]:
    """The tables that were not made of the others as they are now, and documents that show others.

    Parameters
    ----------
    store : Store
        Its tables as the jobs left them.

    Returns
    -------
    dict of str to str
        Table, or REPORTS → why.
    """
    reasons: dict[str, str] = {}
    metas: dict[str, dict[str, Any]] = {}
    for name in _held(store):
        try:
            metas[name] = store.meta(name)
        except StoreFailure:
            reasons[name] = "is damaged"
    versions = {name: store.version(name) for name in metas}
    for name, meta in metas.items():
        inputs = {table.partition(".")[0]: version for table, version in meta["inputs"].items()}
        older = [table for table in _names() if table in inputs and versions.get(table) != inputs[table]]
        reasons |= {name: f"is made of another {', '.join(older)}"} if older else {}
    return reasons | _gone(store, versions) | _documents(store, versions)


def _names() -> list[str]:
    return [name for name in TABLES if "." not in name]


def _held(store: Store) -> list[str]:
    return [name for name in _names() if store.is_there(name)]


def _gone(store: Store, versions: Mapping[str, str]) -> dict[str, str]:
    """What readers see and the jobs no longer find."""
    try:
        seen = store.shown()
    except StoreFailure:
        return {}
    gone = {name: "is gone" for name in seen.tables if name in OF_A_RUN and name not in versions} if seen else {}
    return gone | ({REPORTS: "are gone"} if seen and seen.published and _published(store) is None else {})


def _documents(store: Store, versions: Mapping[str, str]) -> dict[str, str]:
    documents = _published(store)
    if documents is None:
        return {}
    if documents.tables is None:
        return {REPORTS: "do not say of which tables they are"}
    older = [name for name, version in documents.tables.items() if versions.get(name) != version]
    return {REPORTS: f"show another {', '.join(older)}"} if older else {}


def _published(store: Store) -> Published | None:
    try:
        return store.published()
    except StoreFailure:
        return None
