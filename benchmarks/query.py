"""`python -m benchmarks.query`: a cold question, one good to one importer over all years, process start included.

Every variant is a short program of its own that imports what it needs and no more.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.measure import Variant, run, table
from benchmarks.tables import files

ANOMALY = """
import sys
from anomaly.cli import program
sys.argv = ["anomaly", "query", sys.argv[2], "--importer", sys.argv[3], "--data", sys.argv[1]]
program()
"""
POLARS = """
import json, sys
import polars as pl
here = (pl.col("good") == sys.argv[2]) & (pl.col("importer_iso") == sys.argv[3])
rows = pl.scan_parquet(json.loads(sys.argv[4])).filter(here).collect()
print(rows.height, rows["value_usd"].sum())
"""
DUCKDB = """
import json, sys
import duckdb
query = f"SELECT * FROM read_parquet({json.loads(sys.argv[4])}) WHERE good = ? AND importer_iso = ?"
answer = duckdb.execute(query, sys.argv[2:4])
at = [column[0] for column in answer.description].index("value_usd")
rows = answer.fetchall()
print(len(rows), sum(row[at] or 0 for row in rows))
"""
PANDAS = """
import json, sys
import pandas as pd
where = [("good", "==", sys.argv[2]), ("importer_iso", "==", sys.argv[3])]
rows = pd.concat([pd.read_parquet(file, filters=where) for file in json.loads(sys.argv[4])])
print(len(rows), int(rows["value_usd"].sum()))
"""
PROGRAMS = {
    "anomaly query": ANOMALY,
    "importing polars and click": "import polars, click",
    "rows alone, polars": POLARS,
    "rows alone, duckdb": DUCKDB,
    "importing duckdb": "import duckdb",
    "rows alone, pandas": PANDAS,
}


def main() -> None:
    """Ask in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="a store, such as one that benchmarks.main_job made")
    parser.add_argument("--good", default="010101")
    parser.add_argument("--importer", default="RUS")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    listed = json.dumps(files(args.root, "bilateral"))
    arguments = [str(args.root), args.good, args.importer, listed]
    variants = [Variant(name, program, arguments, is_cold=True) for name, program in PROGRAMS.items()]
    run(variants, args.repeat)
    print(table(f"cold query, {args.good} to {args.importer}, {args.repeat} runs each", variants))


if __name__ == "__main__":
    main()
