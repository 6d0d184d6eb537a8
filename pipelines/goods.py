"""HS families for the editions that a run's flows are in."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.bilateral import bilateral, coverage
from anomaly.features.refusals import Breaks
from anomaly.reference import editions
from anomaly.sources.base import RawFile
from pipelines.job import Run

FULL_TABLE = "reference/hs2022_hs2017_correlation.csv"


def full_table(raw: Path) -> Path | None:
    """A full correlation table of HS 2022 and 2017 under the raw folder, where there is one."""
    path = raw / FULL_TABLE
    return path if path.is_file() else None


def links_read(raw: Path) -> dict[str, str]:
    """The full correlation table as an input of a job, where there is one."""
    path = full_table(raw)
    return {} if path is None else {f"raw/{FULL_TABLE}": RawFile(path, FULL_TABLE).sha256()}


def editions_of(run: Run) -> list[int]:
    """HS editions in the current flows."""
    edition = editions.edition_number(pl.col("classification_code"))
    used = run.store.scan("flows").select(pl.col("classification_code").unique()).collect()
    return sorted(used.select(edition.unique()).to_series().drop_nulls().to_list())


def families_of(run: Run) -> pl.DataFrame:
    """Families across the editions in the flows: a split that no row straddles coarsens nothing."""
    return editions.family_map(editions_of(run), full_table(run.raw))


def breaks_of(run: Run) -> Breaks:
    """Goods that do not survive an edition change, and the changes for which there is a table."""
    return Breaks(editions.unstable_goods(editions_of(run), full_table(run.raw)), editions.edition_tables())


def broken_of(goods: pl.Series, editions: list[int], breaks: Breaks) -> pl.DataFrame:
    """good, newer_edition (Int8): changes between the editions in use that a good does not survive.

    goods   sorted, each once
    """
    marked = pl.DataFrame({"good": goods, "marks": breaks.marks(goods)})
    newer = pl.Series("newer_edition", editions[1:] and range(editions[0] + 1, editions[-1] + 1), dtype=pl.Int8)
    crossed = (pl.col("marks") // pl.lit(2).pow(pl.col("newer_edition").cast(pl.Int64))) % 2 == 1
    return marked.join(newer.to_frame(), how="cross").filter(crossed).select("good", "newer_edition")


def current_flows(run: Run, families: pl.DataFrame, flows: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Flows of the newest vintages with the good each code belongs to; files of one extract under one dataset.

    flows   those of another day than today, with their own `is_current`
    """
    flows = coverage.as_extracts((run.store.scan("flows") if flows is None else flows).filter(pl.col("is_current")))
    return bilateral.with_goods(flows, families, editions.edition_number(pl.col("classification_code")))
