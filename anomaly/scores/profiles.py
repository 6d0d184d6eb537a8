"""Profiles: what a country sells an importer over all its goods, what an importer buys of a good over all its sellers.

A window of a route is one figure; a profile says whether a country or a good as a whole looks like one that goods go
round through. It is held against profiles of importers that cannot be evasion, with the goods sorted in the same way for
them: a good is *fallen* where the direct trade to the targets fell, whoever the importer of the profile is.

What it is worth was measured on simulated worlds, on seeds that chose nothing. Of countries it finds as many with as few
false as the plain list of those with a called route, and no more; the sum of its inputs' ranks does at least as well as
the forest. Of goods the plain list is better. So a profile is a second opinion, and no better a first one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as columns_that_are
from scipy.stats import false_discovery_control

from anomaly.contract.errors import ContractBroken
from anomaly.contract.keys import HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.schema import is_own_gap
from anomaly.contract.settings import Settings
from anomaly.indicators.base import FELL_LOG
from anomaly.scores import forest
from anomaly.scores.hypothesis_weights import HALVED_LOG, LEAST_WEIGHT
from anomaly.scores.joint import joint
from anomaly.scores.placebos import is_asked_about

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
INPUTS = (
    "fallen_score",
    "breadth_log",
    "room_rise_log",
    "unusual_new_routes",
)  # what the forest sees, the leading first
LEAST_ROUTES = {"exporter_iso": 1, "good": 3}  # of called goods with one or two sellers a third were false
RISEN_LOG = 0.4  # half as much again as the counterfactual
LEAST_CHANCE = 0.001  # what a thousand placebos can tell apart
UNUSUAL = 0.1  # one placebo route in ten has as much
NO_ROOM_LOG = 0.1  # added to the room of a profile, so that one without any has no rise
NONE_FALLEN = -50.0  # below every joint statistic
LEAST_IMPORTERS = 2  # a half of the forest each
_MEASURES = ["unexplained_log", "room_log", "joint_score"]
_SCORES = {
    "anomaly_score": pl.Float64, "evidence_score": pl.Float64,
    "p_value": pl.Float64, "q_value": pl.Float64, "placebos": pl.Int64,
}  # fmt: skip


def build(routes: pl.DataFrame, subject: str, settings: Settings) -> pl.DataFrame:
    """How unusual each country, or each good, looks over all its routes to a target in a window.

    Parameters
    ----------
    routes : polars.DataFrame
        Routes to targets and to placebo importers, as for `profile`.
    subject : str
        "exporter_iso": a country's sales to an importer, over its goods. "good": an importer's purchases of a good,
        over its sellers.
    settings : Settings
        Of it the floor, forest, and calibration.least_placebos.

    Returns
    -------
    polars.DataFrame
        A row a window, subject and target, sorted by these: the columns of `profile`, then

        anomaly_score    mean over the forests that have not seen it, 0 to 1
        evidence_score   mean place among the window's placebos by the forest and by the leading input, 0 to 1
        p_value          (1 + placebos with as much) / (1 + placebos)
        q_value          Benjamini and Hochberg 1995 over the profiles of the window
        placebos         profiles that p was read from

        The four figures are null where there are fewer than LEAST_ROUTES routes, or too few placebos.

    Raises
    ------
    ContractBroken
        Where `subject` is another column, or a measure is null, NaN or inf.

    Notes
    -----
    The forest sees, of each input, minus the log of the share of the window's placebos with as much. It is fitted on the
    windows of one length and year. Placebo importers are halved, so that none is scored by a forest that saw it: the
    profiles of an importer hang together.
    """
    profiles = profile(routes, subject, settings)
    alike = ["freq_code", "window_months", pl.col("window_end").dt.year()]  # their baselines are as long ago
    comparable = profiles.filter(pl.col("routes") >= LEAST_ROUTES[subject])
    figures = [_scored(group, settings) for _, group in comparable.group_by(alike, maintain_order=True)]
    key = [*WINDOW_KEY, subject, "importer_iso"]
    scored = pl.concat([profiles.clear().select(key), *figures], how="diagonal")
    unscored = [pl.lit(None, kind).alias(name) for name, kind in _SCORES.items() if name not in scored.columns]
    asked = profiles.filter(pl.col("role") == "target").drop("role")
    figures_of = scored.with_columns(unscored).select(*key, *_SCORES)
    return asked.join(figures_of, on=key, how="left", maintain_order="left")


def of_inputs(inputs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Profiles of the countries that are asked about, since the measures: a second opinion on their routes.

    Parameters
    ----------
    inputs : polars.DataFrame
        forest_inputs.build.
    settings : Settings
        Scenario: targets, baseline years, and what `build` takes.

    Returns
    -------
    polars.DataFrame
        `build` of the exporters, over their routes whose room is known; no row where there is none.
    """
    is_measured = pl.col("is_measured") & pl.col("room_log").is_not_null() & ~pl.col("is_from_coalition")
    is_seen = is_asked_about(settings, (HUB_TO_TARGET,)) | (
        (pl.col("role") == "placebo") & is_own_gap(settings.baseline_years)
    )
    routes = inputs.filter(is_measured, is_seen, ~pl.col("is_before_sanctions"))
    rise, room = (routes["rise_log"] / routes["roughness"]).to_numpy(), routes["room_log"].to_numpy()
    measured = routes.with_columns(unexplained_log=pl.Series(rise), joint_score=pl.Series(joint(rise, room)))
    return build(measured, "exporter_iso", settings)


def profile(routes: pl.DataFrame, subject: str, settings: Settings) -> pl.DataFrame:
    """What a country's or a good's routes to one importer have in common in a window.

    Parameters
    ----------
    routes : polars.DataFrame
        keys.WINDOW_KEY, exporter_iso, importer_iso, good, role ("target" or "placebo"); unexplained_log, the rise beyond
        the counterfactual; room_log, what the exporter's new supply could carry; joint_score, the soft minimum of both;
        direct_fall_log, null where the coalition's trade with the importer is unknown; value_usd, value_baseline_usd and
        value_prior_year_usd.
    subject : str
        As for `build`.
    settings : Settings
        Of it the floor.

    Returns
    -------
    polars.DataFrame
        A row a window, subject and importer, sorted by these: role, routes (how many), value_usd, and

        fallen_score             highest joint score of a fallen good; null without one
        breadth_log              ln of the sum of fall weight / chance: many unusual routes, of goods that fell
        room_rise_log            mean unexplained rise, weighted by room
        unusual_new_routes       routes from below the floor to above it that at most a tenth of the placebo routes match
        median_unexplained_log   of the routes, and `high_unexplained_log` their ninth decile
        fall_contrast_log        mean unexplained rise of fallen goods less that of the others; null without either
        risen_value_share        share of the value in routes RISEN_LOG above their counterfactual

    Raises
    ------
    ContractBroken
        As for `build`.
    """
    if subject not in LEAST_ROUTES:
        raise ContractBroken(f"a profile of {' or '.join(LEAST_ROUTES)}", repr(subject))
    unfinished = routes.select(pl.any_horizontal(~pl.col(_MEASURES).is_finite().fill_null(value=False)).sum()).item()
    if unfinished:
        raise ContractBroken(f"finite {', '.join(_MEASURES)}", "routes with null, NaN or inf", count=int(unfinished))
    key = [*WINDOW_KEY, subject, "importer_iso"]
    ordered = routes.sort([*WINDOW_KEY, "exporter_iso", "good", "importer_iso"])
    marked = _marked(_with_chance(ordered), float(settings.floor_usd))
    return (
        marked.group_by([*key, "role"], maintain_order=True)
        .agg(routes=pl.len().cast(pl.Int64), value_usd=pl.col("value_usd").sum(), **_inputs(), **_descriptions())
        .with_columns(columns_that_are.float().round(9))  # sums of floats, the same whatever their order
        .sort(key)
    )


def _with_chance(routes: pl.DataFrame) -> pl.DataFrame:
    """With `chance`: the share of the window's placebo routes with as high a joint score, as p; a placebo counts itself."""
    chances = [pl.Series("chance", [], dtype=pl.Float64)]
    for window in routes.partition_by(WINDOW_KEY, maintain_order=True):
        is_placebo = (window["role"] == "placebo").to_numpy()
        score = window["joint_score"].round(12).to_numpy()
        chances.append(pl.Series("chance", _shares(score, score[is_placebo], np.where(is_placebo, 0, 1))))
    return routes.with_columns(pl.concat(chances).clip(LEAST_CHANCE, 1.0))


def _shares(values: Floats, placebos: Floats, added: npt.ArrayLike) -> Floats:
    """Share of placebos with as much, with `added` in both parts of the fraction."""
    as_much = len(placebos) - np.searchsorted(np.sort(placebos), values, side="left")
    result: Floats = (as_much + np.asarray(added)) / np.maximum(len(placebos) + np.asarray(added), 1)
    return result


def _marked(routes: pl.DataFrame, floor_usd: float) -> pl.DataFrame:
    """With fall of the good to the targets for every importer alike, and whether the route is new."""
    to_targets = pl.when(pl.col("role") == "target").then("direct_fall_log").max().over([*WINDOW_KEY, "good"])
    fall = to_targets.fill_null(0.0)
    return routes.with_columns(
        fall_weight=fall / (fall + HALVED_LOG) + LEAST_WEIGHT,
        is_fallen=fall >= FELL_LOG,
        is_new=((pl.col("value_baseline_usd") < floor_usd) & (pl.col("value_usd") >= floor_usd)).fill_null(value=False),
    )


def _inputs() -> dict[str, pl.Expr]:
    """What the forest sees; one-sided, higher is more suspicious."""
    room, rise = pl.col("room_log"), pl.col("unexplained_log").clip(lower_bound=0.0)
    return {
        "fallen_score": pl.col("joint_score").filter("is_fallen").max(),
        "breadth_log": (pl.col("fall_weight") / pl.col("chance")).sum().log(),
        "room_rise_log": (room * rise).sum() / (room.sum() + NO_ROOM_LOG),
        "unusual_new_routes": (pl.col("is_new") & (pl.col("chance") <= UNUSUAL)).sum().cast(pl.Int64),
    }


def _descriptions() -> dict[str, pl.Expr]:
    """What a person reads beside the score; alone each ranks countries worse than the leading input does."""
    unexplained, value, is_fallen = pl.col("unexplained_log"), pl.col("value_usd"), pl.col("is_fallen")
    return {
        "median_unexplained_log": unexplained.median(),
        "high_unexplained_log": unexplained.quantile(0.9, "linear"),
        "fall_contrast_log": unexplained.filter(is_fallen).mean() - unexplained.filter(~is_fallen).mean(),
        "risen_value_share": value.filter(unexplained > RISEN_LOG).sum() / value.sum(),
    }


def _scored(group: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Windows alike: forests of all, then p and q window by window."""
    windows = group.partition_by(WINDOW_KEY, maintain_order=True)
    figures = pl.concat([window.with_columns(_log_shares(window)) for window in windows])
    is_placebo = (figures["role"] == "placebo").to_numpy()
    if figures.filter(is_placebo)["importer_iso"].n_unique() < LEAST_IMPORTERS:
        return figures.filter(~is_placebo).with_columns(placebos=pl.lit(int(is_placebo.sum()), pl.Int64))
    ranks = figures.select(f"_{name}" for name in INPUTS).to_numpy()
    anomaly = _anomaly(ranks, figures["importer_iso"].to_numpy(), is_placebo, settings)
    figures = figures.with_columns(anomaly_score=pl.Series(np.round(anomaly, 12)))
    least = settings.calibration.least_placebos
    windows = figures.partition_by(WINDOW_KEY, maintain_order=True)
    return pl.concat([_calibrated(window, least) for window in windows], how="diagonal")


def _log_shares(window: pl.DataFrame) -> list[pl.Series]:
    """Of each input, −ln of the share of placebos with as much: 0 is what all have, and no input is larger by its unit."""
    is_placebo = (window["role"] == "placebo").to_numpy()
    filled = window.select(pl.col(INPUTS).cast(pl.Float64).fill_null(NONE_FALLEN))
    columns = {name: filled[name].to_numpy() for name in INPUTS}
    return [
        pl.Series(f"_{name}", -np.log(np.minimum(_shares(values, values[is_placebo], 0.5), 1.0)))
        for name, values in columns.items()
    ]


def _anomaly(ranks: Floats, importers: npt.NDArray[np.object_], is_placebo: Flags, settings: Settings) -> Floats:
    """Mean over seeds and halves of the placebo importers; a placebo only by the forest of the other half."""
    names = sorted(set(importers[is_placebo]))
    frame, total = np.diag(ranks.max(axis=0)), np.zeros(len(ranks))
    for seed in settings.forest.seeds:
        drawn = np.random.default_rng(seed).permutation(len(names))
        is_first = np.isin(importers, [names[place] for place in drawn[: len(names) // 2]]) & is_placebo
        of_first, of_second = (
            forest.anomaly_of(forest.grown(ranks[half], frame, number, settings), ranks)
            for half, number in ((is_first, 2 * seed), (is_placebo & ~is_first, 2 * seed + 1))
        )
        seen_by_neither = (of_first + of_second) / 2
        total += np.where(is_placebo, np.where(is_first, of_second, of_first), seen_by_neither)
    result: Floats = total / len(settings.forest.seeds)
    return result


def _calibrated(window: pl.DataFrame, least_placebos: int) -> pl.DataFrame:
    """The targets' profiles of a window with p and q from its placebos, or without where these are too few."""
    is_placebo = (window["role"] == "placebo").to_numpy()
    of_targets = window.filter(~is_placebo).with_columns(placebos=pl.lit(int(is_placebo.sum()), pl.Int64))
    if of_targets.is_empty() or is_placebo.sum() < least_placebos:
        return of_targets.with_columns(anomaly_score=pl.lit(None, pl.Float64))
    by_forest, by_leading = (window[name].to_numpy() for name in ("anomaly_score", f"_{INPUTS[0]}"))
    evidence: Floats = np.round((_places(by_forest, is_placebo) + _places(by_leading, is_placebo)) / 2, 12)
    p_value = _shares(evidence[~is_placebo], evidence[is_placebo], 1)
    return of_targets.with_columns(
        evidence_score=pl.Series(evidence[~is_placebo]),
        p_value=pl.Series(p_value),
        q_value=pl.Series(false_discovery_control(p_value)),
    )


def _places(values: Floats, is_placebo: Flags) -> Floats:
    """Share of the placebos below each."""
    return 1.0 - _shares(values, values[is_placebo], 0)
