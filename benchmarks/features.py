"""`python -m benchmarks.features`: bilateral → features beside Polars by sort and shift, DuckDB SQL and pandas, and whether all agree."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from anomaly.store.store import Store
from benchmarks.compare import differences
from benchmarks.measure import Variant, run, table
from benchmarks.tables import prepare
from benchmarks.trade_years import World

GOODS = {
    "tiny": (2_000, 6),
    "s1": (5_000, 108),
    "s10": (5_000, 540),
    "s50": (5_000, 2_700),
    "s100": (5_000, 5_000),
    "whole": (5_000, 5_000),
}
YEARS = {"whole": range(2020, 2023)}


def tables_of(size: str, folder: Path) -> Path:
    """The store of a size; made where it is not there yet."""
    goods, taken = GOODS[size]
    return prepare(folder, World(goods=goods), YEARS.get(size, range(2018, 2025)), taken)


def main() -> None:
    """Make the tables where they are not there yet, run every engine in turn, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=GOODS, default="s1")
    parser.add_argument("--materiality", default="1000000", help="USD; 0 measures every route")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--only", nargs="*", default=["ours", "polars", "duckdb", "pandas"], help="engines to run")
    args = parser.parse_args()
    root = tables_of(args.size, args.folder)
    rows = Store(root).meta("bilateral")["rows"]
    with tempfile.TemporaryDirectory(dir=args.folder) as out:
        variants = [
            Variant(engine, f"features_{engine}.run", [str(root), f"{out}/{engine}", args.materiality])
            for engine in args.only
        ]
        if "ours" in args.only:
            floor = Variant("scan of the columns", "features_ours.scan", [str(root)])
            variants.append(floor)
        run(variants, args.repeat)
        title = (
            f"features, {rows:,} rows of bilateral, routes from {int(args.materiality):,} USD, {args.repeat} runs each"
        )
        print(table(title, variants))
        own_folder = Path(out) / "ours"
        for engine in [name for name in args.only if name != "ours" and "ours" in args.only]:
            faults = differences(own_folder, Path(out) / engine)
            height = pl.scan_parquet(own_folder / "*.parquet").select(pl.len()).collect().item()
            print(f"{engine}: {'; '.join(faults) or f'equal in {height:,} rows'}")


if __name__ == "__main__":
    main()
