"""How closely one monthly series follows another some months later: a correlation of changes, for very many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

MOST_LAG = 6  # months that goods take through a hub
LEAST_CHANGES = 18  # known on both sides at one lag; below it any two series agree
_LEAST_VARIANCE = 1e-12


def best(lead: Floats, follow: Floats, ends: Sequence[int], months: int) -> tuple[Floats, Ids]:
    """The largest correlation of follow[t] with lead[t - lag] over lags 0 to MOST_LAG, and that lag.

    lead, follow   months x pairs: changes, NaN where not known
    ends           rows in which a span ends; it has `months` months of `follow`

    Returns (correlation, lag), ends x pairs: NaN and -1 where no lag has enough known changes, 0 where one of the two
    does not move at all. Running sums over the months serve all ends.
    """
    shape = (len(ends), lead.shape[1])
    found, lag_of = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    last = np.array(ends, dtype=np.int64) + 1
    first = np.maximum(last - months, 0)
    for lag in range(min(MOST_LAG, len(lead) - 1) + 1):
        one = np.full_like(lead, np.nan)
        one[lag:] = lead[: len(lead) - lag]
        correlation = _correlation(one, follow, first, last)
        is_better = np.isnan(found) & ~np.isnan(correlation) | (correlation > found)
        found, lag_of = np.where(is_better, correlation, found), np.where(is_better, lag, lag_of)
    return found, lag_of


def _correlation(one: Floats, other: Floats, first: Ids, last: Ids) -> Floats:
    """Of two sets of series over rows first to last (exclusive), one result an end."""
    is_known = ~(np.isnan(one) | np.isnan(other))
    x, y = np.where(is_known, one, 0.0), np.where(is_known, other, 0.0)

    def total(values: Floats) -> Floats:
        sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        result: Floats = sums[last] - sums[first]
        return result

    count = total(is_known.astype(np.float64))
    n = np.maximum(count, 1)
    sx, sy = total(x), total(y)
    vx, vy, xy = total(x * x) - sx**2 / n, total(y * y) - sy**2 / n, total(x * y) - sx * sy / n
    moves = (vx > _LEAST_VARIANCE) & (vy > _LEAST_VARIANCE)
    correlation = np.divide(xy, np.sqrt(np.maximum(vx * vy, _LEAST_VARIANCE**2)), out=np.zeros_like(xy), where=moves)
    return np.where(count >= LEAST_CHANGES, np.clip(correlation, -1.0, 1.0), np.nan)
