"""bilateral + coverage → leakage: what went to hubs beyond what the years before explain."""

from __future__ import annotations

from pipelines.goods import breaks_of, links_read
from pipelines.job import Job, Run
from pipelines.supply import ROWS_AT_A_TIME


def build(run: Run) -> None:
    """Hub by good, hub and good, each window with its interval."""
    from anomaly.features import grid
    from anomaly.features.neighbour_codes import HEADING_DIGITS
    from anomaly.leakage import leakage
    from anomaly.supply import reporting

    spans = reporting.spans(run.read("coverage"), run.read("coverage.scope"), run.settings)
    chunks = run.store.chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, grid.COLUMNS)
    tables = leakage.build(chunks, spans, breaks_of(run), run.settings)
    with run.writer() as writer:
        writer.add(tables.leakage)
        writer.add(tables.coverage, "leakage.coverage")


JOB = Job(
    "leakage",
    "what went to hubs beyond what the years before the measure explain",
    build,
    reads=("flows", "coverage", "bilateral"),
    inputs=links_read,
)
