"""Features by the project's own code, chunks of whole goods, as pipelines/features.py runs them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.features import features, grid
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.stages.features import ROWS_AT_A_TIME
from anomaly.store.store import Store
from benchmarks.tables import ZSTD_LEVEL, plan_of, scenario


def run(root: str, out: str, materiality_usd: str, threads: str = "2", rows: str = str(ROWS_AT_A_TIME)) -> None:
    """Read bilateral, write features as Parquet parts under `out`."""
    settings = scenario(materiality_usd)
    plan = plan_of(Path(root), settings)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    chunks = Store(Path(root)).chunks("bilateral", int(rows), HEADING_DIGITS, grid.COLUMNS)
    for number, (measured, _) in enumerate(features.build_each(chunks, plan, settings, int(threads))):
        measured.write_parquet(folder / f"part-{number:05}.parquet", compression="zstd", compression_level=ZSTD_LEVEL)


def scan(root: str) -> None:
    """Read the columns that features need, and no more: the floor under any engine."""
    texts = pl.col("good", "exporter_iso", "importer_iso").str.len_bytes().cast(pl.Int64).sum()
    numbers = pl.col("value_usd", "net_wgt_g").sum()
    Store(Path(root)).scan("bilateral").select(texts, numbers, pl.col("ref_date").max()).collect(engine="streaming")
