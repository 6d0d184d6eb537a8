"""features → scores, their calibration, and what each input contributed."""

from anomaly.stages import scores
from anomaly.stages.stage import sources
from pipelines.job import Job, Run
from pipelines.staged import write


def build(run: Run) -> None:
    """The forest and its placebos."""
    write(run, scores.STAGES)


JOB = Job("scores", "the forest and its placebos", build, reads=sources(scores.STAGES))
