"""bilateral + coverage → features and refused comparisons, whole headings at a time."""

from collections.abc import Iterator

import polars as pl

from pipelines.goods import breaks_of, links_read
from pipelines.job import Advance, Job, Run

ROWS_AT_A_TIME = 250_000  # of bilateral: what two threads hold stays under half a gigabyte


def build(run: Run) -> None:
    """Every window of every material route, measured."""
    from anomaly.features import exporter_totals, features, grid
    from anomaly.features.neighbour_codes import HEADING_DIGITS

    who, scope = run.read("coverage"), run.read("coverage.scope")
    totals = exporter_totals.build(run.store.scan("bilateral"), run.settings.targets.countries)
    plan = features.plan(who, scope, breaks_of(run), run.settings, totals)
    rows = run.store.meta("bilateral")["rows"]
    with (
        run.writer(schema=features.table_schema(), sort=("good",)) as writer,
        run.progress("rows", rows) as advance,
    ):
        chunks = _told(run.store.chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, grid.COLUMNS), advance)
        for measured, refused in features.build_each(chunks, plan, run.settings):
            writer.add(measured)
            writer.add(refused, "features.refused")


def _told(chunks: Iterator[pl.DataFrame], advance: Advance) -> Iterator[pl.DataFrame]:
    for chunk in chunks:
        yield chunk
        advance(chunk.height)


JOB = Job(
    "features",
    "every window of every material route, measured",
    build,
    reads=("flows", "coverage", "bilateral"),
    inputs=links_read,
)
