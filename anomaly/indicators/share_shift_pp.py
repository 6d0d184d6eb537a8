"""The exporter takes a larger part of the importer's market."""

import polars as pl

from anomaly.indicators.base import Indicator


def _shift(_floor_usd: float) -> pl.Expr:
    now, then = pl.col("all_to_importer_usd"), pl.col("all_to_importer_prior_usd")
    share_now = pl.when(now > 0).then(pl.col("value_usd") / now)
    share_then = pl.when(then > 0).then(pl.col("value_prior_year_usd") / then).when(then == 0).then(0.0)
    return 100 * (share_now - share_then)


INDICATOR = Indicator(
    name="share_shift_pp",
    unit="pp",
    says="change of the exporter's share in the importer's imports of the good, as all exporters report it",
    source="Freund 2025, criterion 2",
    expr=_shift,
    threshold=1.0,
    reason=lambda row: (
        f"The exporter's share in the importer's purchases of the good rose by {row['share_shift_pp']:.1f} percentage points."
    ),
)
