"""The size-aware effect of each route's change among the routes of its good: Hidiroglou and Berthelot, Statistics Canada 1986."""

from __future__ import annotations

import numpy as np

from anomaly.features.marks import Amounts, Ids
from anomaly.features.unit_values import Floats

SIZE_POWER = 0.3  # U: 0 knows no size, 1 is dollars; Statistics Canada uses 0.3 to 0.5
LEAST_SPREAD = 0.05  # A: of the median effect, so that a good that hardly moves has no fence of no width
FENCE = 7.0  # C: quartile distances from the median effect; 4 puts a sixth of the large monthly routes outside
LEAST_ROUTES = 20  # of a good, for quartiles to mean anything
_UNIT_USD = 1e6


def size_effect(value: Amounts, prior: Amounts, good: Ids, floor_usd: float) -> Floats:
    """Effect of each route, in fences: 1 is the upper fence of its good, -1 the lower, 0 the median route.

    r = (V + f)/(V₋₁ + f), s = r/med - 1 above the median and 1 - med/r below it, E = s max(V, V₋₁)^U. The distance of E
    from its median is measured in FENCE times the distance of the quartile on that side, which is never taken to be
    less than LEAST_SPREAD of the median effect.

    Parameters
    ----------
    value, prior : array of int, shape (routes,)
        Window and year before, whole USD, both known.
    good : array of int, shape (routes,)
        Number of the route's good, ascending.
    floor_usd : float
        f, the scenario's floor.

    Returns
    -------
    array of float, shape (routes,)
        NaN, unknown, for routes of a good with fewer than LEAST_ROUTES.

    References
    ----------
    Hidiroglou and Berthelot 1986, Statistical editing and imputation for periodic business surveys, Survey Methodology
    12(1), 73-83.
    """
    effect_in_fences = np.full(len(value), np.nan)
    is_many = (np.bincount(good) >= LEAST_ROUTES)[good]
    value, prior, good = value[is_many], prior[is_many], good[is_many]
    ratio = (value + floor_usd) / (prior + floor_usd)
    (median,) = _quantiles(ratio, good, (0.5,))
    change = np.where(ratio < median, 1 - median / ratio, ratio / median - 1)
    effect = change * (np.maximum(value, prior) / _UNIT_USD) ** SIZE_POWER
    low, middle, high = _quantiles(effect, good, (0.25, 0.5, 0.75))
    side = np.where(effect > middle, high - middle, middle - low)
    fence = FENCE * np.maximum(side, LEAST_SPREAD * np.abs(middle))
    effect_in_fences[is_many] = np.divide(effect - middle, fence, out=np.full(len(value), np.nan), where=fence > 0)
    return effect_in_fences


def _quantiles(values: Floats, group: Ids, shares: tuple[float, ...]) -> list[Floats]:
    """Quantiles of each value's group, linear between neighbours (type 7 of Hyndman and Fan 1996); groups are sorted."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    counts = np.diff(starts, append=len(group))
    ordered = np.concatenate([values[:0], *[np.sort(part) for part in np.split(values, starts[1:])]])
    quantiles = []
    for share in shares:
        at = share * (counts - 1)
        below = at.astype(np.int64)
        lower, upper = ordered[starts + below], ordered[starts + np.minimum(below + 1, counts - 1)]
        quantiles.append(np.repeat(lower + (at - below) * (upper - lower), counts))
    return quantiles
