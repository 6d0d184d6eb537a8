"""One case per route: leg, good, exporter and importer, with its flagged windows inside. flags → cases."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB, HUB_TO_TARGET, ROUTE
from anomaly.contract.periods import MONTHS_IN
from anomaly.contract.schema_cases import Cases
from anomaly.flags import naming

LEG_IN_AN_ID = {HUB_TO_TARGET: "to-target", COALITION_TO_HUB: "to-hub", HUB_TO_HUB: "hub-hub"}
ROUTE_ON_A_LEG = ("leg", *ROUTE)
_OF_THE_NEWEST = (
    "flag_type", "list_tier", "window_end", "window_months", "freq_code", "flag_id", "value_usd",
    "value_prior_year_usd", "excess_usd",
)  # fmt: skip


def build(flags: pl.DataFrame) -> pl.DataFrame:
    """Cases, the most pressing first: alarms before what is told apart, then by priority.

    Checks before the sanctions are no cases.

    Parameters
    ----------
    flags : polars.DataFrame
        Columns of schema.Flags.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Cases. A route that is flagged on two legs is two cases.
    """
    by_time = (
        flags.filter(~pl.col("is_before_sanctions"))
        .with_columns(leg=_leg(flags), is_alarm=naming.is_alarm(), rank=_rank("severity"))
        .sort("window_end", "window_months", -pl.col("freq_code").replace_strict(MONTHS_IN, return_dtype=pl.Int64))
    )
    cases = by_time.group_by(ROUTE_ON_A_LEG, maintain_order=True).agg(
        pl.col("is_alarm", *_OF_THE_NEWEST).last(),
        pl.col("severity").last().alias("severity_now"),
        pl.col("rank").max(),
        pl.col("priority").max(),
        pl.col("window_end").first().alias("first_window_end"),
        pl.col("flag_id").alias("windows"),
        pl.col("q_value").min().alias("best_q_value"),
    )
    named = cases.with_columns(
        case_id=pl.concat_str(
            pl.col("leg").replace_strict(LEG_IN_AN_ID, return_dtype=pl.String), *ROUTE, separator="-"
        ),
        severity=pl.col("rank").replace_strict(dict(enumerate(naming.SEVERITIES)), return_dtype=pl.String),
    )
    return in_order(named).select(Cases.column_names())


def in_order(cases: pl.DataFrame) -> pl.DataFrame:
    """Alarms first, then the most pressing.

    Parameters
    ----------
    cases : polars.DataFrame
        is_alarm, priority and case_id, and any other columns.

    Returns
    -------
    polars.DataFrame
        The same rows; ties by the id, so that the order is total.
    """
    return cases.sort("is_alarm", "priority", "case_id", descending=[True, True, False])


def _leg(flags: pl.DataFrame) -> pl.Expr:
    """The leg of each flag's type, as the registry has it."""
    legs = {name: naming.type_of(name).leg for name in flags["flag_type"].unique()}
    return pl.col("flag_type").replace_strict(legs, return_dtype=pl.String)


def _rank(severity: str) -> pl.Expr:
    return pl.col(severity).replace_strict(
        {name: rank for rank, name in enumerate(naming.SEVERITIES)}, return_dtype=pl.Int64
    )
