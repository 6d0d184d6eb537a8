"""bilateral + coverage + families + features → leakage: what was sold beyond what can be explained, on either leg."""

from anomaly.stages import leakage
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Hub by good, hub and good, each window with its interval.

    Parameters
    ----------
    run : Run
        Reads bilateral, coverage, families and features; writes leakage and leakage.coverage.
    """
    write(run, leakage.STAGES, rows=run.store.meta("bilateral")["rows"])


JOB = Job(
    "leakage",
    "what went to hubs, and from hubs to targets, beyond what can be explained",
    build,
    reads=sources(leakage.STAGES),
)
