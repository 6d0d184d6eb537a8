"""A ghost transit that is evidence of another flag says so where one asks why it is no flag of its own."""

from __future__ import annotations

import polars as pl

from anomaly.contract.periods import Window, first_month
from anomaly.flags import rule
from anomaly.flags.types import diverted_supply
from anomaly.flags.types.base import Limits


def with_case(rows: pl.LazyFrame, flags: pl.DataFrame, window: Window, limits: Limits) -> pl.LazyFrame:
    """Rows whose `why_not` names the flag of the coalition's diverted supply that they are evidence of.

    Parameters
    ----------
    rows : polars.LazyFrame
        Routes in a window: ROUTE and why_not, as the rule has it.
    flags : polars.DataFrame
        The flags of the goods.
    window : Window
        Of the rows.
    limits : Limits
        Of the scenario of the run.

    Returns
    -------
    polars.LazyFrame
        The same rows in the same order.
    """
    is_inside = (first_month() >= pl.lit(window.start)) & (pl.col("window_end") <= pl.lit(window.end))
    of_type = flags.lazy().filter(pl.col("flag_type") == diverted_supply.TYPE.name, is_inside)
    cases = (
        of_type.select("good", "importer_iso", case_id="flag_id")
        .sort(pl.all())
        .unique(["good", "importer_iso"], keep="first")
    )
    is_evidence = limits.is_from_coalition() & (pl.col("why_not") == rule.NOTHING) & pl.col("case_id").is_not_null()
    return (
        rows.join(cases, on=["good", "importer_iso"], how="left", maintain_order="left")
        .with_columns(
            why_not=pl.when(is_evidence)
            .then(pl.format("no flag of its own: evidence of {}, the same case", pl.col("case_id")))
            .otherwise("why_not")
        )
        .drop("case_id")
    )
