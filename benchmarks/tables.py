"""The tables that the benchmarks read, made once for each size: bilateral, coverage and coverage.scope in a store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from anomaly.bilateral import coverage
from anomaly.contract.settings import Settings, load
from anomaly.features import features
from anomaly.store.store import Store
from benchmarks.trade_years import World, bilateral, some_goods

ZSTD_LEVEL = 1  # what every engine writes with
NOTHING_BROKEN = pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8})  # one edition in all years


def prepare(folder: Path, world: World, years: range, goods: int) -> Path:
    """Folder of a store with `goods` goods over `years`; made where it is not there yet."""
    root = folder / f"{world.rows_per_year}-{world.countries}-{years[0]}-{years[-1]}-{goods}-{world.seed}"
    if not Store(root).exists("coverage"):
        commit(root, bilateral(world, years, some_goods(world, goods)))
    return root


def commit(root: Path, sides: Iterable[pl.DataFrame]) -> None:
    """Write bilateral and the coverage it speaks for; whole goods at a time, in order."""
    store = Store(root)
    with store.writer("bilateral", inputs={}, sort=("good",)) as writer:
        for part in sides:
            writer.add(part)
    covered, scope = coverage.build(_flows(store.scan("bilateral")))
    with store.writer("coverage", inputs={}) as writer:
        writer.add(covered)
        writer.add(scope, "coverage.scope")


def _flows(sides: pl.LazyFrame) -> pl.LazyFrame:
    """The flows that such bilateral rows come from, as far as coverage looks at them."""
    return sides.select(
        "source",
        "dataset",
        "freq_code",
        "ref_date",
        "good",
        reporter_iso="exporter_iso",
        partner_iso="importer_iso",
        flow_code=pl.lit("X"),
        cmd_code="good",
        hs_edition=pl.lit(5, dtype=pl.Int8),
        primary_value_usd="value_usd",
    )


def files(root: Path, table: str) -> list[str]:
    """The Parquet files of a table's current version, for the other engines."""
    store = Store(root)
    name, _, companion = table.partition(".")
    return sorted(str(path) for path in (root / name / store.version(name) / companion).glob("part-*.parquet"))


def scenario(materiality_usd: str) -> Settings:
    """The default scenario with another materiality."""
    return load(materiality_usd=int(materiality_usd))


def plan_of(root: Path, settings: Settings) -> features.Plan:
    """Windows and lookups of a store."""
    store = Store(root)
    return features.plan(store.read("coverage"), store.read("coverage.scope"), NOTHING_BROKEN, settings)
