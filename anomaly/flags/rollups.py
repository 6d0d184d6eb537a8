"""Per good and per hub: how much of the trade to the targets is flagged."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import ROUTE_KEY, WINDOW_KEY
from anomaly.flags import naming


def build(flags: pl.DataFrame, features: pl.DataFrame, targets: tuple[str, ...]) -> pl.DataFrame:
    """Rollups of the alarms on routes to targets, columns of schema.Rollups, sorted by their key.

    What is told apart (a maker's trade, a price, what has ended) is no part of them: a maker is no hub.

    total_usd is all trade with the targets of that good, or of that hub in all goods, that could be compared and is
    material in the window.

    Parameters
    ----------
    flags : polars.DataFrame
        Columns of schema.Flags.
    features : polars.DataFrame
        Columns of schema.Features.
    targets : tuple of str
        Countries under sanctions.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Rollups.
    """
    to_targets = features.filter(pl.col("importer_iso").is_in(list(targets))).unique(
        ROUTE_KEY, keep="first", maintain_order=True
    )
    flagged = flags.filter(pl.col("importer_iso").is_in(list(targets)), naming.is_alarm())
    return pl.concat(
        [_of(flagged, to_targets, rollup, column) for rollup, column in (("good", "good"), ("hub", "exporter_iso"))]
    ).sort("rollup", "key", *WINDOW_KEY)


def _of(flagged: pl.DataFrame, trade: pl.DataFrame, rollup: str, column: str) -> pl.DataFrame:
    key = [*WINDOW_KEY, column]
    totals = trade.group_by(key).agg(total_usd=pl.col("value_usd").sum())
    return (
        flagged.group_by(key)
        .agg(
            flags=pl.len().cast(pl.Int64),
            flagged_usd=pl.col("value_usd").sum(),
            flagged_excess_usd=pl.col("excess_usd").fill_null(0).clip(lower_bound=0).sum(),
            best_q_value=pl.col("q_value").min(),
        )
        .join(totals, on=key, how="inner")
        .with_columns(
            rollup=pl.lit(rollup),
            flagged_share=pl.when(pl.col("total_usd") > 0)
            .then(pl.col("flagged_usd") / pl.col("total_usd"))
            .otherwise(0.0),
        )
        .rename({column: "key"})
        .select(
            "rollup", "key", *WINDOW_KEY, "flags", "flagged_usd", "flagged_excess_usd", "total_usd", "flagged_share",
            "best_q_value",
        )
    )  # fmt: skip
