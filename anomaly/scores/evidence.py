"""What routes are ranked by, beside what they are held against: the same rule for routes asked about and their placebos."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.scores.joint import dated, joint

NEVER = -1  # months since the measures, where no step is asked for
_UNKNOWN = pl.lit(None, dtype=pl.Float64)


def months_since(end: date, settings: Settings) -> int:
    """Months from the first of the measures to the last of a window.

    Parameters
    ----------
    end : datetime.date
        Last month of the window.
    settings : Settings
        Scenario: sanctions_since.

    Returns
    -------
    int
        Below 0 before the measures.
    """
    since = settings.sanctions_since
    return (end.year - since.year) * 12 + end.month - since.month


def with_evidence(routes: pl.DataFrame, since_months: int) -> pl.DataFrame:
    """Add rise_score, the dated rise over the year's roughness, and joint_score, its soft minimum with the room.

    Parameters
    ----------
    routes : polars.DataFrame
        Rows of forest_inputs.build: of a window that is asked about, or its placebos. The coalition's routes have their
        rise_score already.
    since_months : int
        months_since of the window that is asked about. A step counts in its last so many months; for a placebo of another
        period in as many before its own end. Below 0, so before the measures, no step is asked for.

    Returns
    -------
    polars.DataFrame
        The rows with both, and step_log as far as it counts: 0 where no step is recent enough, null where it is unknown or
        none is asked for. joint_score is null where the room is unknown, and on the coalition's leg.
    """
    if routes.is_empty() or routes["is_from_coalition"][0]:
        by_rank = pl.col("rise_score") if "rise_score" in routes.columns else pl.lit(0.0)
        return routes.with_columns(rise_score=by_rank, joint_score=_UNKNOWN, step_log=_UNKNOWN)
    is_recent = (pl.col("step_age_months") <= since_months).fill_null(value=False)
    recent = pl.when(is_recent).then("step_log").when(pl.col("step_log").is_not_null()).then(0.0)
    counted = routes.with_columns(step_log=recent if since_months >= 0 else _UNKNOWN)
    rise, step, roughness, room = (
        counted[name].fill_null(np.nan).to_numpy() for name in ("rise_log", "step_log", "roughness", "room_log")
    )
    rise_score = np.round(dated(rise / roughness, step / roughness), 12)
    return counted.with_columns(
        rise_score=pl.Series(rise_score),
        joint_score=pl.Series(np.round(joint(rise_score, room), 12), nan_to_null=True),
    )
