"""What a job is and how it is run: the lock, what it was made from, no change, the status file, the exit code.

A job of a table is about twenty lines:

    def build(run: Run) -> None:
        frame = rollups.build(run.read("flags"), run.read("features"), run.settings.targets.countries)
        with run.writer() as writer:
            writer.add(frame)

    JOB = Job("rollups", "per good and per hub", build, reads=("flags", "features"))

Companions go into the writer of their table: `writer.add(frame, "features.refused")`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly.contract.errors import AnomalyError, Locked, StoreFailure
from anomaly.contract.schema import TABLES
from anomaly.contract.settings import Settings, load
from anomaly.store import made_by
from anomaly.store.store import REPORTS, Store
from anomaly.store.writer import Writer
from pipelines import log
from pipelines.code import code_version

if TYPE_CHECKING:
    import dataframely as dy
    import polars as pl

FAULT = 70  # a fault of this program, sysexits.h EX_SOFTWARE
INTERRUPTED = 130
SOME_SET_ASIDE = 3  # done, with files set aside

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One table's job, or the reports'.

    name       of the job, and of its table
    says       what it makes, for a person
    build      does the work; called only where something changed
    reads      tables it reads; their versions are its inputs
    settings   names of the settings it uses; None: all of them
    inputs     raw → name → sha256 of what it reads beside tables
    publishes  it writes documents by Run.publish instead of a table
    in_run     `run` does it too
    """

    name: str
    says: str
    build: Callable[[Run], None]
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] | None = None
    inputs: Callable[[Path], dict[str, str]] | None = None
    publishes: bool = False
    in_run: bool = True


@dataclass(frozen=True, slots=True)
class Stamp:
    """Everything a job's result hangs on. Two runs with the same one give the same bytes."""

    inputs: dict[str, str]
    settings: str
    code_version: str

    @property
    def run(self) -> str:
        """A name for the result, 16 hexadecimal digits."""
        told = json.dumps([self.inputs, self.settings, self.code_version], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Run:
    """What a job's `build` gets.

    raw             a folder, a file or a glob
    is_quarantine   a file that cannot be read is set aside whole; otherwise it ends the run
    set_aside       names of the files that were, filled by `build`
    """

    store: Store
    settings: Settings
    raw: Path
    job: Job
    stamp: Stamp
    is_quarantine: bool = False
    set_aside: list[str] = field(default_factory=list)

    def read(self, table: str, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of a table, as Store.read."""
        return self.store.read(table, columns, where)

    def writer(
        self, table: str | None = None, *, schema: type[dy.Schema] | None = None, sort: Sequence[str] = ()
    ) -> contextlib.AbstractContextManager[Writer]:
        """The job's table to write, as Store.writer, with inputs, settings and code told."""
        return self.store.writer(
            table or self.job.name,
            inputs=self.stamp.inputs,
            settings=self.stamp.settings,
            code_version=self.stamp.code_version,
            schema=schema,
            sort=sort,
            scenario=self.settings.recorded() if self.job.settings is None else None,
        )

    def publish(self, files: Mapping[str, bytes]) -> Path:
        """The job's documents into `reports/<run>`, as Store.publish."""
        return self.store.publish(self.stamp.run, files)

    def say(self, line: str, **facts: Any) -> None:
        """A line in the log of the run, with what a program may read beside it."""
        log.say(f"{self.job.name}: {line}", job=self.job.name, **facts)

    @contextlib.contextmanager
    def progress(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """A bar on stderr, only on a terminal. Yields `advance(steps)`."""
        if not sys.stderr.isatty() or not log.is_plain():
            yield lambda _steps: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(f"{self.job.name}: {text}", total=total)
            yield lambda steps: bars.advance(task, steps)


@dataclass(slots=True)
class Outcome:
    """How a run went: a row per job, whether anything was written, and the files that were set aside."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or SOME_SET_ASIDE."""
        return SOME_SET_ASIDE if self.set_aside else 0

    @property
    def is_changed(self) -> bool:
        """Whether any job did work."""
        return any(step["status"] != "no change" for step in self.steps)


def run_jobs(
    jobs: Sequence[Job], name: str, raw: Path, data: Path, scenario: str, *, is_quarantine: bool = False
) -> Outcome:
    """Run jobs in order under one lock; whatever happens, `run-status.json` says how it ended.

    With `is_quarantine` a file that cannot be read is set aside and the others are done. Raises AnomalyError; an error of the operating system becomes StoreFailure.
    """
    with log.of_run() as run_id:
        asked = {"job": name, "scenario": scenario, "raw": str(raw), "data": str(data), "run_id": run_id}
        return _run_all(jobs, asked, raw, Store(data), is_quarantine=is_quarantine)


def _run_all(jobs: Sequence[Job], asked: Mapping[str, str], raw: Path, store: Store, *, is_quarantine: bool) -> Outcome:
    """The jobs in order, and the status file; `asked` is what of it is told to whoever reads the file."""
    outcome, began, clock = Outcome(), datetime.now(UTC), time.monotonic()

    def status(word: str, code: int, message: str) -> None:
        text = {"status": word, "exit_code": code, "message": message, **asked}
        ended = {"started_at": began.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - clock, 2)}
        aside = {"set_aside": outcome.set_aside} if outcome.set_aside else {}
        store.write_status({**text, **ended, **aside, "steps": outcome.steps})

    try:
        settings = load(asked["scenario"])
        with store.lock():
            for job in jobs:
                run = Run(store, settings, raw, job, stamp_of(job, store, settings, raw), is_quarantine)
                outcome.steps.append(_run_one(run))
                outcome.set_aside += run.set_aside
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
    message = f"set aside: {', '.join(outcome.set_aside)}" if outcome.set_aside else ""
    status("ok" if outcome.is_changed else "no change", outcome.exit_code, message)
    return outcome


def _run_one(run: Run) -> dict[str, Any]:
    clock, job, store, stamp = time.monotonic(), run.job, run.store, run.stamp
    store.sweep(REPORTS if job.publishes else job.name)
    made_by.refuse_other(store, job.reads, run.settings.recorded())
    if is_done(job, store, stamp):
        run.say("no change", status="no change")
        return {"job": job.name, "status": "no change", "seconds": round(time.monotonic() - clock, 2)}
    job.build(run)
    seconds = round(time.monotonic() - clock, 2)
    if job.publishes:
        run.say(f"written in {seconds} s", status="done", seconds=seconds, version=stamp.run)
        return {"job": job.name, "status": "done", "seconds": seconds, "version": stamp.run}
    rows, version = store.meta(job.name)["rows"], store.version(job.name)
    run.say(f"{rows:,} rows in {seconds} s", status="done", seconds=seconds, rows=rows, version=version)
    return {"job": job.name, "status": "done", "seconds": seconds, "rows": rows, "version": version}


def stamp_of(job: Job, store: Store, settings: Settings, raw: Path) -> Stamp:
    """What the job's result hangs on now. Raises SourceUnavailable where a table it reads is missing."""
    inputs = {table: store.version(table) for table in job.reads}
    inputs |= job.inputs(raw) if job.inputs else {}
    return Stamp(inputs, _settings_used(job, settings), code_version(job.build.__module__))


def _settings_used(job: Job, settings: Settings) -> str:
    if job.settings is None:
        return settings.fingerprint()
    told = settings.model_dump(mode="json", include=set(job.settings))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def is_done(job: Job, store: Store, stamp: Stamp) -> bool:
    """Whether the result of this stamp is there already."""
    if job.publishes:
        return store.latest_run() == stamp.run
    if not store.exists(job.name) or not store.is_complete(job.name):
        return False
    meta = store.meta(job.name)
    if Stamp(meta["inputs"], meta["settings"], meta["code_version"]) != stamp:
        return False
    aside = f"{job.name}.set_aside"
    return aside not in TABLES or not store.meta(aside)["rows"]  # files that were set aside are tried again


def exit_code_of(work: Callable[[], object], log_format: str | None = None) -> int:
    """Do the work of an entry point, and say in the log how it failed where it did.

    Parameters
    ----------
    work
        Runs jobs, by `run_jobs`.
    log_format
        As `log.of_run`.

    Returns
    -------
    int
        What the process should end with: 0, an Outcome's or an AnomalyError's own code, INTERRUPTED or FAULT.

    Raises
    ------
    BadRequest
        There is no such form of the log.
    """
    with log.of_run(log_format):
        try:
            ended = work()
        except AnomalyError as error:
            log.say(str(error), "error", exit_code=error.exit_code)
            return error.exit_code
        except KeyboardInterrupt:
            log.say("stopped; the tables are those of before", "warning", exit_code=INTERRUPTED)
            return INTERRUPTED
        except BrokenPipeError:
            raise  # who reads stdout has enough: no fault
        except Exception as error:
            trace = "".join(traceback.format_exception(error)).rstrip()
            says = "a fault of this program, not of the data; the tables are those of before"
            log.say(says, "error", exit_code=FAULT, exception=trace)
            return FAULT
    return ended.exit_code if isinstance(ended, Outcome) else 0
