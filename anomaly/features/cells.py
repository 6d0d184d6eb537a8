"""Sums over the cells of a grid: over the periods of windows, and over routes into tables goods x countries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anomaly.features.marks import Amounts, Ids, Marks

UNKNOWN = -1  # a cell of which nobody can say


def pick(cells: Amounts, at: Sequence[int], route: Ids) -> Amounts:
    """Some periods of some routes.

    Parameters
    ----------
    cells : array of int, shape (periods, routes)
        Of a grid.
    at : sequence of int
        Positions of periods.
    route : array of int
        Positions of routes.

    Returns
    -------
    array of int, shape (len(at), len(route))
        The cells.
    """
    if len(at) == 1:
        cell_row: Amounts = cells[at[0]][route]
        return cell_row[None]
    result: Amounts = cells[np.array(at, dtype=np.int64)[:, None], route]
    return result


def total(cells: Amounts, at: list[int] | None) -> Amounts:
    """Sum over a window.

    Parameters
    ----------
    cells : array of int, shape (periods, routes)
        Of a grid.
    at : list of int, or None
        Positions of the window's periods; None where they are outside the data.

    Returns
    -------
    array of int, shape (routes,)
        UNKNOWN where one of the periods is.
    """
    if at is None:
        return np.full(cells.shape[1], UNKNOWN, dtype=np.int64)
    if len(at) == 1:
        cell_row: Amounts = cells[at[0]]
        return cell_row
    window_cells = cells[at]
    return np.where((window_cells >= 0).all(axis=0), window_cells.sum(axis=0), UNKNOWN)


def mean(cells: Amounts, at: Sequence[list[int]]) -> Amounts:
    """Mean over several windows.

    Parameters
    ----------
    cells : array of int, shape (periods, routes)
        Of a grid.
    at : sequence of list of int
        Positions of each window's periods.

    Returns
    -------
    array of int, shape (routes,)
        Rounded to whole units; UNKNOWN where one of the windows is.
    """
    if not at:
        return np.full(cells.shape[1], UNKNOWN, dtype=np.int64)
    parts = np.stack([total(cells, window) for window in at])
    count = len(at)
    return np.where((parts >= 0).all(axis=0), (parts.sum(axis=0) + count // 2) // count, UNKNOWN)


def highest(cells: Amounts, at: Sequence[list[int]]) -> Amounts:
    """Highest of several windows.

    Parameters
    ----------
    cells : array of int, shape (periods, routes)
        Of a grid.
    at : sequence of list of int
        Positions of each window's periods.

    Returns
    -------
    array of int, shape (routes,)
        UNKNOWN where one of the windows is.
    """
    if not at:
        return np.full(cells.shape[1], UNKNOWN, dtype=np.int64)
    parts = np.stack([total(cells, window) for window in at])
    return np.where((parts >= 0).all(axis=0), parts.max(axis=0), UNKNOWN)


def add_up(values: Amounts, cell: Ids, cells: int) -> Amounts:
    """Sums of values by cell.

    Parameters
    ----------
    values, cell : array of int, shape (values,)
        Amounts, and the cell that each goes to.
    cells : int
        How many cells there are.

    Returns
    -------
    array of int, shape (cells,)
        0 in a cell that has none.
    """
    sums = np.zeros(cells, dtype=np.int64)
    np.add.at(sums, cell, values)
    return sums


def present(cell: Ids, cells: int) -> Marks:
    """Which cells have any value.

    Parameters
    ----------
    cell : array of int, shape (values,)
        The cell of each value.
    cells : int
        How many cells there are.

    Returns
    -------
    array of bool, shape (cells,)
        True where there is one.
    """
    marks = np.zeros(cells, dtype=np.bool_)
    marks[cell] = True
    return marks
