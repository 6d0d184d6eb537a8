"""The exporter turns to this importer."""

import polars as pl

from anomaly.indicators.base import Indicator


def _shift(_floor_usd: float) -> pl.Expr:
    now = pl.col("value_usd") + pl.col("elsewhere_usd")
    then = pl.col("value_prior_year_usd") + pl.col("elsewhere_prior_usd")
    share_now = pl.when(now > 0).then(pl.col("value_usd") / now)
    share_then = pl.when(then > 0).then(pl.col("value_prior_year_usd") / then).when(then == 0).then(0.0)
    return 100 * (share_now - share_then)


INDICATOR = Indicator(
    name="destination_shift_pp",
    unit="pp",
    says="change of the importer's share in the exporter's exports of the good",
    source="docs/method.md",
    expr=_shift,
    threshold=10.0,
    reason=lambda row: (
        f"The importer's share in the exporter's sales of the good rose by {row['destination_shift_pp']:.1f} percentage points."
    ),
)
