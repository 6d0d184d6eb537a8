"""`python -m benchmarks.variants`: in worlds in which trade turns honestly, what share of the calls at q is false, and what is found.

One simulated world a seed and variant, through the real readers, the jobs up to bilateral and the stages up to scores. A call is
a route of a hub to a target (or of `--leg "hub to hub"`) with q within the level, in a window since the measures; it is false where no planted evasion is
active on it. The false share is the mean over windows (nothing called counts 0), then over seeds, with its 95 % interval by t.
The constants of the score were chosen on seeds 501 to 508; the default seeds chose nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
from scipy import stats

from anomaly.contract.keys import HUB_TO_HUB, HUB_TO_TARGET

Q_LEVELS = (0.05, 0.10, 0.20)
KINDS = ("hub_reexport", "new_route", "relabel", "second_hop")
VARIANTS = (
    "as_is", "diversion", "diversion_strong", "own_demand", "turmoil", "heavy_tails", "demand_and_diversion",
    "one_exporter", "periods_only", "listed_extract",
)  # fmt: skip
BILATERAL = ("bilateral", "coverage", "coverage.scope", "families", "families.broken")
# The forest is told beside the score and has no part in q of this leg, nor has its stability: both at their least here.
QUICK: dict[str, Any] = {"forest": {"seeds": [0], "trees": 10}, "calibration": {"resamples": 1}}


def measure(seed: int, variant: str, folder: Path, scenario: str, leg: str) -> pl.DataFrame:
    """One world: a row a level with the false share, the calls a window, and the share of planted windows found."""
    os.environ["OMP_NUM_THREADS"] = "1"
    tables, labels = tables_of(seed, variant, folder / f"{variant}-{seed}", scenario)
    return judged(tables, labels, scenario, leg).with_columns(variant=pl.lit(variant), seed=pl.lit(seed))


def tables_of(seed: int, variant: str, folder: Path, scenario: str) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Tables up to bilateral and labels of a world; made once, and again where the code of the world has changed."""
    from anomaly import world
    from anomaly.store.store import Store
    from anomaly.world.variants import variant as variant_of
    from pipelines import bilateral, coverage, families, flows
    from pipelines.code import code_version
    from pipelines.running import run_jobs

    made_by, stamp = f"{seed} {variant} {code_version('anomaly.world')}", folder / "made_by"
    if not stamp.is_file() or stamp.read_text() != made_by:
        made = world.build(seed, variant_of(world.describe(scenario), variant))
        for name, content in made.files.items():
            (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "raw" / name).write_bytes(content)
        with contextlib.redirect_stderr(io.StringIO()):
            jobs = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
            run_jobs(jobs, "bilateral", folder / "raw", folder / "processed", scenario)
        made.labels.write_parquet(folder / "labels.parquet")
        stamp.write_text(made_by)
    store = Store(folder / "processed")
    return {name: store.read(name) for name in BILATERAL}, pl.read_parquet(folder / "labels.parquet")


def judged(tables: dict[str, pl.DataFrame], labels: pl.DataFrame, scenario: str, leg: str) -> pl.DataFrame:
    """Level by level what is called of the hubs' routes on a leg, and what of it is false."""
    from anomaly.backtest import truth
    from anomaly.contract.keys import WINDOW_KEY
    from anomaly.contract.settings import load
    from anomaly.flags import rule
    from anomaly.stages.order import through

    settings = load(scenario, **QUICK)
    scores = through(["scores"], tables, settings).read("scores")
    since = pl.col("window_end") >= pl.lit(settings.sanctions_since).dt.month_start()
    routes = truth.planted(scores.filter(since, rule.limits_of(settings).leg() == leg), labels)
    rows = []
    for level in Q_LEVELS:
        called = (pl.col("q_value") <= level).fill_null(value=False)
        windows = routes.group_by(WINDOW_KEY).agg(
            called=called.sum(), false=(called & ~pl.col("is_evasion")).sum(), shock=pl.col("shock_ratio").max()
        )
        planted = routes.filter("is_evasion")
        shares = planted.select(
            pl.len().alias("planted"),
            called.mean().alias("found"),
            *[called.filter(planted=kind).mean().alias(kind) for kind in KINDS],
        ).row(0, named=True)
        false_share = (windows["false"] / windows["called"].clip(lower_bound=1)).mean()
        rows.append({"level": level, "false_share": false_share, "calls": windows["called"].mean(), **shares})
    return pl.DataFrame(rows, infer_schema_length=None)


def interval(shares: Sequence[float]) -> tuple[float, float, float]:
    """Mean over seeds and its 95 % interval by Student's t."""
    mean = sum(shares) / len(shares)
    if len(shares) < 2:
        return mean, mean, mean
    low, high = stats.t.interval(0.95, len(shares) - 1, loc=mean, scale=stats.sem(shares))
    return mean, max(0.0, float(low)), min(1.0, float(high))


def table(measured: pl.DataFrame) -> str:
    """A row a variant, in Markdown: false % at each level with its interval, found % at each, and at 0.10 by kind."""
    head = ["variant", "seeds", *[f"false % at {level:.2f}" for level in Q_LEVELS], "found %", "by kind at 0.10"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for (variant,), of_variant in measured.group_by("variant", maintain_order=True):
        cells, founds = [], []
        for level in Q_LEVELS:
            at = of_variant.filter(pl.col("level") == level)
            mean, low, high = interval(at["false_share"].to_list())
            cells.append(f"{100 * mean:.1f} [{100 * low:.1f}-{100 * high:.1f}]")
            founds.append(f"{_percent(at['found'].fill_null(0.0)):.0f}")
        at = of_variant.filter(pl.col("level") == Q_LEVELS[1])
        kinds = ", ".join("-" if at[kind].is_null().all() else f"{kind} {_percent(at[kind]):.0f}" for kind in KINDS)
        lines.append(f"| {variant} | {at.height} | {' | '.join(cells)} | {' / '.join(founds)} | {kinds} |")
    return "\n".join(lines)


def _percent(shares: pl.Series) -> float:
    return 100 * sum(shares.drop_nulls()) / max(shares.len() - shares.null_count(), 1)


def main() -> None:
    """Measure seeds and variants, some at a time, and print the table; what is measured is kept beside the worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=701)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scenario", default="russia-2022")
    parser.add_argument("--leg", choices=(HUB_TO_TARGET, HUB_TO_HUB), default=HUB_TO_TARGET)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/variants"))
    args = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = "1"  # each process of the pool has one core
    worlds = [(seed, name) for name in args.variants for seed in range(args.first, args.first + args.seeds)]
    measured: list[pl.DataFrame] = []
    clock = time.perf_counter()
    with ProcessPoolExecutor(args.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        seeds, names = zip(*worlds, strict=True)
        arguments = (seeds, names, [args.folder] * len(worlds), [args.scenario] * len(worlds), [args.leg] * len(worlds))
        for (seed, name), rows in zip(worlds, pool.map(measure, *arguments), strict=True):
            measured.append(rows)
            print(f"{name} {seed}: {time.perf_counter() - clock:.0f} s", flush=True)
    print("\n" + table(pl.concat(measured, how="vertical_relaxed")))


if __name__ == "__main__":
    main()
