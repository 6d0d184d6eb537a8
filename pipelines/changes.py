"""cases + cases of the run before → changes: what is new, worse, better, resolved, revised or gone.

The run before is the one that questions see when cases are compared. It stays so until the cases are others: a run that is
begun again, or changes nothing, compares with the same run and gives the same bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import polars as pl

from anomaly.contract.errors import AnomalyError, StoreFailure
from anomaly.stages import cases
from anomaly.store import runs
from anomaly.store.store import Store
from pipelines.job import Job, Run
from pipelines.staged import write

NONE = "none"  # instead of a version: no run before, or one of another scenario


def build(run: Run) -> None:
    """Every case beside the same case of the run before.

    Parameters
    ----------
    run : Run
        Reads cases, and those of the run before; writes changes, and beside them what they were compared with.
    """
    write(run, (cases.CHANGES,), at_hand={cases.BEFORE: _before(run)})


def remembered(store: Store) -> dict[str, str]:
    """Which cases are compared with: those of the last comparison where the cases are still those of then.

    Parameters
    ----------
    store : Store
        The tables as the jobs have left them, and the runs that are kept.

    Returns
    -------
    dict of str to str
        cases.BEFORE → version, or NONE.
    """
    with contextlib.suppress(AnomalyError, KeyError):
        inputs = store.meta("changes")["inputs"]
        if inputs["cases"] == store.version("cases"):
            return {cases.BEFORE: inputs[cases.BEFORE]}
    for ended in _kept(store):
        version = ended.version("cases")
        if version != store.version("cases"):
            return {cases.BEFORE: version if _scenario(ended) == _scenario(store) else NONE}
    return {cases.BEFORE: NONE}


def _before(run: Run) -> pl.DataFrame:
    """The cases that are compared with; a frame without columns where there are none."""
    store, version = run.store, run.stamp.inputs[cases.BEFORE]
    for ended in _kept(store):
        if ended.version("cases") == version:
            return ended.read("cases")
    with contextlib.suppress(AnomalyError, KeyError):
        if store.meta("changes")["inputs"][cases.BEFORE] == version != NONE:
            return store.read("changes.before")
    if version != NONE:
        run.say(f"cases {version} are no longer there: compared with nothing")
    return pl.DataFrame()


def _kept(store: Store) -> Iterator[Store]:
    """The run that questions see and the one before it, of those that have cases."""
    with contextlib.suppress(StoreFailure):  # a damaged record remembers nothing
        last = store.shown()
        for ended in (last, runs.of_id(store.root, last.before) if last and last.before else None):
            if ended is not None and "cases" in ended.tables:
                yield Store(store.root, ended=ended)


def _scenario(store: Store) -> object:
    """Name of the scenario that made the flags; None where they do not say."""
    return (store.meta("flags").get("scenario") or {}).get("name")


JOB = Job(
    "changes",
    "what changed in the cases since the run before",
    build,
    reads=("cases",),
    settings=(),
    remembers=remembered,
)
