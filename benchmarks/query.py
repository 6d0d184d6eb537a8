"""`python -m benchmarks.query`: a cold question, one good to one importer over all years, process start included."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.measure import Variant, run, table
from benchmarks.tables import files


def ours(root: str, good: str, importer: str) -> None:
    """The command as a person types it."""
    from anomaly.cli import main as anomaly

    sys.argv = ["anomaly", "query", good, "--importer", importer, "--data", root]
    try:
        anomaly()
    except SystemExit as ended:
        if ended.code:
            raise


def store(root: str, good: str, importer: str) -> None:
    """The rows alone, through the store."""
    import polars as pl

    from anomaly.store import Store

    rows = Store(Path(root)).read("bilateral", where=(pl.col("good") == good) & (pl.col("importer_iso") == importer))
    print(rows.height, rows["value_usd"].sum())


def duckdb(root: str, good: str, importer: str) -> None:
    """The same rows from the same files."""
    import duckdb as engine

    rows = engine.execute(
        f"SELECT * FROM read_parquet({files(Path(root), 'bilateral')}) WHERE good = ? AND importer_iso = ?",
        [good, importer],
    ).fetchall()
    print(len(rows), sum(row[7] or 0 for row in rows))


def pandas(root: str, good: str, importer: str) -> None:
    """The same rows from the same files."""
    import pandas as pd

    where = [("good", "==", good), ("importer_iso", "==", importer)]
    rows = pd.concat([pd.read_parquet(file, filters=where) for file in files(Path(root), "bilateral")])
    print(len(rows), int(rows["value_usd"].sum()))


def main() -> None:
    """Ask in turn, print."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("root", type=Path, help="a store, such as one that benchmarks.features made")
    told.add_argument("--good", default="010101")
    told.add_argument("--importer", default="RUS")
    told.add_argument("--repeat", type=int, default=5)
    args = told.parse_args()
    asked = [str(args.root), args.good, args.importer]
    names = {
        "ours": "anomaly query",
        "store": "the store alone",
        "duckdb": "duckdb in Python",
        "pandas": "pandas with pyarrow",
    }
    variants = [Variant(name, f"query.{call}", asked, is_cold=True) for call, name in names.items()]
    run(variants, args.repeat)
    print(table(f"cold query, {args.good} to {args.importer}, {args.repeat} runs each", variants))


if __name__ == "__main__":
    main()
