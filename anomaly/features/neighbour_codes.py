"""Goods of one heading on one route: how far the falls of others match the rise of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.features import cells
from anomaly.features.cells import UNKNOWN
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import Grid
from anomaly.features.marks import Amounts, Ids
from anomaly.features.unit_values import Floats
from anomaly.reference.goods import HEADING_DIGITS

_SPARSE = 8  # cells a route: above it numbering by sorting takes less memory than by a table of cells


@dataclass(frozen=True, slots=True)
class Pairs:
    """The routes of a grid that have siblings in their dataset, by pair of countries and heading.

    Parameters
    ----------
    at : array of int, shape (routes of the grid,)
        Each route's position in `route`; -1 where its dataset holds no other good of the heading.
    route : array of int
        Those routes.
    pair : array of int, shape of `route`
        Number of the exporter, importer and heading of each of them.
    count : int
        How many pairs there are.
    """

    at: Ids
    route: Ids
    pair: Ids
    count: int


@dataclass(frozen=True, slots=True)
class Matched:
    """For each route asked about: the share of its rise that falls of its siblings match, and the sibling that fell most.

    Parameters
    ----------
    share : array of float, shape (routes,)
        0 to 1; NaN where nobody can say.
    sibling : array of int, shape (routes,)
        Number of that good; UNKNOWN where none fell or the route did not rise.
    fell : array of int, shape (routes,)
        Whole USD by which it fell; UNKNOWN likewise.
    """

    share: Floats
    sibling: Ids
    fell: Amounts


def pairs(grid: Grid) -> Pairs:
    """Number the pairs of a grid of whole headings.

    Parameters
    ----------
    grid : Grid
        A chunk whose headings are complete.

    Returns
    -------
    Pairs
        Of the routes that have siblings.
    """
    heading = grid.names.goods.str.slice(0, HEADING_DIGITS).rank("dense").to_numpy().astype(np.int64) - 1
    is_held = np.zeros((len(heading), grid.names.kinds.height), dtype=np.bool_)
    is_held[grid.good, grid.kind] = True
    held = np.zeros((int(heading.max(initial=0)) + 1, is_held.shape[1]), dtype=np.int64)
    np.add.at(held, heading, is_held)
    route = np.flatnonzero((held[heading] > 1)[grid.good, grid.kind])
    countries = grid.names.countries.len()
    key = heading[grid.good[route]] * countries + grid.exporter[route]
    pair, count = _numbered(key * countries + grid.importer[route], len(held) * countries * countries)
    at = np.full(len(grid.good), UNKNOWN, dtype=np.int64)
    at[route] = np.arange(len(route))
    return Pairs(at, route, pair, count)


def _numbered(key: Ids, size: int) -> tuple[Ids, int]:
    """Each key as a number from 0 on, without gaps, and how many there are. Keys are below `size`."""
    if size > _SPARSE * len(key):
        distinct, number = np.unique(key, return_inverse=True)
        return number, len(distinct)
    is_there = cells.present(key, size)
    number = np.cumsum(is_there) - 1
    return number[key], int(number[-1]) + 1 if size else 0


def matched(grid: Grid, pairs: Pairs, compared: Compared, route: Ids, floor_usd: float) -> Matched:
    """How far falls of other goods of the heading on the same pair of countries match the rise of each route.

    All falls of the pair over the rise, at most 1: an upper bound of what moved to this code, since the same fall may
    stand beside several rises. A rise below the floor is none. Where a sibling cannot be compared and the others did
    not fall, nobody can say.

    Parameters
    ----------
    grid : Grid
        Of it the goods of its routes.
    pairs : Pairs
        Of the same grid.
    compared : Compared
        The window and the year before by route.
    route : array of int, shape (routes,)
        Routes wanted.
    floor_usd : float
        The scenario's floor.

    Returns
    -------
    Matched
        In the order of `route`.
    """
    share, sibling = np.full(len(route), np.nan), np.full(len(route), UNKNOWN, dtype=np.int64)
    fell = np.full(len(route), UNKNOWN, dtype=np.int64)
    paired = np.flatnonzero(pairs.at[route] >= 0)
    asked_pair = pairs.pair[pairs.at[route[paired]]]
    rise = compared.value[route[paired]] - compared.prior[route[paired]]
    beside = np.flatnonzero(cells.present(asked_pair, pairs.count)[pairs.pair])
    sibling_route, pair = pairs.route[beside], pairs.pair[beside]
    is_known = compared.is_comparable[sibling_route]
    fall = np.where(is_known, np.maximum(compared.prior[sibling_route] - compared.value[sibling_route], 0), 0)
    all_fell = cells.add_up(fall, pair, pairs.count)[asked_pair]
    deepest, of_good = _deepest(fall, pair, grid.good[sibling_route], pairs.count)
    is_unknown = cells.present(pair[~is_known], pairs.count)[asked_pair] & (all_fell == 0)
    has_risen = rise >= max(floor_usd, 1)
    ratio = np.divide(all_fell, rise, out=np.zeros(len(paired)), where=has_risen)
    share[paired] = np.where(has_risen & is_unknown, np.nan, np.minimum(ratio, 1.0))
    sibling[paired] = np.where(ratio > 0, of_good[asked_pair], UNKNOWN)
    fell[paired] = np.where(ratio > 0, deepest[asked_pair], UNKNOWN)
    return Matched(share, sibling, fell)


def _deepest(fall: Amounts, pair: Ids, good: Ids, count: int) -> tuple[Amounts, Ids]:
    """For each pair the largest fall and its good, the first by name of equals; 0 and UNKNOWN where none fell."""
    deepest, of_good = np.zeros(count, dtype=np.int64), np.full(count, UNKNOWN, dtype=np.int64)
    np.maximum.at(deepest, pair, fall)
    is_deepest = (fall > 0) & (fall == deepest[pair])
    of_good[pair[is_deepest][::-1]] = good[is_deepest][::-1]
    return deepest, of_good


def named(sibling: Ids, goods: pl.Series) -> pl.Series:
    """Names of siblings.

    Parameters
    ----------
    sibling : array of int, shape (routes,)
        Numbers of goods, as in Matched.
    goods : polars.Series
        The grid's goods, in the order of their numbers.

    Returns
    -------
    polars.Series
        One name a route; null where there is none.
    """
    return goods.gather(pl.select(pl.when(pl.lit(pl.Series(sibling)) >= 0).then(pl.Series(sibling))).to_series())
