"""Weights, and what a kilogram costs on a route and on the leg into a hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anomaly.features import grid as cells
from anomaly.features.grid import UNKNOWN, Grid
from anomaly.features.marks import Amounts, Ids

Floats = npt.NDArray[np.float64]

LEAST_WEIGHED_SHARE = 0.8  # of a value: what a smaller part cost is not its price


def of_routes(value: Amounts, grams: Amounts) -> tuple[Amounts, Floats]:
    """Grams of each route, UNKNOWN where a period with trade has no weight, and USD per kg of the periods that have one.

    value, grams   periods x routes of a grid; NaN is a price that nobody can say
    """
    is_weighed = (grams > 0) & (value > 0)
    usd, weighed = (np.where(is_weighed, one, 0).sum(axis=0) for one in (value, grams))
    is_whole = (is_weighed | (value == 0)).all(axis=0)
    return np.where(is_whole, weighed, UNKNOWN), _per_kg(usd, weighed, np.maximum(value, 0).sum(axis=0))


def of_cells(grid: Grid, at: Sequence[int] | None, route: Ids, cell: Ids, usd_of_cell: Amounts) -> Floats:
    """USD per kg of the routes of each cell together over the periods at `at`, in the same way.

    usd_of_cell   what all routes of the cell carry there
    """
    value, grams = cells.pick(grid.value, at or [], route), cells.pick(grid.weight, at or [], route)
    period, one = np.nonzero((grams > 0) & (value > 0))
    usd, weighed = (cells.add_up(of[period, one], cell[one], grid.names.cells) for of in (value, grams))
    return _per_kg(usd, weighed, usd_of_cell)


def _per_kg(usd: Amounts, grams: Amounts, usd_all: Amounts) -> Floats:
    is_told = (grams > 0) & (usd >= LEAST_WEIGHED_SHARE * usd_all)
    price: Floats = np.divide(1000.0 * usd, grams, out=np.full(len(usd), np.nan), where=is_told)
    return price
