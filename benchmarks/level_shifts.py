"""`python -m benchmarks.level_shifts`: what only monthly data can say, beside the rest of the features of the same routes."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from anomaly.contract.keys import ROUTE
from anomaly.features.grid import Grid, lay
from anomaly.features.measure import by_month
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.store.store import Store
from benchmarks.measure import Variant, run, table
from benchmarks.tables import commit, plan_of, scenario
from benchmarks.trade_years import World, bilateral, normal, some_goods

YEARS = range(2018, 2023)  # sixty months
MATERIALITY = "1000000"
ROWS = 250_000  # of a chunk, as pipelines/features.py has it


def prepare(folder: Path, world: World, goods: int) -> Path:
    """Folder of a store with five years of monthly trade in `goods` goods; made where it is not there yet."""
    root = folder / f"monthly-{world.rows_per_year}-{world.countries}-{goods}-{world.seed}"
    if not Store(root).exists("coverage"):
        commit(root, (_by_month(part, world.seed) for part in bilateral(world, YEARS, some_goods(world, goods))))
    return root


def _by_month(years: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Each row of a year as twelve, the months of a route apart by 40 % of noise."""
    row = np.arange(years.height * 12)
    share = np.exp(0.4 * normal(seed, 31, row)).reshape(-1, 12)
    share /= share.sum(axis=1, keepdims=True)
    months = years.with_columns(month=pl.lit(list(range(1, 13)), dtype=pl.List(pl.Int8))).explode("month")
    part = pl.Series(share.reshape(-1))
    return months.with_columns(
        freq_code=pl.lit("M"),
        ref_date=pl.date(pl.col("ref_date").dt.year(), "month", 1),
        value_usd=(pl.col("value_usd") * part).round().cast(pl.Int64),
        net_wgt_g=(pl.col("net_wgt_g") * part).round().cast(pl.Int64),
    ).drop("month").with_columns(export_value_fob_usd="value_usd").select(years.columns)  # fmt: skip


def laid(root: str) -> None:
    """Read the chunks and lay their grids: what both need."""
    _each(root, lambda _: None)


def alone(root: str) -> None:
    """The same, and level shifts and lead-lags of every end of a window."""
    settings = scenario(MATERIALITY)
    wanted, coalition = plan_of(Path(root), settings).comparisons["M"], settings.coalition.countries
    _each(root, lambda grid: by_month(grid, wanted, grid.names.are(coalition), settings))


def _each(root: str, work: Callable[[Grid], object]) -> None:
    plan = plan_of(Path(root), scenario(MATERIALITY))
    with threadpool_limits(1, "blas"):
        for chunk in Store(Path(root)).chunks("bilateral", ROWS, HEADING_DIGITS):
            work(lay(chunk, plan.known)["M"])


def main() -> None:
    """Make the table where it is not there yet, run, and say what the monthly part takes of the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--goods", type=int, default=30, help="of 5,000; thirty are about a hundred thousand routes")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    root = prepare(args.folder, World(), args.goods)
    out = args.folder / "level-shifts-out"
    whole = Variant("features, all of them", "features_ours.run", [str(root), str(out), MATERIALITY, "1", str(ROWS)])
    grids, months = (
        Variant("grids laid", "level_shifts.laid", [str(root)]),
        Variant("and monthly part", "level_shifts.alone", [str(root)]),
    )
    run([whole, grids, months], args.repeat)
    bilateral_rows = Store(root).scan("bilateral")
    routes = bilateral_rows.select(pl.struct(ROUTE).n_unique()).collect().item()
    print(
        table(
            f"monthly, {Store(root).meta('bilateral')['rows']:,} rows, {routes:,} routes, {len(YEARS) * 12} months",
            [whole, grids, months],
        )
    )
    took = statistics.median(months.cpu_seconds) - statistics.median(grids.cpu_seconds)
    others_seconds = statistics.median(whole.cpu_seconds) - took
    print(
        f"CPU: the monthly part {took:.2f} s, all other features {others_seconds:.2f} s: {took / others_seconds:.2f} times as much"
    )


if __name__ == "__main__":
    main()
