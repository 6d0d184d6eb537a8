"""How likely a route is to be part of evasion before its own rise is looked at: weights of the hypotheses.

What all routes of a good share (the coalition's direct trade fell) and what all routes of a hub and good share (the
coalition sells the hub more) is no evidence on any one of them, and no placebo can show the same shock. It says where to
look: each route's p-value, read from its own rise alone, is divided by a weight of mean 1 over the routes that are tested
together. Genovese, Roeder and Wasserman 2006, Biometrika 93, 509-524: the false discovery rate is kept where the weights
are independent of the p-values. The fall and the rise upstream are; the room for a route depends on what it was before,
and so does its rise. That q holds with it is measured on simulated worlds (docs/evaluation.md), not proved.
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
UPSTREAM = 1.5  # this and what follows: chosen on simulated worlds and the Comtrade file (docs/decisions/0013)
MOST_UPSTREAM_LOG = 2.0  # beyond sevenfold, more is not more
MOST_ROOM_LOG = 3.0  # beyond twentyfold, likewise
NO_ROOM, UNKNOWN_ROOM_LOG = 1.5, 0.5  # a hub may have bought elsewhere, or before
NEW_LABEL = 4.0  # what moves to another code of its heading needs no new supply: a middling one, of 1.5 to 18
LEAST_WEIGHT = 0.02  # a route is never quite out of the question


def with_weight(features: Frame, floor_usd: float) -> Frame:
    """Features with the hypothesis weight of a hub's route to a target, before it is scaled.

    Fall share x supply. The fall is the larger of those since the year before and since the baseline; its share is
    f/(f + HALVED_LOG). The supply is (NO_ROOM + room) x (1 + UPSTREAM x growth upstream), both one-sided and bounded.
    Where falls of the heading on the same pair match a part of the route's rise, the fall share of that neighbour times
    NEW_LABEL counts for the part, if it is more: a good under a new label has no direct trade that could fall.

    Parameters
    ----------
    features : polars.DataFrame or polars.LazyFrame
        The table features.
    floor_usd : float
        The scenario's floor.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        The same rows in the same order with `evidence_weight`: LEAST_WEIGHT to 18 + LEAST_WEIGHT.
    """
    key = [*_MARKET, "good"]
    goods = features.with_columns(_fall_share=_fall_share(floor_usd))
    neighbours = goods.select(*key, _fall_share_of_neighbour="_fall_share")
    neighbours = neighbours.unique(key, keep="first", maintain_order=True)
    on = [*_MARKET, "neighbour_fell_good"]
    beside = goods.join(neighbours, left_on=on, right_on=key, how="left", maintain_order="left")
    matched = pl.col("_fall_share_of_neighbour").fill_null(0.0) * suspicious_side("neighbour_code_shift")
    weight = pl.max_horizontal(pl.col("_fall_share") * _supply(floor_usd), matched * NEW_LABEL) + LEAST_WEIGHT
    return beside.with_columns(evidence_weight=weight).drop("_fall_share", "_fall_share_of_neighbour")


def _fall_share(floor_usd: float) -> pl.Expr:
    fall = direct_fall_log(floor_usd)
    return (fall / (fall + HALVED_LOG)).fill_null(UNKNOWN_SHARE)


def _supply(floor_usd: float) -> pl.Expr:
    """NO_ROOM to 18: whether the coalition sells the hub more, and how far that could carry a route of this size.

    room   ln((b + more)/b), b the larger of the route's year before and baseline: its growth if all that the coalition
           sells the hub more went on over it. The route's own value is not looked at.
    """
    upstream = suspicious_side("upstream_surge_log").clip(upper_bound=MOST_UPSTREAM_LOG)
    before = pl.max_horizontal("value_prior_year_usd", "value_baseline_usd").fill_null(0) + floor_usd
    more = (pl.col("coalition_to_hub_usd") - pl.col("coalition_to_hub_baseline_usd")).clip(lower_bound=0)
    room = ((before + more) / before).log().clip(upper_bound=MOST_ROOM_LOG).fill_null(UNKNOWN_ROOM_LOG)
    return (NO_ROOM + room) * (1 + UPSTREAM * upstream)
