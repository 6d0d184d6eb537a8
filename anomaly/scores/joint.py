"""The evidence on a hub's route to a target: the part of its unexplained rise that the hub's new supply could carry.

A rise without supply and a supply without a rise are both no sign of a detour: the statistic is a soft minimum of the two. A
detour begins after the measure that it goes round: what of a rise is no step of the months since counts half.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.indicators.base import suspicious_side

Floats = npt.NDArray[np.float64]

_MOST_LOG = 50.0  # of the exponents: beyond it a double is 0 or inf
UNDATED_SHARE = 0.5  # of the part of a rise that no step since the measures carries


def room_log(floor_usd: float) -> pl.Expr:
    """How far a route could have grown on what the hub got more: ln((b + more)/b).

    b is the larger of the route's year before and its baseline, with the floor. More is what the coalition sells the hub
    beyond its baseline, and what other goods of the heading lost on the same pair (a new label needs no new supply). The
    route's own value is not looked at.

    Parameters
    ----------
    floor_usd : float
        The scenario's floor.

    Returns
    -------
    polars.Expr
        Float64 over the columns of features, 0 or more; null where what the coalition sells the hub is not in the data.
    """
    before = pl.max_horizontal("value_prior_year_usd", "value_baseline_usd").fill_null(0) + floor_usd
    supply = pl.coalesce("coalition_to_hub_baseline_usd", "coalition_to_hub_prior_usd")
    supplied_more = (pl.col("coalition_to_hub_usd") - supply).clip(lower_bound=0)
    moved = pl.when(suspicious_side("neighbour_code_shift") > 0).then("neighbour_fell_usd").fill_null(0)
    return ((before + supplied_more + moved) / before).log()


def step_log() -> pl.Expr:
    """How far the route's monthly level stepped up at one date, beyond what is everybody's.

    Returns
    -------
    polars.Expr
        Float64 over the columns of features, 0 or more; null in annual data and with too few known months.
    """
    return (pl.col("level_shift_log") - pl.col("counterfactual_rise_log").fill_null(0.0)).clip(lower_bound=0)


def step_age_months() -> pl.Expr:
    """Months from the first at the new level to the last of the window; null without a step.

    Returns
    -------
    polars.Expr
        Int32 over the columns of features.
    """
    return _months(pl.col("window_end")) - _months(pl.col("break_month"))


def _months(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32)


def dated(rise_log: Floats, step_log: Floats) -> Floats:
    """A rise of which the part that no step since the measures carries counts UNDATED_SHARE.

    Parameters
    ----------
    rise_log : array of float
        The unexplained rise over the roughness of the year.
    step_log : array of float
        The step since the measures over the same, 0 or more; NaN unknown.

    Returns
    -------
    array of float
        The rise itself where the step is unknown or as large.

    Examples
    --------
    >>> dated(np.array([3.0, 3.0, 3.0, 3.0]), np.array([4.0, 1.0, 0.0, np.nan])).tolist()
    [3.0, 2.0, 1.5, 3.0]
    """
    undated = np.maximum(rise_log - step_log, 0.0)
    return rise_log - (1 - UNDATED_SHARE) * np.nan_to_num(undated)


def joint(rise_log: Floats, room_log: Floats) -> Floats:
    """Soft minimum of a rise and the room for it: -1/2 ln(e^-2z + e^-2r).

    Parameters
    ----------
    rise_log : array of float
        z, the unexplained rise over the roughness of the year.
    room_log : array of float
        r, 0 or more; NaN unknown.

    Returns
    -------
    array of float
        NaN where the room is unknown. Near the smaller of the two; below it by 0.35 where they are the same.

    Examples
    --------
    >>> joint(np.array([3.0, 3.0, 0.0]), np.array([0.0, 3.0, 3.0])).round(2).tolist()
    [-0.0, 2.65, -0.0]
    """
    rise, room = (np.clip(log, -_MOST_LOG, _MOST_LOG) for log in (rise_log, np.nan_to_num(room_log)))
    smaller = -np.logaddexp(-2 * rise, -2 * room) / 2
    return np.where(np.isnan(room_log), np.nan, smaller)
