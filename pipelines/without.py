"""What remains of the flags without each publisher: the run's tables in, rows of flags.without out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from anomaly.contract.schema import ROUTE_KEY, Without, is_own_gap
from pipelines.goods import breaks_of, current_flows, families_of
from pipelines.job import Run

if TYPE_CHECKING:
    from anomaly.evidence.left_out import Reported

# features, scores → what would be flagged of them
Judge = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


def leave_out(run: Run, found: pl.DataFrame, scores: pl.DataFrame, judge: Judge, lists: pl.DataFrame) -> pl.DataFrame:
    """flags.without for the flags of the highest priority, as many as the settings say; checks before the sanctions
    come last, and what is resolved is not tried.
    """
    from anomaly.evidence import left_out
    from anomaly.flags import naming

    order = pl.struct(pl.col("is_before_sanctions"), -pl.col("priority"), *ROUTE_KEY)
    first = found.filter(~naming.has_ended()).sort(order).head(run.settings.evidence.most_left_out)
    nothing = Without.create_empty()
    if first.is_empty():
        return nothing
    every = run.read("coverage", ["source"])["source"].unique()
    told = _reported(run, first) if every.len() > 1 else None
    publishers = told.publishers() if told else every.to_list()
    if told is None or len(publishers) == 1:
        return left_out.nothing_left(first, publishers[0])
    routes = first.select(ROUTE_KEY)
    features = run.store.scan("features").filter(pl.col("role") != "coalition")
    own = (
        features.filter(is_own_gap(run.settings.baseline_years)).join(routes.lazy(), on=ROUTE_KEY, how="semi").collect()
    )
    changed = {source: left_out.measured(told, source, routes, run.settings) for source in publishers}
    scored = left_out.scored(changed, features, scores, run.settings, lists)
    parts = [
        left_out.tell(
            first, source, own, changed[source], scored[source], judge(changed[source], scored[source]), run.settings
        )
        for source in publishers
    ]
    return pl.concat([nothing, *parts]).sort("flag_id", "source_left_out")


def _reported(run: Run, first: pl.DataFrame) -> Reported:
    """Flows of the flags' goods and of their neighbours in the heading, and what the run made features from."""
    from anomaly import sources
    from anomaly.evidence import left_out
    from anomaly.features import exporter_totals
    from anomaly.features.neighbour_codes import HEADING_DIGITS
    from anomaly.reference import countries

    families = families_of(run)
    scope = run.read("coverage.scope")
    heading = pl.col("code").str.slice(0, HEADING_DIGITS)
    headings = first["good"].str.slice(0, HEADING_DIGITS).unique().implode()
    goods = scope.filter(pl.col("dimension") == "good", heading.is_in(headings))["code"].unique()
    members = families.filter(pl.col("good").is_in(goods.implode()))["cmd_code"]
    listed = pl.concat([goods.str.strip_suffix("+"), members]).unique().sort()
    code = pl.col("cmd_code")
    inside = code.is_between(pl.lit(listed[0]), pl.lit(f"{listed[-1]}~"))  # row groups outside are left out by it
    flows = current_flows(run, families).filter(inside, code.str.slice(0, 6).is_in(listed.implode()))
    columns = ["source", "dataset", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "good"]
    return left_out.Reported(
        flows=flows.filter(pl.col("good").is_in(goods.implode()))
        .select(*columns, "primary_value_usd", "net_wgt_g")
        .collect(engine="streaming"),
        coverage=run.read("coverage"),
        scope=scope,
        totals=exporter_totals.build(run.store.scan("bilateral"), run.settings.targets.countries),
        countries=countries.table(),
        precedence={source.name: source.precedence for source in sources.SOURCES},
        breaks=breaks_of(run),
    )
