"""`python -m benchmarks.linear`: whether features take the same time a row however many rows there are.

Like for like: the same seven years and windows, with more and more goods.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from anomaly.store.store import Store
from benchmarks.features import GOODS, tables_of
from benchmarks.measure import Variant, run


def main() -> None:
    """Measure every size in turn, and the scan of its columns, and print microseconds a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", choices=GOODS, default=["s10", "s50", "s100"])
    parser.add_argument("--materiality", default="1000000", help="USD; 0 measures every route")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    roots = {size: tables_of(size, args.folder) for size in args.sizes}
    with tempfile.TemporaryDirectory(dir=args.folder) as out:
        made = {
            size: (
                Variant(f"{size}", "features_ours.run", [str(root), f"{out}/{size}", args.materiality]),
                Variant(f"{size}, scan", "features_ours.scan", [str(root)]),
            )
            for size, root in roots.items()
        }
        run([variant for pair in made.values() for variant in pair], args.repeat)
    print(
        f"{'':6}{'rows':>12}{'seconds':>9}{'CPU s':>8}{'us a row':>10}{'CPU us':>8}{'peak MB':>9}{'x scan':>8}{'x its CPU':>10}"
    )
    for size, (measured, scan) in made.items():
        rows = Store(roots[size]).meta("bilateral")["rows"]
        seconds, cpu, peak, floor, floor_cpu = (
            statistics.median(figures)
            for figures in (measured.seconds, measured.cpu_seconds, measured.peak_mb, scan.seconds, scan.cpu_seconds)
        )
        print(
            f"{size:6}{rows:12,}{seconds:9.1f}{cpu:8.1f}{1e6 * seconds / rows:10.2f}{1e6 * cpu / rows:8.2f}{peak:9.0f}"
            f"{seconds / floor:8.1f}{cpu / floor_cpu:10.1f}"
        )


if __name__ == "__main__":
    main()
