"""`python -m benchmarks.false_flags`: what a q-value promises, and what share of the flags is false in simulated worlds.

One world a seed, through the real readers and the jobs up to the flags. A flag is false where no planted evasion is
active on its route in its window; windows before the sanctions are counted apart. A seed's raw files and tables stay in
the folder: after a change of the scores alone, only scores and flags are computed again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import multiprocessing
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.contract.keys import LEGS, ROUTE, WINDOW_KEY

if TYPE_CHECKING:
    from anomaly.contract.tables import Frame
    from pipelines.job import Run

Q_LEVELS = (0.05, 0.10, 0.20)
UPSTREAM = "upstream leg of an evasion"
BOOM = "small route of a boom"
STAMP = "labels.made_by"


@dataclass(frozen=True, slots=True)
class Seed:
    """What came of one seed.

    flags    one row a flag and q-level: q_level, leg, is_before_sanctions, window_months, planted, is_evasion
    called   one row a leg, q-level and window: routes tested, those with q within the level, the false among these
    recall   one row a q-level and label: kind, is_evasion, tested and found windows of the labelled route
    """

    seed: int
    seconds: float
    flags: pl.DataFrame
    called: pl.DataFrame
    recall: pl.DataFrame


def measure(seed: int, folder: Path, scenario: str) -> Seed:
    """Run one seed and judge what is flagged at each of Q_LEVELS."""
    from anomaly.contract.settings import load
    from anomaly.flags.rule import limits_of
    from anomaly.store.store import Store
    from pipelines import bilateral, coverage, families, features, flags, flows, scores, supply
    from pipelines.job import Run
    from pipelines.running import run_jobs, stamp_of

    clock = time.perf_counter()
    raw, data = folder / str(seed) / "raw", folder / str(seed) / "processed"
    labels = world_of(seed, raw)
    jobs = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB, supply.JOB, features.JOB, scores.JOB)
    with contextlib.redirect_stderr(io.StringIO()):
        run_jobs(jobs, "scores", raw, data, scenario)
    store, settings = Store(data), load(scenario)
    leg = limits_of(settings).leg()
    tested = judged(store.read("scores").with_columns(_before(settings.sanctions_since)), labels, leg)
    run = Run(store, settings, raw, flags.JOB, stamp_of(flags.JOB, store, settings, raw))
    flagged, called, recall = [], [], []
    for level in Q_LEVELS:
        flagged_rows = judged(flagged_at(level, run), labels, leg).with_columns(q_level=pl.lit(level))
        flagged.append(
            flagged_rows.select("q_level", "leg", "is_before_sanctions", "window_months", "planted", "is_evasion")
        )
        called.append(_called(tested, level))
        recall.append(_recall(tested, flagged_rows, labels, level))
    seconds = time.perf_counter() - clock
    return Seed(seed, seconds, pl.concat(flagged), pl.concat(called), pl.concat(recall))


def flagged_at(level: float, run: Run) -> pl.DataFrame:
    """The alarms of a run at a q of its own, before their evidence is gathered."""
    from anomaly.flags import naming
    from anomaly.stages.order import through

    tables: dict[str, Frame] = {
        "features": run.store.scan("features"),
        "families": run.read("families"),
        "scores": run.read("scores"),
        "scores.contributions": run.read("scores.contributions"),
        "scores.calibration": run.read("scores.calibration").with_columns(q_limit=pl.lit(level)),
        "policy_events": pl.DataFrame(),
    }
    flags = through(["flagged"], tables, run.settings).read("flagged")
    return flags.filter(naming.is_alarm())


def world_of(seed: int, raw: Path) -> pl.DataFrame:
    """Labels of the seed's world, its raw files written where code or seed have changed."""
    from anomaly import world
    from pipelines.code import code_version

    made_by, stamp, labels = (
        f"{seed} {code_version('anomaly.world')}",
        raw.parent / STAMP,
        raw.parent / "labels.parquet",
    )
    if not stamp.is_file() or stamp.read_text() != made_by:
        made = world.build(seed)
        for name, content in made.files.items():
            (raw / name).parent.mkdir(parents=True, exist_ok=True)
            (raw / name).write_bytes(content)
        made.labels.write_parquet(labels)
        stamp.write_text(made_by)
    return pl.read_parquet(labels)


def judged(routes: pl.DataFrame, labels: pl.DataFrame, leg: pl.Expr) -> pl.DataFrame:
    """Routes with `leg`, `is_evasion` and `planted`, the latter finer than truth.planted.

    What has no label of its own is told apart further: the coalition's sales to the hub of an evasion, and the routes of
    a boom that are too small for a label or go elsewhere.
    """
    from anomaly.backtest import truth
    from anomaly.world.russia_2022 import EPISODES

    upstream = pl.DataFrame(
        [(supplier, episode.exporter, episode.good) for episode in EPISODES for supplier in episode.suppliers],
        schema=["exporter_iso", "importer_iso", "good"],
        orient="row",
    ).unique()
    booms = [episode for episode in EPISODES if episode.kind in ("product_boom", "hub_boom", "price_only")]
    goods = [episode.good for episode in booms if episode.kind == "product_boom"]
    is_boom = pl.col("good").is_in(goods)
    for episode in booms:
        if episode.exporter:
            is_boom |= (pl.col("exporter_iso") == episode.exporter) & (
                (pl.col("good") == episode.good) | (episode.good == "")
            )
    labelled = truth.planted(routes, labels).join(
        upstream.with_columns(is_upstream=pl.lit(value=True)), on=upstream.columns, how="left", maintain_order="left"
    )
    is_unlabelled = (pl.col("planted") == truth.NOTHING) & (pl.col("window_end").dt.year() >= 2022)
    return labelled.with_columns(
        leg=leg,
        planted=pl.when(is_unlabelled & pl.col("is_upstream").fill_null(value=False))
        .then(pl.lit(UPSTREAM))
        .when(is_unlabelled & is_boom)
        .then(pl.lit(BOOM))
        .otherwise("planted"),
    ).drop("is_upstream")


def _before(sanctions_since: object) -> pl.Expr:
    return (pl.col("window_end") < pl.lit(sanctions_since).dt.month_start()).alias("is_before_sanctions")


def _called(tested: pl.DataFrame, level: float) -> pl.DataFrame:
    called = pl.col("q_value") <= level
    return tested.group_by("leg", "is_before_sanctions", *WINDOW_KEY).agg(
        q_level=pl.lit(level), tested=pl.len(), called=called.sum(), false=(called & ~pl.col("is_evasion")).sum()
    )


def _recall(tested: pl.DataFrame, flagged: pl.DataFrame, labels: pl.DataFrame, level: float) -> pl.DataFrame:
    """Per label: windows of its route in which it is active, those tested and those flagged."""
    counted = [
        frame.join(labels.select(*ROUTE, "kind"), on=ROUTE, how="inner")
        .filter(pl.col("planted") == pl.col("kind"))
        .group_by(*ROUTE, "kind")
        .agg(pl.len().alias(name))
        for frame, name in ((tested, "tested"), (flagged, "found"))
    ]
    recall = labels.select(*ROUTE, "kind", "is_evasion")
    for frame in counted:
        recall = recall.join(frame, on=[*ROUTE, "kind"], how="left")
    return recall.with_columns(pl.col("tested", "found").fill_null(0), q_level=pl.lit(level))


# ------------------------------------------------------------------ what is said of all seeds


def interval(shares: Iterable[float]) -> tuple[float, float, float]:
    """Mean of a figure over seeds with its 95 % interval, by the normal approximation."""
    values = list(shares)
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, mean, mean
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    return mean, max(0.0, mean - 1.96 * spread), min(1.0, mean + 1.96 * spread)


def false_shares(seeds: Sequence[Seed], *, is_before: bool = False) -> list[dict[str, Any]]:
    """One row a leg and q-level: tested, called and flagged routes a seed, and the false among them.

    called     routes with q within the level; `false_in_window` is the mean over windows of their false share, nothing
               called being 0: what Benjamini and Hochberg promise to keep at q, one window being one family
    flagged    what is left of these by the rules of a flag, and flags by rule alone; no price rises and no ended routes
    """
    rows = []
    for leg in LEGS:
        for level in Q_LEVELS:
            is_counted = (
                (pl.col("leg") == leg) & (pl.col("q_level") == level) & (pl.col("is_before_sanctions") == is_before)
            )
            flags, called = (
                [rows_of_seed.flags.filter(is_counted) for rows_of_seed in seeds],
                [rows_of_seed.called.filter(is_counted) for rows_of_seed in seeds],
            )
            tested = [int(rows_of_seed["tested"].sum()) for rows_of_seed in called]
            false = [int((~rows_of_seed["is_evasion"]).sum()) for rows_of_seed in flags]
            rows.append(
                {
                    "leg": leg,
                    "q": level,
                    "tested": sum(tested) / len(seeds),
                    "called": sum(int(rows_of_seed["called"].sum()) for rows_of_seed in called) / len(seeds),
                    "false_in_window": interval(
                        float((rows_of_seed["false"] / rows_of_seed["called"].clip(lower_bound=1)).to_numpy().mean())
                        if rows_of_seed.height
                        else 0.0
                        for rows_of_seed in called
                    ),
                    "false_of_called": interval(
                        int(rows_of_seed["false"].sum()) / max(int(rows_of_seed["called"].sum()), 1)
                        for rows_of_seed in called
                    ),
                    "flagged": sum(rows_of_seed.height for rows_of_seed in flags) / len(seeds),
                    "false_of_flagged": interval(
                        wrong / max(rows_of_seed.height, 1) for wrong, rows_of_seed in zip(false, flags, strict=True)
                    ),
                }
            )
    return rows


def _percent(share: tuple[float, float, float]) -> str:
    mean, low, high = share
    return f"{100 * mean:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def report(seeds: Sequence[Seed]) -> str:
    """The tables, in Markdown."""
    took = sum(seed.seconds for seed in seeds) / len(seeds)
    lines = [f"{len(seeds)} seeds, {took:.1f} s each. False of 100, mean over seeds and its 95 % interval.", ""]
    for is_before in (False, True):
        lines += [f"Windows {'before' if is_before else 'since'} the sanctions, a seed:", ""]
        lines += ["| leg | q | tested | q within | false %, by window | false %, all | flagged | false % |"]
        lines += ["|---" * 8 + "|"]
        for row in false_shares(seeds, is_before=is_before):
            shares = [_percent(row[f"false_{denominator}"]) for denominator in ("in_window", "of_called", "of_flagged")]
            lines.append(
                f"| {row['leg']} | {row['q']:.2f} | {row['tested']:.0f} | {row['called']:.1f} | {shares[0]} "
                f"| {shares[1]} | {row['flagged']:.1f} | {shares[2]} |"
            )
        lines.append("")
    lines += [*_kinds(seeds), "", *_recalls(seeds)]
    return "\n".join(lines)


def _kinds(seeds: Sequence[Seed]) -> list[str]:
    """What the flags of a seed lie on, since the sanctions."""
    flags = pl.concat([seed.flags for seed in seeds]).filter(~pl.col("is_before_sanctions"))
    counted = (
        flags.group_by("leg", "planted", "is_evasion", "q_level")
        .len()
        .pivot("q_level", index=["leg", "planted", "is_evasion"], values="len")
        .fill_null(0)
        .sort("leg", "is_evasion", "planted", descending=[True, True, False])
    )
    lines = [
        "What the flags lie on, a seed:",
        "",
        "| leg | planted | evasion | " + " | ".join(map(_level, Q_LEVELS)) + " |",
    ]
    lines.append("|---" * (3 + len(Q_LEVELS)) + "|")
    for row in counted.to_dicts():
        cells = [f"{row.get(str(level), 0) / len(seeds):.2f}" for level in Q_LEVELS]
        lines.append(
            f"| {row['leg']} | {row['planted']} | {'yes' if row['is_evasion'] else 'no'} | " + " | ".join(cells) + " |"
        )
    return lines


def _recalls(seeds: Sequence[Seed]) -> list[str]:
    """Labels found in a window at least, and windows found; benign kinds below: there, lower is better."""
    recall = pl.concat([group.recall for group in seeds])
    lines = [
        "Labelled routes flagged in a window at least, and of their windows that were tested those flagged, %:",
        "",
    ]
    lines += [
        "| kind | labels a seed | " + " | ".join(map(_level, Q_LEVELS)) + " |",
        "|---" * (2 + len(Q_LEVELS)) + "|",
    ]
    for (is_evasion, kind), part in sorted(
        recall.group_by("is_evasion", "kind"), key=lambda group: (not group[0][0], group[0][1])
    ):
        cells = []
        for level in Q_LEVELS:
            at = part.filter(pl.col("q_level") == level)
            windows = int(at["found"].sum()) / max(int(at["tested"].sum()), 1)
            cells.append(f"{100 * (at['found'] > 0).to_numpy().mean():.1f}, {100 * windows:.1f}")
        of_seed = part.height / len(Q_LEVELS) / len(seeds)
        lines.append(f"| {kind}{'' if is_evasion else ' (benign)'} | {of_seed:.1f} | " + " | ".join(cells) + " |")
    return lines


def _level(level: float) -> str:
    return f"q {level:.2f}"


def main() -> None:
    """Measure the seeds, some at a time, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scenario", default="russia-2022")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/false_flags"))
    args = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = "1"  # each process of the pool has one core
    context = multiprocessing.get_context("spawn")
    seeds: list[Seed] = []
    with ProcessPoolExecutor(args.processes, mp_context=context) as pool:
        numbers = range(args.first, args.first + args.seeds)
        for measured in pool.map(measure, numbers, [args.folder] * args.seeds, [args.scenario] * args.seeds):
            seeds.append(measured)
            print(f"seed {measured.seed}: {measured.seconds:.1f} s", flush=True)
    print("\n" + report(seeds))


if __name__ == "__main__":
    main()
