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

    Parameters
    ----------
    lead, follow : array of float, shape (months, pairs)
        Monthly changes of two series a pair; NaN where unknown.
    ends : sequence of int
        Rows in which a span ends; running sums over the months serve all of them.
    months : int
        Months of `follow` in a span.

    Returns
    -------
    tuple of array
        Correlation and lag in months, both of shape (ends, pairs): NaN and -1 where no lag has LEAST_CHANGES known on
        both sides, 0 where one of the two does not move at all.
    """
    shape = (len(ends), lead.shape[1])
    highest, lag_of = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    last = np.array(ends, dtype=np.int64) + 1
    first = np.maximum(last - months, 0)
    for lag in range(min(MOST_LAG, len(lead) - 1) + 1):
        lagged = np.full_like(lead, np.nan)
        lagged[lag:] = lead[: len(lead) - lag]
        correlation = _correlation(lagged, follow, first, last)
        is_better = np.isnan(highest) & ~np.isnan(correlation) | (correlation > highest)
        highest, lag_of = np.where(is_better, correlation, highest), np.where(is_better, lag, lag_of)
    return highest, lag_of


def _correlation(lagged: Floats, follow: Floats, first: Ids, last: Ids) -> Floats:
    """Of two sets of series over rows first to last (exclusive), one result an end."""
    is_known = ~(np.isnan(lagged) | np.isnan(follow))
    lead, followed = np.where(is_known, lagged, 0.0), np.where(is_known, follow, 0.0)

    def total(values: Floats) -> Floats:
        sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        result: Floats = sums[last] - sums[first]
        return result

    count = total(is_known.astype(np.float64))
    n = np.maximum(count, 1)
    sx, sy = total(lead), total(followed)
    vx, vy, xy = (
        total(lead * lead) - sx**2 / n,
        total(followed * followed) - sy**2 / n,
        total(lead * followed) - sx * sy / n,
    )
    moves = (vx > _LEAST_VARIANCE) & (vy > _LEAST_VARIANCE)
    correlation = np.divide(xy, np.sqrt(np.maximum(vx * vy, _LEAST_VARIANCE**2)), out=np.zeros_like(xy), where=moves)
    return np.where(count >= LEAST_CHANGES, np.clip(correlation, -1.0, 1.0), np.nan)
