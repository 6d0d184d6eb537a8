"""From evidence to p and q: placebos as the null distribution, weighted hypotheses, and how stable the answer is.

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

    A route is compared with the placebos of its band where there are `least_in_band`, else with all.

    evidence, value_usd   one figure a placebo
    """

    evidence: Floats
    value_usd: Counts
    size_bands_usd: Sequence[int]
    least_in_band: int

    def p_values(self, evidence: Floats, value_usd: Counts) -> tuple[Floats, Counts]:
        """(p, placebos it was read from): (1 + placebos with as much evidence) / (1 + placebos)."""
        once = np.ones((1, len(self.evidence)), dtype=np.int64)
        p_value, count = self.p_values_of(once, evidence, value_usd)
        return p_value[0], count[0]

    def p_values_of(self, backgrounds: Counts, evidence: Floats, value_usd: Counts) -> tuple[Floats, Counts]:
        """The same for several backgrounds at once, one row each: how often each placebo counts there."""
        edges = np.array(self.size_bands_usd)
        null_band = np.searchsorted(edges, self.value_usd, side="right")
        band = np.searchsorted(edges, value_usd, side="right")
        order = np.argsort(self.evidence, kind="stable")
        p_value = np.ones((len(backgrounds), len(evidence)))
        count = np.zeros((len(backgrounds), len(evidence)), dtype=np.int64)
        for one in np.unique(band):
            same = order[null_band[order] == one]
            used = same if len(same) >= self.least_in_band else order
            inside = band == one
            at = np.searchsorted(self.evidence[used], evidence[inside], side="left")
            below = np.zeros((len(backgrounds), len(used) + 1), dtype=np.int64)
            np.cumsum(backgrounds[:, used], axis=1, out=below[:, 1:])
            every = below[:, -1:]
            p_value[:, inside] = (1 + every - below[:, at]) / (1 + every)
            count[:, inside] = every
        return p_value, count


def q_values(p_value: Floats, weight: Floats) -> Floats:
    """Share of false flags to expect among the routes down to each: Benjamini-Hochberg on p/weight.

    p_value   routes, or backgrounds x routes
    weight    mean 1 (Genovese, Roeder and Wasserman 2006); the share of true nulls is read from the weighted routes with
              p above NULL_FROM_P (Storey's estimate, with weights: Ignatiadis and Huber 2021, J. R. Stat. Soc. B 83)
    """
    if not p_value.shape[-1]:
        return p_value.copy()
    above = np.where(p_value > NULL_FROM_P, weight, 0.0).sum(axis=-1, keepdims=True)
    honest = (weight.max() + above) / (p_value.shape[-1] * (1 - NULL_FROM_P))
    weighted = np.minimum(p_value / weight, 1.0)  # a p beyond 1 is 1, and all that is asked for below
    result: Floats = false_discovery_control(weighted, axis=-1) * np.minimum(1.0, honest)
    return result


def resampled(count: int, times: int, seed: int) -> Counts:
    """times x count: how often each placebo counts in each of `times` backgrounds drawn with replacement."""
    draw = np.random.default_rng(seed)
    return np.stack([np.bincount(draw.integers(0, count, count), minlength=count) for _ in range(times)])
