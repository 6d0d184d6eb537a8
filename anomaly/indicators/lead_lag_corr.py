"""What leaves the hub follows what the coalition sends to it."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator


def _reason(row: Mapping[str, Any]) -> str:
    lag = row["lead_lag_months"]
    after = "in the same month" if lag == 0 else f"{lag} month{'s' if lag > 1 else ''} later"
    return (
        f"The route's monthly changes follow the coalition's exports of the good to {row['exporter_name']} {after} "
        f"(correlation {row['lead_lag_corr']:.2f})."
    )


INDICATOR = Indicator(
    name="lead_lag_corr",
    unit="corr",
    says=(
        "largest correlation, over lags of 0 to 6 months, of the route's monthly changes with those of the coalition's "
        "exports of the good to the exporter in the last five years; unknown in annual data and with less than 18 changes"
    ),
    source="docs/method.md; co-movement of products overstates what firms re-route, HBS working paper 24-072",
    expr=lambda _floor_usd: pl.col("lead_lag"),
    threshold=0.5,
    reason=_reason,
)
