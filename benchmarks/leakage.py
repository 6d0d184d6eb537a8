"""`python -m benchmarks.leakage`: how often the intervals of the leakage hold in simulated worlds what came where nothing went round.

One world a seed and variant, through the real readers and the jobs up to features. The design was chosen on seeds 501 to 508,
also with shocks of hubs planted in them; the default seeds chose nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl

VARIANTS = ("as_is", "heavy_tails")


def measure(seed: int, variant: str, folder: Path, scenario: str) -> pl.DataFrame:
    """The table leakage.coverage of one world, with seed and variant."""
    from anomaly import world
    from anomaly.contract.settings import load
    from anomaly.stages import leakage
    from anomaly.stages.stage import portions
    from anomaly.store.store import Store
    from anomaly.world.variants import variant as variant_of
    from pipelines import bilateral, coverage, families, features, flows
    from pipelines.running import run_jobs

    raw, data = folder / f"{variant}-{seed}" / "raw", folder / f"{variant}-{seed}" / "processed"
    for name, content in world.build(seed, variant_of(world.WORLDS[0], variant)).files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content)
    with contextlib.redirect_stderr(io.StringIO()):
        jobs = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB, features.JOB)
        run_jobs(jobs, "features", raw, data, scenario)
    (tables,) = portions(
        leakage.STAGES[-1:], Store(data), load(scenario), {"goods_lists": _goods_lists(data, scenario)}
    )
    shutil.rmtree(folder / f"{variant}-{seed}")
    coverages = tables["leakage.coverage"].lazy().collect()
    return coverages.with_columns(seed=pl.lit(seed), variant=pl.lit(variant))


def _goods_lists(data: Path, scenario: str) -> pl.DataFrame:
    from anomaly.contract.settings import load
    from anomaly.reference import goods
    from anomaly.store.store import Store

    return goods.listed([listed.file for listed in load(scenario).goods_lists], Store(data).read("families"))


def report(coverages: pl.DataFrame) -> str:
    """The table, in Markdown: of the sums over all windows and seeds, those that their interval held, in percent."""
    counted = coverages.group_by("leg", "of", "variant").agg(pl.col("sums").sum(), pl.col("held").sum())
    lines = ["| leg | sums over | world | sums | held % |", "|---" * 5 + "|"]
    for leg, of, variant, sums, held in counted.sort("leg", "of", "variant").iter_rows():
        lines.append(f"| {leg} | {of} | {variant} | {sums:,} | {100 * held / max(sums, 1):.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the worlds, some at a time, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=741)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--scenario", default="russia-2022")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/leakage"))
    asked_for = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = "1"  # each process of the pool has one core
    seeds = range(asked_for.first, asked_for.first + asked_for.seeds)
    worlds = [(seed, variant) for seed in seeds for variant in asked_for.variants]
    with ProcessPoolExecutor(asked_for.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [pool.submit(measure, *world, asked_for.folder, asked_for.scenario) for world in worlds]
        print(report(pl.concat([part.result() for part in parts])))


if __name__ == "__main__":
    main()
