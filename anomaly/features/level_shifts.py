"""The best single shift of the level of monthly series: how large, since when, and whether it is one at all.

Rousseeuw, Perrotta, Riani and Hubert 2019, Robust monitoring of time series with application to fraud detection
(doi 10.1016/j.ecosta.2018.05.001), for very many series at once: all dates of all series are screened by one product of
matrices, then the best dates are fitted again with a robust loss. A series is a row and a month a column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

LEAST_MONTHS = 30  # known ones: a trend, twelve months and a step take fourteen
LEAST_SIDE = 3  # known months before and from a shift on
LEVEL = 0.01  # of the test, shared by all dates (Bonferroni); trade remembers itself, see docs/method.md
MOST_TREND = 0.7  # in logs a year, a doubling: a boom is no trend
LEAST_SCALE = 0.05  # of the noise: 5 % a month; a series without any has none to test against
_TUNING = 4.685  # of Tukey's bisquare: 95 % as efficient as least squares where the noise is normal
_MAD = 1.4826  # a normal's standard deviation over its median absolute deviation
_SCALE_STEPS = 2  # reweightings with a scale of their own, before those at one scale
_STEPS = 4
_WORTH_A_FIT = 0.7  # of the limit: a least squares t below it is not fitted again
_BLOCK = 1_000  # series at a time: what is worked on stays in the cache
_LEAST_WEIGHT = 1e-2  # keeps a month whose every year is an outlier from being divided by nothing
_LEAST_VARIANCE = 0.25  # of what is left, in squared scales: a step without any noise has a finite t
_MOST_CORRELATION = 0.6
_SPIKE = 5.0  # robust standard deviations from the running median


@dataclass(frozen=True, slots=True)
class Shifts:
    """For each series the shift of its level.

    Parameters
    ----------
    size : array of float, shape (series,)
        In the unit of the series, positive is up; 0 where no date is significant, NaN with too few months.
    at : array of int, shape (series,)
        Column of the first month at the new level; -1 where there is no shift.
    """

    size: Floats
    at: Ids


def find(series: Floats, first_month: int) -> Shifts:
    """The shift of the level of each series, if there is one.

    The model is a linear trend (of at most MOST_TREND), a level for each month of the year and one step. A shift counts
    where its robust t is beyond the quantile of LEVEL over all dates tried, with the autocorrelation of what is left
    taken into account.

    Parameters
    ----------
    series : array of float, shape (series, months)
        Logs of trade; NaN where a month is unknown.
    first_month : int
        Month of the year of the first column, 1 for January.

    Returns
    -------
    Shifts
        In the order of the series.
    """
    size, at = np.full(len(series), np.nan), np.full(len(series), -1, dtype=np.int64)
    if not len(series):
        return Shifts(size, at)
    is_known = ~np.isnan(series)
    pattern = _alike(is_known)
    order = np.argsort(pattern, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(pattern))[:-1]):
        month = np.flatnonzero(is_known[rows[0]])
        if len(month) < LEAST_MONTHS:
            continue
        design = _design(month, first_month)
        for block in np.array_split(rows, -(-len(rows) // _BLOCK)):
            size[block], position = _of_block(series[np.ix_(block, month)], design)
            at[block] = np.where(position >= 0, month[position], -1)
    return Shifts(size, at)


def _alike(is_known: npt.NDArray[np.bool_]) -> Ids:
    """A number for each row, the same for the same row."""
    packed = np.packbits(is_known, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    number = np.zeros(len(packed), dtype=np.int64)
    for word in padded.view(np.uint64).T:
        _, of_word = np.unique(word, return_inverse=True)
        _, number = np.unique(number * (int(of_word.max(initial=0)) + 1) + of_word, return_inverse=True)
    return number


@dataclass(frozen=True, slots=True)
class _Design:
    """What series with the same known months share. n months, d dates, m months of the year.

    basis     n x (m + 1), orthonormal: what trend and season span
    terms     n x (m + 1): 1 in the column of the month of the year, and the trend
    products  n x (2m + 1): the same 1, the trend in its place, and the trend squared
    steps     d x n: 1 from the date on
    projected d x n: the steps without what trend and season explain; `norm` their squared lengths
    lagged    d: the autocorrelation of lag one that a fit leaves in noise that has none
    freedom   n less the rank of trend, season and a step
    dates     d: position of the first month of each step
    limit     of |t|, see `critical`
    """

    basis: Floats
    terms: Floats
    products: Floats
    steps: Floats
    projected: Floats
    norm: Floats
    lagged: Floats
    freedom: int
    dates: Ids
    limit: float


def _design(month: Ids, first_month: int) -> _Design:
    of_year = (month + first_month - 1) % 12
    season = (of_year[:, None] == np.unique(of_year)).astype(np.float64)
    trend = (month - month.mean()) / 12
    dates = np.arange(LEAST_SIDE, len(month) - LEAST_SIDE + 1)
    steps = (np.arange(len(month)) >= dates[:, None]).astype(np.float64)
    terms = np.column_stack([season, trend])
    products = np.column_stack([season, season * trend[:, None], trend**2])
    basis, _ = np.linalg.qr(terms)
    projected = steps - (steps @ basis) @ basis.T
    norm = np.einsum("dn,dn->d", projected, projected)
    is_apart = norm > 0.1 * LEAST_SIDE  # else trend and season can stand for the step
    projected, norm, dates = projected[is_apart], norm[is_apart], dates[is_apart]
    freedom = len(month) - basis.shape[1] - 1
    beside = -np.einsum("nk,nk->", basis[1:], basis[:-1]) - (projected[:, 1:] * projected[:, :-1]).sum(axis=1) / norm
    limit = critical(len(dates), freedom)
    lagged = beside / freedom
    return _Design(basis, terms, products, steps[is_apart], projected, norm, lagged, freedom, dates, limit)


def _of_block(series: Floats, design: _Design) -> tuple[Floats, Ids]:
    """Size of the shift and position of its first month; 0 and -1 where there is none."""
    size, position = np.zeros(len(series)), np.full(len(series), -1, dtype=np.int64)
    clean = _without_spikes(series)
    best, t_value = _screen(clean, design)
    rows = np.flatnonzero(t_value > _WORTH_A_FIT * design.limit)
    middle = _robust(series[rows], clean[rows], best[rows], design)
    is_shift = np.abs(middle.t_value) > design.limit
    rows, middle = rows[is_shift], middle.of(is_shift)
    beside = [_reweighted(series[rows], _near(best[rows], by, design), middle, design) for by in (-1, 1)]
    fits = [middle, *beside]
    chosen = np.stack([_loss(fit.residual / middle.scale[:, None]) for fit in fits]).argmin(axis=0)
    size[rows] = np.choose(chosen, [fit.step for fit in fits])
    position[rows] = design.dates[_near(best[rows], np.array([0, -1, 1])[chosen], design)]
    return size, position


def _near(date: Ids, shift: int | Ids, design: _Design) -> Ids:
    moved: Ids = np.clip(date + shift, 0, len(design.dates) - 1)
    return moved


def _without_spikes(series: Floats) -> Floats:
    """The series with what stands alone put to the median of its five neighbours; a step stays a step."""
    padded = np.pad(series, ((0, 0), (2, 2)), mode="edge")
    a, b, c, d, e = (padded[:, shift : shift + series.shape[1]] for shift in range(5))
    low, high = np.maximum(np.minimum(a, b), np.minimum(d, e)), np.minimum(np.maximum(a, b), np.maximum(d, e))
    running = np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), c))
    away = np.abs(series - running)
    usual = np.maximum(_MAD * _middle(away), LEAST_SCALE)
    return np.where(away > _SPIKE * usual[:, None], running, series)


def _middle(values: Floats) -> Floats:
    """The median of each row; of an even number of months the upper of the two in the middle."""
    middle = values.shape[1] // 2
    result: Floats = np.partition(values, middle, axis=1)[:, middle]
    return result


def _screen(series: Floats, design: _Design) -> tuple[Ids, Floats]:
    """Position of the date that a least squares fit likes best, and its |t|."""
    explained = (series @ design.projected.T) ** 2 / design.norm
    best = explained.argmax(axis=1)
    most = explained[np.arange(len(series)), best]
    residual = np.einsum("rn,rn->r", series, series) - ((series @ design.basis) ** 2).sum(axis=1) - most
    return best, np.sqrt(most * design.freedom / np.maximum(residual, design.freedom * LEAST_SCALE**2))


@dataclass(frozen=True, slots=True)
class _Fit:
    """A robust fit of each series with one date each: the step, its t, what is left, and the scale of that."""

    step: Floats
    t_value: Floats
    residual: Floats
    scale: Floats

    def of(self, rows: npt.NDArray[np.bool_]) -> _Fit:
        return _Fit(self.step[rows], self.t_value[rows], self.residual[rows], self.scale[rows])


def _robust(series: Floats, clean: Floats, date: Ids, design: _Design) -> _Fit:
    """Tukey's bisquare, from the least squares fit of the cleaned series."""
    along = design.projected[date]
    step = np.einsum("rn,rn->r", clean, along) / design.norm[date]
    residual = series - (clean @ design.basis) @ design.basis.T - step[:, None] * along
    for _ in range(_SCALE_STEPS):
        fit = _reweighted(series, date, _Fit(step, step, residual, _scale(residual, design)), design, steps=1)
        step, residual = fit.step, fit.residual
    fit = _reweighted(series, date, _Fit(step, step, residual, _scale(residual, design)), design)
    t_value = fit.step / (fit.scale * _standard_error(fit.residual / fit.scale[:, None], date, design))
    return _Fit(fit.step, t_value, fit.residual, fit.scale)


def _scale(residual: Floats, design: _Design) -> Floats:
    """Of what is left: its median absolute size as a standard deviation, for the unknowns that were fitted."""
    widened = _MAD * np.sqrt(residual.shape[1] / design.freedom)
    result: Floats = np.maximum(widened * _middle(np.abs(residual)), LEAST_SCALE)
    return result


def _reweighted(series: Floats, date: Ids, start: _Fit, design: _Design, steps: int = _STEPS) -> _Fit:
    """Reweighted least squares at the scale of `start`, from what it leaves."""
    step_at, residual, step = design.steps[date], start.residual, start.step
    reach = 1 / (_TUNING * start.scale[:, None])
    for _ in range(steps):
        weights = np.maximum(1 - (residual * reach) ** 2, _LEAST_WEIGHT) ** 2
        step, residual = _weighted(series, step_at, weights, design)
    return _Fit(step, start.t_value, residual, start.scale)


def _weighted(series: Floats, step_at: Floats, weights: Floats, design: _Design) -> tuple[Floats, Floats]:
    """Step of each series by weighted least squares, and what is left of it.

    A trend beyond MOST_TREND is held there. The levels of the months of the year are taken out first (Frisch and
    Waugh): their normal equations are a diagonal, so that two unknowns a series are left.
    """
    months = design.terms.shape[1] - 1
    weighted = weights * series
    of_trend, of_value, of_step = weights @ design.products, weighted @ design.terms, (weights * step_at) @ design.terms
    weight, trend, step = of_trend[:, :months], of_trend[:, months : 2 * months], of_step[:, :months]
    trend_mean, step_mean, value_mean = trend / weight, step / weight, of_value[:, :months] / weight
    tt = of_trend[:, -1] - (trend_mean * trend).sum(axis=1)
    ts = of_step[:, -1] - (trend_mean * step).sum(axis=1)
    ss = step.sum(axis=1) - (step_mean * step).sum(axis=1)
    tv = of_value[:, -1] - (value_mean * trend).sum(axis=1)
    sv = np.einsum("rn,rn->r", weighted, step_at) - (value_mean * step).sum(axis=1)
    determinant = np.maximum(tt * ss - ts**2, 1e-12)
    slope = np.clip((ss * tv - ts * sv) / determinant, -MOST_TREND, MOST_TREND)[:, None]
    size = (sv[:, None] - slope * ts[:, None]) / np.maximum(ss, 1e-12)[:, None]
    level = value_mean - slope * trend_mean - size * step_mean
    return size[:, 0], series - np.hstack([level, slope]) @ design.terms.T - size * step_at


def _standard_error(residual: Floats, date: Ids, design: _Design) -> Floats:
    """Of the step, in units of the scale: Huber's for M-estimates (1981, 7.6), widened for autocorrelation of lag one."""
    inside = np.abs(residual) < _TUNING
    ratio = np.where(inside, residual / _TUNING, 1.0) ** 2
    psi = residual * (1 - ratio) ** 2
    slope = np.mean(np.where(inside, (1 - ratio) * (1 - 5 * ratio), 0.0), axis=1)
    spread = np.einsum("rn,rn->r", psi, psi)
    variance = np.maximum(spread / design.freedom / np.maximum(slope, 0.1) ** 2, _LEAST_VARIANCE)
    lagged = np.einsum("rn,rn->r", psi[:, 1:], psi[:, :-1]) / np.maximum(spread, 1e-12)
    correlation = np.clip(lagged - design.lagged[date], 0, _MOST_CORRELATION)
    result: Floats = np.sqrt(variance / design.norm[date] * (1 + correlation) / (1 - correlation))
    return result


def _loss(residual: Floats) -> Floats:
    """Tukey's bisquare loss of what is left, in units of a scale, summed over the months."""
    result: Floats = (1 - (1 - np.minimum(np.abs(residual) / _TUNING, 1) ** 2) ** 3).sum(axis=1)
    return result


def critical(dates: int, freedom: int) -> float:
    """The |t| that one of so many dates exceeds with a chance of at most LEVEL where there is no shift (Bonferroni).

    Parameters
    ----------
    dates : int
        Dates tried.
    freedom : int
        Degrees of freedom of Student's t.

    Returns
    -------
    float
        Above 0.
    """
    return -float(stdtrit(freedom, LEVEL / (2 * max(dates, 1))))
