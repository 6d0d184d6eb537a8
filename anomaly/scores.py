"""The isolation forest and its calibration on routes that cannot be evasion: forest inputs → scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn import config_context
from sklearn.ensemble import IsolationForest

from anomaly.errors import ContractBroken
from anomaly.schema import ROUTE_KEY
from anomaly.settings import Settings

Matrix = npt.NDArray[np.float64]
_KEY = list(ROUTE_KEY)
_GROUP = ["freq_code", "window_months", "baseline_gap_years", "is_from_coalition"]
_WINDOW = ["freq_code", "window_months", "window_end"]
_LABELS = [*_GROUP, *[name for name in _KEY if name not in _GROUP], "role", "is_before_sanctions", "value_usd"]
_SCORE_COLUMNS = [*_KEY, "anomaly_score", "anomaly_rank", "p_value", "q_value", "placebos"]


@dataclass(frozen=True, slots=True)
class Scored:
    """What scoring gives: schema.Scores, schema.Calibration and schema.Contributions, each sorted by its key."""

    scores: pl.DataFrame
    calibration: pl.DataFrame
    contributions: pl.DataFrame


def build(inputs: pl.DataFrame, names: Sequence[str], settings: Settings) -> Scored:
    """Score the routes to targets, and the coalition's routes to possible hubs, against their placebos.

    inputs   features.forest_inputs; one-sided, finite, never null
    names    the columns of `inputs` that the forest sees

    The same windows' placebo importers are the null where there are enough of them, else the targets' own windows
    before the sanctions, and both where neither is enough. Rows are sorted by key first: the same rows in another
    order give the same bytes.
    """
    _refuse_unfinished(inputs, names)
    scores, calibration, contributions = [], [], []
    for group in inputs.sort(_LABELS).partition_by(_GROUP, maintain_order=True):
        is_test = _is_test(settings)
        if group.filter(is_test).is_empty():
            continue
        placebos_in_all = group.filter(_is_placebo()).height
        if placebos_in_all < settings.calibration.least_placebos:
            unscored = group.filter(is_test).partition_by(_WINDOW, maintain_order=True)
            calibration += [_uncalibrated(window, placebos_in_all) for window in unscored]
            continue
        routes = group.filter(is_test | _is_placebo())
        placebo_rows = routes.filter(_is_placebo()).select(names).to_numpy()
        halves = _fit(placebo_rows, routes.select(names).to_numpy(), settings)
        scored = routes.with_columns(anomaly_score=pl.Series(_score_all(routes, halves, names)))
        called: list[pl.DataFrame] = []
        for window in scored.filter(is_test).partition_by(_WINDOW, maintain_order=True):
            placebos, kind = _placebos_of(window, scored, settings)
            tested = _calibrate(window, placebos, settings)
            scores.append(tested)
            calibration.append(_report(tested, placebos, kind, settings))
            called.append(tested.filter(_may_be_flagged(settings)))
        contributions.append(_contribute(pl.concat(called), halves.every(), names))
    return Scored(
        _joined(scores, _empty_scores()).select(_SCORE_COLUMNS).sort(_KEY),
        _joined(calibration, _empty_calibration()).sort([*_WINDOW, "leg"]),
        _joined(contributions, _empty_contributions()).sort([*_KEY, "input"]),
    )


def _joined(parts: list[pl.DataFrame], empty: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([empty, *parts], how="diagonal") if parts else empty


def _refuse_unfinished(inputs: pl.DataFrame, names: Sequence[str]) -> None:
    """The forest takes inf and NaN in silence: refuse them here."""
    bad = (
        inputs.select(pl.any_horizontal(~pl.col(names).is_finite().fill_null(value=False)).sum()).item() if names else 0
    )
    if bad:
        raise ContractBroken("finite forest inputs", "rows with null, NaN or inf", count=int(bad))


def _is_test(settings: Settings) -> pl.Expr:
    """Routes that are asked about: hubs to targets, and the coalition to possible hubs.

    Before the sanctions only whole years are scored, as a check.
    """
    ghost = (pl.col("role") == "other") & pl.col("is_measured")
    asked = pl.when(pl.col("is_from_coalition")).then(ghost).otherwise(pl.col("role") == "target")
    year = pl.col("window_end").dt.year().cast(pl.Int64)
    own_gap = pl.max_horizontal(pl.lit(1, dtype=pl.Int64), year - max(settings.baseline_years))
    is_check = pl.col("is_before_sanctions") & (pl.col("window_months") != 12)
    is_from_target = pl.col("exporter_iso").is_in(list(settings.targets.countries))  # a target is nobody's hub
    return asked & ~is_from_target & (pl.col("baseline_gap_years") == own_gap) & ~is_check


def _is_placebo() -> pl.Expr:
    target = pl.when(pl.col("is_from_coalition")).then(pl.lit("other")).otherwise(pl.lit("target"))
    is_outside = (pl.col("role") == "placebo") | (pl.col("is_before_sanctions") & (pl.col("role") == target))
    return is_outside & pl.col("is_measured")


@dataclass(frozen=True, slots=True)
class _Halves:
    """For each seed, which placebos are in the first half, and a forest fitted on each half."""

    first: list[npt.NDArray[np.bool_]]
    forests: list[tuple[IsolationForest, IsolationForest]]

    def every(self) -> list[IsolationForest]:
        return [forest for pair in self.forests for forest in pair]


def _fit(placebos: Matrix, routes: Matrix, settings: Settings) -> _Halves:
    """Two forests a seed, each on one half of the placebos and on the frame of all routes."""
    taken = np.zeros(len(placebos), dtype=np.bool_)
    taken[np.linspace(0, len(placebos) - 1, min(len(placebos), settings.forest.most_rows)).astype(np.int64)] = True
    frame = np.diag(np.vstack([placebos, routes]).max(axis=0))
    first, forests = [], []
    for seed in settings.forest.seeds:
        in_first = np.random.default_rng(seed).permutation(len(placebos)) < len(placebos) // 2
        one = _forest(placebos[in_first & taken], frame, 2 * seed, settings)
        other = _forest(placebos[~in_first & taken], frame, 2 * seed + 1, settings)
        first.append(in_first)
        forests.append((one, other))
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


def _score_all(routes: pl.DataFrame, halves: _Halves, names: Sequence[str]) -> Matrix:
    """A placebo is scored by the forests that have not seen it, so that it is as new to them as any other route."""
    rows = routes.select(names).to_numpy()
    at = np.flatnonzero(routes.select(_is_placebo()).to_series().to_numpy())
    distinct, back = np.unique(rows, axis=0, return_inverse=True)
    back = back.reshape(-1)
    total = np.zeros(len(rows))
    for in_first, (one, other) in zip(halves.first, halves.forests, strict=True):
        by_one, by_other = _anomaly(one, distinct)[back], _anomaly(other, distinct)[back]
        score = (by_one + by_other) / 2
        score[at] = np.where(in_first, by_other[at], by_one[at])
        total += score
    result: Matrix = np.round(total / len(halves.forests), 12)
    return result


def _score(rows: Matrix, forests: Sequence[IsolationForest]) -> Matrix:
    """Mean anomaly of rows over forests, 0 to 1."""
    result: Matrix = np.mean([_anomaly(forest, rows) for forest in forests], axis=0)
    return result


def _anomaly(forest: IsolationForest, rows: Matrix) -> Matrix:
    """0 to 1, higher is more anomalous: the one place where scikit-learn's sign is turned."""
    with config_context(assume_finite=True, skip_parameter_validation=True):
        result: Matrix = -forest.score_samples(rows)
    return result


def plain_forest(rows: pl.DataFrame, seed: int) -> pl.Series:
    """Anomaly of each row by a forest with scikit-learn's defaults, fitted on the same rows: what ours is measured
    beside, and no part of our score. Every column is an input, finite. One Float64 a row, 0 to 1; none of none.
    """
    names = rows.columns
    _refuse_unfinished(rows, names)
    if rows.is_empty():
        return pl.Series([], dtype=pl.Float64)
    forest = IsolationForest(random_state=seed).fit(rows.to_numpy())
    return pl.Series(np.round(_anomaly(forest, rows.to_numpy()), 12))


def _placebos_of(window: pl.DataFrame, scored: pl.DataFrame, settings: Settings) -> tuple[pl.DataFrame, str]:
    end, months = window["window_end"][0], int(window["window_months"][0])
    importers = scored.filter(_is_placebo(), pl.col("role") == "placebo", pl.col("window_end") == end)
    asked = window["role"][0]
    months_apart = (
        (pl.col("window_end").dt.year() - end.year) * 12 + pl.col("window_end").dt.month().cast(pl.Int32) - end.month
    ).abs()
    periods = scored.filter(_is_placebo(), pl.col("role") == asked, months_apart >= months)
    least = settings.calibration.least_placebos
    if importers.height >= least:
        return importers, "importers"
    if importers.is_empty():
        return periods, "periods" if periods.height else "none"
    return pl.concat([importers, periods]), "both"


def _calibrate(window: pl.DataFrame, placebos: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """p from placebos of the same size band where it has enough, else from all; q by Benjamini-Hochberg."""
    edges = np.array(settings.calibration.size_bands_usd)
    null = placebos["anomaly_score"].to_numpy()
    null_band = np.searchsorted(edges, placebos["value_usd"].to_numpy(), side="right")
    band = np.searchsorted(edges, window["value_usd"].to_numpy(), side="right")
    score = window["anomaly_score"].to_numpy()
    p_value, count = np.ones(len(score)), np.zeros(len(score), dtype=np.int64)
    for one in np.unique(band):
        same = null[null_band == one]
        used = np.sort(same if len(same) >= settings.calibration.least_in_size_band else null)
        inside = band == one
        as_high = len(used) - np.searchsorted(used, score[inside], side="left")
        p_value[inside] = (1 + as_high) / (1 + len(used))
        count[inside] = len(used)
    return window.with_columns(
        p_value=pl.Series(p_value),
        q_value=pl.Series(benjamini_hochberg(p_value)),
        placebos=pl.Series(count),
        anomaly_rank=pl.col("anomaly_score").rank("min", descending=True).cast(pl.Int64),
    )


def benjamini_hochberg(p_value: Matrix) -> Matrix:
    """q-values: the smallest false discovery rate at which each p would be called. Benjamini and Hochberg 1995."""
    count = len(p_value)
    order = np.argsort(p_value, kind="stable")
    stepped = p_value[order] * count / np.arange(1, count + 1)
    q_value = np.empty(count)
    q_value[order] = np.minimum.accumulate(stepped[::-1])[::-1]
    result: Matrix = np.minimum(q_value, 1.0)
    return result


def _may_be_flagged(settings: Settings) -> pl.Expr:
    return pl.col("q_value") <= settings.calibration.q_limit


def _report(tested: pl.DataFrame, placebos: pl.DataFrame, kind: str, settings: Settings) -> pl.DataFrame:
    called = tested.filter(_may_be_flagged(settings))
    lowest = called["anomaly_score"].min()
    as_high = 0 if lowest is None else placebos.filter(pl.col("anomaly_score") >= lowest).height
    of_placebos = 1000 * as_high / placebos.height if placebos.height else None
    says = {
        "importers": "the same goods to importers that are neither target, coalition, possible hub nor neighbour of one",
        "periods": "the same routes in periods before the sanctions",
        "both": "importers outside the matter, and the same routes before the sanctions",
        "none": "no placebos: no p-value can be given",
    }[kind]
    return _calibration_row(tested, kind, placebos.height, 1000 * called.height / tested.height, of_placebos, says)


def _uncalibrated(window: pl.DataFrame, placebos: int) -> pl.DataFrame:
    return _calibration_row(window, "none", placebos, None, None, "too few placebos: not scored")


def _calibration_row(
    window: pl.DataFrame, kind: str, placebos: int, targets_per_1000: float | None, per_1000: float | None, says: str
) -> pl.DataFrame:
    return window.head(1).select(
        *_WINDOW,
        leg=pl.when(pl.col("is_from_coalition")).then(pl.lit("coalition to hub")).otherwise(pl.lit("hub to target")),
        placebo_kind=pl.lit(kind),
        placebos=pl.lit(placebos, dtype=pl.Int64),
        targets=pl.lit(window.height, dtype=pl.Int64),
        targets_flagged_per_1000=pl.lit(targets_per_1000, dtype=pl.Float64),
        placebos_flagged_per_1000=pl.lit(per_1000, dtype=pl.Float64),
        says=pl.lit(says),
    )


def _contribute(called: pl.DataFrame, forests: Sequence[IsolationForest], names: Sequence[str]) -> pl.DataFrame:
    """How far the score falls when one input is set to nothing, for each route that may be flagged."""
    rows = called.select(names).to_numpy()
    if not len(rows):
        return _empty_contributions()

    without = [rows.copy() for _ in names]
    for position, changed in enumerate(without):
        changed[:, position] = 0.0
    whole, *others = np.split(_score(np.vstack([rows, *without]), forests), len(names) + 1)
    return pl.concat(
        [
            called.select(_KEY).with_columns(input=pl.lit(name), score_drop=pl.Series(np.round(whole - other, 12)))
            for name, other in zip(names, others, strict=True)
        ]
    )


def _empty_scores() -> pl.DataFrame:
    kinds = {"anomaly_score": pl.Float64, "anomaly_rank": pl.Int64, "p_value": pl.Float64, "q_value": pl.Float64}
    return pl.DataFrame(schema={**_key_schema(), **kinds, "placebos": pl.Int64})


def _empty_contributions() -> pl.DataFrame:
    return pl.DataFrame(schema={**_key_schema(), "input": pl.String, "score_drop": pl.Float64})


def _empty_calibration() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date, "leg": pl.String,
            "placebo_kind": pl.String, "placebos": pl.Int64, "targets": pl.Int64,
            "targets_flagged_per_1000": pl.Float64, "placebos_flagged_per_1000": pl.Float64, "says": pl.String,
        }
    )  # fmt: skip


def _key_schema() -> dict[str, type[pl.DataType]]:
    return {
        "freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date,
        "good": pl.String, "exporter_iso": pl.String, "importer_iso": pl.String,
    }  # fmt: skip
