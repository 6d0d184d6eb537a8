"""flags → cases: a route with all its flagged windows."""

from anomaly.stages import cases
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """One case per route, its flagged windows inside.

    Parameters
    ----------
    run : Run
        Reads flags; writes cases.
    """
    write(run, (cases.CASES,))


JOB = Job("cases", "routes with their flagged windows", build, reads=("flags",), settings=())
