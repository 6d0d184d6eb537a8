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
    from anomaly.flags import diverted, doubted, flags
    from anomaly.reference import countries, policy_events

    names = dict(countries.table().select("iso3", "name").rows())
    scores, calibration, lists = run.read("scores"), run.read("scores.calibration"), goods_lists(run)
    contributions, told = run.read("scores.contributions"), (calibration, lists, names, run.settings)
    found = flags.build(_asked_about(run), scores, contributions, *told, policy_events.of(run.settings.facts_of))
    found = evidence.build(found, _tables(run, found, scores, calibration), names, run.settings)
    found = doubted.with_doubts(found, _doubts_of_reporters(run), families_of(run))
    left = leave_out(
        run, found, scores, lambda one, other: flags.build(one, other, contributions.clear(), *told), lists
    )
    supply = diverted.Tables(run.read("supply"), run.read("supply.calibration"), run.read("supply.hubs"))
    with run.writer(schema=flags.table_schema()) as writer:
        writer.add(flags.in_order(pl.concat([found, diverted.build(supply, lists, names, run.settings)])))
        writer.add(left, "flags.without")


def _doubts_of_reporters(run: Run) -> pl.DataFrame:
    """flows.doubts, those of a whole file once for each of its reporters."""
    doubts = run.read("flows.doubts")
    whole = doubts.filter(pl.col("reporter_iso").is_null())
    if whole.is_empty():
        return doubts
    files = run.read("flows.files").select(raw_file="path", _hash=pl.col("sha256").str.slice(0, 12))
    hashes = whole.select("raw_file").unique().join(files, on="raw_file")
    reporters = (
        run.store.scan("flows")
        .filter(pl.col("raw_file").is_in(hashes["_hash"].implode()))
        .select(_hash="raw_file", reporter_iso="reporter_iso")
        .unique()
        .collect(engine="streaming")
    )
    of_files = hashes.join(reporters, on="_hash").drop("_hash")
    spread = whole.drop("reporter_iso").join(of_files, on="raw_file").select(doubts.columns)
    return pl.concat([doubts.filter(pl.col("reporter_iso").is_not_null()), spread.sort(doubts.columns)])


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
    from anomaly.contract.keys import WINDOW_KEY
    from anomaly.evidence import evidence
    from anomaly.flags import naming
    from anomaly.indicators.base import COALITION_TO_HUB

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
    reads=("flows", "coverage", "bilateral", "features", "scores", "supply"),
    inputs=links_read,
)
