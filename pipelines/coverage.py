"""flows + families → coverage and its scope."""

from anomaly.stages import coverage
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Who reported which period, and what each dataset holds."""
    write(run, coverage.STAGES)


JOB = Job("coverage", "who reported which period, and what each dataset holds", build, reads=sources(coverage.STAGES))
