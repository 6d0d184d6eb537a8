"""flags + features → rollups per good and per hub."""

from anomaly.stages import rollups
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """How much of the trade to the targets is flagged."""
    write(run, rollups.STAGES)


JOB = Job(
    "rollups",
    "how much of the trade to the targets is flagged, per good and per hub",
    build,
    reads=sources(rollups.STAGES),
)
