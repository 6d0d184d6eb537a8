"""What only monthly data can say of a route: the shift of its level, and whether it follows what the coalition sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.periods import Window
from anomaly.contract.settings import Settings
from anomaly.features import cells, lead_lags, level_shifts
from anomaly.features.cells import UNKNOWN
from anomaly.features.grid import Grid
from anomaly.features.marks import Ids, Marks
from anomaly.features.unit_values import Floats

DIGITS = 9  # of a shift: the last ones hang on how many threads multiply the matrices
MOST_MONTHS = 60  # up to a window's end: one trend and one season hold for five years, not for fifteen


@dataclass(frozen=True, slots=True)
class MonthlySigns:
    """What its months say of each route of a grid, up to the end of a window.

    Parameters
    ----------
    level_shift : array of float, shape (routes,)
        In logs; 0 where there is none, NaN unknown.
    break_day : array of int, shape (routes,)
        First day of the first month at the new level, in days since 1970; UNKNOWN where there is none.
    correlation : array of float, shape (routes,)
        Of its changes with those of the coalition's exports to its exporter; NaN unknown.
    lag : array of int, shape (routes,)
        Months by which it follows them; UNKNOWN where unknown.
    """

    level_shift: Floats
    break_day: Ids
    correlation: Floats
    lag: Ids


def find(grid: Grid, ends: Sequence[date], is_coalition: Marks, settings: Settings) -> dict[date, MonthlySigns]:
    """Level shifts and correlations up to the end of each window; nothing later than an end is used for it.

    Parameters
    ----------
    grid : Grid
        Monthly data.
    ends : sequence of datetime.date
        Ends of windows, first day of the month.
    is_coalition : array of bool, shape (countries,)
        Members of the coalition.
    settings : Settings
        Scenario: floor, materiality, targets.

    Returns
    -------
    dict of datetime.date to MonthlySigns
        For the ends that the data reach; unknown for routes that cannot be material in a window that ends there.
    """
    at = {end: span[0] for end in ends if (span := grid.known.index(Window("M", 1, end)))}
    floor = settings.floor_usd / 12  # the floor of a year, for a month
    is_asked = {end: _may_be_material(grid, position, settings) for end, position in at.items()}
    asked_routes = np.flatnonzero(np.logical_or.reduce([np.zeros(len(grid.good), dtype=np.bool_), *is_asked.values()]))
    logs = np.where(
        grid.value[:, asked_routes] >= 0, np.log(np.maximum(grid.value[:, asked_routes], 0) + floor), np.nan
    )
    leads = _coalition_changes(grid, is_coalition, floor)[:, grid.out_of[asked_routes]]
    leads[:, is_coalition[grid.exporter[asked_routes]]] = np.nan
    correlation, lag = lead_lags.best(leads, _changes(logs), list(at.values()), MOST_MONTHS)
    days = pl.Series(grid.known.periods, dtype=pl.Date).to_physical().cast(pl.Int64).to_numpy()
    signs_by_end = {}
    for number, (end, position) in enumerate(at.items()):
        of_end = is_asked[end][asked_routes]
        first = max(position + 1 - MOST_MONTHS, 0)
        shifts = level_shifts.find(logs[first : position + 1, of_end].T, grid.known.periods[first].month)
        since = np.where(shifts.at >= 0, days[first + shifts.at], UNKNOWN)
        route = asked_routes[of_end]
        signs = MonthlySigns(*_nothing(len(grid.good)))
        signs.level_shift[route], signs.break_day[route] = np.round(shifts.size, DIGITS), since
        signs.correlation[route], signs.lag[route] = correlation[number, of_end], lag[number, of_end]
        signs_by_end[end] = signs
    return signs_by_end


def _nothing(count: int) -> tuple[Floats, Ids, Floats, Ids]:
    unknown, never = np.full(count, np.nan), np.full(count, UNKNOWN, dtype=np.int64)
    return unknown, never, unknown.copy(), never.copy()


def _may_be_material(grid: Grid, position: int, settings: Settings) -> Marks:
    """Routes with enough trade in the twelve months to a position, to targets in the twelve before that too."""
    year, before = (
        np.maximum(grid.value[max(position - back, 0) : max(position - back + 12, 0)], 0).sum(axis=0)
        for back in (11, 23)
    )
    is_target = grid.names.are(settings.targets.countries)[grid.importer]
    result: Marks = np.where(is_target, np.maximum(year, before), year) >= settings.materiality_usd
    return result


def _coalition_changes(grid: Grid, is_coalition: Marks, floor: float) -> Floats:
    """Changes of the log of the coalition's exports, months x cells of good and country.

    From one month to the next only members that reported both count, so that a late reporter is not a fall; NaN
    where there are none.
    """
    sent = np.flatnonzero(is_coalition[grid.exporter])
    value, cell, size = grid.value[:, sent], grid.into[sent], grid.names.cells
    changes = np.full((len(value), size), np.nan)
    for month in range(1, len(value)):
        reported = np.flatnonzero((value[month] >= 0) & (value[month - 1] >= 0))
        is_there = cells.present(cell[reported], size)
        month_usd, before_usd = (
            cells.add_up(value[at][reported], cell[reported], size)[is_there] + floor for at in (month, month - 1)
        )
        changes[month, is_there] = np.log(month_usd / before_usd)
    return changes


def _changes(logs: Floats) -> Floats:
    return np.diff(logs, axis=0, prepend=np.full((1, logs.shape[1]), np.nan))
