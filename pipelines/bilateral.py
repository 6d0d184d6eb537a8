"""flows + families + coverage → bilateral, some thousands of goods at a time."""

import polars as pl

from anomaly.stages import bilateral
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """Both sides of every route side by side."""
    goods = run.read("coverage.scope", ["code"], pl.col("dimension") == "good")["code"].n_unique()
    write(run, bilateral.STAGES, sort=("good",), goods=goods)


JOB = Job("bilateral", "both sides of every route side by side", build, reads=sources(bilateral.STAGES))
