"""Features by the project's own code, chunks of whole goods, as pipelines/features.py runs them."""

from __future__ import annotations

from pathlib import Path

from anomaly import features
from anomaly.store import Store
from benchmarks.tables import plan_of, scenario


def run(root: str, out: str, materiality_usd: str, rows: str = "500000") -> None:
    """Read bilateral, write features as Parquet parts under `out`."""
    settings = scenario(materiality_usd)
    plan = plan_of(Path(root), settings)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for number, chunk in enumerate(Store(Path(root)).chunks("bilateral", int(rows))):
        measured, _ = features.build(chunk, plan, settings)
        measured.write_parquet(folder / f"part-{number:05}.parquet", compression="zstd")
