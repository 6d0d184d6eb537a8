"""The isolation forest on placebo halves: how unlike a route is to those that cannot be evasion, by several inputs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn import config_context
from sklearn.ensemble import IsolationForest

from anomaly.contract.errors import ContractBroken
from anomaly.contract.keys import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.scores.placebos import is_placebo

Matrix = npt.NDArray[np.float64]
_KEY = list(ROUTE_KEY)


def refuse_unfinished(inputs: pl.DataFrame, names: Sequence[str]) -> None:
    """Refuse what the forest would take in silence.

    Parameters
    ----------
    inputs : polars.DataFrame
        Any.
    names : sequence of str
        Columns that must be finite.

    Raises
    ------
    ContractBroken
        Where one of them is null, NaN or inf.
    """
    bad = inputs.select(pl.any_horizontal(~pl.col(names).is_finite().fill_null(value=False)).sum()).item()
    if bad:
        raise ContractBroken("finite forest inputs", "rows with null, NaN or inf", count=int(bad))


@dataclass(frozen=True, slots=True)
class Halves:
    """For each seed, which placebos are in the first half, and a forest fitted on each half.

    Parameters
    ----------
    first : list of array of bool, shape (placebos,)
        Placebos of the first half, a seed each.
    forests : list of tuple of IsolationForest
        Fitted on the first half, and on the second.
    """

    first: list[npt.NDArray[np.bool_]]
    forests: list[tuple[IsolationForest, IsolationForest]]

    def forests_of_all_seeds(self) -> list[IsolationForest]:
        """Both forests of every seed."""
        return [forest for pair in self.forests for forest in pair]


def fit(routes: pl.DataFrame, names: Sequence[str], settings: Settings) -> Halves:
    """Two forests a seed, each on one half of the placebos and on the frame of all routes.

    Parameters
    ----------
    routes : polars.DataFrame
        Routes asked about and placebos, sorted by key.
    names : sequence of str
        Columns that the forest sees.
    settings : Settings
        Of it forest, and what tells placebos.

    Returns
    -------
    Halves
        The same for the same rows.
    """
    placebos = routes.filter(is_placebo(settings)).select(names).to_numpy()
    is_taken = np.zeros(len(placebos), dtype=np.bool_)
    is_taken[np.linspace(0, len(placebos) - 1, min(len(placebos), settings.forest.most_rows)).astype(np.int64)] = True
    frame = np.diag(routes.select(names).to_numpy().max(axis=0))
    first, forests = [], []
    for seed in settings.forest.seeds:
        in_first = np.random.default_rng(seed).permutation(len(placebos)) < len(placebos) // 2
        of_first = grown(placebos[in_first & is_taken], frame, 2 * seed, settings)
        of_second = grown(placebos[~in_first & is_taken], frame, 2 * seed + 1, settings)
        first.append(in_first)
        forests.append((of_first, of_second))
    return Halves(first, forests)


def grown(rows: Matrix, frame: Matrix, seed: int, settings: Settings) -> IsolationForest:
    """A forest on placebos whose range is kept open.

    A forest splits within the range of its sample only: a route at twice that range and one at ten times it would score
    alike. The frame keeps the range open in every sample.

    Parameters
    ----------
    rows : array of float, shape (placebos, inputs)
        What it is fitted on.
    frame : array of float, shape (inputs, inputs)
        One point an input at the largest value that anything has.
    seed : int
        Of its chance.
    settings : Settings
        Of it forest.

    Returns
    -------
    IsolationForest
        Fitted; the same for the same rows.
    """
    samples = min(settings.forest.max_samples, len(rows))
    framed = np.vstack([rows, np.repeat(frame, -(-len(rows) // samples), axis=0)])
    forest = IsolationForest(n_estimators=settings.forest.trees, max_samples=samples, random_state=seed)
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checked once, not once a tree
        return forest.fit(framed)


def rank(values: Matrix) -> Matrix:
    """Place among all, 0 to 1, the mean place where several are equal.

    Parameters
    ----------
    values : array of float
        Any.

    Returns
    -------
    array of float
        Of the same shape.
    """
    result: Matrix = (pl.Series(values).rank("average").to_numpy() - 0.5) / len(values)
    return result


def _mean_anomaly(rows: Matrix, forests: Sequence[IsolationForest]) -> Matrix:
    """Mean anomaly of rows over forests, 0 to 1."""
    result: Matrix = np.mean([anomaly_of(forest, rows) for forest in forests], axis=0)
    return result


def anomaly_of(forest: IsolationForest, rows: Matrix) -> Matrix:
    """How anomalous rows are: the one place where scikit-learn's sign is turned.

    Parameters
    ----------
    forest : IsolationForest
        Fitted.
    rows : array of float, shape (rows, inputs)
        Finite.

    Returns
    -------
    array of float, shape (rows,)
        0 to 1, higher is more anomalous.
    """
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
    refuse_unfinished(rows, names)
    if rows.is_empty():
        return pl.Series([], dtype=pl.Float64)
    forest = IsolationForest(random_state=seed).fit(rows.to_numpy())
    return pl.Series(np.round(anomaly_of(forest, rows.to_numpy()), 12))


def contribute(called: pl.DataFrame, forests: Sequence[IsolationForest], names: Sequence[str]) -> pl.DataFrame:
    """How far the anomaly falls when one input is set to nothing, for each route that may be flagged.

    Parameters
    ----------
    called : polars.DataFrame
        Routes with q within the limit.
    forests : sequence of IsolationForest
        Of all seeds.
    names : sequence of str
        Columns that they see.

    Returns
    -------
    polars.DataFrame
        ROUTE_KEY, input and score_drop: a row a route and input.
    """
    rows = called.select(names).to_numpy()
    if not len(rows):
        return called.select(_KEY).with_columns(
            input=pl.lit(None, dtype=pl.String), score_drop=pl.lit(None, dtype=pl.Float64)
        )
    without = [rows.copy() for _ in names]
    for position, changed in enumerate(without):
        changed[:, position] = 0.0
    with_all, *fallen = np.split(_mean_anomaly(np.vstack([rows, *without]), forests), len(names) + 1)
    return pl.concat(
        [
            called.select(_KEY).with_columns(input=pl.lit(name), score_drop=pl.Series(np.round(with_all - anomaly, 12)))
            for name, anomaly in zip(names, fallen, strict=True)
        ]
    )
