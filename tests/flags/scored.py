"""Scores of routes as a run leaves them, for tests of what is made of them."""

from typing import Any

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET, LEGS, ROUTE_KEY, WINDOW_KEY

SCORE: dict[str, Any] = {
    "anomaly_score": 0.7, "evidence_score": 0.9, "evidence_weight": 1.0, "anomaly_rank": 1, "p_value": 0.01, "q_value": 0.05,
    "stability_share": 0.9, "placebos": 250, "placebo_kind": "importers", "shock_ratio": 1.0, "rest_low_log": -0.4,
    "rest_high_log": 0.5, "tested_among": "comtrade, extract, export; rise and room; room known", "room_log": 2.0, "step_log": 1.5,
    "roughness": 1.0,
}  # fmt: skip


def scored(routes: pl.DataFrame, **changes: Any) -> pl.DataFrame:
    """SCORE of each route, but for the changes."""
    return routes.select(ROUTE_KEY, **{name: pl.lit(value) for name, value in (SCORE | changes).items()})


def calibrated(routes: pl.DataFrame, leg: str = HUB_TO_TARGET) -> pl.DataFrame:
    """The calibration of the windows of routes: q 0.1 is the limit."""
    assert leg in LEGS
    return routes.select(WINDOW_KEY).unique().with_columns(leg=pl.lit(leg), q_limit=0.1)


def no_contributions(routes: pl.DataFrame) -> pl.DataFrame:
    """scores.contributions without a row."""
    kinds = {name: routes.schema[name] for name in ROUTE_KEY}
    return pl.DataFrame(schema={**kinds, "input": pl.String, "score_drop": pl.Float64})
