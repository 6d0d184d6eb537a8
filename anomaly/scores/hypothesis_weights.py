"""How likely a route is to be part of evasion before its own rise is looked at: weights of the hypotheses.

What all routes of a good share (the coalition's direct trade fell) is no evidence on any one of them, and no placebo can show
the same shock. It says where to look: each route's p-value is divided by a weight of mean 1 over the routes that are tested
together. Genovese, Roeder and Wasserman 2006, Biometrika 93, 509-524: the false discovery rate is kept where the weights are
independent of the p-values. What the hub bought more is in the evidence (`joint`) and therefore not here: in both it counts
twice, and doubles the false share (docs/evaluation.md).
"""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.indicators.base import direct_fall_log, suspicious_side

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
_MARKET = (*WINDOW_KEY, "baseline_gap_years", "importer_iso")
HALVED_LOG = 0.7  # a fall of the direct trade by half weighs half of what the largest fall weighs
UNKNOWN_SHARE = 0.5  # where the coalition's direct trade is not in the data
LEAST_WEIGHT = 0.02  # a route is never quite out of the question


def with_weight(features: Frame, floor_usd: float) -> Frame:
    """Features with the hypothesis weight of a hub's route to a target, before it is scaled.

    The fall is the larger of those since the year before and since the baseline; its share is f/(f + HALVED_LOG). Where
    falls of the heading on the same pair match a part of the route's rise, the fall share of that neighbour counts for the
    part, if it is more: a good under a new label has no direct trade that could fall.

    Parameters
    ----------
    features : polars.DataFrame or polars.LazyFrame
        The table features.
    floor_usd : float
        The scenario's floor.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        The same rows in the same order with `evidence_weight`: LEAST_WEIGHT to 1 + LEAST_WEIGHT.
    """
    key = [*_MARKET, "good"]
    goods = features.with_columns(_fall_share=_fall_share(floor_usd))
    neighbours = goods.select(*key, _fall_share_of_neighbour="_fall_share")
    neighbours = neighbours.unique(key, keep="first", maintain_order=True)
    on = [*_MARKET, "neighbour_fell_good"]
    beside = goods.join(neighbours, left_on=on, right_on=key, how="left", maintain_order="left")
    matched = pl.col("_fall_share_of_neighbour").fill_null(0.0) * suspicious_side("neighbour_code_shift")
    weight = pl.max_horizontal(pl.col("_fall_share"), matched) + LEAST_WEIGHT
    return beside.with_columns(evidence_weight=weight).drop("_fall_share", "_fall_share_of_neighbour")


def _fall_share(floor_usd: float) -> pl.Expr:
    fall = direct_fall_log(floor_usd)
    return (fall / (fall + HALVED_LOG)).fill_null(UNKNOWN_SHARE)
