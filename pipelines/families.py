"""flows + links between editions of the HS → families and families.broken."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import polars as pl

from anomaly.sources import correlation
from anomaly.stages import families
from anomaly.stages.stage import sources
from anomaly.store.disk import digest, named_failures
from pipelines.job import Job, Run
from pipelines.staged import write

FULL_TABLE = "reference/hs2022_hs2017_correlation.csv"
WORKBOOKS = "reference/unsd/*/HS2022-HS2017/*/*.xlsx"  # as `anomaly fetch unsd` lays them: by day


def full_table(raw: Path) -> Path | None:
    """A full correlation table of HS 2022 and 2017 under the raw folder.

    Parameters
    ----------
    raw : Path
        The raw folder.

    Returns
    -------
    Path or None
        The path of FULL_TABLE in it, else of the newest of WORKBOOKS; None where there is neither.
    """
    path = raw / FULL_TABLE
    if os.path.lexists(path):  # a link that leads nowhere is an error and not a missing table
        return path
    return max(raw.glob(WORKBOOKS), default=None) if raw.is_dir() else None


def links(raw: Path) -> pl.DataFrame:
    """Links between editions: of the full table under the raw folder where there is one, else the shipped ones.

    Parameters
    ----------
    raw : Path
        The raw folder.

    Returns
    -------
    polars.DataFrame
        As `editions.edition_links`.

    Raises
    ------
    DataRejected
        The table or the workbook is not what it should be.
    """
    from anomaly.reference import editions

    path = full_table(raw)
    is_workbook = path is not None and path.suffix.lower() == ".xlsx"
    return editions.edition_links(correlation.as_csv(path, path.name) if path and is_workbook else path)


def links_read(raw: Path, _as_of: date | None = None) -> dict[str, str]:
    """The full correlation table as an input of the job.

    Parameters
    ----------
    raw : Path
        The raw folder.
    _as_of : datetime.date or None, optional
        Not looked at: which codes are the same goods is not revised with the trade.

    Returns
    -------
    mapping of str to str
        Name → sha256; empty where there is no such file.
    """
    path = full_table(raw)
    if path is None:
        return {}
    with named_failures(path, verb="read"):
        return {f"raw/{path.relative_to(raw).as_posix()}": digest(path)}


def build(run: Run) -> None:
    """Goods that stay the same across the editions in the flows, and the changes that they do not survive.

    Parameters
    ----------
    run : Run
        Reads flows and the links under its raw folder; writes families and families.broken.
    """
    write(run, families.STAGES, at_hand={"links": links(run.raw)})


JOB = Job(
    "families",
    "goods that stay the same when the HS changes",
    build,
    reads=sources(families.STAGES),
    settings=(),
    inputs=links_read,
)
