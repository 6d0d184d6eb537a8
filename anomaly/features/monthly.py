"""What only monthly data can say of a route: the shift of its level, and whether it follows what the coalition sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features import grid as cells
from anomaly.features import lead_lags, level_shifts
from anomaly.features.grid import UNKNOWN, Grid
from anomaly.features.marks import Ids, Marks
from anomaly.features.unit_values import Floats

DIGITS = 9  # of a shift: the last ones hang on how many threads multiply the matrices
MOST_MONTHS = 60  # up to a window's end: one trend and one season hold for five years, not for fifteen


@dataclass(frozen=True, slots=True)
class Found:
    """For each route of a grid, over the months up to one end.

    level_shift   in logs; 0 where there is none, NaN unknown
    break_day     first day of the first month at the new level, in days since 1970; UNKNOWN where there is none
    correlation   of its changes with those of the coalition's exports to its exporter; NaN unknown
    lag           months by which it follows them; UNKNOWN where unknown
    """

    level_shift: Floats
    break_day: Ids
    correlation: Floats
    lag: Ids


def find(grid: Grid, ends: Sequence[date], is_coalition: Marks, settings: Settings) -> dict[date, Found]:
    """Every end's figures, for routes that may be material in a window that ends there; unknown for the others.

    Nothing later than an end is used for it.
    """
    at = {end: span[0] for end in ends if (span := grid.known.index(end, 1))}
    floor = settings.floor_usd / 12  # the floor of a year, for a month
    is_asked = {end: _may_be_material(grid, position, settings) for end, position in at.items()}
    some = np.flatnonzero(np.logical_or.reduce([np.zeros(len(grid.good), dtype=np.bool_), *is_asked.values()]))
    logs = np.where(grid.value[:, some] >= 0, np.log(np.maximum(grid.value[:, some], 0) + floor), np.nan)
    leads = _coalition_changes(grid, is_coalition, floor)[:, grid.out_of[some]]
    leads[:, is_coalition[grid.exporter[some]]] = np.nan
    correlation, lag = lead_lags.best(leads, _changes(logs), list(at.values()), MOST_MONTHS)
    days = pl.Series(grid.known.periods, dtype=pl.Date).to_physical().cast(pl.Int64).to_numpy()
    found = {}
    for number, (end, position) in enumerate(at.items()):
        mine = is_asked[end][some]
        first = max(position + 1 - MOST_MONTHS, 0)
        shifts = level_shifts.find(logs[first : position + 1, mine].T, grid.known.periods[first].month)
        since = np.where(shifts.at >= 0, days[first + shifts.at], UNKNOWN)
        route = some[mine]
        everywhere = Found(*_nothing(len(grid.good)))
        everywhere.level_shift[route], everywhere.break_day[route] = np.round(shifts.size, DIGITS), since
        everywhere.correlation[route], everywhere.lag[route] = correlation[number, mine], lag[number, mine]
        found[end] = everywhere
    return found


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
        both = np.flatnonzero((value[month] >= 0) & (value[month - 1] >= 0))
        is_there = cells.present(cell[both], size)
        now, then = (cells.add_up(value[at][both], cell[both], size)[is_there] + floor for at in (month, month - 1))
        changes[month, is_there] = np.log(now / then)
    return changes


def _changes(logs: Floats) -> Floats:
    return np.diff(logs, axis=0, prepend=np.full((1, logs.shape[1]), np.nan))
