"""bilateral + coverage + families.broken → leakage: what went to hubs beyond what the years before explain."""

from anomaly.stages import leakage
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Hub by good, hub and good, each window with its interval."""
    write(run, leakage.STAGES, rows=run.store.meta("bilateral")["rows"])


JOB = Job(
    "leakage",
    "what went to hubs beyond what the years before the measure explain",
    build,
    reads=sources(leakage.STAGES),
)
