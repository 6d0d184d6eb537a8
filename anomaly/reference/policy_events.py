"""Dated measures that a change of trade is held against."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.reference.tables import read


@cache
def read_all() -> pl.DataFrame:
    """Dated measures: date, title, countries (ISO-3, spaces between), effect, source.

    Returns
    -------
    polars.DataFrame
        One row a measure, in the order of the file; `date` is a Date, the rest is text.
    """
    return _of_all_regimes().drop("regime")


def of(regime: str) -> pl.DataFrame:
    """Dated measures of one regime.

    Parameters
    ----------
    regime : str
        Settings.facts_of.

    Returns
    -------
    polars.DataFrame
        Columns as for `read_all`.
    """
    return _of_all_regimes().filter(pl.col("regime") == regime).drop("regime")


@cache
def _of_all_regimes() -> pl.DataFrame:
    return read("policy_events.csv").with_columns(pl.col("date").str.to_date())
