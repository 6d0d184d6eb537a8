"""Weights, and what a kilogram costs on a route and on the leg into a hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anomaly.features import cells
from anomaly.features.cells import UNKNOWN
from anomaly.features.grid import Grid
from anomaly.features.marks import Amounts, Ids

Floats = npt.NDArray[np.float64]

LEAST_WEIGHED_SHARE = 0.8  # of a value: what a smaller part cost is not its price


def of_routes(value: Amounts, grams: Amounts) -> tuple[Amounts, Floats]:
    """Weight and price of each route over the periods of a window.

    Parameters
    ----------
    value : array of int, shape (periods, routes)
        Whole USD.
    grams : array of int, shape (periods, routes)
        Net weight; UNKNOWN where there is none.

    Returns
    -------
    tuple of array
        Grams of each route, UNKNOWN where a period with trade has no weight; and USD per kg of the periods that have
        one, NaN where they carry less than LEAST_WEIGHED_SHARE of the value.
    """
    is_weighed = (grams > 0) & (value > 0)
    usd, weighed = (np.where(is_weighed, amounts, 0).sum(axis=0) for amounts in (value, grams))
    is_whole = (is_weighed | (value == 0)).all(axis=0)
    return np.where(is_whole, weighed, UNKNOWN), _per_kg(usd, weighed, np.maximum(value, 0).sum(axis=0))


def of_cells(grid: Grid, at: Sequence[int] | None, route: Ids, cell: Ids, usd_of_cell: Amounts) -> Floats:
    """Price of the routes of each cell of good and country together, in the same way.

    Parameters
    ----------
    grid : Grid
        Of it value, weight and the number of cells.
    at : sequence of int or None
        Periods of the window.
    route : array of int, shape (routes,)
        Routes that count.
    cell : array of int, shape (routes,)
        The cell that each of them is in.
    usd_of_cell : array of int, shape (cells,)
        What all routes of a cell carry in the window.

    Returns
    -------
    array of float, shape (cells,)
        USD per kg; NaN where those with a weight carry less than LEAST_WEIGHED_SHARE of it.
    """
    value, grams = cells.pick(grid.value, at or [], route), cells.pick(grid.weight, at or [], route)
    period, position = np.nonzero((grams > 0) & (value > 0))
    usd, weighed = (
        cells.add_up(amounts[period, position], cell[position], grid.names.cells) for amounts in (value, grams)
    )
    return _per_kg(usd, weighed, usd_of_cell)


def _per_kg(usd: Amounts, grams: Amounts, usd_all: Amounts) -> Floats:
    is_enough = (grams > 0) & (usd >= LEAST_WEIGHED_SHARE * usd_all)
    price: Floats = np.divide(1000.0 * usd, grams, out=np.full(len(usd), np.nan), where=is_enough)
    return price
