"""How the flags of a regime are judged by its simulated world, over seeds: `python -m benchmarks.regimes NAME`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from anomaly import world
from anomaly.contract.keys import COALITION
from anomaly.store.store import Store
from pipelines import run

JOBS = ("flows", "families", "coverage", "bilateral", "supply", "features", "scores", "flags")
ROUTE = ["exporter_iso", "importer_iso", "good"]


def flagged(regime: str, seed: int, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Labels of the seed's world with `is_flagged`, and the flagged routes that are neither evasion nor its supply."""
    simulated = world.build(seed, world.describe(regime))
    for name, content in simulated.files.items():
        (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "raw" / name).write_bytes(content)
    for job in JOBS:
        run.main(folder / "raw", folder / "processed", regime, job)
    flags = Store(folder / "processed").read("flags").filter(pl.col("flag_type") != "resolved")
    routes = flags.select(ROUTE).unique()
    labels = simulated.labels.join(routes.with_columns(is_flagged=pl.lit(value=True)), on=ROUTE, how="left")
    evasion = labels.filter("is_evasion")
    supplied = evasion.select(importer_iso="exporter_iso", good="good", exporter_iso=pl.lit(COALITION))
    honest = routes.join(evasion, on=ROUTE, how="anti").join(supplied, on=ROUTE, how="anti").sort(ROUTE)
    return labels.with_columns(pl.col("is_flagged").fill_null(value=False)), honest


def main() -> None:
    """Print a line a seed, and the sums over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("regime", choices=[regime.name for regime in world.WORLDS])
    parser.add_argument("--seeds", type=int, default=6)
    chosen = parser.parse_args()
    all_labels = []
    for seed in range(1, chosen.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            labels, honest = flagged(chosen.regime, seed, Path(folder))
        all_labels.append(labels)
        missed = labels.filter("is_evasion", ~pl.col("is_flagged"))["episode_id"].to_list()
        print(f"seed {seed}: missed {', '.join(missed) or 'none'}; others flagged {honest.rows()}")
    kinds = pl.concat(all_labels).group_by("is_evasion", "kind").agg(pl.col("is_flagged").sum(), of=pl.len())
    for is_evasion, kind, count, labelled in kinds.sort("is_evasion", "kind", descending=[True, False]).rows():
        print(f"{kind} ({'evasion' if is_evasion else 'benign'}): {count} of {labelled} routes flagged")


if __name__ == "__main__":
    main()
