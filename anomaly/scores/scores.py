"""The isolation forest and its calibration on routes that cannot be evasion: forest inputs → scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn import config_context
from sklearn.ensemble import IsolationForest

from anomaly.contract.errors import ContractBroken
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, ROUTE, WINDOW_KEY, WINDOW_TYPES
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.scores import shock
from anomaly.scores.calibration import LEAST_FAMILY, p_values, p_values_of, q_values, resampled
from anomaly.scores.forest_inputs import PUBLISHED
from anomaly.scores.joint import joint
from anomaly.scores.placebos import Placebos, is_asked_about, is_placebo, placebos_of, thinned

Matrix = npt.NDArray[np.float64]
_KEY = list(ROUTE_KEY)
_GROUP = ["freq_code", "window_months", "baseline_gap_years", "is_from_coalition"]
_LABELS = [*_GROUP, *[name for name in _KEY if name not in _GROUP], "role", "is_before_sanctions", "value_usd"]
_SCORES = {
    "anomaly_score": pl.Float64, "evidence_score": pl.Float64, "evidence_weight": pl.Float64, "anomaly_rank": pl.Int64,
    "p_value": pl.Float64, "q_value": pl.Float64, "stability_share": pl.Float64, "placebos": pl.Int64,
    "placebo_kind": pl.String, "tested_among": pl.String, "room_log": pl.Float64, "roughness": pl.Float64,
    "shock_ratio": pl.Float64, "rest_low_log": pl.Float64, "rest_high_log": pl.Float64,
}  # fmt: skip
REST_SHARES = (0.1, 0.9)  # of the placebos' rises beyond their counterfactual: four fifths of them lie between
_SAYS = {
    "importers": "the same goods to importers that are neither target, coalition, possible hub nor neighbour of one",
    "periods": "the same routes in periods before the {measures}",
    "both": "importers outside the matter, and the same routes before the {measures}",
    "goods": "goods that are not under the {measures}, on routes to the same importers in the same window",
    "goods_and_periods": "goods that are not under the {measures}, and the same routes before the {measures}",
    "none": "too few placebos: not scored",
}


@dataclass(frozen=True, slots=True)
class Scored:
    """What scoring gives, each table sorted by its key.

    Parameters
    ----------
    scores : polars.DataFrame
        schema.Scores: a row for each route asked about.
    calibration : polars.DataFrame
        schema.Calibration: a row for each window and leg.
    contributions : polars.DataFrame
        schema.Contributions: a row for each input of each route with q within the limit.
    """

    scores: pl.DataFrame
    calibration: pl.DataFrame
    contributions: pl.DataFrame


def build(inputs: pl.DataFrame, names: Mapping[str, Sequence[str]], settings: Settings) -> Scored:
    """Score the routes to targets, and the coalition's routes to possible hubs, against their placebos.

    A hub's route to a target is judged by the soft minimum of its unexplained rise and the room for it (joint), where enough
    placebos have a known room too, else by the rise alone; a route of the coalition by the mean of two ranks, by the forest
    and by the leading input. p is the share of placebos with as much: the same window's placebo importers where there are
    enough, else the targets' own windows before the sanctions, and both where neither is enough; of the same publisher and
    alike published where these are enough, else of all. It is raised by what control routes show of a shock of the year
    (shock). q is over the routes of a window that are alike published and judged by the same. The forest's anomaly_score is
    told beside it. Rows are sorted by key first: the same rows in another order give the same bytes. A route without enough
    placebos has a row without figures.

    Parameters
    ----------
    inputs : polars.DataFrame
        forest_inputs.build; one-sided, finite, never null.
    names : mapping of str to sequence of str
        For each leg the columns of `inputs` that the forest sees, the leading one first (forest_inputs.names).
    settings : Settings
        Of it forest, calibration, targets and baseline years.

    Returns
    -------
    Scored
        Scores, their calibration, and what each input contributed.

    Raises
    ------
    ContractBroken
        Where an input is null, NaN or inf.
    """
    inputs_of_legs = sorted({name for leg in names.values() for name in leg})
    _refuse_unfinished(inputs, [*inputs_of_legs, "evidence_weight", "rise_log", "roughness"])
    scores, calibration, contributions = [], [], []
    for group in inputs.sort(_LABELS).partition_by(_GROUP, maintain_order=True):
        asked = group.filter(is_asked_about(settings))
        if asked.is_empty():
            continue
        windows = asked.partition_by(WINDOW_KEY, maintain_order=True)
        count = group.filter(is_placebo(settings)).height
        if count < settings.calibration.least_placebos:
            scores += [window.with_columns(placebos=pl.lit(count, dtype=pl.Int64)) for window in windows]
            calibration += [_uncalibrated(window, count, settings) for window in windows]
            continue
        of_leg = list(names[COALITION_TO_HUB if group["is_from_coalition"][0] else HUB_TO_TARGET])
        routes = thinned(group, settings)
        halves = _fit(routes, of_leg, settings)
        routes = _with_evidence(routes, halves, of_leg, settings)
        called: list[pl.DataFrame] = []
        before: dict[tuple[object, ...], list[shock.Controls]] = {}
        for window in routes.filter(is_asked_about(settings)).partition_by(WINDOW_KEY, maintain_order=True):
            tested, report = _window(window, routes, before, settings)
            scores.append(tested)
            calibration.append(report)
            called.append(tested.filter(pl.col("q_value") <= settings.calibration.q_limit))
        contributions.append(_contribute(pl.concat(called), halves.forests_of_all_seeds(), of_leg))
    return Scored(
        _joined(scores, _empty(_SCORES)).select(*_KEY, *_SCORES).sort(_KEY),
        _joined(calibration, _empty_calibration()).sort([*WINDOW_KEY, "leg"]),
        _joined(contributions, _empty({"input": pl.String, "score_drop": pl.Float64})).sort([*_KEY, "input"]),
    )


def _joined(parts: list[pl.DataFrame], empty: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([empty, *parts], how="diagonal") if parts else empty


def _refuse_unfinished(inputs: pl.DataFrame, names: Sequence[str]) -> None:
    """The forest takes inf and NaN in silence: refuse them here."""
    bad = inputs.select(pl.any_horizontal(~pl.col(names).is_finite().fill_null(value=False)).sum()).item()
    if bad:
        raise ContractBroken("finite forest inputs", "rows with null, NaN or inf", count=int(bad))


@dataclass(frozen=True, slots=True)
class _Halves:
    """For each seed, which placebos are in the first half, and a forest fitted on each half."""

    first: list[npt.NDArray[np.bool_]]
    forests: list[tuple[IsolationForest, IsolationForest]]

    def forests_of_all_seeds(self) -> list[IsolationForest]:
        return [forest for pair in self.forests for forest in pair]


def _fit(routes: pl.DataFrame, names: Sequence[str], settings: Settings) -> _Halves:
    """Two forests a seed, each on one half of the placebos and on the frame of all routes."""
    placebos = routes.filter(is_placebo(settings)).select(names).to_numpy()
    taken = np.zeros(len(placebos), dtype=np.bool_)
    taken[np.linspace(0, len(placebos) - 1, min(len(placebos), settings.forest.most_rows)).astype(np.int64)] = True
    frame = np.diag(routes.select(names).to_numpy().max(axis=0))
    first, forests = [], []
    for seed in settings.forest.seeds:
        in_first = np.random.default_rng(seed).permutation(len(placebos)) < len(placebos) // 2
        of_first = _forest(placebos[in_first & taken], frame, 2 * seed, settings)
        of_second = _forest(placebos[~in_first & taken], frame, 2 * seed + 1, settings)
        first.append(in_first)
        forests.append((of_first, of_second))
    return _Halves(first, forests)


def _forest(rows: Matrix, frame: Matrix, seed: int, settings: Settings) -> IsolationForest:
    """A forest splits within the range of its sample only: a route at twice that range and one at ten times it would
    score alike. The frame, one point an input at the largest value any route has, keeps the range open in every
    sample.
    """
    samples = min(settings.forest.max_samples, len(rows))
    framed = np.vstack([rows, np.repeat(frame, -(-len(rows) // samples), axis=0)])
    forest = IsolationForest(n_estimators=settings.forest.trees, max_samples=samples, random_state=seed)
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checked once, not once a tree
        return forest.fit(framed)


def _with_evidence(routes: pl.DataFrame, halves: _Halves, names: Sequence[str], settings: Settings) -> pl.DataFrame:
    """Add anomaly_score, rise_score (the rise over the year's roughness; on the coalition's leg the ranks) and joint_score.

    A placebo is scored by the forests that have not seen it, so that it is as new to them as any other route.
    """
    rows = routes.select(names).to_numpy()
    at = np.flatnonzero(routes.select(is_placebo(settings)).to_series().to_numpy())
    distinct, back = np.unique(rows, axis=0, return_inverse=True)
    back = back.reshape(-1)
    by_seed = np.empty((len(halves.forests), len(rows)))
    for number, (in_first, (of_first, of_second)) in enumerate(zip(halves.first, halves.forests, strict=True)):
        by_first, by_second = _anomaly(of_first, distinct)[back], _anomaly(of_second, distinct)[back]
        by_seed[number] = (by_first + by_second) / 2
        by_seed[number, at] = np.where(in_first, by_second[at], by_first[at])
    anomaly: Matrix = np.round(by_seed.mean(axis=0), 12)
    if routes["is_from_coalition"][0]:
        has_any = (rows > 0).any(axis=1)  # nothing is nothing, whichever half of the forests looked at it
        rise = np.where(has_any, np.round((_rank(anomaly) + _rank(rows[:, 0])) / 2, 12), 0.0)
        room = np.full(len(rows), np.nan)
    else:
        rise = np.round((routes["rise_log"] / routes["roughness"]).to_numpy(), 12)
        room = routes["room_log"].fill_null(np.nan).to_numpy()
    return routes.with_columns(
        anomaly_score=pl.Series(anomaly),
        rise_score=pl.Series(rise),
        joint_score=pl.Series(np.round(joint(rise, room), 12), nan_to_null=True),
    )


def _rank(values: Matrix) -> Matrix:
    """Place among all, 0 to 1, the mean place where several are equal."""
    result: Matrix = (pl.Series(values).rank("average").to_numpy() - 0.5) / len(values)
    return result


def _mean_anomaly(rows: Matrix, forests: Sequence[IsolationForest]) -> Matrix:
    """Mean anomaly of rows over forests, 0 to 1."""
    result: Matrix = np.mean([_anomaly(forest, rows) for forest in forests], axis=0)
    return result


def _anomaly(forest: IsolationForest, rows: Matrix) -> Matrix:
    """0 to 1, higher is more anomalous: the one place where scikit-learn's sign is turned."""
    with config_context(assume_finite=True, skip_parameter_validation=True):
        result: Matrix = -forest.score_samples(rows)
    return result


def plain_forest(rows: pl.DataFrame, seed: int) -> pl.Series:
    """Anomaly of each row by a forest with scikit-learn's defaults: what ours is measured beside, no part of our score.

    Parameters
    ----------
    rows : polars.DataFrame
        Every column is an input, finite; the forest is fitted on these rows.
    seed : int
        Of the forest.

    Returns
    -------
    polars.Series
        Float64, one a row, 0 to 1, higher is more anomalous.

    Raises
    ------
    ContractBroken
        Where an input is null, NaN or inf.
    """
    names = rows.columns
    _refuse_unfinished(rows, names)
    if rows.is_empty():
        return pl.Series([], dtype=pl.Float64)
    forest = IsolationForest(random_state=seed).fit(rows.to_numpy())
    return pl.Series(np.round(_anomaly(forest, rows.to_numpy()), 12))


def _window(
    window: pl.DataFrame,
    routes: pl.DataFrame,
    before: dict[tuple[object, ...], list[shock.Controls]],
    settings: Settings,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A window's routes tested, those alike published together, and its row of the calibration."""
    families: list[_Family] = []
    kinds, nulls = [], []
    for asked in window.partition_by(PUBLISHED, maintain_order=True):
        placebos = placebos_of(asked, routes, settings)
        stratum = (bool(asked["is_before_sanctions"][0]), *asked.select(PUBLISHED).row(0))
        controls = [*before.get(stratum, []), _controls(asked, placebos.rows)][-shock.WINDOWS :]
        before[stratum] = controls
        families += _families(asked, placebos, shock.ratios(controls), settings)
        kinds.append((asked.height, placebos.kind, placebos.is_borrowed))
        nulls.append(placebos.rows)
    together = pl.concat([_judged(family, families, settings.calibration.q_limit) for family in families]).sort(_KEY)
    weighted = (pl.col("p_value") / pl.col("evidence_weight")).clip(upper_bound=1.0).round(12)
    together = together.with_columns(
        anomaly_rank=pl.struct(p=weighted, evidence=-pl.col("evidence_score")).rank("min").cast(pl.Int64)
    )
    _, kind, _ = max(kinds, key=lambda of: of[0])
    is_borrowed = any(borrowed for _, _, borrowed in kinds)
    return together, _report(together, pl.concat(nulls).unique(_KEY), kind, settings, is_borrowed=is_borrowed)


def _controls(asked: pl.DataFrame, placebos: pl.DataFrame) -> shock.Controls:
    """Routes on which no re-export is possible; where the supply is not known, those whose good's direct trade stood."""
    if asked["is_from_coalition"][0] or placebos.is_empty():
        return shock.Controls((0, 0), (0, 0))
    is_without_room = (pl.col("room_log") < shock.NO_ROOM_LOG) & ~pl.col("is_matched")
    has_stood = pl.col("is_direct_known") & ~pl.col("has_direct_fallen")
    is_control = asked.select(is_without_room.fill_null(has_stood)).to_series().to_numpy()
    p_value = p_values(placebos["rise_score"].to_numpy(), asked["rise_score"].to_numpy())
    return shock.count(p_value, is_control, asked["has_direct_fallen"].to_numpy())


@dataclass(frozen=True, slots=True)
class _Family:
    """Routes of a window that are tested together: p of each, also against backgrounds drawn again (draws x routes)."""

    routes: pl.DataFrame
    p_value: Matrix
    p_drawn: Matrix
    name: str


def _families(
    asked: pl.DataFrame, placebos: Placebos, ratios: tuple[float, float], settings: Settings
) -> list[_Family]:
    """Routes that are alike published: those with a known room by rise and room, the others by the rise.

    Where too few placebos have a known room all are judged by the rise, and these two are families all the same.
    """
    has_room = asked["joint_score"].is_not_null()
    known = placebos.rows.filter(pl.col("joint_score").is_not_null())
    is_joint = known.height >= settings.calibration.least_with_room
    cut = (
        (has_room, "joint_score" if is_joint else "rise_score", known if is_joint else placebos.rows),
        (~has_room, "rise_score", placebos.rows),
    )
    return [
        _family(asked.filter(is_in), score, null, placebos.kind, ratios, settings)
        for is_in, score, null in cut
        if is_in.any()
    ]


def _family(
    routes: pl.DataFrame,
    score: str,
    null: pl.DataFrame,
    kind: str,
    ratios: tuple[float, float],
    settings: Settings,
) -> _Family:
    """p from the placebos, raised by the shock of the year."""
    of_routes, of_null = routes[score].to_numpy(), null[score].to_numpy()
    stood, fell = ratios
    ratio = np.where(routes["has_direct_fallen"].to_numpy(), fell, stood)
    draws = resampled(null.height, settings.calibration.resamples, null.height)
    rest = [null["rest_log"].quantile(share, "linear") for share in REST_SHARES]
    name = ", ".join(routes.select(PUBLISHED[:-1]).row(0))
    name += "; rise and room" if score == "joint_score" else "; rise"
    name += f"; room {'unknown' if routes['room_log'][0] is None else 'known'}"
    name += "" if routes["is_wide"][0] else "; no other importers"
    of_family = routes.with_columns(
        evidence_score=pl.Series(of_routes),
        placebos=pl.lit(null.height, dtype=pl.Int64),
        placebo_kind=pl.lit(kind),
        shock_ratio=pl.Series(ratio),
        rest_low_log=pl.col("roughness") * rest[0],
        rest_high_log=pl.col("roughness") * rest[1],
    )
    p_drawn = shock.raised(p_values_of(draws, of_null, of_routes), ratio)
    return _Family(of_family, shock.raised(p_values(of_null, of_routes), ratio), p_drawn, name)


def _judged(family: _Family, families: Sequence[_Family], limit: float) -> pl.DataFrame:
    """q over the family by hypothesis weights, and how stable it is.

    A family of few is tested among all routes of the window, and these without it: what is beside them changes no others.
    """
    count, is_small = family.routes.height, family.routes.height < LEAST_FAMILY
    others = [other for other in families if is_small and other is not family]
    unscaled = np.concatenate([of.routes["evidence_weight"].to_numpy() for of in (family, *others)])
    hypothesis_weight = unscaled / unscaled.mean()  # numpy's sums are the same in every run, Polars' are not
    p_value = np.concatenate([of.p_value for of in (family, *others)])
    fixed = np.broadcast_to(p_value[count:], (len(family.p_drawn), len(p_value) - count))
    drawn = q_values(np.concatenate([family.p_drawn, fixed], axis=1), hypothesis_weight)[:, :count]
    return family.routes.with_columns(
        evidence_weight=pl.Series(np.round(hypothesis_weight[:count], 12)),
        p_value=pl.Series(family.p_value),
        q_value=pl.Series(q_values(p_value, hypothesis_weight)[:count]),
        stability_share=pl.Series((drawn <= limit).mean(axis=0)),
        tested_among=pl.lit(f"{family.name}; few, among all of the window" if is_small else family.name),
    )


def _report(
    tested: pl.DataFrame, placebos: pl.DataFrame, kind: str, settings: Settings, *, is_borrowed: bool
) -> pl.DataFrame:
    """A placebo counts as flagged where its own p is as small as the largest p/weight among the routes that are called."""
    limit = settings.calibration.q_limit
    called = tested.filter(pl.col("q_value") <= limit)
    cut = called.select((pl.col("p_value") / pl.col("evidence_weight")).max()).item()
    evidence = (
        pl.coalesce("joint_score", "rise_score") if tested["room_log"].is_not_null().any() else pl.col("rise_score")
    )
    own_p = placebos.select(evidence.rank("max", descending=True) / (1 + placebos.height)).to_series()
    of_placebos = None if placebos.is_empty() else 1000 * int((own_p <= (cut or 0.0)).sum()) / placebos.height
    rates = (1000 * called.height / tested.height, of_placebos)
    row = _calibration_row(tested, kind, placebos.height, limit, rates, settings)
    says = pl.col("says") + (" (of other publishers too: those alike published are too few)" if is_borrowed else "")
    return row.with_columns(shock_ratio=pl.lit(tested["shock_ratio"].max(), dtype=pl.Float64), says=says)


def _uncalibrated(window: pl.DataFrame, placebos: int, settings: Settings) -> pl.DataFrame:
    return _calibration_row(window, "none", placebos, settings.calibration.q_limit, (None, None), settings)


def _calibration_row(
    window: pl.DataFrame,
    kind: str,
    placebos: int,
    limit: float,
    flagged_per_1000: tuple[float | None, float | None],
    settings: Settings,
) -> pl.DataFrame:
    of_targets, of_placebos = flagged_per_1000
    return window.head(1).select(
        *WINDOW_KEY,
        leg=pl.when(pl.col("is_from_coalition")).then(pl.lit(COALITION_TO_HUB)).otherwise(pl.lit(HUB_TO_TARGET)),
        placebo_kind=pl.lit(kind),
        placebos=pl.lit(placebos, dtype=pl.Int64),
        q_limit=pl.lit(limit, dtype=pl.Float64),
        targets=pl.lit(window.height, dtype=pl.Int64),
        targets_flagged_per_1000=pl.lit(of_targets, dtype=pl.Float64),
        placebos_flagged_per_1000=pl.lit(of_placebos, dtype=pl.Float64),
        says=pl.lit(_SAYS[kind].format(measures=settings.measures)),
        shock_ratio=pl.lit(None, dtype=pl.Float64),
    )


def _contribute(called: pl.DataFrame, forests: Sequence[IsolationForest], names: Sequence[str]) -> pl.DataFrame:
    """How far the score falls when one input is set to nothing, for each route that may be flagged."""
    rows = called.select(names).to_numpy()
    if not len(rows):
        return _empty({"input": pl.String, "score_drop": pl.Float64})
    without = [rows.copy() for _ in names]
    for position, changed in enumerate(without):
        changed[:, position] = 0.0
    whole, *fallen = np.split(_mean_anomaly(np.vstack([rows, *without]), forests), len(names) + 1)
    return pl.concat(
        [
            called.select(_KEY).with_columns(input=pl.lit(name), score_drop=pl.Series(np.round(whole - anomaly, 12)))
            for name, anomaly in zip(names, fallen, strict=True)
        ]
    )


def _empty(columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(schema={**WINDOW_TYPES, **dict.fromkeys(ROUTE, pl.String), **columns})


def _empty_calibration() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            **WINDOW_TYPES, "leg": pl.String,
            "placebo_kind": pl.String, "placebos": pl.Int64, "q_limit": pl.Float64, "targets": pl.Int64,
            "targets_flagged_per_1000": pl.Float64, "placebos_flagged_per_1000": pl.Float64, "says": pl.String, "shock_ratio": pl.Float64,
        }
    )  # fmt: skip
