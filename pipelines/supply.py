"""bilateral + coverage + families.broken → supply: what the coalition sells to hubs."""

from anomaly.stages import supply
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Every window of every material leg from the coalition, as one exporter, to a hub."""
    write(run, supply.STAGES, rows=run.store.meta("bilateral")["rows"])


JOB = Job(
    "supply",
    "what the coalition sells to hubs, and what of it rose beyond what can be explained",
    build,
    reads=sources(supply.STAGES),
)
