"""The run between two runs: the figures of the last one without the periods that the one before did not have."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from anomaly.contract.errors import SettingsWrong, SourceUnavailable
from anomaly.contract.schema import TABLES
from anomaly.contract.settings import Settings, from_record
from anomaly.query import revisions
from anomaly.store import made_by, runs
from anomaly.store.store import Store
from pipelines import log
from pipelines.job import Job, Run
from pipelines.run import JOBS
from pipelines.running import stamp_of

NEEDED = ("flows", "families", "coverage", "flags")
TAKEN_OVER = ("flows", "families")  # from the last run: the others are made again of them
LEFT_OUT = (*TAKEN_OVER, "rollups", "report", "backtest")
FLAGS = ("flag_id", *revisions.SHOWN)


def before(now: Store) -> Store:
    """The tables of the run before.

    Parameters
    ----------
    now : Store
        Of the run that ended last.

    Returns
    -------
    Store
        For reading.

    Raises
    ------
    SourceUnavailable
        There was none with flags.
    SettingsWrong
        It was of another scenario.
    """
    name = None if now.ended is None else now.ended.before
    store = None if name is None else Store(now.root, ended=runs.of_id(now.root, name))
    if store is None or not all(store.exists(table) for table in NEEDED):
        hint = "it comes with the next run that brings something new"
        raise SourceUnavailable("two runs, to compare them", f"{now.root}: the last is the first", hint=hint)
    scenario, scenario_before = (made_by.record(each, ["flags"]) for each in (now, store))
    if scenario != scenario_before:
        raise SettingsWrong(
            "two runs of one scenario",
            f"{scenario_before['name']}, then {scenario['name']}, or with other settings",
            hint="run again on new data: what a scenario changes is no revision",
        )
    return store


def is_of_another_program(now: Store, store_before: Store) -> bool:
    """Whether the program changed between two runs in what flags hang on.

    Parameters
    ----------
    now, store_before : Store
        Both runs.

    Returns
    -------
    bool
        True where a table up to the flags was made by other code.
    """
    tables = [job.name for job in JOBS if job.name not in ("rollups", "report", "backtest")]
    return any(
        now.meta(table)["code_version"] != store_before.meta(table)["code_version"]
        for table in tables
        if now.exists(table) and store_before.exists(table)
    )


def changes(now: Store, store_before: Store) -> pl.DataFrame:
    """Flags that appeared, vanished or moved from the run before to the last one, and why.

    Parameters
    ----------
    now, store_before : Store
        Both runs.

    Returns
    -------
    polars.DataFrame
        As revisions.changes.
    """
    flags_before, flags_now = (store.read("flags", FLAGS) for store in (store_before, now))
    if now.version("flags") == store_before.version("flags"):
        return revisions.changes(flags_before, flags_now, flags_now)
    settings = from_record(made_by.record(now, ["flags"]))
    coverage_before = store_before.read("coverage", revisions.PERIOD)
    with tempfile.TemporaryDirectory(prefix="anomaly-revisions-") as folder:
        scratch = Store(Path(folder))
        _take_over(now, scratch, coverage_before, settings)
        for job in JOBS:
            if job.name not in LEFT_OUT:
                _make(job, scratch, settings)
        flags_revised = scratch.read("flags", FLAGS)
    return revisions.changes(flags_before, flags_revised, flags_now)


def _take_over(now: Store, scratch: Store, coverage_before: pl.DataFrame, settings: Settings) -> None:
    for table in TAKEN_OVER:
        companions = [name for name in TABLES if name.startswith(f"{table}.") and now.exists(name)]
        rows = now.scan(table)
        if table == "flows":
            rows = revisions.without_new(rows, coverage_before)
        with scratch.writer(table, inputs={}, scenario=settings.recorded()) as writer:
            writer.add(rows.collect(engine="streaming"))
            for name in companions:
                writer.add(now.read(name), name)


def _make(job: Job, scratch: Store, settings: Settings) -> None:
    raw = scratch.root / "raw"  # none of these jobs reads it
    job.build(Run(scratch, settings, raw, job, stamp_of(job, scratch, settings, raw)))
    log.say(f"between the two runs: {job.name}", job=job.name)
