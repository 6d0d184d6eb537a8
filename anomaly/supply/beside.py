"""What stands beside a window's calls: what controls, other dates and the year before would have given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Ids, Marks
from anomaly.supply.by_date import Dated, Steps
from anomaly.supply.by_window import Rises, Tested, against_placebos, q_values
from anomaly.supply.rise import Rise, spell
from anomaly.supply.series import Legs


@dataclass(frozen=True, slots=True)
class Calls:
    """Which legs a window calls, and which controls it would have called; marks in the order of the legs."""

    window_q: Floats
    date_q: Floats
    by_window: Marks
    by_date: Marks
    controls: Marks
    controls_called: Marks


def calls(
    tested: Tested,
    steps: Steps | None,
    dated: Dated | None,
    since: int,
    risen: Marks,
    gated: Marks,
    controls: Marks,
    settings: Settings,
) -> Calls:
    """Legs within half the limit by either test, and controls that did as much as the least of those called.

    A leg is called by the other test too where that is within the whole limit: it then confirms and does not choose.

    Parameters
    ----------
    risen
        Legs that carry more than in the best window before: others are never called.
    gated, controls
        Hubs' material legs of goods whose direct trade fell, and of goods whose direct trade stood.
    """
    level = settings.supply.q_limit / 2
    nothing = np.full(len(gated), np.nan)
    window_q = q_values(np.where(gated, tested.p_value, np.nan))
    date_q = nothing if dated is None else np.where(gated, dated.q_value, np.nan)
    is_rare, is_dated = risen & (window_q <= level), risen & (date_q <= level)
    by_window = is_rare | (is_dated & (window_q <= settings.supply.q_limit))
    by_date = is_dated | (is_rare & (date_q <= settings.supply.q_limit))
    of_controls = np.zeros(len(gated), dtype=np.bool_)
    if by_window.any():
        of_controls |= controls & risen & (tested.p_value <= tested.p_value[by_window].max())
    if by_date.any() and steps is not None:
        is_late = steps.is_counted & (steps.at >= since)
        of_controls |= controls & risen & is_late & (steps.size >= steps.size[by_date].min())
    return Calls(window_q, date_q, by_window, by_date, controls, of_controls)


def year_before(legs: Legs, end: int, measure: int, rises: Rises, settings: Settings) -> tuple[int, int]:
    """Legs of the hubs tested in the same months of the last year before the measure, and those called.

    All goods are tested: in that year none had lost its direct trade to the measure.
    """
    back = end if end < measure else end - 12 * max(1, -((measure - 1 - end) // 12))
    window = spell(back, measure, settings.supply.window_months, None, settings)
    if window is None:
        return 0, 0
    q_value = q_values(against_placebos(legs, window, measure, rises, settings).p_value)
    return int(np.isfinite(q_value).sum()), int((q_value <= settings.supply.q_limit / 2).sum())


def dose_response(rise: Rise, fall_log: Floats, rows: Ids) -> tuple[float, float]:
    """Rank correlation of the rises of some legs with the depth of their goods' direct falls, and its chance.

    NaN where fewer than four can tell. In an honest year demand is common to both and the correlation is negative.
    """
    some = rows[np.isfinite(rise.rise_log[rows]) & np.isfinite(fall_log[rows])]
    if len(some) < 4:
        return math.nan, math.nan
    first, second = _ranks(rise.rise_log[some]), _ranks(fall_log[some])
    spread = float(first.std() * second.std())
    if spread == 0:
        return math.nan, math.nan
    correlation = float(((first - first.mean()) * (second - second.mean())).mean()) / spread
    return correlation, 0.5 * math.erfc(correlation * math.sqrt((len(some) - 1) / 2))


def _ranks(values: Floats) -> Floats:
    """Ranks from 0, those of equal values their mean."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: Floats = (last - (counts + 1) / 2)[number]
    return result


def is_boom_possible(settings: Settings, tested: int, called: int, controls: int, controls_called: int) -> bool:
    """Whether goods that nobody had to divert are called nearly as often: a boom cannot be told from diversion then."""
    if not called or controls < settings.supply.boom_least_controls:
        return False
    return controls_called / controls >= settings.supply.controls_share_limit * called / tested
