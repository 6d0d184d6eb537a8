"""features → scores, their calibration, and what each input contributed."""

from __future__ import annotations

import polars as pl

from anomaly.contract.settings import Settings
from pipelines.job import Job, Run


def inputs_of(features_table: pl.LazyFrame, settings: Settings, lists: pl.DataFrame | None = None) -> pl.DataFrame:
    """What the forest is given of the features: routes to the coalition are neither asked about nor placebos."""
    from anomaly.scores import forest_inputs

    measured = features_table.filter(pl.col("role") != "coalition")
    return forest_inputs.build(measured, settings, lists).collect(engine="streaming")


def build(run: Run) -> None:
    """The forest and its placebos."""
    from anomaly.reference import goods
    from anomaly.scores import forest_inputs, scores

    lists = goods.listed([listed.file for listed in run.settings.goods_lists], run.read("bilateral.families"))
    inputs = inputs_of(run.store.scan("features"), run.settings, lists)
    scored = scores.build(inputs, forest_inputs.names(), run.settings)
    with run.writer() as writer:
        writer.add(scored.scores)
        writer.add(scored.calibration, "scores.calibration")
        writer.add(scored.contributions, "scores.contributions")


JOB = Job("scores", "the forest and its placebos", build, reads=("bilateral", "features"))
