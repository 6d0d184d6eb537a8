"""features + scores → flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from anomaly.contract.schema import ROUTE_KEY
from pipelines.goods import families_of, links_read
from pipelines.job import Job, Run
from pipelines.without import leave_out

if TYPE_CHECKING:
    from anomaly.evidence import evidence


def build(run: Run) -> None:
    """Routes that deserve a question, with the evidence."""
    from anomaly.evidence import evidence
    from anomaly.flags import flags
    from anomaly.reference import countries, policy_events

    names = dict(countries.table().select("iso3", "name").rows())
    scores, calibration, lists = run.read("scores"), run.read("scores.calibration"), goods_lists(run)
    contributions, told = run.read("scores.contributions"), (calibration, lists, names, run.settings)
    found = flags.build(_asked_about(run), scores, contributions, *told, policy_events.of(run.settings.facts_of))
    found = evidence.build(found, _tables(run, found, scores, calibration), names, run.settings)
    left = leave_out(
        run, found, scores, lambda one, other: flags.build(one, other, contributions.clear(), *told), lists
    )
    with run.writer(schema=flags.table_schema()) as writer:
        writer.add(found)
        writer.add(left, "flags.without")


def _asked_about(run: Run) -> pl.DataFrame:
    """Features of the routes that have scores, and of all routes to targets since the sanctions: some have ended."""
    since = run.settings.sanctions_since.replace(day=1)
    features = run.store.scan("features")
    scored = features.join(run.store.scan("scores"), on=ROUTE_KEY, how="semi")
    ended = features.filter(pl.col("role") == "target", pl.col("window_end") >= pl.lit(since)).join(
        run.store.scan("scores"), on=ROUTE_KEY, how="anti"
    )
    return pl.concat([scored, ended]).collect(engine="streaming")


def _tables(run: Run, found: pl.DataFrame, scores: pl.DataFrame, calibration: pl.DataFrame) -> evidence.Tables:
    """What the evidence is drawn from: the flags' windows, and the flags' goods to the countries on the routes."""
    from anomaly.contract.keys import COALITION_TO_HUB, WINDOW_KEY
    from anomaly.evidence import evidence
    from anomaly.flags import naming

    windows = found.select(WINDOW_KEY).unique()
    countries = pl.concat([found["importer_iso"], found["exporter_iso"]]).unique().implode()
    ghosts = found.filter(naming.is_on(COALITION_TO_HUB))
    asked_about = pl.col("importer_iso").is_in(found["importer_iso"].unique().implode()) | (
        pl.col("exporter_iso").is_in(ghosts["exporter_iso"].unique().implode()) & (pl.col("role") == "other")
    )
    needed = pl.col("importer_iso").is_in(countries) | pl.col("good").str.ends_with("+")
    cells = pl.col("good").is_in(found["good"].unique().implode()) & needed
    features = run.store.scan("features").filter(asked_about)
    return evidence.Tables(
        features=features.join(windows.lazy(), on=WINDOW_KEY, how="semi").collect(engine="streaming"),
        scores=scores,
        calibration=calibration,
        refused=run.read("features.refused"),
        bilateral=run.read("bilateral", where=cells),
        broken=run.read("bilateral.broken"),
        coverage=run.read("coverage"),
        scope=run.read("coverage.scope"),
    )


def goods_lists(run: Run) -> pl.DataFrame:
    """The scenario's goods lists with the family each code is compared in: reference.goods.listed."""
    from anomaly.reference import goods

    return goods.listed([goods_list.file for goods_list in run.settings.goods_lists], families_of(run))


JOB = Job(
    "flags",
    "routes that deserve a question, with the evidence",
    build,
    reads=("flows", "coverage", "bilateral", "features", "scores"),
    inputs=links_read,
)
