"""Goods of one heading on one route: how far the falls of others match the rise of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.features import grid as cells
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import UNKNOWN, Amounts, Grid, Ids
from anomaly.features.unit_values import Floats
from anomaly.reference.goods import HEADING_DIGITS

_SPARSE = 8  # cells a route: above it numbering by sorting takes less memory than by a table of cells


@dataclass(frozen=True, slots=True)
class Pairs:
    """The routes of a grid that have siblings in their dataset, by pair of countries and heading.

    at      each route's position in `route`, -1 where its dataset holds no other good of the heading
    route   those routes
    pair    number of the exporter, importer and heading of each of them
    count   how many pairs there are
    """

    at: Ids
    route: Ids
    pair: Ids
    count: int


@dataclass(frozen=True, slots=True)
class Matched:
    """For each route asked about: the share of its rise that falls of its siblings match, and the sibling that fell most.

    share     0 to 1; NaN where nobody can say
    sibling   number of that good, UNKNOWN where none fell or the route did not rise
    fell      whole USD by which it fell
    """

    share: Floats
    sibling: Ids
    fell: Amounts


def pairs(grid: Grid) -> Pairs:
    """Number the pairs of a grid of whole headings."""
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


def matched(grid: Grid, of: Pairs, compared: Compared, route: Ids, floor_usd: float) -> Matched:
    """How far falls of other goods of the heading on the same pair match the rise of each of these routes.

    All falls of the pair over the rise, at most 1: an upper bound of what moved to this code, since the same fall may
    stand beside several rises. A rise below the floor is none. Where a sibling cannot be compared and the others did
    not fall, nobody can say.
    """
    share, sibling = np.full(len(route), np.nan), np.full(len(route), UNKNOWN, dtype=np.int64)
    fell = np.full(len(route), UNKNOWN, dtype=np.int64)
    asked = np.flatnonzero(of.at[route] >= 0)
    mine = of.pair[of.at[route[asked]]]
    rise = compared.value[route[asked]] - compared.prior[route[asked]]
    some = np.flatnonzero(cells.present(mine, of.count)[of.pair])
    who, pair = of.route[some], of.pair[some]
    is_known = compared.is_comparable[who]
    fall = np.where(is_known, np.maximum(compared.prior[who] - compared.value[who], 0), 0)
    all_fell = cells.add_up(fall, pair, of.count)[mine]
    deepest, of_good = _deepest(fall, pair, grid.good[who], of.count)
    is_unknown = cells.present(pair[~is_known], of.count)[mine] & (all_fell == 0)
    has_risen = rise >= max(floor_usd, 1)
    told = np.divide(all_fell, rise, out=np.zeros(len(asked)), where=has_risen)
    share[asked] = np.where(has_risen & is_unknown, np.nan, np.minimum(told, 1.0))
    sibling[asked] = np.where(told > 0, of_good[mine], UNKNOWN)
    fell[asked] = np.where(told > 0, deepest[mine], UNKNOWN)
    return Matched(share, sibling, fell)


def _deepest(fall: Amounts, pair: Ids, good: Ids, count: int) -> tuple[Amounts, Ids]:
    """For each pair the largest fall and its good, the first by name of equals; 0 and UNKNOWN where none fell."""
    deepest, of_good = np.zeros(count, dtype=np.int64), np.full(count, UNKNOWN, dtype=np.int64)
    np.maximum.at(deepest, pair, fall)
    is_it = (fall > 0) & (fall == deepest[pair])
    of_good[pair[is_it][::-1]] = good[is_it][::-1]
    return deepest, of_good


def named(sibling: Ids, goods: pl.Series) -> pl.Series:
    """Names of siblings by their number; null where there is none."""
    return goods.gather(pl.select(pl.when(pl.lit(pl.Series(sibling)) >= 0).then(pl.Series(sibling))).to_series())
