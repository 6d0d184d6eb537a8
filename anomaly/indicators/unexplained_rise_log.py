"""Growth over the baseline and over its best year, less the rise that is everybody's."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator


def _unexplained(floor_usd: float) -> pl.Expr:
    """1/2 [ln((V + f)/(M + f)) + ln((V + f)/(B + f))] less the counterfactual's rise; the year before without a baseline."""
    has_none = pl.col("baseline_years") == "no baseline"
    mean, best = (
        pl.coalesce(column, pl.when(has_none).then("value_prior_year_usd"))
        for column in ("value_baseline_usd", "value_baseline_max_usd")
    )
    value = pl.col("value_usd") + floor_usd
    rise = ((value / (mean + floor_usd)).log() + (value / (best + floor_usd)).log()) / 2
    return rise - pl.col("counterfactual_rise_log")


def _reason(row: Mapping[str, Any]) -> str:
    times = 2.718281828459045 ** row["unexplained_rise_log"]
    return f"It is {times:,.1f} times what its past and everybody's trade explain."


INDICATOR = Indicator(
    name="unexplained_rise_log",
    unit="log",
    says="growth over the baseline and its best year, less the rise that is everybody's",
    source="the project's own, measured beside others in docs/evaluation.md",
    expr=_unexplained,
    threshold=0.405,  # half as much again
    reason=_reason,
    forest=lambda _floor_usd: pl.col("unexplained_rise_log").clip(lower_bound=0).fill_null(0.0),
)
