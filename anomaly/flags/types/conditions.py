"""What must stand beside the rise of a route: a route that rose alone accuses nobody."""

from __future__ import annotations

import polars as pl

from anomaly.flags.types.base import Condition, Limits
from anomaly.indicators.base import FELL_LOG, direct_fall_log

NO_GAP = "the receiving side's report is not known: no gap can be measured"
MATCHED = 0.5  # of the rise, by falls of the heading on the same route: a relabelling


def direct_or_neighbour_fell(limits: Limits) -> Condition:
    """The coalition's direct trade of the good fell, or a neighbour of the good on the same pair.

    Where the coalition's direct trade is not in the data, nobody can say that it did not fall.

    Parameters
    ----------
    limits : Limits
        Of the scenario.

    Returns
    -------
    Condition
        Over the coalition's trade with the importer and neighbour_code_shift.
    """
    fall = direct_fall_log(float(limits.floor_usd))
    is_matched = pl.col("neighbour_code_shift").fill_null(0.0) >= MATCHED
    return Condition(
        name="something fell beside it",
        is_met=fall.is_null() | (fall >= FELL_LOG) | is_matched,
        why_not=pl.lit("it rose alone: neither the direct trade nor a neighbour of the good fell"),
    )


def is_relabelled() -> pl.Expr:
    """Whether a listed good of the heading fell on the same pair by about as much as this one, which is not listed, rose.

    Returns
    -------
    polars.Expr
        Boolean over neighbour_code_shift, is_neighbour_listed and is_listed.
    """
    is_matched = pl.col("neighbour_code_shift").fill_null(0.0) >= MATCHED
    return is_matched & pl.col("is_neighbour_listed") & ~pl.col("is_listed")
