"""Routes held against routes that cannot be evasion: what they are judged by → scores, calibration, contributions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB, HUB_TO_TARGET, ROUTE, WINDOW_KEY, WINDOW_TYPES
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.scores import families, forest, shock
from anomaly.scores.evidence import NEVER, months_since, with_evidence
from anomaly.scores.forest_inputs import PUBLISHED
from anomaly.scores.placebos import fewest_of, is_asked_about, is_placebo, placebos_of, thinned

Matrix = npt.NDArray[np.float64]
_KEY = list(ROUTE_KEY)
_GROUP = ["freq_code", "window_months", "baseline_gap_years", "is_from_coalition"]
_LABELS = [*_GROUP, *[name for name in _KEY if name not in _GROUP], "role", "is_before_sanctions", "value_usd"]
_SCORES = {
    "anomaly_score": pl.Float64, "evidence_score": pl.Float64, "evidence_weight": pl.Float64, "anomaly_rank": pl.Int64,
    "p_value": pl.Float64, "q_value": pl.Float64, "stability_share": pl.Float64, "placebos": pl.Int64,
    "placebo_kind": pl.String, "tested_among": pl.String, "room_log": pl.Float64, "step_log": pl.Float64,
    "roughness": pl.Float64,
    "shock_ratio": pl.Float64, "rest_low_log": pl.Float64, "rest_high_log": pl.Float64,
    "profile_q_value": pl.Float64,
}  # fmt: skip
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
    """Score the routes to targets, the coalition's to possible hubs and theirs to each other, against their placebos.

    A hub's route to a target, or to another hub, is judged by the soft minimum of its unexplained rise and the room for it (joint), where enough
    placebos have a known room too, else by the rise alone; a route of the coalition by the mean of two ranks, by the forest
    and by the leading input. p is the share of placebos with as much: the same window's placebo importers where there are
    enough, else the targets' own windows before the sanctions, and both where neither is enough; of the same publisher and
    alike published where these are enough, else of all. It is raised by what control routes show of a shock of the year
    (shock). q is over the routes of a window and leg that are alike published and judged by the same. The forest's
    anomaly_score is told beside it, but between hubs. Rows are sorted by key first: the same rows in another order give the same bytes. A route without enough
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
    forest.refuse_unfinished(inputs, [*inputs_of_legs, "evidence_weight", "rise_log", "roughness"])
    scores, calibration, contributions = [], [], []
    for group, leg in _groups(inputs):
        asked = group.filter(is_asked_about(settings, (leg,)))
        if asked.is_empty():
            continue
        windows = asked.partition_by(WINDOW_KEY, maintain_order=True)
        count = group.filter(is_placebo(settings)).height
        if count < fewest_of(asked, settings):
            scores += [window.with_columns(placebos=pl.lit(count, dtype=pl.Int64)) for window in windows]
            calibration += [_uncalibrated(window, count, settings) for window in windows]
            continue
        of_leg = list(names.get(leg, ()))
        routes = thinned(group, settings)
        halves = forest.fit(routes, of_leg, settings) if of_leg else None
        routes = _with_anomaly(routes, halves, of_leg, settings)
        called: list[pl.DataFrame] = []
        before: dict[tuple[object, ...], list[shock.Controls]] = {}
        for window in routes.filter(is_asked_about(settings, (leg,))).partition_by(WINDOW_KEY, maintain_order=True):
            tested, report = _window(window, routes, before, settings)
            scores.append(tested)
            calibration.append(report)
            called.append(tested.filter(pl.col("q_value") <= settings.calibration.q_limit))
        if halves is not None:
            contributions.append(forest.contribute(pl.concat(called), halves.forests_of_all_seeds(), of_leg))
    return Scored(
        _joined(scores, _empty(_SCORES)).select(*_KEY, *_SCORES).sort(_KEY),
        _joined(calibration, _empty_calibration()).sort([*WINDOW_KEY, "leg"]),
        _joined(contributions, _empty({"input": pl.String, "score_drop": pl.Float64})).sort([*_KEY, "input"]),
    )


def _groups(inputs: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, str]]:
    """Routes of one kind of window with each leg that they may be asked about on: placebos serve both of a hub's legs."""
    for group in inputs.sort(_LABELS).partition_by(_GROUP, maintain_order=True):
        for leg in (COALITION_TO_HUB,) if group["is_from_coalition"][0] else (HUB_TO_TARGET, HUB_TO_HUB):
            yield group.with_columns(leg=pl.lit(leg)), leg


def _joined(parts: list[pl.DataFrame], empty: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([empty, *parts], how="diagonal") if parts else empty


def _with_anomaly(
    routes: pl.DataFrame, halves: forest.Halves | None, names: Sequence[str], settings: Settings
) -> pl.DataFrame:
    """Add anomaly_score and, on the coalition's leg, rise_score: the mean of the ranks by it and by the leading input.

    A placebo is scored by the forests that have not seen it, so that it is as new to them as any other route. Without
    forests the anomaly_score is null.
    """
    if halves is None:
        return routes.with_columns(anomaly_score=pl.lit(None, dtype=pl.Float64))
    rows = routes.select(names).to_numpy()
    at = np.flatnonzero(routes.select(is_placebo(settings)).to_series().to_numpy())
    distinct, back = np.unique(rows, axis=0, return_inverse=True)
    back = back.reshape(-1)
    by_seed = np.empty((len(halves.forests), len(rows)))
    for number, (in_first, (of_first, of_second)) in enumerate(zip(halves.first, halves.forests, strict=True)):
        by_first, by_second = forest.anomaly_of(of_first, distinct)[back], forest.anomaly_of(of_second, distinct)[back]
        by_seed[number] = (by_first + by_second) / 2
        by_seed[number, at] = np.where(in_first, by_second[at], by_first[at])
    anomaly: Matrix = np.round(by_seed.mean(axis=0), 12)
    if not routes["is_from_coalition"][0]:
        return routes.with_columns(anomaly_score=pl.Series(anomaly))
    has_any = (rows > 0).any(axis=1)  # nothing is nothing, whichever half of the forests looked at it
    rise = np.where(has_any, np.round((forest.rank(anomaly) + forest.rank(rows[:, 0])) / 2, 12), 0.0)
    return routes.with_columns(anomaly_score=pl.Series(anomaly), rise_score=pl.Series(rise))


def _window(
    window: pl.DataFrame,
    routes: pl.DataFrame,
    before: dict[tuple[object, ...], list[shock.Controls]],
    settings: Settings,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A window's routes tested, those alike published together, and its row of the calibration."""
    tested: list[families.Family] = []
    kinds, nulls = [], []
    is_dated = window["leg"][0] == HUB_TO_TARGET
    since_months = months_since(window["window_end"][0], settings) if is_dated else NEVER
    for alike in window.partition_by(PUBLISHED, maintain_order=True):
        asked = with_evidence(alike, since_months)
        placebos = placebos_of(asked, routes, settings)
        placebos = replace(placebos, rows=with_evidence(placebos.rows, since_months))
        stratum = (bool(asked["is_before_sanctions"][0]), *asked.select(PUBLISHED).row(0))
        controls = [*before.get(stratum, []), families.controls(asked, placebos.rows)][-shock.WINDOWS :]
        before[stratum] = controls
        tested += families.of_published(asked, placebos, shock.ratios(controls), settings)
        kinds.append((asked.height, placebos.kind, placebos.is_borrowed))
        nulls.append(placebos.rows)
    together = pl.concat([families.judged(family, tested, settings.calibration.q_limit) for family in tested]).sort(
        _KEY
    )
    weighted = (pl.col("p_value") / pl.col("evidence_weight")).clip(upper_bound=1.0).round(12)
    together = together.with_columns(
        anomaly_rank=pl.struct(p=weighted, evidence=-pl.col("evidence_score")).rank("min").cast(pl.Int64)
    )
    _, kind, _ = max(kinds, key=lambda counted: counted[0])
    is_borrowed = any(borrowed for _, _, borrowed in kinds)
    return together, _report(together, pl.concat(nulls).unique(_KEY), kind, settings, is_borrowed=is_borrowed)


def _report(
    tested: pl.DataFrame, placebos: pl.DataFrame, kind: str, settings: Settings, *, is_borrowed: bool
) -> pl.DataFrame:
    """A placebo counts as flagged where its own p is as small as the largest p/weight among the routes that are called."""
    limit = settings.calibration.q_limit
    called = tested.filter(pl.col("q_value") <= limit)
    cut = called.select((pl.col("p_value") / pl.col("evidence_weight")).max()).item()
    by_both = placebos["joint_score"].drop_nulls()
    evidence = by_both if by_both.len() >= settings.calibration.least_with_room else placebos["rise_score"]
    own_p = evidence.rank("max", descending=True) / (1 + evidence.len())
    of_placebos = None if evidence.is_empty() else 1000 * int((own_p <= (cut or 0.0)).sum()) / evidence.len()
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
        leg=pl.col("leg"),
        placebo_kind=pl.lit(kind),
        placebos=pl.lit(placebos, dtype=pl.Int64),
        q_limit=pl.lit(limit, dtype=pl.Float64),
        targets=pl.lit(window.height, dtype=pl.Int64),
        targets_flagged_per_1000=pl.lit(of_targets, dtype=pl.Float64),
        placebos_flagged_per_1000=pl.lit(of_placebos, dtype=pl.Float64),
        says=pl.lit(_SAYS[kind].format(measures=settings.measures)),
        shock_ratio=pl.lit(None, dtype=pl.Float64),
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
