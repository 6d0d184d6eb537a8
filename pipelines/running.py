"""How jobs are run: the lock, no change, the status file, the exit code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from anomaly.contract.errors import AnomalyError, Locked, StoreFailure
from anomaly.contract.schema import TABLES
from anomaly.contract.settings import Settings
from anomaly.store import made_by
from anomaly.store.disk import Faults
from anomaly.store.documents import REPORTS
from anomaly.store.store import Store
from pipelines import ended, log, verified
from pipelines.code import code_version
from pipelines.job import DONE_BUT_LOOK, Job, Run, Stamp, at_work
from pipelines.scenario import of_run
from pipelines.streams import TERMINATED, Terminated, terminable, written_out

Step = dict[str, Any]
Bring = Callable[[], tuple[Step, list[str]]]  # fetches: its step, and the publishers that failed

DONE = "done"
FAULT = 70  # a fault of this program, sysexits.h EX_SOFTWARE
INTERRUPTED = 130


@dataclass(slots=True)
class Outcome:
    """How a run went: a row per job, whether anything was written, the files set aside, the publishers that failed.

    Parameters
    ----------
    steps : list of dict of str to Any
        Of each job its name, status, seconds, and rows and version where it wrote; the fetch before them and the check after.
    set_aside : list of str
        Names of the raw files that were.
    is_shown : bool
        Readers went over to what the run, or one that was stopped before it, has made.
    not_fetched : list of str
        Publishers whose fetch failed, each with its exit code; the run was done on what lies there.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    is_shown: bool = False
    not_fetched: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or DONE_BUT_LOOK where files were set aside or publishers failed."""
        return DONE_BUT_LOOK if self.set_aside or self.not_fetched else 0

    @property
    def message(self) -> str:
        """What of it a person should look at; empty where there is nothing."""
        lists = {"set aside": self.set_aside, "not fetched": self.not_fetched}
        return "; ".join(f"{words}: {', '.join(names)}" for words, names in lists.items() if names)

    @property
    def is_changed(self) -> bool:
        """Whether any job did work, or readers see something new."""
        return self.is_shown or any(step["status"] == DONE for step in self.steps)


def run_jobs(
    jobs: Sequence[Job],
    name: str,
    raw: Path,
    data: Path,
    scenario: str,
    *,
    is_quarantine: bool = False,
    as_of: date | None = None,
    bring: Bring | None = None,
    is_verified: bool = False,
) -> Outcome:
    """Run jobs in order under one lock; whatever happens, `run-status.json` says how it ended.

    Parameters
    ----------
    jobs : sequence of Job
        In the order in which they run.
    name : str
        What was asked for, for the status file.
    raw : Path
        A folder, a file or a glob of raw files.
    data : Path
        Folder of the tables and reports.
    scenario : str
        Its name, or the path of its TOML file.
    is_quarantine : bool, optional
        A file that cannot be read is set aside and the others are done.
    as_of : datetime.date or None, optional
        Raw files that came later are not seen, nor those that do not say when they came.
    bring : callable or None, optional
        Fetches before the first job, under the lock; where it fails the jobs are done on what lies there.
    is_verified : bool, optional
        After the last job what readers see is read again and held against its hashes.

    Returns
    -------
    Outcome
        What each job did, the files set aside and the publishers that failed.

    Raises
    ------
    AnomalyError
        A job cannot go on; an error of the operating system comes as StoreFailure.
    """
    with log.of_run() as run_id:
        request = {"job": name, "scenario": scenario, "raw": str(raw), "data": str(data), "run_id": run_id}
        request |= {"as_of": as_of.isoformat()} if as_of else {}

        def work(store: Store, settings: Settings, outcome: Outcome) -> None:
            if bring is not None:
                step, outcome.not_fetched = bring()
                outcome.steps.append(step)
            _do(jobs, store, settings, raw, as_of, outcome, is_quarantine=is_quarantine)
            if is_verified:
                outcome.steps.append(verified.step(store))

        with terminable():
            return _run_under_lock(work, request, Store(data))


def _do(
    jobs: Sequence[Job],
    store: Store,
    settings: Settings,
    raw: Path,
    as_of: date | None,
    outcome: Outcome,
    *,
    is_quarantine: bool,
) -> None:
    """The jobs in order, and then readers go over to what they made."""
    between_jobs = Faults("jobs")
    for job in jobs:
        run = Run(store, settings, raw, job, stamp_of(job, store, settings, raw, as_of), is_quarantine)
        outcome.steps.append(_run_job(run))
        outcome.set_aside += run.set_aside
        between_jobs.point()
    outcome.is_shown = ended.show(store)


def _run_under_lock(
    work: Callable[[Store, Settings, Outcome], None], request: Mapping[str, str], store: Store
) -> Outcome:
    """The work, and the status file; `request` is what of it is told to whoever reads the file."""
    outcome, began, clock = Outcome(), datetime.now(UTC), time.monotonic()

    def status(word: str, code: int, message: str) -> None:
        text = {"status": word, "exit_code": code, "message": message, **request}
        ended = {"started_at": began.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - clock, 2)}
        aside = {"set_aside": outcome.set_aside} if outcome.set_aside else {}
        store.write_status({**text, **ended, **aside, "steps": outcome.steps})

    try:
        settings = of_run(request["scenario"])
        with store.lock():
            work(store, settings, outcome)
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
        code = {KeyboardInterrupt: INTERRUPTED, Terminated: TERMINATED}.get(type(error), FAULT)
        with contextlib.suppress(StoreFailure):
            status("failed", code, f"{type(error).__name__}: {error}")
        raise
    status("ok" if outcome.is_changed else "no change", outcome.exit_code, outcome.message)
    return outcome


def _run_job(run: Run) -> dict[str, Any]:
    clock, job, store, stamp = time.monotonic(), run.job, run.store, run.stamp
    store.sweep(REPORTS if job.publishes else job.name)
    made_by.refuse_other(store, job.reads, run.settings.recorded())
    if is_done(job, store, stamp):
        run.say("no change", status="no change")
        return {"job": job.name, "status": "no change", "seconds": round(time.monotonic() - clock, 2)}
    store.begin_run()
    with at_work(job.name):
        job.build(run)
    seconds = round(time.monotonic() - clock, 2)
    if job.publishes:
        run.say(f"written in {seconds} s", status=DONE, seconds=seconds, version=stamp.run)
        return {"job": job.name, "status": DONE, "seconds": seconds, "version": stamp.run}
    rows, version = store.meta(job.name)["rows"], store.version(job.name)
    run.say(f"{rows:,} rows in {seconds} s", status=DONE, seconds=seconds, rows=rows, version=version)
    return {"job": job.name, "status": DONE, "seconds": seconds, "rows": rows, "version": version}


def stamp_of(job: Job, store: Store, settings: Settings, raw: Path, as_of: date | None = None) -> Stamp:
    """What the job's result hangs on now.

    Parameters
    ----------
    job : Job
        Its tables, settings and code count.
    store : Store
        Holds the tables.
    settings : Settings
        The scenario: what the job uses of it is hashed.
    raw : Path
        A folder, a file or a glob of raw files.
    as_of : datetime.date or None, optional
        Of raw files those that came by then.

    Returns
    -------
    Stamp
        The same for the same inputs, settings and code.

    Raises
    ------
    SourceUnavailable
        A table that it reads is missing.
    """
    inputs = {table: store.version(table) for table in job.reads}
    inputs |= job.inputs(raw, as_of) if job.inputs else {}
    inputs |= job.remembers(store) if job.remembers else {}
    return Stamp(inputs, _settings_used(job, settings), code_version(job.build.__module__))


def _settings_used(job: Job, settings: Settings) -> str:
    if job.settings is None:
        return settings.fingerprint()
    used = settings.model_dump(mode="json", include=set(job.settings))
    return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()


def is_done(job: Job, store: Store, stamp: Stamp) -> bool:
    """Whether the result of this stamp is there already.

    Parameters
    ----------
    job : Job
        The job.
    store : Store
        Where its result would be.
    stamp : Stamp
        What the result must have been made from.

    Returns
    -------
    bool
        False too where files were set aside: they are tried again.
    """
    if job.publishes:
        return _is_published(store, stamp) and not store.broken_documents()
    if not store.is_there(job.name) or not store.is_complete(job.name):
        return False  # a damaged table is made again, and one whose pointer is lost
    meta = store.meta(job.name)
    if Stamp(meta["inputs"], meta["settings"], meta["code_version"]) != stamp:
        return False
    aside = f"{job.name}.set_aside"
    return aside not in TABLES or not store.meta(aside)["rows"]  # files that were set aside are tried again


def _is_published(store: Store, stamp: Stamp) -> bool:
    try:
        documents = store.published()
    except StoreFailure:
        return False  # their record is damaged: they are made again
    return documents is not None and documents.run == stamp.run and documents.tables is not None


def exit_code_of(work: Callable[[], object], log_format: str | None = None) -> int:
    """Do the work of an entry point, and say in the log how it failed where it did.

    Parameters
    ----------
    work : callable
        Runs jobs, by `run_jobs`.
    log_format : str or None, optional
        As `log.of_run`.

    Returns
    -------
    int
        What the process should end with: 0, an Outcome's or an AnomalyError's own code, INTERRUPTED, TERMINATED or FAULT.

    Raises
    ------
    BadRequest
        There is no such form of the log.
    """
    with log.of_run(log_format):
        try:
            with written_out():
                ended = work()
        except AnomalyError as error:
            log.say(str(error), "error", exit_code=error.exit_code)
            return error.exit_code
        except KeyboardInterrupt:
            log.say("stopped; the tables are those of before", "warning", exit_code=INTERRUPTED)
            return INTERRUPTED
        except Terminated:
            log.say("asked to end; the tables are those of before", "warning", exit_code=TERMINATED)
            return TERMINATED
        except BrokenPipeError:
            raise  # who reads stdout has enough: no fault
        except Exception as error:
            trace = "".join(traceback.format_exception(error)).rstrip()
            says = "a fault of this program, not of the data; the tables are those of before"
            log.say(says, "error", exit_code=FAULT, exception=trace)
            return FAULT
    return ended.exit_code if isinstance(ended, Outcome) else 0
