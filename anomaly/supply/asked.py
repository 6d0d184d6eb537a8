"""Which goods of the leg are in question in a window: all, or those that the scenario's lists hold then."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.goods_asked import is_in_question, with_control
from anomaly.features.marks import Marks


def in_question(
    goods: pl.Series, end: date, lists: pl.DataFrame | None, settings: Settings, *, is_before: bool
) -> Marks:
    """Goods that a window asks about.

    Parameters
    ----------
    goods : polars.Series
        Of the legs.
    end : date
        First day of the window's last month.
    lists : polars.DataFrame, optional
        reference.goods.listed; needed where the scenario asks about listed goods only.
    settings : Settings
        Scenario: goods_asked.
    is_before : bool
        Whether the window lies before the measure: what a list holds later is then in question.

    Returns
    -------
    array of bool, shape (goods,)
        All of them where the scenario asks about all.
    """
    if settings.goods_asked == "all":
        return np.ones(goods.len(), dtype=np.bool_)
    rows = pl.DataFrame({"good": goods}).with_columns(window_end=pl.lit(end), is_before_sanctions=pl.lit(is_before))
    marks: Marks = with_control(rows, settings, lists).select(is_in_question(settings)).to_series().to_numpy()
    return marks
