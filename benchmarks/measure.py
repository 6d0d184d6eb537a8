"""One variant in a process of its own: wall seconds, CPU seconds, and the most memory the process ever held."""

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

    is_cold    `call` is a whole command of the interpreter instead: its start and its imports count too
    seconds, cpu_seconds, peak_mb   one figure a run; CPU of all threads, in the program and in the system
    """

    name: str
    call: str
    arguments: Sequence[str] = ()
    is_cold: bool = False
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)

    def command(self) -> list[str]:
        """The process that does it."""
        code = ["-c", self.call] if self.is_cold else ["-m", "benchmarks.measure", self.call]
        return [sys.executable, *code, *self.arguments]


def run(variants: Sequence[Variant], repeat: int) -> None:
    """Run all variants in turn, `repeat` times over, so that a busy minute of the machine falls on all of them."""
    for _ in range(repeat):
        for variant in variants:
            seconds, cpu_seconds, peak_mb = _once(variant)
            variant.seconds.append(seconds)
            variant.cpu_seconds.append(cpu_seconds)
            variant.peak_mb.append(peak_mb)


# Starts the variant, waits for it, says what it took. A process of its own, and small: a child's most memory is counted
# from its parent's, so a child of the benchmark itself would seem to hold what the benchmark holds.
_WATCH = """
import json, os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
took = [time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
print(json.dumps(took))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def _once(variant: Variant) -> tuple[float, float, float]:
    # compiled modules are kept, as they are for a person after the first run
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-I", "-S", "-c", _WATCH, *variant.command()]
    watched = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=False)
    if watched.returncode:
        raise SystemExit(f"{variant.name} ended with {watched.returncode}")
    *printed, took = watched.stdout.splitlines()
    seconds, cpu_seconds, peak_mb = json.loads(took)
    if not variant.is_cold:
        seconds, cpu_seconds = json.loads(printed[-1])
    return seconds, cpu_seconds, peak_mb


def table(title: str, variants: Sequence[Variant]) -> str:
    """Medians beside the first variant's: how many times its time and memory each of the others takes."""
    reference = variants[0]
    lines = [
        title,
        f"{'':34}{'seconds':>9}{'range':>16}{'x time':>8}{'CPU s':>9}{'x CPU':>8}{'peak MB':>9}{'x memory':>9}",
    ]
    for variant in variants:
        spread = f"{min(variant.seconds):.2f}-{max(variant.seconds):.2f}"
        (seconds, of_time), (cpu, of_cpu), (peak, of_peak) = (
            _beside(getattr(variant, figure), getattr(reference, figure))
            for figure in ("seconds", "cpu_seconds", "peak_mb")
        )
        lines.append(
            f"{variant.name:34}{seconds:9.2f}{spread:>16}{of_time:8.2f}{cpu:9.2f}{of_cpu:8.2f}{peak:9.0f}{of_peak:9.2f}"
        )
    return "\n".join(lines)


def _beside(figures: Sequence[float], reference: Sequence[float]) -> tuple[float, float]:
    return statistics.median(figures), statistics.median(figures) / statistics.median(reference)


def main() -> None:
    """Called in the child: module.function and its arguments."""
    module, _, function = sys.argv[1].rpartition(".")
    work = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    start, cpu_start = time.perf_counter(), time.process_time()
    work(*sys.argv[2:])
    print(json.dumps([time.perf_counter() - start, time.process_time() - cpu_start]))


if __name__ == "__main__":
    main()
