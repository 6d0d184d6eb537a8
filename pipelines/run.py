"""The jobs in their order, and all of them in one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from anomaly.contract.errors import BadRequest
from anomaly.store import as_of as dated
from anomaly.store import made_by
from anomaly.store.disk import Faults, write_over
from anomaly.store.documents import REPORTS
from anomaly.store.store import Store
from pipelines import (
    backtest,
    bilateral,
    cases,
    changes,
    coverage,
    families,
    features,
    flags,
    flows,
    leakage,
    log,
    report,
    rollups,
    scores,
    seen,
    supply,
)  # fmt: skip
from pipelines.code import code_version
from pipelines.job import Job
from pipelines.raw import inputs
from pipelines.running import Bring, Outcome, run_jobs
from pipelines.scenario import of_run

JOBS: tuple[Job, ...] = (
    flows.JOB,
    families.JOB,
    coverage.JOB,
    bilateral.JOB,
    supply.JOB,
    features.JOB,
    leakage.JOB,
    scores.JOB,
    flags.JOB,
    cases.JOB,
    changes.JOB,
    rollups.JOB,
    report.JOB,
    backtest.JOB,
)


def main(
    raw: Path,
    data: Path,
    scenario: str,
    name: str = "run",
    *,
    is_quarantine: bool = False,
    as_of: date | None = None,
    fetched: Sequence[str] | None = None,
) -> Outcome:
    """Run one job by its name, or all that make the reports.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob of raw files.
    data : Path
        Folder of the tables and reports.
    scenario : str
        Its name, or the path of its TOML file.
    name : str, optional
        Of the job; `run` for all of them.
    is_quarantine : bool, optional
        Set files that cannot be read aside; otherwise they end the run.
    as_of : datetime.date or None, optional
        Only raw files that came by then are seen, and the tables lie in a folder of their own (`as_of.folder`).
    fetched : sequence of str or None, optional
        Publishers that are asked first, none: all usual ones; None: the network is not touched.

    Returns
    -------
    Outcome
        What each job did, the files set aside and the publishers that failed.

    Raises
    ------
    AnomalyError
        The run cannot go on; BadRequest where there is no such job, or nothing can be fetched as of a day.
    """
    data = _folder(raw, data, as_of, is_fetching=fetched is not None)
    by_name = {job.name: job for job in JOBS}
    if name != "run" and name not in by_name:
        raise BadRequest("the name of a job", repr(name[:40]), hint=f"jobs are run, demo, sample, {', '.join(by_name)}")
    outcome = run_jobs(
        tuple(job for job in JOBS if job.in_run) if name == "run" else (by_name[name],),
        name,
        raw,
        data,
        scenario,
        is_quarantine=is_quarantine,
        as_of=as_of,
        bring=None if fetched is None else _bring(fetched, raw, scenario),
        is_verified=name == "run",
    )
    _warn_of_other_scenarios(data, scenario)
    if name in ("run", "report") and (page := _page(data)).is_file():
        print(f"{'report' if outcome.is_changed else 'nothing changed; report'}: {page}")
    return outcome


def _bring(names: Sequence[str], raw: Path, scenario: str) -> Bring:
    from pipelines import fetch  # what opens connections is loaded where they are asked for

    return fetch.bring(names, raw, scenario)


def _folder(raw: Path, data: Path, as_of: date | None, *, is_fetching: bool) -> Path:
    """Where the tables go; of a run as of a day it is said, with the raw files that nobody can date."""
    if as_of is None:
        if (day := dated.day_of(data)) is not None:
            raise BadRequest(
                f"--as-of {day} for {data}", "none", hint="say it, with --data as the folder is without it"
            )
        return data
    if is_fetching:
        raise BadRequest("--fetch or --as-of", "both", hint="what is fetched today was not there then")
    folder = dated.folder(data, as_of)
    log.say(
        f"as of {as_of}: raw files that came later are not seen; tables and reports go to {folder}",
        job="run",
        as_of=str(as_of),
    )
    if left_out := seen.undated(raw, as_of):
        names = ", ".join(left_out[:3]) + (" …" if len(left_out) > 3 else "")
        what = f"{len(left_out):,} raw files do not say when they came and are left out: {names}"
        log.say(f"{what}. An origin.toml with fetched_at or vintage says it", "warning", job="run", undated=left_out)
    return folder


def _page(data: Path) -> Path:
    """The newest page: by the link that questions follow, or in its own folder where they do not see it yet."""
    latest, documents = data / REPORTS / "latest", Store(data).published()
    is_shown = documents is None or latest.resolve().name == documents.run
    return (latest if is_shown or documents is None else data / REPORTS / documents.run) / "report.html"


def _warn_of_other_scenarios(data: Path, scenario: str) -> None:
    """Tables in the folder that another scenario made: they are not of this run."""
    tables_of = made_by.of_other_scenarios(Store(data), [job.name for job in JOBS], of_run(scenario).recorded())
    if tables_of:
        names = "; ".join(f"{', '.join(tables)} of {name}" for name, tables in tables_of.items())
        message = f"left in {data}, made by another scenario: {names}"
        log.say(f"{message}. Questions answer from the run before until all are of one", "warning", tables=tables_of)


def demo(raw: Path, data: Path, scenario: str) -> Outcome:
    """Write the simulated world of the scenario's regime as raw files where it is not there yet, and run everything on it.

    Raises BadRequest where another world lies in the folder.

    Parameters
    ----------
    raw : Path
        Folder of the simulated world's files.
    data : Path
        Folder of the tables and reports.
    scenario : str
        Its name, or the path of its TOML file.

    Returns
    -------
    Outcome
        As `main`.

    Raises
    ------
    BadRequest
        Another world lies in the folder.
    """
    from pipelines.demo import world_of, write_world

    simulated, mark = world_of(of_run(scenario).facts_of), raw / ".world.json"
    code = {"code_version": code_version("pipelines.demo"), "world": simulated}
    lies_there = _marked(mark)
    world_there = lies_there.get("world", world_of("")) if lies_there else simulated
    if world_there != simulated:
        hint = "name another folder: make demo SCENARIO=<name> DEMO=<folder>"
        raise BadRequest(f"the simulated world of {simulated} in {raw}, or none", f"that of {world_there}", hint=hint)
    if not lies_there or lies_there != {**code, "files": inputs(raw)}:
        write_world(raw, simulated)
        text = json.dumps({**code, "files": inputs(raw)}, indent=1) + "\n"
        write_over(mark, text.encode(), Faults("world"))
    return main(raw, data, scenario)


def _marked(mark: Path) -> dict[str, Any]:
    """What the mark of a simulated world says; a damaged one says nothing, and the world is written again."""
    try:
        marked = json.loads(mark.read_bytes()) if mark.is_file() else {}
    except (ValueError, RecursionError):
        return {}
    return marked if isinstance(marked, dict) and isinstance(marked.get("world", ""), str) else {}
