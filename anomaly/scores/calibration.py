"""From scores to p and q: placebos as the null distribution, weighted hypotheses, and how stable the answer is.

Arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

FEW_PLACEBOS = 300  # with fewer the smallest p that can be counted is too coarse for most calls
TAIL_SHARE = 0.2  # of few placebos: the largest say how fast their tail thins out
TAIL_SHAPE = 0.25  # of that tail, as of Student's t with four degrees of freedom: honest steps have thick tails
TAIL_MOST = 5.0  # times finer than what can be counted, no more
LEAST_EXCESSES = 3  # placebos of that tail
LEAST_FAMILY = 10  # routes of a family of its own; many small ones would each call some by chance


def p_values(null: Floats, score: Floats) -> Floats:
    """How often a route that cannot be evasion looks as unusual: (1 + placebos with as much) / (1 + placebos).

    Parameters
    ----------
    null : array of float, shape (placebos,)
        How unusual each placebo is; higher is more suspicious.
    score : array of float, shape (routes,)
        On the same scale.

    Returns
    -------
    array of float, shape (routes,)
        p, above 0 and at most 1.

    Examples
    --------
    >>> p_values(np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.9])).tolist()
    [0.75, 0.25]
    """
    once = np.ones((1, len(null)), dtype=np.int64)
    result: Floats = p_values_of(once, null, score)[0]
    return result


def p_values_of(backgrounds: Counts, null: Floats, score: Floats) -> Floats:
    """The same p against several backgrounds at once.

    Parameters
    ----------
    backgrounds : array of int, shape (backgrounds, placebos)
        How often each placebo counts in each of them, see `resampled`.
    null, score : array of float
        As for `p_values`.

    Returns
    -------
    array of float, shape (backgrounds, routes)
        p, above 0 and at most 1.
    """
    order = np.argsort(null, kind="stable")
    at = np.searchsorted(null[order], score, side="left")
    below = np.zeros((len(backgrounds), len(null) + 1), dtype=np.int64)
    np.cumsum(backgrounds[:, order], axis=1, out=below[:, 1:])
    placebos = below[:, -1:]
    result: Floats = (1 + placebos - below[:, at]) / (1 + placebos)
    return result


def beyond_counts(null: Floats, score: Floats) -> Floats:
    """What p of a route among few placebos is multiplied by, since it lies beyond them by so much.

    A generalised Pareto tail on the largest TAIL_SHARE of the placebos: its scale is their mean excess, its shape is fixed
    and thick, and thicker by 1/n for the n excesses that the scale is read from, as a prediction has it. It is used only to
    go below what can be counted, never above, and at most TAIL_MOST times.

    Parameters
    ----------
    null, score : array of float
        As for `p_values`.

    Returns
    -------
    array of float, shape (routes,)
        1 where placebos are many, or as many placebos have as much; else at least 1/TAIL_MOST.

    References
    ----------
    Pickands 1975, Statistical inference using extreme order statistics, Ann. Stat. 3(1), 119-131.
    Knijnenburg, Wessels, Reinders and Shmulevich 2009, Fewer permutations, more accurate P-values, Bioinformatics 25(12),
    i161-i168.
    """
    count = int(TAIL_SHARE * len(null))
    if len(null) >= FEW_PLACEBOS or count < LEAST_EXCESSES:
        return np.ones(len(score))
    largest = np.sort(null)[::-1]
    threshold = largest[count]
    mean_excess = float((largest[:count] - threshold).mean())
    if mean_excess <= 0:
        return np.ones(len(score))
    shape, scale = TAIL_SHAPE + 1 / count, (1 - TAIL_SHAPE) * mean_excess
    excess = np.maximum(score - threshold, 0.0)
    fitted = (1 + count) / (1 + len(null)) * (1 + shape * excess / scale) ** (-1 / shape)
    result: Floats = np.clip(fitted * (1 + len(null)), 1 / TAIL_MOST, 1.0)
    return np.where(score > largest[0], result, 1.0)


def q_values(p_values: Floats, hypothesis_weights: Floats) -> Floats:
    """Share of false flags to expect among the routes down to each.

    Benjamini and Hochberg 1995 on p divided by the weight of its hypothesis.

    Parameters
    ----------
    p_values : array of float, shape (routes,) or (backgrounds, routes)
        Chance that a route that is no evasion looks as unusual, above 0 and at most 1.
    hypothesis_weights : array of float, shape (routes,)
        How likely each route is part of evasion before its own rise is looked at; above 0, mean 1.

    Returns
    -------
    array of float, shape of `p_values`
        q, 0 to 1, in the order given.

    Notes
    -----
    No share of honest routes is estimated (Storey 2002): a shock of the year that raises honest trade reads as if fewer were
    honest, and the false share rises most where it must not (docs/evaluation.md).

    References
    ----------
    Genovese, Roeder and Wasserman 2006, False discovery control with p-value weighting, Biometrika 93(3), 509-524.
    Bates, Candès, Lei, Romano and Sesia 2023, Testing for outliers with conformal p-values, Ann. Stat. 51(1), 149-178.

    Examples
    --------
    Twenty routes of one window; the same p counts for more where evasion was likelier before.

    >>> p_value = np.array([0.001, 0.001, *[0.9] * 18])
    >>> q_values(p_value, np.ones(20))[:2].round(3).tolist()
    [0.01, 0.01]
    >>> q_values(p_value, np.array([0.1, 1.9, *[1.0] * 18]))[:2].round(3).tolist()
    [0.1, 0.011]
    """
    if not p_values.shape[-1]:
        return p_values.copy()
    weighted = np.minimum(p_values / hypothesis_weights, 1.0)  # a p beyond 1 is 1, and all that is asked for below
    result: Floats = false_discovery_control(weighted, axis=-1)
    return result


def resampled(count: int, times: int, seed: int) -> Counts:
    """How often each placebo counts in backgrounds that are drawn from them with replacement.

    Parameters
    ----------
    count : int
        Placebos there are, and drawn for a background.
    times : int
        Backgrounds wanted.
    seed : int
        The same seed draws the same.

    Returns
    -------
    array of int, shape (times, count)
        Each row sums to `count`.
    """
    draw = np.random.default_rng(seed)
    return np.stack([np.bincount(draw.integers(0, count, count), minlength=count) for _ in range(times)])
