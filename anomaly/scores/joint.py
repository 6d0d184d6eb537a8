"""The evidence on a hub's route to a target: the part of its unexplained rise that the hub's new supply could carry.

A rise without supply and a supply without a rise are both no sign of a detour: the statistic is a soft minimum of the two.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.indicators.base import suspicious_side

Floats = npt.NDArray[np.float64]

_MOST_LOG = 50.0  # of the exponents: beyond it a double is 0 or inf


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
