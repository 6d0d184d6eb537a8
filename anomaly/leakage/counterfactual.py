"""What the years before a measure explain of the coalition's sales to hubs: draws of what could have come instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.supply.series import Legs

LEAST_GROWTHS = 20  # of a size, for a spread of its own; those of the next smaller size are added below it


@dataclass(frozen=True, slots=True)
class Cells:
    """Every good to every hub: also what was never traded, since a new leg starts from nothing.

    Parameters
    ----------
    hubs, goods : array of int
        Numbers in `Legs.importers` and `Legs.goods`, ascending.
    value, prior : array of int, shape (hubs, goods)
        Whole USD, in the window and in the same months before the measure.
    """

    hubs: Ids
    goods: Ids
    value: Amounts
    prior: Amounts


def cells(legs: Legs, now: slice, then: slice, is_counted: Marks) -> Cells:
    """The hubs' cells of the counted goods in two runs of months; a leg that is not in the data carried nothing.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    now, then : slice
        Columns of `legs.value`: the window, and the months it is compared with.
    is_counted : array of bool, shape (goods,)
        Goods that are not known in one of the two must not be among them.

    Returns
    -------
    Cells
        Hubs by counted goods.
    """
    hubs, goods = np.flatnonzero(legs.is_hub), np.flatnonzero(is_counted)
    at_hub, at_good = np.full(len(legs.is_hub), -1), np.full(len(is_counted), -1)
    at_hub[hubs], at_good[goods] = np.arange(len(hubs)), np.arange(len(goods))
    row = np.flatnonzero((at_hub[legs.importer] >= 0) & (at_good[legs.good] >= 0))
    sums = []
    for months in (now, then):
        of_months = np.zeros((len(hubs), len(goods)), dtype=np.int64)
        of_months[at_hub[legs.importer[row]], at_good[legs.good[row]]] = np.maximum(legs.value[row, months], 0).sum(
            axis=1
        )
        sums.append(of_months)
    return Cells(hubs, goods, sums[0], sums[1])


@dataclass(frozen=True, slots=True)
class Growths:
    """Log growth of cells in a year before the measure, by their size before it, one sorted array a size.

    Parameters
    ----------
    of_size : tuple of array of float
        Logs, sorted; an array for each stratum of `sizes`, the smallest first.
    """

    of_size: tuple[Floats, ...]


def sizes(prior: Amounts, months: int, settings: Settings) -> Ids:
    """Stratum of each amount: nothing, then by `supply.sizes_usd` of a year.

    Parameters
    ----------
    prior : array of int
        Whole USD carried before.
    months : int
        Length of the window: edges of a year are cut to it.
    settings : Settings
        Scenario: supply.sizes_usd.

    Returns
    -------
    array of int
        0 for nothing, then 1 for the smallest size; of the shape given.
    """
    edges = np.array([1, *[edge * months / 12 for edge in settings.supply.sizes_usd]])
    return np.asarray(np.searchsorted(edges, prior, side="right"), dtype=np.int64)


def growths(past: Cells, hubs: Marks, months: int, settings: Settings) -> Growths:
    """Growth of all cells of some hubs; of the size before, never of the window's own.

    Parameters
    ----------
    past : Cells
        Cells of a year before the measure.
    hubs : array of bool, shape (hubs,)
        Hubs whose growths are taken.
    months : int
        Length of the window.
    settings : Settings
        Scenario: supply.sizes_usd and floor_usd.

    Returns
    -------
    Growths
        A size with fewer than LEAST_GROWTHS has those of the next smaller size too.
    """
    floor = settings.supply.floor_usd * months / 12
    value, prior = past.value[hubs].ravel(), past.prior[hubs].ravel()
    growth = np.log((value + floor) / (prior + floor))
    size = sizes(prior, months, settings)
    parts: list[Floats] = []
    for stratum in range(len(settings.supply.sizes_usd) + 2):
        own = growth[size == stratum]
        parts.append(own if len(own) >= LEAST_GROWTHS or not parts else np.concatenate([parts[-1], own]))
    return Growths(tuple(np.sort(part) for part in parts))


def draws(prior: Amounts, past: Growths, months: int, settings: Settings, number: int) -> Floats:
    """What a hub's cells could have carried.

    Parameters
    ----------
    prior : array of int, shape (cells,)
        Whole USD each carried in the same months before the measure.
    past : Growths
        By size, of a year in which nothing can have been diverted.
    months : int
        Length of the window.
    settings : Settings
        Scenario: supply.seed, draws, common_shock_log, floor_usd and sizes_usd.
    number : int
        Of the hub: each has random numbers of its own, whoever else is in the data.

    Returns
    -------
    array of float, shape (cells, draws)
        USD, 0 or more.

    Notes
    -----
    (prior + f) times e to the growth of a cell of the same size in a year before, times e to a shock that all cells of
    the hub share, less f. A size without any growth known stands still.
    """
    rules = settings.supply
    rng = np.random.default_rng([rules.seed, number])
    floor = rules.floor_usd * months / 12
    size, result = sizes(prior, months, settings), np.empty((len(prior), rules.draws))
    shock = rules.common_shock_log * rng.standard_normal(rules.draws)
    for stratum, of_size in enumerate(past.of_size):
        row = np.flatnonzero(size == stratum)
        drawn = of_size[rng.integers(len(of_size), size=(len(row), rules.draws))] if len(of_size) else 0.0
        result[row] = np.maximum((prior[row, None] + floor) * np.exp(drawn + shock) - floor, 0.0)
    return result


def interval(sums: Floats, settings: Settings) -> Amounts:
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
