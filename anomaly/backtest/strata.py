"""Goods whose direct trade fell alike: a score that leans on that fall is judged within them, where the fall says nothing."""

from __future__ import annotations

import math

import polars as pl

from anomaly.indicators.base import FELL_LOG

_HALF, _NINE_TENTHS = math.log(2), math.log(10)
FALLS = ("stood", "fell by a fifth to a half", "fell by a half to nine tenths", "fell by more", "fall unknown")


def with_fall(rows: pl.DataFrame) -> pl.DataFrame:
    """Add how far the coalition's direct trade of each route's good to its importer fell.

    Parameters
    ----------
    rows : polars.DataFrame
        direct_drop_log, and anything else.

    Returns
    -------
    polars.DataFrame
        The rows with `fall`, one of FALLS.

    Examples
    --------
    >>> with_fall(pl.DataFrame({"direct_drop_log": [-1.0, 0.3, 5.0, None]}))["fall"].to_list()
    ['stood', 'fell by a fifth to a half', 'fell by more', 'fall unknown']
    """
    fell = pl.col("direct_drop_log")
    stratum = (
        pl.when(fell.is_null()).then(pl.lit(FALLS[4]))
        .when(fell < FELL_LOG).then(pl.lit(FALLS[0]))
        .when(fell < _HALF).then(pl.lit(FALLS[1]))
        .when(fell < _NINE_TENTHS).then(pl.lit(FALLS[2]))
        .otherwise(pl.lit(FALLS[3]))
    )  # fmt: skip
    return rows.with_columns(fall=stratum)
