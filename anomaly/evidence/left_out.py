"""What remains of a flag when one publisher's data are left out: its windows measured and scored again without them.

Features of the flags' goods are made again from the other publishers' flows, as the run makes them. Such a route is
scored among the run's own routes and placebos, which keep all publishers: the question is how this route would look,
not how another run would.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from anomaly.bilateral import bilateral
from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.periods import Window
from anomaly.contract.schema import ROUTE_KEY, Without
from anomaly.contract.settings import Settings
from anomaly.features import features
from anomaly.features.marks import Known
from anomaly.features.neighbour_codes import HEADING_DIGITS
from anomaly.features.refusals import Breaks
from anomaly.features.windows import Comparison, compared_with
from anomaly.flags import rule
from anomaly.scores import forest_inputs, scores
from anomaly.scores.calibration import q_values

ROWS_AT_A_TIME = 250_000  # of bilateral, as in the run
NOTHING_LEFT = "Nothing is left: no other publisher has trade data of the good."
_KEY = list(ROUTE_KEY)
_GROUP = ["freq_code", "window_months", "baseline_gap_years", "is_from_coalition"]
_WINDOW = [*WINDOW_KEY, "is_from_coalition"]
_TAG = "|"  # between an exporter and the publisher left out: in no code of a country
_DIGITS = 9  # of features: what differs beyond is the order of a sum


@dataclass(frozen=True, slots=True)
class Reported:
    """What the run's figures come from.

    flows       current flows of the goods and of their neighbours in the heading, with `good`; any other goods are
                left out of the answer
    coverage    of all datasets, whole: the others' do not change when one publisher is left out
    totals      exporters.build of all that the run compares
    """

    flows: pl.DataFrame
    coverage: pl.DataFrame
    scope: pl.DataFrame
    totals: pl.DataFrame
    countries: pl.DataFrame
    precedence: dict[str, int]
    breaks: Breaks

    def publishers(self) -> list[str]:
        """Sources with trade data of the goods."""
        return sorted(self.flows["source"].unique())


def measured(told: Reported, source: str, routes: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Features of the routes in their windows, compared with their own baseline, without one source's data.

    routes   ROUTE_KEY; a route that cannot be measured without the source has no row
    """
    left = pl.col("source") != source
    who, scope, flows = told.coverage.filter(left), told.scope.filter(left), told.flows.filter(left)
    nothing = pl.DataFrame(schema={name: column.dtype for name, column in features.table_schema().columns().items()})
    if who.is_empty() or flows.is_empty():
        return nothing
    every = features.plan(told.coverage, told.scope, told.breaks, settings)
    plan = features.plan(who, scope, told.breaks, settings, told.totals)
    wanted = {freq: _windows(every.comparisons[freq], plan.known[freq], routes, settings) for freq in plan.known}
    since = min(settings.baseline_years)
    sides = bilateral.build(flows.lazy(), who, scope, told.countries, told.precedence, since)
    chunks = _portions(sides.filter(pl.col("freq_code").is_in(list(plan.known))))
    built = [one for one, _ in features.build_each(chunks, replace(plan, comparisons=wanted), settings)]
    return pl.concat([nothing, *built]).join(routes, on=_KEY, how="semi")


def _windows(every: Sequence[Comparison], known: Known, routes: pl.DataFrame, settings: Settings) -> list[Comparison]:
    """The routes' windows, with the baseline years that are still inside the data."""
    wanted = {Window(*row) for row in routes.select(WINDOW_KEY).unique().rows()}
    return [
        compared_with(known, of.window, of.baseline_years, of.gap_years)
        for of in every
        if of.window in wanted and of.gap_years == settings.gap_years(of.window.year)
    ]


def _portions(sides: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Whole headings, in order, about ROWS_AT_A_TIME rows at once."""
    heading = pl.col("good").str.slice(0, HEADING_DIGITS)
    rows = sides.group_by(heading=heading).agg(rows=pl.len().cast(pl.Int64)).sort("heading")
    portion = rows.with_columns(portion=(pl.col("rows").cum_sum() - 1) // ROWS_AT_A_TIME).select("heading", "portion")
    numbered = sides.with_columns(heading=heading).join(portion, on="heading", maintain_order="left")
    for part in numbered.partition_by("portion", maintain_order=True):
        yield part.drop("heading", "portion")


def scored(
    changed: Mapping[str, pl.DataFrame],
    run_features: pl.LazyFrame,
    run_scores: pl.DataFrame,
    settings: Settings,
    lists: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """The run's scores of the routes as they are measured without each source, by source; columns of schema.Scores.

    changed        source → measured
    run_features   the run's features, of importers that are not of the coalition
    lists          as for forest_inputs.build

    A route whose inputs are the same has the same p. The others are scored by forests fitted once more on the run's
    placebos. q is the route's own, with its own weight, among the run's other routes of the window.
    """
    asked = pl.concat(
        [
            forest_inputs.build(one, settings, lists).with_columns(left_out=pl.lit(source))
            for source, one in changed.items()
        ]
    )
    inputs = forest_inputs.build(run_features, settings, lists)
    seen = sorted({name for leg in forest_inputs.names().values() for name in leg})
    compared = [pl.col(*_KEY, "baseline_gap_years", "is_measured"), pl.col(seen).round(_DIGITS)]
    same = asked.join(inputs.select(compared).collect(), on=compared, how="semi")
    p_values = run_scores.join(same.select(*_KEY, "left_out"), on=_KEY)
    other = asked.join(same, on=[*_KEY, "left_out"], how="anti")
    if other.height:
        p_values = pl.concat([p_values, _fitted_again(other, inputs, settings).select(p_values.columns)])
    of_window = inputs.join(asked.lazy(), on=[*_WINDOW, "baseline_gap_years"], how="semi")
    weighed = of_window.select(*_KEY, "is_from_coalition", "evidence_weight").collect()
    every = _with_q(
        p_values.join(
            asked.select(*_KEY, "left_out", "is_from_coalition", weight="evidence_weight"), on=[*_KEY, "left_out"]
        ),
        run_scores.select(*_KEY, "p_value").join(weighed, on=_KEY).sort(_KEY),
    )
    return {name: every.filter(left_out=name).select(run_scores.columns) for name in changed}


def _fitted_again(other: pl.DataFrame, inputs: pl.LazyFrame, settings: Settings) -> pl.DataFrame:
    """schema.Scores and left_out of routes with other inputs; each stands beside the run's routes under a name of its own."""
    tagged = other.with_columns(pl.concat_str("exporter_iso", pl.lit(_TAG), "left_out").alias("exporter_iso"))
    groups = other.select(_GROUP).unique().lazy()
    among = inputs.join(groups, on=_GROUP, how="semi").collect(engine="streaming")
    once = settings.model_copy(update={"calibration": settings.calibration.model_copy(update={"resamples": 1})})
    again = scores.build(pl.concat([among, tagged.select(among.columns)]), forest_inputs.names(), once).scores
    exporter, source = (pl.col("exporter_iso").str.split(_TAG).list.get(place) for place in (0, 1))
    mine = again.filter(pl.col("exporter_iso").str.contains(_TAG, literal=True))
    return mine.with_columns(exporter_iso=exporter, left_out=source)


def _with_q(routes: pl.DataFrame, run: pl.DataFrame) -> pl.DataFrame:
    """q of each route alone among the run's other routes of its window and leg.

    routes   p_value and `weight` as it is measured without a source
    run      p_value and evidence_weight of the run's routes, before weights are scaled to mean 1
    """
    windows = run.drop_nulls().partition_by(_WINDOW, as_dict=True)
    found: list[float | None] = []
    for row in routes.iter_rows(named=True):
        part = windows.get(tuple(row[name] for name in _WINDOW))
        if part is None or row["p_value"] is None:
            found.append(None)
            continue
        is_own = (part["good"] == row["good"]) & (part["exporter_iso"] == row["exporter_iso"])
        rest = part.filter(~(is_own & (part["importer_iso"] == row["importer_iso"])))
        p_values = np.append(rest["p_value"].to_numpy(), row["p_value"])
        weights = np.append(rest["evidence_weight"].to_numpy(), row["weight"])
        found.append(float(q_values(p_values, weights / (weights.mean() or 1.0))[-1]))
    return routes.with_columns(q_value=pl.Series(found, dtype=pl.Float64))


def tell(
    flags: pl.DataFrame,
    source: str,
    run_features: pl.DataFrame,
    measured: pl.DataFrame,
    scores: pl.DataFrame,
    still: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """Rows of schema.Without for the flags whose figures use the source.

    run_features   the flags' rows of features as the run has them
    still          flags.build of `measured` and `scores`: what would be flagged without the source

    A flag of which every column is the same does not use the source and has no row.
    """
    was = {_route(row): row for row in run_features.to_dicts()}
    now = {_route(row): row for row in measured.to_dicts()}
    q_of = {_route(row): row["q_value"] for row in scores.to_dicts()}
    flagged = set(still["flag_id"])
    rows = []
    for flag in flags.to_dicts():
        before, after = was[_route(flag)], now.get(_route(flag))
        if after is not None and all(_is_same(before[name], after[name]) for name in before if name != "dataset"):
            continue
        is_small = after is not None and after["value_usd"] < settings.materiality_usd
        is_scored = _route(flag) in q_of or is_small
        row = _row(flag, before, after if is_scored else None, flag["flag_id"] in flagged, settings)
        q_value = q_of.get(_route(flag))
        rows.append(
            {**row, "source_left_out": source, "q_value": q_value, "says": _says(row, flag, after is not None, q_value)}
        )
    return _table(rows)


def _is_same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return math.isclose(before, after, rel_tol=10**-_DIGITS, abs_tol=10**-_DIGITS)
    return bool(before == after)


def nothing_left(flags: pl.DataFrame, source: str) -> pl.DataFrame:
    """Rows of schema.Without where one publisher alone has trade data."""
    empty: dict[str, list[str]] = {"reasons_left": [], "reasons_lost": [], "unknown": []}
    row = {"source_left_out": source, "remains": "not_comparable", "says": NOTHING_LEFT, **empty}
    return _table([{"flag_id": flag_id, **row} for flag_id in flags["flag_id"]])


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    kinds = {name: column.dtype for name, column in Without.columns().items()}
    return pl.DataFrame(rows, schema=kinds, orient="row").sort("flag_id", "source_left_out")


def _route(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _row(
    flag: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    is_flagged: bool,
    settings: Settings,
) -> dict[str, Any]:
    reasons = [reason["indicator"] for reason in flag["reasons"]]
    told = {"flag_id": flag["flag_id"], "remains": "not_comparable", "value_usd": None}
    if after is None:
        return {**told, "reasons_left": [], "reasons_lost": [], "unknown": []}
    limits = rule.limits_of(settings).thresholds
    unknown = [name for name in limits if before[name] is not None and after[name] is None]
    left = [name for name in reasons if after[name] is not None and after[name] >= limits[name]]
    lost = [name for name in reasons if after[name] is not None and after[name] < limits[name]]
    remains = "not_flagged" if not is_flagged else "flagged" if left == reasons else "weaker"
    more = {"remains": remains, "value_usd": after["value_usd"]}
    return {**told, **more, "reasons_left": left, "reasons_lost": lost, "unknown": unknown}


def _says(row: Mapping[str, Any], flag: Mapping[str, Any], is_measured: bool, q_value: float | None) -> str:
    if row["remains"] == "not_comparable":
        if is_measured:
            return "The gap between the two sides is then not known, and the route cannot be scored."
        return "The route cannot be compared: no other publisher has it in both windows."
    count, of = len(row["reasons_left"]), len(flag["reasons"])
    held = {
        "flagged": "It would still be flagged, with every reason",
        "weaker": f"It would still be flagged, with {count} of {of} reasons",
        "not_flagged": f"It would not be flagged: {count} of {of} reasons are left",
    }[row["remains"]]
    was, now = ("not known" if q is None else f"{q:.3f}" for q in (flag["q_value"], q_value))
    moved = f"q stays {now}" if was == now else f"q {was} becomes {now}"
    value = "" if row["value_usd"] == flag["value_usd"] else "; the trade is another publisher's figure"
    return f"{held}; {moved}{value}."
