"""`python -m benchmarks.supply`: of the calls on the coalition's sales to hubs, what share is false, and what is found.

One simulated world a seed and variant, through the real readers and the jobs up to bilateral: only the coalition's own
reports are read. A call is false where nothing planted goes that way: neither the upstream leg of a re-export nor ghost
transit. Constants were chosen on seeds 101 to 108; the default seeds chose nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from anomaly.contract.settings import Settings

Q_LEVELS = (0.05, 0.10, 0.20)
TESTS = ("window", "date", "either")
SHAPES = ("listed", "full")
ENDS = (date(2022, 8, 1), date(2022, 10, 1), date(2022, 12, 1), date(2023, 3, 1))
VARIANTS = ("as_is", "heavy_tails", "own_unlisted")
DOUBLED = 2.0  # legs that carry so much more than in the best year before are those that a rise can show
STAMP = "made_by"


def measure(seed: int, variant: str, folder: Path, scenario: str) -> pl.DataFrame:
    """Every test, shape of the data and last month of one world: calls, false calls, and what is found; a row each."""
    from anomaly.contract.settings import load
    from anomaly.store.store import Store
    from pipelines import bilateral, coverage, families, flows
    from pipelines.running import run_jobs

    raw, data = folder / f"{variant}-{seed}" / "raw", folder / f"{variant}-{seed}" / "processed"
    labels = world_of(seed, variant, raw)
    with contextlib.redirect_stderr(io.StringIO()):
        run_jobs((flows.JOB, families.JOB, coverage.JOB, bilateral.JOB), "bilateral", raw, data, scenario)
    store, settings = Store(data), load(scenario)
    tables = {name: store.read(name) for name in ("bilateral", "coverage", "coverage.scope")}
    rows = []
    for shape in SHAPES:
        of_shape = extract(tables, settings) if shape == "listed" else tables
        for end in ENDS:
            legs = fallen_legs(of_shape, end, settings)
            truth = labels.filter(pl.col("start") <= pl.lit(end)).select("good", "importer_iso").unique()
            rows += [
                {"seed": seed, "variant": variant, "shape": shape, "end": end, **row} for row in judged(legs, truth)
            ]
    return pl.DataFrame(rows)


def world_of(seed: int, variant: str, raw: Path) -> pl.DataFrame:
    """good, importer_iso and start of what is planted on the leg; the coalition's files of the world written."""
    from anomaly import world
    from anomaly.world.variants import variant as variant_of
    from pipelines.code import code_version

    made_by, stamp, kept = (
        f"{seed} {variant} {code_version('anomaly.world')}",
        raw.parent / STAMP,
        raw.parent / "legs.parquet",
    )
    if not stamp.is_file() or stamp.read_text() != made_by:
        described = variant_of(world.WORLDS[0], variant)
        made = world.build(seed, described)
        members = [f"_{country.m49:03d}." for country in described.countries if country.role == "coalition"]
        for name, content in made.files.items():
            if name.startswith(("comext", "ecb")) or any(member in name for member in members):
                (raw / name).parent.mkdir(parents=True, exist_ok=True)
                (raw / name).write_bytes(content)
        planted().write_parquet(kept)
        stamp.write_text(made_by)
    return pl.read_parquet(kept)


def planted() -> pl.DataFrame:
    """good, importer_iso, start: legs by which a planted evasion is supplied."""
    from anomaly.world import WORLDS
    from anomaly.world.episodes import EVASION

    world = WORLDS[0]
    rows = [
        (
            episode.good,
            episode.importer if episode.kind == "ghost_transit" else episode.exporter,
            world.calendar[world.month(episode.start)],
        )
        for episode in world.episodes
        if episode.kind in EVASION and (episode.suppliers or episode.kind == "ghost_transit")
    ]
    return pl.DataFrame(rows, schema=["good", "importer_iso", "start"], orient="row")


def extract(tables: dict[str, pl.DataFrame], settings: Settings) -> dict[str, pl.DataFrame]:
    """The tables with sanctioned goods to hubs and targets only, as the extracts that are published."""
    from anomaly.world import WORLDS

    goods = [good.good for good in WORLDS[0].goods if good.is_sanctioned]
    roles = {code: settings.role_of(code) for code in tables["bilateral"]["importer_iso"].unique()}
    importers = [code for code, role in roles.items() if role in ("other", "target")]
    held = pl.when(dimension="good").then(pl.col("code").is_in(goods)).otherwise(pl.col("code").is_in(importers))
    return {
        "bilateral": tables["bilateral"].filter(pl.col("good").is_in(goods), pl.col("importer_iso").is_in(importers)),
        "coverage": tables["coverage"],
        "coverage.scope": tables["coverage.scope"].filter(held),
    }


def fallen_legs(tables: dict[str, pl.DataFrame], end: date, settings: Settings) -> pl.DataFrame:
    """The tested legs of the window that ends with the data."""
    from anomaly.reference import editions, families
    from anomaly.supply import reporting, supply

    until_end = {name: table.filter(pl.col("ref_date") <= pl.lit(end)) for name, table in tables.items()}
    spans = reporting.spans(until_end["coverage"], until_end["coverage.scope"], settings)
    last_spans = [replace(span, ends=(end,)) for span in spans if end in span.ends]
    used, goods = (5, 6), until_end["bilateral"]["good"].unique().sort()
    breaks = families.breaks_of(editions.linked_goods(used))
    broken = families.broken(goods, breaks, editions.edition_tables(), used)
    legs = supply.build([until_end["bilateral"]], last_spans, broken, settings).supply
    return legs.filter(pl.col("direct_trade") == "fell")


def judged(legs: pl.DataFrame, truth: pl.DataFrame) -> list[dict[str, Any]]:
    """A row a test and level: tested, called and false legs, planted legs that doubled, and those found."""
    key = ["good", "importer_iso"]
    marked = legs.join(truth.with_columns(is_planted=pl.lit(value=True)), on=key, how="left", maintain_order="left")
    risen = pl.col("sum_rise_log") > 0
    window, dated = (pl.col(name).fill_null(1.0) for name in ("window_q_value", "date_q_value"))
    rows = []
    for level in Q_LEVELS:
        within = {
            "window": window <= level,
            "date": dated <= level,
            "either": (window <= level / 2) | (dated <= level / 2),
        }
        for test in TESTS:
            legs_called = marked.select(
                called=within[test] & risen,
                planted=pl.col("is_planted").fill_null(value=False),
                doubled=pl.col("value_usd") >= DOUBLED * pl.col("value_best_usd"),
            )
            counts = legs_called.select(
                tested=pl.len(),
                called=pl.col("called").sum(),
                false=(pl.col("called") & ~pl.col("planted")).sum(),
                planted=(pl.col("planted") & pl.col("doubled")).sum(),
                found=(pl.col("called") & pl.col("planted") & pl.col("doubled")).sum(),
            )
            rows.append({"test": test, "q": level, **counts.row(0, named=True)})
    return rows


def report(counts: pl.DataFrame, seconds: float) -> str:
    """The table, in Markdown: false share in percent with its standard error, found in percent, by q."""
    seeds = counts["seed"].n_unique()
    lines = [
        f"{seeds} seeds of each world, {seconds:.0f} s. False: share of the calls, mean over seeds (a seed without calls",
        "counts 0) and its standard error. Found: of planted legs that at least doubled. Each at q 0.05 / 0.10 / 0.20.",
        "",
        "| data | to | test | world | legs tested | false % | found % |",
        "|---" * 7 + "|",
    ]
    order = [
        pl.col("shape").replace_strict({name: at for at, name in enumerate(SHAPES)}),
        "end",
        pl.col("test").replace_strict({name: at for at, name in enumerate(TESTS)}),
        pl.col("variant").replace_strict({name: at for at, name in enumerate(VARIANTS)}, default=9),
    ]
    groups = counts.sort(order).group_by("shape", "end", "test", "variant", maintain_order=True)
    for (shape, end, test, variant), part in groups:
        false, found_shares = [], []
        for level in Q_LEVELS:
            at = part.filter(pl.col("q") == level)
            shares = (at["false"] / at["called"].clip(lower_bound=1)).to_list()
            false.append(_with_error(shares))
            found_shares.append(f"{100 * int(at['found'].sum()) / max(int(at['planted'].sum()), 1):.0f}")
        tested = int(part["tested"].sum()) / part.height
        lines.append(
            f"| {shape} | {str(end)[:7]} | {test} | {variant} | {tested:.0f} | {' / '.join(false)} | {' / '.join(found_shares)} |"
        )
    return "\n".join(lines)


def _with_error(shares: Sequence[float]) -> str:
    mean = sum(shares) / len(shares)
    spread = math.sqrt(sum((share - mean) ** 2 for share in shares) / max(len(shares) - 1, 1) / len(shares))
    return f"{100 * mean:.1f} ± {100 * spread:.1f}"


def main() -> None:
    """Measure the worlds, some at a time, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=201)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--scenario", default="russia-2022")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/supply"))
    asked_for = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = "1"  # each process of the pool has one core
    context, clock = multiprocessing.get_context("spawn"), time.perf_counter()
    worlds = [
        (seed, variant)
        for seed in range(asked_for.first, asked_for.first + asked_for.seeds)
        for variant in asked_for.variants
    ]
    frames = []
    with ProcessPoolExecutor(asked_for.processes, mp_context=context) as pool:
        seeds, variants = zip(*worlds, strict=True)
        for frame in pool.map(
            measure, seeds, variants, [asked_for.folder] * len(worlds), [asked_for.scenario] * len(worlds)
        ):
            frames.append(frame)
    print(report(pl.concat(frames), time.perf_counter() - clock))


if __name__ == "__main__":
    main()
