"""flows + links between editions of the HS → families and families.broken."""

from __future__ import annotations

import os
from pathlib import Path

from anomaly.stages import families
from anomaly.stages.stage import sources
from anomaly.store.disk import digest, named_failures
from pipelines.job import Job, Run
from pipelines.staged import write

FULL_TABLE = "reference/hs2022_hs2017_correlation.csv"


def full_table(raw: Path) -> Path | None:
    """A full correlation table of HS 2022 and 2017 under the raw folder.

    Parameters
    ----------
    raw : Path
        The raw folder.

    Returns
    -------
    Path or None
        The path of FULL_TABLE in it; None where there is nothing of that name.
    """
    path = raw / FULL_TABLE
    return path if os.path.lexists(path) else None  # a link that leads nowhere is an error and not a missing table


def links_read(raw: Path) -> dict[str, str]:
    """The full correlation table as an input of the job.

    Parameters
    ----------
    raw : Path
        The raw folder.

    Returns
    -------
    mapping of str to str
        Name → sha256; empty where there is no such file.
    """
    path = full_table(raw)
    if path is None:
        return {}
    with named_failures(path, verb="read"):
        return {f"raw/{FULL_TABLE}": digest(path)}


def build(run: Run) -> None:
    """Goods that stay the same across the editions in the flows, and the changes that they do not survive.

    Parameters
    ----------
    run : Run
        Reads flows and the links under its raw folder; writes families and families.broken.
    """
    from anomaly.reference import editions

    write(run, families.STAGES, at_hand={"links": editions.edition_links(full_table(run.raw))})


JOB = Job(
    "families",
    "goods that stay the same when the HS changes",
    build,
    reads=sources(families.STAGES),
    settings=(),
    inputs=links_read,
)
