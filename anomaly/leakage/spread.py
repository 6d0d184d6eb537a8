"""How rises that nothing was diverted in are spread: by the size before, and in shocks that rows of a group share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Ids, Marks

Draws = npt.NDArray[np.float32]

LEAST_OF_SIZE = 20  # rises, for a spread of its own
STEPS = 2_000  # equally likely rises that a spread is kept as
CLIPPED_MADS = 3.0  # one wild rise is no shock that a group shares
LEAST_FREEDOM = 2  # of a t distribution
SHARES_FROM = 2  # sizes; smaller rows are rough and tell nothing of what a group shares
USUAL_GROUPS = 2  # that a usual shock counts as, beside those seen
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Groups:
    """To which groups each row belongs, a coarser one first: all rows of a group share its shock.

    Parameters
    ----------
    levels : tuple of array of int, shape (rows,)
        Numbers of the groups; a group of a finer level lies within one of each coarser level.
    """

    levels: tuple[Ids, ...]

    def of(self, rows: Ids | Marks) -> Groups:
        """The groups of some rows.

        Parameters
        ----------
        rows : array of int or bool
            Which.

        Returns
        -------
        Groups
            Of these rows, in their order.
        """
        return Groups(tuple(level[rows] for level in self.levels))


@dataclass(frozen=True, slots=True)
class Spread:
    """What a rise of a row that nothing was diverted in can be.

    Parameters
    ----------
    of_size : tuple of array of float, shape (STEPS,)
        For each size, the smallest first: equally likely logs, ascending.
    middle : array of float, shape (sizes,)
        Their medians.
    shared_log : tuple of float
        Standard deviation of the shock that rows of a group share, a level each.
    freedom : tuple of int
        Groups that each was read from, less one: what is read from few is wide.
    """

    of_size: tuple[Floats, ...]
    middle: Floats
    shared_log: tuple[float, ...]
    freedom: tuple[int, ...]


def read(rise_log: Floats, size: Ids, sizes: int, groups: Groups, usual_log: Sequence[float]) -> Spread:
    """The spread of rises that nothing was diverted in.

    Parameters
    ----------
    rise_log : array of float, shape (rows,)
        Logs.
    size : array of int, shape (rows,)
        0 nothing before, then the size.
    sizes : int
        How many there are.
    groups : Groups
        Which rows may share a shock; those of SHARES_FROM on tell of it.
    usual_log : sequence of float
        Of each level the shock to be expected before any group is seen; 0 leaves it to what is seen.

    Returns
    -------
    Spread
        A size with fewer than LEAST_OF_SIZE has those of the sizes next to it too, never those of nothing.
    """
    own = [np.sort(rise_log[size == stratum]) for stratum in range(sizes)]
    of_size = tuple(equally_likely(_pooled(own, stratum)) for stratum in range(sizes))
    is_large = size >= SHARES_FROM
    rest = _without_middles(rise_log[is_large], size[is_large])
    shared, freedom = _shared(rest, groups.of(is_large), usual_log)
    return Spread(of_size, np.array([np.median(logs) for logs in of_size]), shared, freedom)


def _pooled(own: Sequence[Floats], stratum: int) -> Floats:
    """A size's rises, and as far as they are few those of the sizes around it; what came from nothing stays apart."""
    rises, distance = own[stratum], 1
    while stratum > 0 and len(rises) < LEAST_OF_SIZE and distance < len(own):
        near = [own[at] for at in (stratum + distance, stratum - distance) if 0 < at < len(own)]
        rises, distance = np.concatenate([rises, *near]), distance + 1
    return np.sort(rises) if len(rises) else np.zeros(1)


def equally_likely(rises: Floats) -> Floats:
    """What the next rise can be, after those seen: it lies between two of them, or beyond all, with the same chance each.

    The rises seen alone would be too narrow: of 20 the outer ones are a twentieth away from the ends, so that 90 % of them
    would hold 81 % of what comes. Beyond the ends an exponential tail goes on, of the mean excess of the outermost.

    Parameters
    ----------
    rises : array of float
        Ascending; one at least.

    Returns
    -------
    array of float, shape (STEPS,)
        Ascending.

    Examples
    --------
    >>> steps = equally_likely(np.arange(9.0))
    >>> float((steps < 0).mean()), float((steps > 8).mean())
    (0.1, 0.1)
    """
    count = len(rises)
    place = (np.arange(STEPS) + 0.5) / STEPS * (count + 1) - 1
    steps = np.interp(place, np.arange(count), rises)
    outer = max(2, round(float(np.sqrt(count))))
    if count <= outer:
        return steps
    above, below = place > count - 1, place < 0
    steps[above] -= np.mean(rises[-outer:] - rises[-outer]) * np.log(count - place[above])
    steps[below] += np.mean(rises[outer - 1] - rises[:outer]) * np.log(1 + place[below])
    return steps


def _without_middles(rise_log: Floats, size: Ids) -> Floats:
    """Rises less the median of their size, wild ones clipped."""
    rest = np.zeros(len(rise_log))
    for stratum in np.unique(size):
        is_size = size == stratum
        apart = rise_log[is_size] - np.median(rise_log[is_size])
        most = CLIPPED_MADS * _MAD * np.median(np.abs(apart))
        rest[is_size] = np.clip(apart, -most, most) if most > 0 else apart
    return rest


def _shared(rest: Floats, groups: Groups, usual_log: Sequence[float]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Variance components by moments: the mean product of two rows of a group that share nothing finer."""
    shared, freedom, coarser = [], [], 0.0
    for number, level in enumerate(groups.levels):
        _, group = np.unique(level, return_inverse=True)
        sums, counts = _sums_of(group, rest), _sums_of(group, np.ones(len(rest)))
        finer_sums, finer_counts = _within(rest, group, groups.levels[number + 1 :])
        pairs = counts**2 - finer_counts
        has_pairs = pairs > 0
        products = np.divide(sums**2 - finer_sums, pairs, out=np.zeros(len(pairs)), where=has_pairs)
        is_last = number == len(groups.levels) - 1
        # the groups of the finest level are small: their pairs count alike, those of the others their groups
        total = np.average(products, weights=pairs) if is_last and has_pairs.any() else _mean(products[has_pairs])
        component, count = max(0.0, float(total) - coarser), int(has_pairs.sum())
        coarser += component
        usual = USUAL_GROUPS if usual_log[number] > 0 else 0
        shared.append(float(np.sqrt((count * component + usual * usual_log[number] ** 2) / max(count + usual, 1))))
        freedom.append(max(count - 1, LEAST_FREEDOM))
    return tuple(shared), tuple(freedom)


def _within(rest: Floats, group: Ids, finer: Sequence[Ids]) -> tuple[Floats, Floats]:
    """For each group the squared sums, and squared counts, of its finer groups; of its rows where there are none."""
    if not finer:
        return _sums_of(group, rest**2), _sums_of(group, np.ones(len(rest)))
    _, first, number = np.unique(finer[0], return_index=True, return_inverse=True)
    of_group, size = group[first], int(group.max(initial=-1)) + 1
    sums, counts = _sums_of(number, rest), _sums_of(number, np.ones(len(rest)))
    return _sums_of(of_group, sums**2, size), _sums_of(of_group, counts**2, size)


def _sums_of(group: Ids, values: Floats, groups: int = 0) -> Floats:
    return np.asarray(np.bincount(group, values, groups), dtype=np.float64)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def shock(spread: Spread, level: int, seed: Sequence[int], draws: int) -> Floats:
    """Draws of a shock that rows of a group share, from a t distribution: its spread was read from few groups.

    Parameters
    ----------
    spread : Spread
        Of rises that nothing was diverted in.
    level : int
        Of Groups.levels.
    seed : sequence of int
        Of the group: each has random numbers of its own.
    draws : int
        How many.

    Returns
    -------
    array of float, shape (draws,)
        Logs.
    """
    groups = spread.freedom[level] + 1
    deviation = spread.shared_log[level] * np.sqrt(1 + 1 / groups)
    rng = np.random.default_rng(list(seed))
    return np.asarray(deviation * rng.standard_t(spread.freedom[level], draws))


def rises(spread: Spread, size: Ids, seed: Sequence[int], draws: int) -> Draws:
    """Draws of each row's own rise, without what it shares with others.

    Parameters
    ----------
    spread : Spread
        Of rises that nothing was diverted in.
    size : array of int, shape (rows,)
        Of each row.
    seed : sequence of int
        Of these rows.
    draws : int
        How many.

    Returns
    -------
    array of float, shape (rows, draws)
        Logs.
    """
    at = np.random.default_rng(list(seed)).integers(STEPS, size=(len(size), draws), dtype=np.int32)
    steps = np.concatenate(spread.of_size).astype(np.float32)  # seven digits of a draw are enough, in half the time
    return np.take(steps, at + (size * STEPS).astype(np.int32)[:, None])


def interval(sums: Floats | Draws, settings: Settings) -> Ids:
    """Low, middle and high of what sums could have been.

    Parameters
    ----------
    sums : array of float, shape (sums, draws) or (draws,)
        USD.
    settings : Settings
        Scenario: supply.interval_share, the share of draws that lies inside.

    Returns
    -------
    array of int, shape (sums, 3) or (3,)
        Whole USD.
    """
    tail = (1 - settings.supply.interval_share) / 2
    quantiles = np.quantile(sums, [tail, 0.5, 1 - tail], axis=-1).T
    return np.asarray(np.rint(quantiles), dtype=np.int64)
