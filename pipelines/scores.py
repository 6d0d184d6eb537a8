"""features → scores, their calibration, and what each input contributed."""

import polars as pl

from pipelines.job import Job, Run


def build(run: Run) -> None:
    """The forest and its placebos."""
    from anomaly import features, scores

    measured = run.store.scan("features").filter(pl.col("role") != "coalition")  # neither asked about nor placebos
    inputs = features.forest_inputs(measured, run.settings).collect(engine="streaming")
    scored = scores.build(inputs, features.input_names(), run.settings)
    with run.writer() as writer:
        writer.add(scored.scores)
        writer.add(scored.calibration, "scores.calibration")
        writer.add(scored.contributions, "scores.contributions")


JOB = Job("scores", "the forest and its placebos", build, reads=("features",))
