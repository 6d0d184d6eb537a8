"""The hub sells on for more than the coalition sold to it."""

import polars as pl

from anomaly.indicators.base import Indicator, change


def _markup(_floor_usd: float) -> pl.Expr:
    out, into = pl.col("unit_value_usd_per_kg"), pl.col("coalition_to_hub_usd_per_kg")
    return pl.when((out > 0) & (into > 0)).then((out / into).log())


INDICATOR = Indicator(
    name="hub_markup_log",
    unit="log",
    says="unit value of the route against that of the coalition's exports of the good to the exporter",
    source="KSE Institute: premia on battlefield goods up to 300 %",
    expr=_markup,
    threshold=0.405,  # half as much again: beyond freight and a trader's usual margin
    reason=lambda row: (
        f"The coalition sold the good to {row['exporter_name']} at {row['coalition_to_hub_usd_per_kg']:,.1f} USD a kilogram, it "
        f"left for {row['importer_name']} at {row['unit_value_usd_per_kg']:,.1f} USD "
        f"({change(row['unit_value_usd_per_kg'], row['coalition_to_hub_usd_per_kg'])})."
    ),
)
