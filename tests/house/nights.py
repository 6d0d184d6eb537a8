"""A year of nightly runs: `python -m tests.house.nights`, which is `make nights`; by hand, minutes.

Publishers on loopback answer as of each night: months come, late ones later, are revised, and a publisher is away for weeks.
Each night is `run --fetch` with the night's clock. At the end the tables must be those of one fetch and one run over everything,
and a run as of a night in between must have the figures that this night had.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from unittest import mock

import polars as pl

from anomaly.fetch.client import Clock
from anomaly.sources.vintages import KEY
from anomaly.store import as_of as dated
from anomaly.store.store import Store, of_last_run
from loopback.server import Loopback, Outage, serving
from pipelines import run
from pipelines.running import Outcome
from tests.loopback.asking import UNMETERED, small_world

SCENARIO = "russia-2022"
VARIABLES = {"COMTRADE_API_KEY": "loopback-free"}
PUBLISHERS = ("comtrade", "ecb")
FIRST, LAST = date(2023, 1, 1), date(2024, 1, 1)
END = date(2025, 2, 1)  # one more night: the world's last figures are final then
OUTAGE_SHARES = (0.3, 0.45)  # of the year: the publisher is away in between
COMPARED = ("families", "coverage", "bilateral", "supply", "features", "leakage", "scores", "flags", "rollups")
VALUES = ("primary_value_usd", "net_wgt_g")


@dataclass
class Year:
    """What the nights have shown."""

    ends: Counter[str] = field(default_factory=Counter)
    flags: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def at(day: date) -> Clock:
    """A night's clock, on which nobody waits."""
    waited = [0.0]

    def wait(seconds: float) -> None:
        waited[0] += seconds

    return Clock(
        now=lambda: datetime.combine(day, time_of_day(3), UTC) + timedelta(seconds=waited[0]),
        monotonic=lambda: waited[0],
        sleep=wait,
    )


def night(server: Loopback, root: Path, day: date) -> Outcome:
    """`run --fetch` on a day."""
    server.turn_to(day)
    with ExitStack() as patched:
        patched.enter_context(mock.patch("anomaly.fetch.run.Clock", return_value=at(day)))
        patched.enter_context(mock.patch.dict("os.environ", {**server.variables(), **VARIABLES}))
        return run.main(root / "raw", root / "data", SCENARIO, fetched=PUBLISHERS, is_quarantine=True)


def current(data: Path) -> pl.DataFrame:
    """What counts of flows."""
    return of_last_run(data).read("flows").filter("is_current").select(*KEY, *VALUES).sort(KEY)


def differing(one: Path, other: Path) -> list[str]:
    """Tables that are not the same, row by row; of flows what counts."""
    first, second = of_last_run(one), of_last_run(other)
    tables = [name for name in COMPARED if not same(first, second, name)]
    return [*tables, *([] if current(one).equals(current(other)) else ["flows"])]


def same(first: Store, second: Store, table: str) -> bool:
    """Whether a table has the same rows in both."""
    return first.read(table).equals(second.read(table))


def year(root: Path, nights: int, asked_again: int | None = None) -> Year:
    """So many nights from FIRST to LAST and one at END, then everything at once, then one of the nights again as of its day."""
    days = [FIRST + (LAST - FIRST) * number // nights for number in range(nights)]
    away = [FIRST + (LAST - FIRST) * share for share in OUTAGE_SHARES]
    shown, began = Year(), time.monotonic()
    figures: dict[date, pl.DataFrame] = {}
    with serving(small_world(), UNMETERED, outages=[Outage("comtrade", *away)]) as server:
        for day in days:
            outcome = night(server, root / "nightly", day)
            is_away = away[0] <= day <= away[1]
            shown.ends[f"{outcome.exit_code} {'away' if is_away else 'there'}"] += 1
            shown.flags.append(of_last_run(root / "nightly" / "data").meta("flags")["rows"])
            figures[day] = current(root / "nightly" / "data")
            if (outcome.exit_code == 3) != is_away:
                shown.faults.append(f"{day}: ended with {outcome.exit_code}, {outcome.message}")
        night(server, root / "nightly", END)
        night(server, root / "once", END)
    shown.faults += [
        f"{name}: not as in one run" for name in differing(root / "nightly" / "data", root / "once" / "data")
    ]
    again = days[len(days) // 2 if asked_again is None else asked_again]
    run.main(root / "nightly" / "raw", root / "nightly" / "data", SCENARIO, as_of=again)
    if not current(dated.folder(root / "nightly" / "data", again)).equals(figures[again]):
        shown.faults.append(f"as of {again}: not the figures of that night")
    if len({frame.height for frame in figures.values()}) == 1:
        shown.faults.append("no night had other figures than the one before: nothing was tried")
    shown.seconds = time.monotonic() - began
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the nights have shown."""
    parser = argparse.ArgumentParser(prog="python -m tests.house.nights", description=__doc__)
    parser.add_argument("--nights", type=int, default=12)
    nights = parser.parse_args(arguments).nights
    with tempfile.TemporaryDirectory() as folder:
        shown = year(Path(folder), nights)
    for fault in shown.faults:
        print(fault)
    ends = ", ".join(f"{how} {count}" for how, count in sorted(shown.ends.items()))
    print(
        f"{nights} nights from {FIRST} to {LAST} ({ends}), flags {shown.flags}, {shown.seconds:.0f} s; faults: {len(shown.faults)}"
    )
    return int(bool(shown.faults))


if __name__ == "__main__":
    sys.exit(main())
