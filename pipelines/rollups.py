"""flags + features → rollups per good and per hub."""

import polars as pl

from anomaly.contract.schema import ROUTE_KEY
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """How much of the trade to the targets is flagged."""
    from anomaly.features import features
    from anomaly.flags import rollups

    to_targets = pl.col("importer_iso").is_in(list(run.settings.targets.countries))
    trade = run.read("features", [*ROUTE_KEY, "value_usd"], to_targets & features.is_material(run.settings))
    rolled = rollups.build(run.read("flags"), trade, run.settings.targets.countries)
    with run.writer() as writer:
        writer.add(rolled)


JOB = Job(
    "rollups",
    "how much of the trade to the targets is flagged, per good and per hub",
    build,
    reads=("flags", "features"),
)
