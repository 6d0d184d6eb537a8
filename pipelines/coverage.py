"""flows → coverage and its scope."""

from pipelines.goods import current_flows, families_of, links_read
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """Who reported which period, and what each dataset holds."""
    from anomaly.bilateral import coverage

    flows = current_flows(run, families_of(run))
    who, scope = coverage.build(flows)
    with run.writer() as writer:
        writer.add(who)
        writer.add(scope, "coverage.scope")


JOB = Job(
    "coverage", "who reported which period, and what each dataset holds", build, reads=("flows",), inputs=links_read
)
