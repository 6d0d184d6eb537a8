"""`python -m benchmarks`, which is `make bench`: the small sizes of each benchmark, one after the other; minutes."""

from __future__ import annotations

import subprocess
import sys

SMALL = (
    ("benchmarks.features", "--size", "s1"),
    ("benchmarks.ingest", "--size", "small"),
    ("benchmarks.scores", "--size", "s1"),
    ("benchmarks.main_job", "--rows-per-year", "500000"),
)


def main() -> None:
    """Run them in turn; the first that fails ends it."""
    for module, *arguments in SMALL:
        print(f"\n{module} {' '.join(arguments)}", flush=True)
        subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
