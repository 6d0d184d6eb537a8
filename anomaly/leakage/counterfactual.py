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
    """Every good to every hub, hubs x goods: also what was never traded, since a new leg starts from nothing.

    value, prior   whole USD, in the window and in the same months before the measure
    """

    hubs: Ids
    goods: Ids
    value: Amounts
    prior: Amounts


def cells(legs: Legs, now: slice, then: slice, is_counted: Marks) -> Cells:
    """The hubs' cells of the counted goods in two runs of months; a leg that is not in the data carried nothing.

    is_counted   of each good; those that are not known in one of the two must not be among them
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
    """Log growth of cells in a year before the measure, by their size before it, one sorted array a size."""

    of_size: tuple[Floats, ...]


def sizes(prior: Amounts, months: int, settings: Settings) -> Ids:
    """Stratum of each amount: nothing, then by `supply.sizes_usd` of a year."""
    edges = np.array([1, *[edge * months / 12 for edge in settings.supply.sizes_usd]])
    return np.asarray(np.searchsorted(edges, prior, side="right"), dtype=np.int64)


def growths(of: Cells, hubs: Marks, months: int, settings: Settings) -> Growths:
    """Growth of all cells of some hubs; of the size before, never of the window's own."""
    floor = settings.supply.floor_usd * months / 12
    value, prior = of.value[hubs].ravel(), of.prior[hubs].ravel()
    growth = np.log((value + floor) / (prior + floor))
    size = sizes(prior, months, settings)
    parts: list[Floats] = []
    for one in range(len(settings.supply.sizes_usd) + 2):
        own = growth[size == one]
        parts.append(own if len(own) >= LEAST_GROWTHS or not parts else np.concatenate([parts[-1], own]))
    return Growths(tuple(np.sort(part) for part in parts))


def draws(prior: Amounts, known: Growths, months: int, settings: Settings, number: int) -> Floats:
    """What a hub's cells could have carried, cells x draws, USD.

    Parameters
    ----------
    prior
        What each carried in the same months before the measure.
    number
        Of the hub: each has random numbers of its own, whoever else is in the data.

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
    for one, of_size in enumerate(known.of_size):
        row = np.flatnonzero(size == one)
        drawn = of_size[rng.integers(len(of_size), size=(len(row), rules.draws))] if len(of_size) else 0.0
        result[row] = np.maximum((prior[row, None] + floor) * np.exp(drawn + shock) - floor, 0.0)
    return result


def interval(sums: Floats, settings: Settings) -> Amounts:
    """Low, middle and high of sums x draws, whole USD, sums x 3."""
    tail = (1 - settings.supply.interval_share) / 2
    quantiles = np.quantile(sums, [tail, 0.5, 1 - tail], axis=-1).T
    return np.asarray(np.rint(quantiles), dtype=np.int64)
