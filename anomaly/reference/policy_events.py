"""Dated measures that a change of trade is held against, and on whose trade of which goods each bears."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET
from anomaly.reference.statements import parse_scope
from anomaly.reference.tables import read

EFFECTS = (
    "start of sanctions", "fewer direct exports", "direct exports allowed again", "less transit", "fewer re-exports",
    "dearer imports", "warning", "goods list",
)  # fmt: skip
BEARS_ON = (
    HUB_TO_TARGET,
    COALITION_TO_HUB,
    "coalition to target",
    "in transit",
    "any",
)  # in transit: trade that no hub records as its export


@cache
def read_all() -> pl.DataFrame:
    """Dated measures, one row each, in the order of the file.

    Returns
    -------
    polars.DataFrame
        date (Date); title; effect, one of EFFECTS; leg, one of BEARS_ON; exporters, importers, goods (lists: empty is
        everything, null is not known, so that no route is among it; goods are HS codes of two to six digits);
        goods_named (text: what was written); says (text, null: nothing more to know); source.

    Raises
    ------
    BadRequest
        For goods that cannot be read.
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
    table = read("policy_events.csv")
    scopes = {
        column: pl.Series([parse_scope(cell, column) for cell in table[column]], dtype=pl.List(pl.String))
        for column in ("exporters", "importers", "goods")
    }
    return table.with_columns(pl.col("date").str.to_date(), **scopes)
