"""One variant in a process of its own: wall seconds, and the most memory the process ever held."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Variant:
    """A way to do a piece of work: `module.function` of this package, called with text arguments.

    is_cold            count the whole process, its start and its imports too; else the work alone
    seconds, peak_mb   one figure a run
    """

    name: str
    call: str
    arguments: Sequence[str] = ()
    is_cold: bool = False
    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def run(variants: Sequence[Variant], repeat: int) -> None:
    """Run all variants in turn, `repeat` times over, so that a busy minute of the machine falls on all of them."""
    for _ in range(repeat):
        for variant in variants:
            seconds, peak_mb = _once(variant)
            variant.seconds.append(seconds)
            variant.peak_mb.append(peak_mb)


def _once(variant: Variant) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.measure", variant.call, *variant.arguments]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{variant.name} ended with {child.returncode}")
    whole = time.perf_counter() - start
    seconds = whole if variant.is_cold else json.loads(said.splitlines()[-1])["seconds"]
    return seconds, usage.ru_maxrss / 1024


def table(title: str, variants: Sequence[Variant]) -> str:
    """Medians beside the first variant's: how many times its time and memory each of the others takes."""
    first = variants[0]
    lines = [title, f"{'':34}{'seconds':>9}{'range':>16}{'peak MB':>9}{'x time':>8}{'x memory':>9}"]
    for one in variants:
        seconds, peak = statistics.median(one.seconds), statistics.median(one.peak_mb)
        ratio = seconds / statistics.median(first.seconds)
        of_memory = peak / statistics.median(first.peak_mb)
        spread = f"{min(one.seconds):.2f}-{max(one.seconds):.2f}"
        lines.append(f"{one.name:34}{seconds:9.2f}{spread:>16}{peak:9.0f}{ratio:8.2f}{of_memory:9.2f}")
    return "\n".join(lines)


def main() -> None:
    """Called in the child: module.function and its arguments."""
    module, _, function = sys.argv[1].rpartition(".")
    work = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    start = time.perf_counter()
    work(*sys.argv[2:])
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
