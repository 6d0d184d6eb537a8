"""flows, replayed as of each date → how the flags of that date are judged, beside the rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from anomaly.contract.keys import SIMULATED
from pipelines.job import Job, Run

if TYPE_CHECKING:
    from anomaly.backtest.day import Day


def build(run: Run) -> None:
    """Every as-of date in turn, then the figures over all of them.

    Parameters
    ----------
    run : Run
        Reads flows, families and coverage; writes backtest.
    """
    from anomaly.backtest import as_of, day, judge

    flows, families, broken = run.store.scan("flows"), run.read("families"), run.read("families.broken")
    hidden, released = run.read("flows.withheld"), day.releases(flows)
    dates = as_of.dates(run.read("coverage"), run.settings)
    days: list[Day] = []
    with run.progress("dates", len(dates)) as advance:
        for freq, date in dates:
            replayed = day.replayed(flows, hidden, released, families, broken, freq, date, run.settings)
            if replayed is not None:
                days.append(replayed)
                flagged = replayed.rows["is_flagged"].sum()
                run.say(f"as of {date}: {flagged} flags of {replayed.rows['is_candidate'].sum()} candidates")
            advance(1)
    with run.writer() as writer:
        writer.add(_judged(run, days) if days else judge.nothing())


def _judged(run: Run, days: list[Day]) -> pl.DataFrame:
    from anomaly.backtest import against
    from anomaly.stages.order import through

    rows = pl.concat([day.rows for day in days])
    calibration = pl.concat([day.calibration for day in days])
    if run.read("flows.files")["dataset"].str.contains(SIMULATED, literal=True).any():
        return against.planted(rows, calibration, run.settings)
    lists = through(["goods_lists"], {"families": run.read("families")}, run.settings).read("goods_lists")
    return against.published(rows, calibration, lists, run.read("coverage.scope"), run.settings)


JOB = Job(
    "backtest",
    "how the flags of each date are judged, beside the rivals",
    build,
    reads=("flows", "families", "coverage"),
    in_run=False,
)
