"""From scores to p and q: placebos as the null distribution, weighted hypotheses, and how stable the answer is.

Arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

NULL_FROM_P = 0.5  # above it hardly any route is part of evasion: Storey 2002, J. R. Stat. Soc. B 64, 479-498


@dataclass(frozen=True, slots=True)
class Null:
    """Placebos as a null distribution, split into the size bands that have enough of their own.

    A route is compared with the placebos of its band where there are enough, else with all.

    Parameters
    ----------
    score : array of float, shape (placebos,)
        How unusual each placebo is; higher is more suspicious.
    value_usd : array of int, shape (placebos,)
        Trade of each in its window, whole USD.
    size_bands_usd : sequence of int
        Where one band ends and the next begins, ascending.
    least_in_band : int
        Placebos that a band needs to be a null distribution of its own.
    """

    score: Floats
    value_usd: Counts
    size_bands_usd: Sequence[int]
    least_in_band: int

    def p_values(self, score: Floats, value_usd: Counts) -> tuple[Floats, Counts]:
        """How often a route that cannot be evasion looks as unusual: (1 + placebos with as much) / (1 + placebos).

        Parameters
        ----------
        score : array of float, shape (routes,)
            On the scale of the placebos' own.
        value_usd : array of int, shape (routes,)
            Trade of each in its window, whole USD: which band it is in.

        Returns
        -------
        tuple of array
            p, above 0 and at most 1, and the number of placebos that it was read from; both of shape (routes,).

        Examples
        --------
        >>> placebos = Null(np.array([0.1, 0.2, 0.3]), np.array([5, 5, 5]), size_bands_usd=(10,), least_in_band=1)
        >>> p_value, count = placebos.p_values(np.array([0.2, 0.9]), np.array([5, 5]))
        >>> p_value.tolist(), count.tolist()
        ([0.75, 0.25], [3, 3])
        """
        once = np.ones((1, len(self.score)), dtype=np.int64)
        p_value, count = self.p_values_of(once, score, value_usd)
        return p_value[0], count[0]

    def p_values_of(self, backgrounds: Counts, score: Floats, value_usd: Counts) -> tuple[Floats, Counts]:
        """The same p against several backgrounds at once.

        Parameters
        ----------
        backgrounds : array of int, shape (backgrounds, placebos)
            How often each placebo counts in each of them, see `resampled`.
        score : array of float, shape (routes,)
            As for `p_values`.
        value_usd : array of int, shape (routes,)
            As for `p_values`.

        Returns
        -------
        tuple of array
            p and the number of placebos, both of shape (backgrounds, routes).
        """
        edges = np.array(self.size_bands_usd)
        null_bands = np.searchsorted(edges, self.value_usd, side="right")
        bands = np.searchsorted(edges, value_usd, side="right")
        order = np.argsort(self.score, kind="stable")
        p_value = np.ones((len(backgrounds), len(score)))
        count = np.zeros((len(backgrounds), len(score)), dtype=np.int64)
        for band in np.unique(bands):
            same = order[null_bands[order] == band]
            used = same if len(same) >= self.least_in_band else order
            inside = bands == band
            at = np.searchsorted(self.score[used], score[inside], side="left")
            below = np.zeros((len(backgrounds), len(used) + 1), dtype=np.int64)
            np.cumsum(backgrounds[:, used], axis=1, out=below[:, 1:])
            placebos = below[:, -1:]
            p_value[:, inside] = (1 + placebos - below[:, at]) / (1 + placebos)
            count[:, inside] = placebos
        return p_value, count


def q_values(p_values: Floats, hypothesis_weights: Floats) -> Floats:
    """Share of false flags to expect among the routes down to each.

    Benjamini and Hochberg 1995 on p divided by the weight of its hypothesis, times the share of honest routes.

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
    The share of honest routes is read from the weights of those with p above NULL_FROM_P: Storey's estimate, with
    weights. It is at most 1.

    References
    ----------
    Genovese, Roeder and Wasserman 2006, False discovery control with p-value weighting, Biometrika 93(3), 509-524.
    Ignatiadis and Huber 2021, Covariate powered cross-weighted multiple testing, J. R. Stat. Soc. B 83(4), 720-751.

    Examples
    --------
    Four routes of one window; the same p counts for more where evasion was likelier before.

    >>> q_values(np.array([0.01, 0.02, 0.4, 0.9]), np.ones(4)).round(2).tolist()
    [0.04, 0.04, 0.53, 0.9]
    >>> q_values(np.array([0.01, 0.02, 0.4, 0.9]), np.array([0.5, 2.5, 0.5, 0.5])).round(2).tolist()
    [0.04, 0.03, 1.0, 1.0]
    """
    if not p_values.shape[-1]:
        return p_values.copy()
    above = np.where(p_values > NULL_FROM_P, hypothesis_weights, 0.0).sum(axis=-1, keepdims=True)
    honest = (hypothesis_weights.max() + above) / (p_values.shape[-1] * (1 - NULL_FROM_P))
    weighted = np.minimum(p_values / hypothesis_weights, 1.0)  # a p beyond 1 is 1, and all that is asked for below
    result: Floats = false_discovery_control(weighted, axis=-1) * np.minimum(1.0, honest)
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
