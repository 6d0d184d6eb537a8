"""`python -m benchmarks.main_job`: three made-up BACI years, from the zip to the report, and a second run with nothing new."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.measure import Variant, run, table
from benchmarks.trade_years import EDITION, RELEASE, World, write_zip

YEARS = range(2020, 2023)


# The main job as `make run` runs it.
JOB = """
import sys
from pathlib import Path
from pipelines import run
run.main(Path(sys.argv[1]), Path(sys.argv[2]), "russia-2022")
"""


def main() -> None:
    """Make the zip where it is not there yet, run twice, print what each table took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows-per-year", type=int, default=11_000_000)
    parser.add_argument("--keep", type=Path, help="leave the tables in this folder, for benchmarks.query")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    raw = args.folder / f"years-{args.rows_per_year}"
    path = raw / "baci" / f"BACI_{EDITION}_{RELEASE}.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_zip(World(rows_per_year=args.rows_per_year), path, YEARS)
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        data = str(args.keep or temporary)
        cold = Variant("from the zip to the report", JOB, [str(raw), data], is_cold=True)
        unchanged = Variant("a second run, nothing new", JOB, [str(raw), data], is_cold=True)
        run([cold], 1)
        status = json.loads((Path(data) / "run-status.json").read_text(encoding="utf-8"))
        run([unchanged], 3)
        print(table(f"main job, {len(YEARS)} years of about {args.rows_per_year:,} rows", [cold, unchanged]))
        print(", ".join(f"{step['job']} {step['seconds']} s" for step in status["steps"]))


if __name__ == "__main__":
    main()
