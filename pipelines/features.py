"""bilateral + coverage → features and refused comparisons, whole goods at a time."""

from anomaly import features
from pipelines.goods import breaks_of
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """Every window of every material route, measured."""
    who, scope = run.read("coverage"), run.read("coverage.scope")
    plan = features.plan(who, scope, breaks_of(run), run.settings)
    rows = run.store.meta("bilateral")["rows"]
    with (
        run.writer(schema=features.table_schema(), sort=("good",)) as writer,
        run.progress("rows", rows) as advance,
    ):
        for chunk in run.store.chunks("bilateral"):
            measured, refused = features.build(chunk, plan, run.settings)
            writer.add(measured)
            writer.add(refused, "features.refused")
            advance(chunk.height)


JOB = Job("features", "every window of every material route, measured", build, reads=("flows", "coverage", "bilateral"))
