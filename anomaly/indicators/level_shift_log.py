"""The monthly level of the route stepped up, and when."""

from collections.abc import Mapping
from math import exp
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator


def _reason(row: Mapping[str, Any]) -> str:
    return (
        f"Its monthly level stepped up {exp(row['level_shift_log']):.1f} times in {row['break_month']:%B %Y}, trend and "
        "season taken out."
    )


INDICATOR = Indicator(
    name="level_shift_log",
    unit="log",
    says=(
        "the one step of the route's monthly level in the last five years that stands out from trend, season and noise; "
        "0 where none does, unknown in annual data and with less than 30 known months"
    ),
    source="Rousseeuw, Perrotta, Riani and Hubert 2019, doi 10.1016/j.ecosta.2018.05.001",
    expr=lambda _floor_usd: pl.col("level_shift"),
    threshold=0.405,  # half as much again
    reason=_reason,
)
