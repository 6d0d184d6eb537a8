"""Growth above the best year of the baseline."""

import polars as pl

from anomaly.indicators.base import Indicator, change, net_of_counterfactual, usd


def _excess(floor_usd: float) -> pl.Expr:
    """ln((V + f)/(M + f)), M the highest of the baseline years; the year before where the data have no baseline years."""
    best = pl.coalesce(
        "value_baseline_max_usd",
        pl.when(pl.col("baseline_years") == "no baseline").then("value_prior_year_usd"),
    )
    return ((pl.col("value_usd") + floor_usd) / (best + floor_usd)).log()


INDICATOR = Indicator(
    name="record_excess_log",
    unit="log",
    says="growth of the route above the highest of the baseline years: what comes and goes is no record",
    source="the project's own; measured beside the alternatives in docs/evaluation.md",
    expr=_excess,
    threshold=0.405,  # half as much again as it ever was
    reason=lambda row: (
        f"It is above every year of the baseline: {usd(row['value_usd'])} against {usd(row['value_baseline_max_usd'])} at "
        f"most in {row['baseline_years']} ({change(row['value_usd'], row['value_baseline_max_usd'])})."
        if row["value_baseline_max_usd"] is not None
        else f"It is above the year before: {usd(row['value_usd'])} against {usd(row['value_prior_year_usd'])}."
    ),
    forest=lambda _floor_usd: net_of_counterfactual("record_excess_log"),
)
