"""flows + links between editions of the HS → families and families.broken."""

from __future__ import annotations

from pathlib import Path

from anomaly.stages import families
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write

FULL_TABLE = "reference/hs2022_hs2017_correlation.csv"


def full_table(raw: Path) -> Path | None:
    """A full correlation table of HS 2022 and 2017 under the raw folder, where there is one."""
    path = raw / FULL_TABLE
    return path if path.is_file() else None


def links_read(raw: Path) -> dict[str, str]:
    """The full correlation table as an input of the job, where there is one."""
    from anomaly.sources.base import RawFile

    path = full_table(raw)
    return {} if path is None else {f"raw/{FULL_TABLE}": RawFile(path, FULL_TABLE).sha256()}


def build(run: Run) -> None:
    """Goods that stay the same across the editions in the flows, and the changes that they do not survive."""
    from anomaly.reference import editions

    write(run, families.STAGES, given={"links": editions.edition_links(full_table(run.raw))})


JOB = Job(
    "families",
    "goods that stay the same when the HS changes",
    build,
    reads=sources(families.STAGES),
    settings=(),
    inputs=links_read,
)
