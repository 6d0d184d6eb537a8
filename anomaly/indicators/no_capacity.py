"""The exporter does not make the good: it hardly sold any before."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator


def _reason(row: Mapping[str, Any]) -> str:
    if row["revealed_advantage"] == 0:
        return f"{row['exporter_name']} exported none of the good to anyone in {row['baseline_years']}: it is not known to make it."
    return (
        f"In {row['baseline_years']} the good's part in all exports of {row['exporter_name']} was "
        f"{100 * row['revealed_advantage']:.1f} % of its part in the world's: it is not known to make it."
    )


INDICATOR = Indicator(
    name="no_capacity",
    unit="share",
    says=(
        "1 where the exporter sold none of the good to anyone in the baseline, less its revealed comparative advantage "
        "where it sold some, 0 from the world's usual part on; re-exports count as exports"
    ),
    source="Balassa 1965, revealed comparative advantage",
    expr=lambda _floor_usd: 1.0 - pl.col("revealed_advantage").clip(upper_bound=1.0),
    threshold=0.9,  # a tenth of the part that the good has in the world's trade
    reason=_reason,
)
