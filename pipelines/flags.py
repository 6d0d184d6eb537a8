"""features + scores → flags with their evidence, and what remains of them without a publisher."""

from anomaly.stages import evidence, flags
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write

STAGES = (*flags.STAGES, *evidence.STAGES)


def build(run: Run) -> None:
    """Routes that deserve a question, with the evidence."""
    from anomaly.flags.flags import table_schema

    write(run, STAGES, schema=table_schema())


JOB = Job("flags", "routes that deserve a question, with the evidence", build, reads=sources(STAGES))
