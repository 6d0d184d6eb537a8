"""The date test: more goods step up since the measure than a date picked by chance would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.contract.settings import Settings
from anomaly.features import level_shifts
from anomaly.features.level_shifts import LEAST_MONTHS, LEAST_SIDE, Floats
from anomaly.features.marks import Ids, Marks
from anomaly.supply.rise import least_usd
from anomaly.supply.series import Legs

DIGITS = 9  # of a step: the last ones hang on how many threads multiply the matrices


@dataclass(frozen=True, slots=True)
class Steps:
    """The one significant shift of each leg's level up to a month.

    size      log, 0 where there is none, NaN where there is no series to read it from
    at        position of the first month at the new level, -1 where there is none
    is_counted   hubs' legs with a series that carried a material window in it
    first     position of the first month read
    """

    size: Floats
    at: Ids
    is_counted: Marks
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Dated:
    """Steps up since the measure and before it, and how many dates there were for them.

    q_value   of each leg, NaN where it has no step up since the measure
    pseudo_dates, pseudo_calls   dates before the measure taken for one, and the most legs that any of them calls
    """

    q_value: Floats
    since: int
    before: int
    dates_since: int
    dates_before: int
    pseudo_dates: int
    pseudo_calls: int


def steps(legs: Legs, end: int, settings: Settings) -> Steps | None:
    """The shift of the level of every leg, from the months up to `end`; None where these are too few.

    Legs whose good does not survive an edition within these months have none.
    """
    first = max(0, end + 1 - settings.supply.most_months)
    if end + 1 - first < LEAST_MONTHS:
        return None
    value = legs.value[:, first : end + 1]
    width = settings.supply.window_months
    run = np.cumsum(np.pad(np.maximum(value, 0), ((0, 0), (1, 0))), axis=1)
    is_large = (run[:, width:] - run[:, :-width]).max(axis=1) >= least_usd(settings, width)
    is_broken = np.asarray(legs.broken_at[:, first + 1 : end + 1].any(axis=1))
    is_whole = (value >= 0).all(axis=1) & ~is_broken[legs.good]
    is_counted = np.asarray(legs.is_hub[legs.importer] & is_whole & is_large)
    size, at = np.full(len(value), np.nan), np.full(len(value), -1, dtype=np.int64)
    logs = np.log(value[is_counted] + settings.supply.floor_usd / 12)
    shifts = level_shifts.find(logs, legs.months[first].month)
    size[is_counted] = np.round(shifts.size, DIGITS)
    at[is_counted] = np.where(shifts.at >= 0, shifts.at + first, -1)
    return Steps(size, at, is_counted, first, end)


def against_dates(
    steps: Steps, since: int, is_tested: Marks, settings: Settings, controls: Marks | None = None
) -> Dated | None:
    """q of the steps up since a measure among the tested legs.

    Parameters
    ----------
    since
        Position of the first whole month under the measure.
    is_tested
        Legs that are counted: those whose direct trade fell. Steps of others would make the date look like any other.
    controls
        Legs of goods whose direct trade stood, where the data hold all goods; None in an extract, where those are as
        likely diverted themselves.

    Returns
    -------
    Dated or None
        None where there are no dates since the measure, or too few before it.

    Notes
    -----
    With N1(x) legs that step up by x or more since the measure and N0(x) before, T1 and T0 dates for them, the share
    of N1 that chance would bring is (1 + N0) / T0 x T1 / N1; q(x) is the least of it over smaller steps. It says how
    many, not which: all legs of a share have it. A shock of the date that is no diversion looks the same, so with
    controls q is at least the part of N1 that would step up were the tested legs controls.
    """
    dates = np.arange(steps.first + LEAST_SIDE, steps.end + 1 - LEAST_SIDE + 1)
    early, late = dates[dates < since], dates[dates >= since]
    if not len(late) or len(early) < settings.supply.least_dates_before:
        return None
    is_up = is_tested & steps.is_counted & (steps.size > 0) & (steps.at >= 0)
    q_value = _q(steps, is_up, late, early)
    if controls is not None:
        q_value = np.maximum(q_value, _by_controls(steps, is_up, is_tested, late, controls, settings))
    pseudo = [early[at : at + len(late)] for at in range(max(0, len(early) - len(late) + 1))]
    pseudo = [some for some in pseudo if len(early) - len(some) >= settings.supply.least_dates_before]
    level = settings.supply.q_limit / 2
    calls = [int((_q(steps, is_up, some, np.setdiff1d(early, some)) <= level).sum()) for some in pseudo]
    return Dated(
        q_value,
        int(np.isin(steps.at[is_up], late).sum()),
        int(np.isin(steps.at[is_up], early).sum()),
        len(late),
        len(early),
        len(calls),
        max(calls, default=0),
    )


def _by_controls(
    steps: Steps, is_up: Marks, is_tested: Marks, late: Ids, controls: Marks, settings: Settings
) -> Floats:
    """Of the tested legs that step up at the late dates by so much or more, the part that controls would; 0 for few."""
    counted = controls & steps.is_counted
    share = np.zeros(len(steps.size))
    if counted.sum() < settings.supply.boom_least_controls:
        return share
    is_late = np.isin(steps.at, late)
    of_controls = np.sort(steps.size[counted & is_late & (steps.size > 0)])
    row = np.flatnonzero(is_up & is_late)
    size = np.sort(steps.size[row])
    larger = len(of_controls) - np.searchsorted(of_controls, steps.size[row], side="left")
    called = len(size) - np.searchsorted(size, steps.size[row], side="left")
    expected = larger / counted.sum() * (is_tested & steps.is_counted).sum()
    share[row] = np.minimum(expected / called, 1.0)
    return share


def _q(steps: Steps, is_up: Marks, late: Ids, early: Ids) -> Floats:
    """q of the steps at the dates `late`, by those at the dates `early`."""
    q_value = np.full(len(steps.size), np.nan)
    row = np.flatnonzero(is_up & np.isin(steps.at, late))
    before = np.sort(steps.size[is_up & np.isin(steps.at, early)])
    row = row[np.argsort(steps.size[row], kind="stable")]
    size = steps.size[row]
    first = np.searchsorted(size, size, side="left")  # legs with the same step share its figure
    chance = (1 + len(before) - np.searchsorted(before, size, side="left")) / max(len(early), 1) * len(late)
    q_value[row] = np.minimum(np.minimum.accumulate(chance / (len(row) - first)), 1.0)
    return q_value
