"""What a kilogram costs: weights of routes where all of a window's weight is known, and the price of the leg into a hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anomaly import grid as cells
from anomaly.grid import UNKNOWN, Amounts, Grid, Ids

Floats = npt.NDArray[np.float64]

LEAST_WEIGHED_SHARE = 0.5  # of a leg's value: the price of a smaller part is not the leg's


def weight(grid: Grid, at: Sequence[int] | None, route: Ids) -> Amounts:
    """Grams of some routes over the periods at `at`; UNKNOWN where a period with trade has no weight."""
    if at is None:
        return np.full(len(route), UNKNOWN, dtype=np.int64)
    value, grams = cells.pick(grid.value, at, route), cells.pick(grid.weight, at, route)
    has_weight = ((grams > 0) | (value == 0)).all(axis=0)
    return np.where(has_weight, np.maximum(grams, 0).sum(axis=0), UNKNOWN)


def of_cells(grid: Grid, at: Sequence[int] | None, route: Ids, cell: Ids) -> Floats:
    """USD per kg of the routes of each cell together over the periods at `at`, those with a weight; NaN where unknown."""
    size = grid.names.cells
    grams, usd = weight(grid, at, route), cells.pick(grid.value, at or [], route).sum(axis=0)
    weighed = grams > 0
    kilograms = cells.add_up(grams[weighed], cell[weighed], size) / 1000
    usd_weighed, usd_all = cells.add_up(usd[weighed], cell[weighed], size), cells.add_up(usd, cell, size)
    is_told = (kilograms > 0) & (usd_weighed > 0) & (usd_weighed >= LEAST_WEIGHED_SHARE * usd_all)
    price: Floats = np.divide(usd_weighed, kilograms, out=np.full(size, np.nan), where=is_told)
    return price
