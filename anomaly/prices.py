"""Weights, and what a kilogram costs on a route and on the leg into a hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anomaly import grid as cells
from anomaly.grid import UNKNOWN, Amounts, Grid, Ids

Floats = npt.NDArray[np.float64]

LEAST_WEIGHED_SHARE = 0.8  # of a value: what a smaller part cost is not its price


def weight(grid: Grid, at: Sequence[int] | None, route: Ids) -> Amounts:
    """Grams of some routes over the periods at `at`; UNKNOWN where a period with trade has no weight."""
    if at is None:
        return np.full(len(route), UNKNOWN, dtype=np.int64)
    value, grams = cells.pick(grid.value, at, route), cells.pick(grid.weight, at, route)
    has_weight = ((grams > 0) | (value == 0)).all(axis=0)
    return np.where(has_weight, np.maximum(grams, 0).sum(axis=0), UNKNOWN)


def of_routes(grid: Grid, at: Sequence[int] | None, route: Ids) -> Floats:
    """USD per kg of some routes over the periods at `at` that have a weight; NaN where unknown."""
    return _per_kg(*_weighed(grid, at, route))


def of_cells(grid: Grid, at: Sequence[int] | None, route: Ids, cell: Ids) -> Floats:
    """USD per kg of the routes of each cell together, in the same way."""
    usd, grams, usd_all = (cells.add_up(one, cell, grid.names.cells) for one in _weighed(grid, at, route))
    return _per_kg(usd, grams, usd_all)


def _weighed(grid: Grid, at: Sequence[int] | None, route: Ids) -> tuple[Amounts, Amounts, Amounts]:
    """USD of the periods with a weight, their grams, and USD of all periods."""
    value, grams = cells.pick(grid.value, at or [], route), cells.pick(grid.weight, at or [], route)
    is_weighed = (grams > 0) & (value > 0)
    usd, weighed = (np.where(is_weighed, one, 0).sum(axis=0) for one in (value, grams))
    return usd, weighed, np.maximum(value, 0).sum(axis=0)


def _per_kg(usd: Amounts, grams: Amounts, usd_all: Amounts) -> Floats:
    is_told = (grams > 0) & (usd >= LEAST_WEIGHED_SHARE * usd_all)
    price: Floats = np.divide(1000.0 * usd, grams, out=np.full(len(usd), np.nan), where=is_told)
    return price
