"""What a route would have come to: its baseline with the rise that is everybody's.

Three effects, each robust and each only where enough peers make it known: the exporter's sales elsewhere (a boom of the maker
or the hub), and the larger of how the good's other sellers to the importer rose (demand there, legal diversion) and how the
exporter's other goods to it did (a general turn to each other). The sum is taken on one side: what fell elsewhere is no
reason for a rise here.
"""

from __future__ import annotations

import polars as pl

from anomaly.indicators.base import elsewhere_log

USD_OF_LOG = 20.0  # no counterfactual beyond e^20: a Float64 that still is whole USD


def rise_log(floor_usd: float) -> pl.Expr:
    """The rise over the baseline that is everybody's.

    Parameters
    ----------
    floor_usd : float
        The scenario's floor.

    Returns
    -------
    polars.Expr
        Float64, log, 0 or more, over the columns of features; an effect that is not known counts as nothing.
    """
    shared = pl.max_horizontal(pl.col("good_importer_rise_log"), pl.col("exporter_importer_rise_log"), pl.lit(0.0))
    return elsewhere_log("baseline", floor_usd) + shared


def value_usd(floor_usd: float) -> pl.Expr:
    """What the route would have come to with that rise: (B + f) e^rise - f.

    Parameters
    ----------
    floor_usd : float
        f, the scenario's floor.

    Returns
    -------
    polars.Expr
        Int64, whole USD, 0 or more; null where the baseline is unknown.
    """
    rise = pl.col("counterfactual_rise_log").clip(upper_bound=USD_OF_LOG)
    return ((pl.col("value_baseline_usd") + floor_usd) * rise.exp() - floor_usd).round().cast(pl.Int64)
