"""features → scores, their calibration, and what each input contributed."""

from anomaly import features, scores
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """The forest and its placebos."""
    inputs = features.forest_inputs(run.read("features"), run.settings)
    scored = scores.build(inputs, features.input_names(), run.settings)
    with run.writer() as writer:
        writer.add(scored.scores)
        writer.add(scored.calibration, "scores.calibration")
        writer.add(scored.contributions, "scores.contributions")


JOB = Job("scores", "the forest and its placebos", build, reads=("features",))
