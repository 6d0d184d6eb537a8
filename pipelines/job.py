"""What a job is and how it is run: the lock, what it was made from, no change, the status file, the exit code.

A job of a table is about twenty lines:

    def build(run: Run) -> None:
        frame = rollups.build(run.store.read("flags"), run.store.read("features"), run.settings.targets.countries)
        with run.writer("rollups") as writer:
            writer.add(frame)

    JOB = Job("rollups", ("flags", "features"), build)

Companions go into the writer of their table: `writer.add(frame, "features.refused")`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly.errors import AnomalyError, Locked, StoreFailure
from anomaly.settings import Settings, load
from anomaly.store import Store, Writer
from pipelines.code import code_version

if TYPE_CHECKING:
    import dataframely as dy
    import polars as pl

FAULT = 70  # a fault of this program, sysexits.h EX_SOFTWARE
INTERRUPTED = 130

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One table's job, or the reports'.

    name         of the job, and of its table
    reads        tables it reads; their versions are its inputs
    build        does the work; called only where something changed
    inputs       raw → name → sha256 of what it reads beside tables
    settings     names of the settings it uses; None: all of them
    is_current   for a job that writes no table: whether there is nothing to do
    """

    name: str
    reads: tuple[str, ...]
    build: Callable[[Run], None]
    inputs: Callable[[str], dict[str, str]] | None = None
    settings: tuple[str, ...] | None = None
    is_current: Callable[[Run], bool] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a job's `build` gets: everything that its result hangs on.

    raw        folder, file or glob of raw files, as told
    inputs     table → version, raw file → sha256
    told       fingerprint of the settings the job uses
    code       version of the code the job can reach
    """

    store: Store
    settings: Settings
    raw: str
    job: Job
    inputs: dict[str, str]
    told: str
    code: str

    def writer(
        self, table: str, schema: type[dy.Schema] | None = None, *, sort: Sequence[str] = ()
    ) -> contextlib.AbstractContextManager[Writer]:
        """A table to write, as Store.writer, with inputs, settings and code told."""
        return self.store.writer(
            table, inputs=self.inputs, settings=self.told, code_version=self.code, schema=schema, sort=sort
        )

    def say(self, line: str) -> None:
        """A line for a person, on stderr."""
        say(f"{self.job.name}: {line}")

    @contextlib.contextmanager
    def progress(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """A bar on stderr, only on a terminal. Yields `advance(steps)`."""
        if not sys.stderr.isatty():
            yield lambda _steps: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(f"{self.job.name}: {text}", total=total)
            yield lambda steps: bars.advance(task, steps)


@dataclass(slots=True)
class Outcome:
    """How a run went: a row per job, and whether anything was written."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether any job did work."""
        return any(step["status"] != "no change" for step in self.steps)


def say(line: str) -> None:
    """A line on stderr."""
    print(line, file=sys.stderr, flush=True)


def run_jobs(jobs: Sequence[Job], name: str, raw: str, data: Path, scenario: str) -> Outcome:
    """Run jobs in order under one lock; whatever happens, `run-status.json` says how it ended.

    Raises AnomalyError; an error of the operating system becomes StoreFailure.
    """
    store, outcome = Store(data), Outcome()
    began, clock = datetime.now(UTC), time.monotonic()
    told = {"job": name, "scenario": scenario, "raw": raw, "data": str(data)}

    def status(word: str, code: int, message: str) -> None:
        text = {"status": word, "exit_code": code, "message": message, **told}
        ended = {"started_at": began.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - clock, 2)}
        store.write_status({**text, **ended, "steps": outcome.steps})

    try:
        settings = load(scenario)
        with store.lock():
            for job in jobs:
                outcome.steps.append(_run_one(job, store, settings, raw))
    except AnomalyError as error:
        with contextlib.suppress(StoreFailure):
            status("locked" if isinstance(error, Locked) else "failed", error.exit_code, str(error))
        raise
    except OSError as error:
        failure = StoreFailure(
            "to read and write", f"{error.strerror or error}: {error.filename or ''}", hint="look at the disk"
        )
        with contextlib.suppress(StoreFailure):
            status("failed", failure.exit_code, str(failure))
        raise failure from error
    except BaseException as error:
        code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAULT
        with contextlib.suppress(StoreFailure):
            status("failed", code, f"{type(error).__name__}: {error}")
        raise
    status("ok" if outcome.is_changed else "no change", 0, "")
    return outcome


def _run_one(job: Job, store: Store, settings: Settings, raw: str) -> dict[str, Any]:
    clock = time.monotonic()
    run = run_of(job, store, settings, raw)
    if is_done(run):
        say(f"{job.name}: no change")
        return {"job": job.name, "status": "no change", "seconds": round(time.monotonic() - clock, 2)}
    job.build(run)
    seconds = round(time.monotonic() - clock, 2)
    step = {"job": job.name, "status": "done", "seconds": seconds}
    if job.is_current is not None:
        say(f"{job.name}: written in {seconds} s")
        return step
    rows, version = store.meta(job.name)["rows"], store.version(job.name)
    say(f"{job.name}: {rows:,} rows in {seconds} s")
    return {**step, "rows": rows, "version": version}


def run_of(job: Job, store: Store, settings: Settings, raw: str) -> Run:
    """What the job's result hangs on now. Raises SourceUnavailable where a table it reads is missing."""
    inputs = {table: store.version(table) for table in job.reads}
    inputs |= job.inputs(raw) if job.inputs else {}
    return Run(store, settings, raw, job, inputs, _told(job, settings), code_version(job.build.__module__))


def _told(job: Job, settings: Settings) -> str:
    if job.settings is None:
        return settings.fingerprint()
    told = settings.model_dump(mode="json", include=set(job.settings))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def is_done(run: Run) -> bool:
    """Whether what the job made last was made from the same inputs, settings and code, and is still there."""
    if run.job.is_current is not None:
        return run.job.is_current(run)
    store, table = run.store, run.job.name
    if not store.exists(table) or not store.is_complete(table):
        return False
    meta = store.meta(table)
    return (meta["inputs"], meta["settings"], meta["code_version"]) == (run.inputs, run.told, run.code)


def exit_code_of(error: BaseException) -> int:
    """Say an error on stderr and tell what to end with."""
    if isinstance(error, AnomalyError):
        say(str(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        say("stopped; the tables are those of before")
        return INTERRUPTED
    say("".join(traceback.format_exception(error)).rstrip())
    say("a fault of this program, not of the data; the tables are those of before")
    return FAULT
