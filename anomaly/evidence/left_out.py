"""What remains of a flag when one publisher's data are left out: its windows measured and scored again without them.

Features of the flags' goods are made again from the other publishers' flows, through the stages of a run. Such a route is
scored among the run's own routes and placebos, which keep all publishers: the question is how this route would look,
not how another run would.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.schema import ROUTE_KEY, Contributions, Without, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame, Make
from anomaly.evidence.remains import DIGITS, nothing_left, tell
from anomaly.features import features, window_table
from anomaly.flags import naming
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.scores import forest_inputs
from anomaly.scores.calibration import LEAST_FAMILY, q_values
from anomaly.scores.families import BESIDE

_KEY = list(ROUTE_KEY)
_GROUP = ["freq_code", "window_months", "baseline_gap_years", "is_from_coalition"]
_WINDOW = [*WINDOW_KEY, "is_from_coalition"]
_TAG = "|"  # between an exporter and the publisher left out: in no code of a country
_OF_FLOWS = (  # what bilateral needs of them
    "source", "dataset", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "cmd_code", "good",
    "primary_value_usd", "net_wgt_g",
)  # fmt: skip


def build(flagged: pl.DataFrame, run: Mapping[str, Frame], make: Make, settings: Settings) -> pl.DataFrame:
    """What remains without each publisher of the flags of the highest priority.

    As many as the settings say; checks before the sanctions come last, and what has ended is not tried.

    Parameters
    ----------
    flagged : polars.DataFrame
        flags.build: the run's flags, with or without their evidence.
    run : mapping of str to polars.DataFrame or polars.LazyFrame
        The run's tables by name: flows, families, families.broken, coverage, coverage.scope, bilateral, features, scores,
        scores.calibration.
    make : callable
        Makes tables from others as a run does.
    settings : Settings
        The scenario.

    Returns
    -------
    polars.DataFrame
        schema.Without, sorted by its key.
    """
    nothing = Without.create_empty()
    order = pl.struct(pl.col("is_before_sanctions"), -pl.col("priority"), *ROUTE_KEY)
    tried = flagged.filter(~naming.has_ended()).sort(order).head(settings.evidence.most_left_out)
    if tried.is_empty():
        return nothing
    publishers = _sources(run["coverage"])
    if len(publishers) == 1:
        return nothing_left(tried, publishers[0])
    reported = reported_of(tried, run, make, settings)
    publishers = _sources(reported["current"])
    if len(publishers) == 1:
        return nothing_left(tried, publishers[0])
    routes, own_features = tried.select(ROUTE_KEY), run["features"].lazy()
    own = (
        own_features.filter(is_own_gap(settings.baseline_years)).join(routes.lazy(), on=ROUTE_KEY, how="semi").collect()
    )
    changed = {source: measured(reported, source, routes, make, settings) for source in publishers}
    scored_without = scored(changed, run, make, settings)
    parts: list[pl.DataFrame] = [nothing]
    for source in publishers:
        still = judged(changed[source], scored_without[source], run, make, settings)
        parts.append(tell(tried, source, own, changed[source], scored_without[source], still, settings))
    return pl.concat(parts).sort("flag_id", "source_left_out")


def _sources(frame: Frame) -> list[str]:
    return sorted(frame.lazy().select(pl.col("source").unique()).collect()["source"])


def reported_of(
    flags: pl.DataFrame, run: Mapping[str, Frame], make: Make, settings: Settings
) -> dict[str, pl.DataFrame]:
    """What the figures of flags come from, of all publishers.

    Parameters
    ----------
    flags : polars.DataFrame
        With `good`.
    run : mapping of str to polars.DataFrame or polars.LazyFrame
        The run's flows, families, families.broken, coverage, coverage.scope, bilateral, features.pairs and features.roughness.
        Peers are those of the run.
    make : callable
        Makes tables from others as a run does.
    settings : Settings
        The scenario.

    Returns
    -------
    dict of str to polars.DataFrame
        `current`, the flows of the flags' goods and of their neighbours in the heading; of everything: families,
        families.broken, coverage, coverage.scope, exporter_totals and windows.
    """
    names = ("families", "families.broken", "coverage", "coverage.scope", "features.pairs", "features.roughness")
    tables = {name: run[name].lazy().collect() for name in names}
    families, scope = tables["families"], tables["coverage.scope"]
    heading = pl.col("code").str.slice(0, HEADING_DIGITS)
    headings = flags["good"].str.slice(0, HEADING_DIGITS).unique().implode()
    goods = scope.filter(pl.col("dimension") == "good", heading.is_in(headings))["code"].unique()
    members = families.filter(pl.col("good").is_in(goods.implode()))["cmd_code"]
    listed = pl.concat([goods.str.strip_suffix("+"), members]).unique().sort()
    code = pl.col("cmd_code")
    inside = code.is_between(pl.lit(listed[0]), pl.lit(f"{listed[-1]}~"))  # row groups outside are left out by it
    current = make(["current"], {"flows": run["flows"], "families": families}, settings).scan("current")
    current = current.filter(inside, code.str.slice(0, 6).is_in(listed.implode()))
    by_flow = make(["exporter_totals", "windows"], {**tables, "bilateral": run["bilateral"]}, settings)
    return {
        **tables,
        "current": current.filter(pl.col("good").is_in(goods.implode())).select(_OF_FLOWS).collect(engine="streaming"),
        "exporter_totals": by_flow.read("exporter_totals"),
        "windows": by_flow.read("windows"),
    }


def measured(
    reported: Mapping[str, pl.DataFrame], source: str, routes: pl.DataFrame, make: Make, settings: Settings
) -> pl.DataFrame:
    """Features of routes in their windows, compared with their own baseline, without one publisher's data.

    Coverage of the others does not change when one is left out.

    Parameters
    ----------
    reported : mapping of str to polars.DataFrame
        `reported_of` the routes' goods.
    source : str
        The publisher's name.
    routes : polars.DataFrame
        ROUTE_KEY.
    make : callable
        Makes tables from others as a run does.
    settings : Settings
        The scenario.

    Returns
    -------
    polars.DataFrame
        Columns of features; a route that cannot be measured without the source has no row.
    """
    is_kept = pl.col("source") != source
    remaining = {name: reported[name].filter(is_kept) for name in ("current", "coverage", "coverage.scope")}
    if remaining["coverage"].is_empty() or remaining["current"].is_empty():
        return pl.DataFrame(schema={name: column.dtype for name, column in features.table_schema().columns().items()})
    windows = reported["windows"].filter(is_own_gap(settings.baseline_years))
    windows = windows.join(routes, on=WINDOW_KEY, how="semi", maintain_order="left")
    inside = window_table.inside(windows, remaining["coverage"], remaining["coverage.scope"])
    rows = make(["features"], {**reported, **remaining, "windows": inside}, settings).read("features")
    return rows.join(routes, on=_KEY, how="semi")


def judged(
    measured: pl.DataFrame, scores: pl.DataFrame, run: Mapping[str, Frame], make: Make, settings: Settings
) -> pl.DataFrame:
    """What would be flagged of routes as they are measured without a publisher; nothing is held against measures.

    Parameters
    ----------
    measured : polars.DataFrame
        Columns of features, as `measured` gives them.
    scores : polars.DataFrame
        Columns of scores for the same routes, as `scored` gives them.
    run : mapping of str to polars.DataFrame or polars.LazyFrame
        The run's families and scores.calibration.
    make : callable
        Makes tables from others as a run does.
    settings : Settings
        Scenario: limits and targets.

    Returns
    -------
    polars.DataFrame
        Rows of the stage flagged.
    """
    inputs = {
        "features": measured,
        "scores": scores,
        "scores.contributions": Contributions.create_empty(),
        "scores.calibration": run["scores.calibration"],
        "families": run["families"],
        "policy_events": pl.DataFrame(),
    }
    return make(["flagged"], inputs, settings).read("flagged")


def scored(
    changed: Mapping[str, pl.DataFrame], run: Mapping[str, Frame], make: Make, settings: Settings
) -> dict[str, pl.DataFrame]:
    """The run's scores of the routes as they are measured without each source.

    A route whose inputs are the same has the same p. The others are scored by forests fitted once more on the run's
    placebos. q is the route's own, with its own weight, among the run's other routes of the window.

    Parameters
    ----------
    changed : mapping of str to polars.DataFrame
        Source left out → `measured`.
    run : mapping of str to polars.DataFrame or polars.LazyFrame
        The run's families, features and scores.
    make : callable
        Makes tables from others as a run does.
    settings : Settings
        The scenario.

    Returns
    -------
    dict of str to polars.DataFrame
        Source left out → schema.Scores.
    """
    beside = {name: run[name] for name in ("families", "features.roughness")}
    tried = pl.concat(
        [
            make(["inputs"], beside | {"features": frame}, settings)
            .read("inputs")
            .with_columns(left_out=pl.lit(source))
            for source, frame in changed.items()
        ]
    )
    inputs = make(["inputs"], beside | {"features": run["features"]}, settings).scan("inputs")
    run_scores = run["scores"].lazy().collect()
    tried = _published_as_in_run(tried, inputs)
    names = sorted({name for leg in forest_inputs.names().values() for name in leg} | {"rise_log", "room_log"})
    compared = [pl.col(*_KEY, "baseline_gap_years", "is_measured"), pl.col(names).round(DIGITS)]
    unchanged = tried.join(inputs.select(compared).collect(), on=compared, how="semi", nulls_equal=True)
    p_values = run_scores.join(unchanged.select(*_KEY, "left_out"), on=_KEY)
    changed_inputs = tried.join(unchanged, on=[*_KEY, "left_out"], how="anti")
    if changed_inputs.height:
        p_values = pl.concat([p_values, _refitted(changed_inputs, inputs, make, settings).select(p_values.columns)])
    of_window = inputs.join(tried.lazy(), on=[*_WINDOW, "baseline_gap_years"], how="semi")
    weighed = of_window.select(*_KEY, "is_from_coalition", "evidence_weight").collect()
    with_q = _with_q(
        p_values.join(
            tried.select(*_KEY, "left_out", "is_from_coalition", weight="evidence_weight"), on=[*_KEY, "left_out"]
        ),
        run_scores.select(*_KEY, "p_value", "tested_among").join(weighed, on=_KEY).sort(_KEY),
    )
    return {name: with_q.filter(left_out=name).select(run_scores.columns) for name in changed}


def _published_as_in_run(tried: pl.DataFrame, inputs: pl.LazyFrame) -> pl.DataFrame:
    """Routes measured without a source are alike published as in the run: a few of an exporter's routes cannot tell it."""
    wide = inputs.filter("is_wide").select(*_WINDOW, "exporter_iso").unique().collect()
    is_wide = tried.join(
        wide.with_columns(was_wide=pl.lit(value=True)),
        on=[*_WINDOW, "exporter_iso"],
        how="left",
        maintain_order="left",
    )
    return is_wide.with_columns(is_wide=pl.col("was_wide").fill_null(value=False)).drop("was_wide")


def _refitted(routes: pl.DataFrame, inputs: pl.LazyFrame, make: Make, settings: Settings) -> pl.DataFrame:
    """schema.Scores and left_out of routes with other inputs; each stands beside the run's routes under a name of its own."""
    tagged = routes.with_columns(pl.concat_str("exporter_iso", pl.lit(_TAG), "left_out").alias("exporter_iso"))
    groups = routes.select(_GROUP).unique().lazy()
    beside_run = inputs.join(groups, on=_GROUP, how="semi").collect(engine="streaming")
    once = settings.model_copy(update={"calibration": settings.calibration.model_copy(update={"resamples": 1})})
    beside_run = pl.concat([beside_run, tagged.select(beside_run.columns)]).with_columns(
        pl.col("exporter_iso").str.contains(_TAG, literal=True).alias(BESIDE)
    )
    scores = make(["scores"], {"inputs": beside_run}, once).read("scores")
    exporter, source = (pl.col("exporter_iso").str.split(_TAG).list.get(place) for place in (0, 1))
    tagged_scores = scores.filter(pl.col("exporter_iso").str.contains(_TAG, literal=True))
    return tagged_scores.with_columns(exporter_iso=exporter, left_out=source)


def _with_q(routes: pl.DataFrame, run: pl.DataFrame) -> pl.DataFrame:
    """q of each route alone among the run's other routes of its window, leg and family; among all of a window where these are few.

    routes   p_value, tested_among and `weight` as it is measured without a source
    run      p_value, tested_among and evidence_weight of the run's routes, before weights are scaled to mean 1
    """
    family = [*_WINDOW, "tested_among"]
    families = run.drop_nulls().partition_by(family, as_dict=True)
    windows = run.drop_nulls().partition_by(_WINDOW, as_dict=True)
    q_of_routes: list[float | None] = []
    for row in routes.iter_rows(named=True):
        part = families.get(tuple(row[name] for name in family), run.clear())
        if part.height < LEAST_FAMILY:
            part = windows.get(tuple(row[name] for name in _WINDOW), run.clear())
        if row["p_value"] is None:
            q_of_routes.append(None)
            continue
        is_own = (part["good"] == row["good"]) & (part["exporter_iso"] == row["exporter_iso"])
        others_of_family = part.filter(~(is_own & (part["importer_iso"] == row["importer_iso"])))
        p_values = np.append(others_of_family["p_value"].to_numpy(), row["p_value"])
        weights = np.append(others_of_family["evidence_weight"].to_numpy(), row["weight"])
        q_of_routes.append(float(q_values(p_values, weights / (weights.mean() or 1.0))[-1]))
    return routes.with_columns(q_value=pl.Series(q_of_routes, dtype=pl.Float64))
