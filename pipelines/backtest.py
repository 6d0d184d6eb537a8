"""flows, replayed as of each date → how the flags of that date are judged, beside the rivals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.sources import vintages
from pipelines.bilateral import of_goods, portions
from pipelines.flags import goods_lists
from pipelines.goods import breaks_of, current_flows, families_of, links_read
from pipelines.job import Job, Run
from pipelines.report import SIMULATED
from pipelines.scores import inputs_of

if TYPE_CHECKING:
    from anomaly.scores.scores import Scored

MOST_GOODS_OF_AN_EXTRACT = 2_500  # with more, the dataset is the whole nomenclature and says nothing of a good


@dataclass(frozen=True, slots=True)
class Day:
    """What a date's knowledge gives: replay.routes ranked, and the calibration of their windows."""

    rows: pl.DataFrame
    calibration: pl.DataFrame


def build(run: Run) -> None:
    """Every as-of date in turn, then the figures over all of them."""
    from anomaly.backtest import as_of as replay
    from anomaly.backtest import judge

    families = families_of(run)
    releases = _releases(run)
    dates = replay.dates(run.read("coverage"), run.settings)
    days: list[Day] = []
    with run.progress("dates", len(dates)) as advance:
        for freq, as_of in dates:
            day = replayed(run, families, releases, freq, as_of)
            if day is not None:
                days.append(day)
                flagged = day.rows["is_flagged"].sum()
                run.say(f"as of {as_of}: {flagged} flags of {day.rows['is_candidate'].sum()} candidates")
            advance(1)
    with run.writer() as writer:
        if days:
            rows = pl.concat([day.rows for day in days])
            calibration = pl.concat([day.calibration for day in days])
            is_simulated = bool(run.read("flows.files")["dataset"].str.contains(SIMULATED).any())
            writer.add(_judged(run, rows, calibration, is_simulated=is_simulated))
        else:
            writer.add(judge.nothing())


def _releases(run: Run) -> pl.DataFrame:
    return (
        run.store.scan("flows")
        .select(*vintages.GROUP, *vintages.RELEASE, "classification_code")
        .unique()
        .collect(engine="streaming")
    )


def replayed(run: Run, families: pl.DataFrame, releases: pl.DataFrame, freq: str, as_of: date) -> Day | None:
    """The flags of one date from what was out by then, in memory; None where nothing could be asked yet."""
    from anomaly.backtest import as_of as replay
    from anomaly.backtest import judge
    from anomaly.bilateral import coverage
    from anomaly.scores import forest_inputs, scores

    out = replay.is_out(as_of, run.settings)
    flows = replay.current(run.store.scan("flows").filter(out), releases, as_of)
    goods = current_flows(run, families, flows)
    who, scope = coverage.build(goods)
    if freq not in who["freq_code"].unique():
        return None
    measured = _measured(run, goods, who, scope, families)
    inputs = inputs_of(measured.lazy(), run.settings, goods_lists(run))
    windows = replay.newest(inputs, freq)
    asked = replay.of_windows(inputs, windows, run.settings)
    scored = scores.build(asked, forest_inputs.names(), run.settings)
    flags = _flags(run, measured, scored)
    routes = replay.routes(measured, windows, scored.scores, flags, run.settings)
    if not routes["is_candidate"].any():
        return None
    told = scored.calibration.join(windows, on=WINDOW_KEY, how="semi")
    return Day(judge.ranked(routes, as_of), told.with_columns(as_of=pl.lit(as_of)))


def _measured(
    run: Run, goods: pl.LazyFrame, who: pl.DataFrame, scope: pl.DataFrame, families: pl.DataFrame
) -> pl.DataFrame:
    """Features of everything, whole headings at a time."""
    from anomaly import sources
    from anomaly.bilateral import bilateral
    from anomaly.features import exporter_totals, features
    from anomaly.reference import countries

    precedence, since = {source.name: source.precedence for source in sources.SOURCES}, min(run.settings.baseline_years)
    sides = []
    for some in portions(scope):
        flows = goods.filter(of_goods(some, families), pl.col("good").is_in(some.implode()))
        sides.append(bilateral.build(flows, who, scope, countries.table(), precedence, since))
    totals = exporter_totals.build(pl.concat(sides).lazy(), run.settings.targets.countries)
    plan = features.plan(who, scope, breaks_of(run), run.settings, totals)
    return pl.concat([measured for measured, _ in features.build_each(sides, plan, run.settings)])


def _flags(run: Run, measured: pl.DataFrame, scored: Scored) -> pl.DataFrame:
    from anomaly.contract.schema import ROUTE_KEY
    from anomaly.flags import flags
    from anomaly.reference import countries

    names = dict(countries.table().select("iso3", "name").rows())
    asked = measured.join(scored.scores, on=list(ROUTE_KEY), how="semi")
    lists = goods_lists(run)
    return flags.build(asked, scored.scores, scored.contributions, scored.calibration, lists, names, run.settings)


def _judged(run: Run, rows: pl.DataFrame, calibration: pl.DataFrame, *, is_simulated: bool) -> pl.DataFrame:
    """The figures: against what was planted in a simulated world, else against the lists and the published cases."""
    from anomaly import world
    from anomaly.backtest import judge, truth
    from anomaly.reference import cases

    if is_simulated:
        labels = world.build(of=world.describe(run.settings.facts_of)).labels
        rows = truth.planted(rows, labels).drop("planted").rename({"is_evasion": judge.PLANTED})
        events, known = truth.of_labels(rows, labels), int(labels["is_evasion"].sum())
        return judge.build(rows, [judge.PLANTED], events, calibration, judge.PLANTED, known)
    lists = goods_lists(run)
    rows = rows.with_columns(
        list_as_of=truth.listed(rows, lists, is_dated=True), list_final=truth.listed(rows, lists, is_dated=False)
    )
    judges = ["list_as_of", "list_final"]
    extract = _extract(run)
    if len(extract):
        rows = rows.with_columns(listed_dataset=pl.col("good").is_in(extract.implode()))
        judges.append("listed_dataset")
    published = cases.read().filter(pl.col("regime") == run.settings.facts_of)
    known = int(published["kind"].is_in([kind for kind, is_evasion in truth.IS_EVASION.items() if is_evasion]).sum())
    return judge.build(rows, judges, truth.of_cases(rows, published), calibration, judge.CASES, known)


def _extract(run: Run) -> pl.Series:
    """Goods of the store's extract of goods under the measures; none where there is no such dataset, or it is whole."""
    dataset = run.settings.listed_dataset
    if not dataset:
        return pl.Series([], dtype=pl.String)
    of_extract = (pl.col("dimension") == "good") & pl.col("dataset").str.contains(dataset, literal=True)
    goods = run.read("coverage.scope", ["code"], of_extract)["code"].unique().sort()
    return goods if len(goods) <= MOST_GOODS_OF_AN_EXTRACT else goods.clear()


JOB = Job(
    "backtest",
    "how the flags of each date are judged, beside the rivals",
    build,
    reads=("flows", "coverage"),
    inputs=links_read,
    in_run=False,
)
