"""The jobs in their order, and all of them in one run."""

from __future__ import annotations

import json
from pathlib import Path

from anomaly.contract.errors import BadRequest
from pipelines import backtest, bilateral, coverage, families, features, flags, flows, report, rollups, scores
from pipelines.code import code_version
from pipelines.job import Job, Outcome, run_jobs
from pipelines.raw import inputs

JOBS: tuple[Job, ...] = (
    flows.JOB,
    families.JOB,
    coverage.JOB,
    bilateral.JOB,
    features.JOB,
    scores.JOB,
    flags.JOB,
    rollups.JOB,
    report.JOB,
    backtest.JOB,
)


def main(raw: Path, data: Path, scenario: str, name: str = "run") -> Outcome:
    """Run one job by its name, or all that make the reports. Raises AnomalyError."""
    known = {job.name: job for job in JOBS}
    if name != "run" and name not in known:
        raise BadRequest("the name of a job", repr(name[:40]), hint=f"jobs are run, demo, {', '.join(known)}")
    outcome = run_jobs(
        tuple(job for job in JOBS if job.in_run) if name == "run" else (known[name],), name, raw, data, scenario
    )
    page = data / "reports" / "latest" / "report.html"
    if name in ("run", "report") and page.is_file():
        print(f"{'report' if outcome.is_changed else 'nothing changed; report'}: {page}")
    return outcome


def demo(raw: Path, data: Path, scenario: str) -> Outcome:
    """Write the simulated world as raw files where it is not there yet, and run everything on it."""
    made_by = raw / ".world.json"
    told = {"code_version": code_version("pipelines.demo")}
    if not made_by.is_file() or json.loads(made_by.read_bytes()) != {**told, "files": inputs(raw)}:
        from pipelines.demo import write_world

        write_world(raw)
        made_by.write_text(json.dumps({**told, "files": inputs(raw)}, indent=1) + "\n", encoding="utf-8")
    return main(raw, data, scenario)
