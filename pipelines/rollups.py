"""flags + features → rollups per good and per hub."""

from anomaly import rollups
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """How much of the trade to the targets is flagged."""
    rolled = rollups.build(run.read("flags"), run.read("features"), run.settings.targets.countries)
    with run.writer() as writer:
        writer.add(rolled)


JOB = Job(
    "rollups",
    "how much of the trade to the targets is flagged, per good and per hub",
    build,
    reads=("flags", "features"),
)
