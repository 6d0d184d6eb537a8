"""bilateral + coverage → supply: what the coalition sells to hubs."""

from __future__ import annotations

from pipelines.goods import breaks_of, links_read
from pipelines.job import Job, Run

ROWS_AT_A_TIME = 250_000  # of bilateral


def build(run: Run) -> None:
    """Every window of every material leg from the coalition, as one exporter, to a hub."""
    import polars as pl

    from anomaly.features import grid
    from anomaly.features.neighbour_codes import HEADING_DIGITS
    from anomaly.supply import reporting, sides, supply

    coverage, scope = run.read("coverage"), run.read("coverage.scope")
    spans = reporting.spans(coverage, scope, run.settings)
    chunks = run.store.chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, grid.COLUMNS)
    tables = supply.build(chunks, spans, breaks_of(run), run.settings)
    called = tables.supply.filter(pl.col("called_by").is_not_null())
    cells = run.read("bilateral", where=sides.cells_of(called, run.settings))
    with run.writer() as writer:
        writer.add(sides.beside(tables.supply, cells, coverage, scope, run.settings))
        for name in ("calibration", "hubs", "series", "refused"):
            writer.add(getattr(tables, name), f"supply.{name}")


JOB = Job(
    "supply",
    "what the coalition sells to hubs, and what of it rose beyond what can be explained",
    build,
    reads=("flows", "coverage", "bilateral"),
    inputs=links_read,
)
