"""bilateral + coverage + families.broken → features and refused comparisons, whole headings at a time."""

from anomaly.stages import features
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Every window of every material route, measured."""
    from anomaly.features.features import table_schema

    rows = run.store.meta("bilateral")["rows"]
    write(run, features.STAGES, schema=table_schema(), sort=("good",), rows=rows)


JOB = Job("features", "every window of every material route, measured", build, reads=sources(features.STAGES))
