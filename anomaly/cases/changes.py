"""What changed in the cases since the run before. cases + cases of the run before → changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.cases.cases import in_order
from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.periods import window_of
from anomaly.contract.schema_cases import Cases, Changes
from anomaly.flags import naming
from anomaly.indicators.base import usd

CHANGE_WORDS = {
    "new": "new",
    "worse": "worse",
    "better": "better",
    "resolved": "resolved",
    "gone": "no longer flagged in any window",
    "revised": "same window, other figures",
    "same": "unchanged",
}
MARGIN = 0.1  # of the excess before: by less than a tenth a case that goes on is neither worse nor better


def build(cases: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Every case beside the same case of the run before, and those that are gone with their last figures.

    A case is worse where it becomes an alarm, where its severity now rises, or where it goes on in a newer window of the same
    length with an excess that is larger by MARGIN; better the other way round.

    Parameters
    ----------
    cases, before : polars.DataFrame
        Columns of schema.Cases, of this run and of the run before; None: there was none.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Changes, in the order of cases, what is gone last.
    """
    then = (Cases.create_empty() if before is None else before).rename(lambda name: f"{name}_then")
    both = cases.join(then, left_on="case_id", right_on="case_id_then", how="left", maintain_order="left")
    named = both.with_columns(change=_change() if before is not None else pl.lit("first run"))
    gone = Cases.create_empty() if before is None else before.join(cases, on="case_id", how="anti")
    gone_then = gone.with_columns(pl.all().exclude("case_id").name.suffix("_then"), change=pl.lit("gone"))
    beside = pl.concat([named, in_order(gone_then).select(named.columns)]).with_columns(
        severity_before="severity_now_then",
        flag_type_before="flag_type_then",
        window_end_before="window_end_then",
        value_before_usd="value_usd_then",
        excess_before_usd="excess_usd_then",
        windows_before=pl.col("windows_then").list.len().cast(pl.Int64),
    )
    says = pl.Series("says", [_says(row) for row in beside.iter_rows(named=True)], dtype=pl.String)
    return beside.with_columns(says).select(Changes.column_names())


def _change() -> pl.Expr:
    """The one word for a case that is in this run."""
    is_newer = pl.col("window_end") > pl.col("window_end_then")
    is_same_window = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_then") for name in WINDOW_KEY)
    goes_on = is_newer & (pl.col("window_months") == pl.col("window_months_then"))
    rise, margin = pl.col("excess_usd") - pl.col("excess_usd_then"), MARGIN * pl.col("excess_usd_then").abs()
    # an alarm weighs more than any severity of what is told apart
    ranks = {name: rank for rank, name in enumerate(naming.SEVERITIES)}
    now, then = (
        pl.col(f"severity_now{when}").replace_strict(ranks, return_dtype=pl.Int64)
        + len(ranks) * pl.col(f"is_alarm{when}").cast(pl.Int64)
        for when in ("", "_then")
    )
    is_revised = is_same_window & pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(f"{name}_then")) for name in ("value_usd", "value_prior_year_usd", "excess_usd")
    )
    ends_now = naming.has_ended() & ~naming.has_ended("flag_type_then")
    return (
        pl.when(pl.col("window_end_then").is_null())
        .then(pl.lit("new"))
        .when(ends_now)
        .then(pl.lit("resolved"))
        .when((now > then) | (goes_on & (now == then) & (rise > margin)).fill_null(value=False))
        .then(pl.lit("worse"))
        .when((now < then) | (goes_on & (rise < -margin)).fill_null(value=False))
        .then(pl.lit("better"))
        .when(is_revised)
        .then(pl.lit("revised"))
        .otherwise(pl.lit("same"))
    )


def _says(row: Mapping[str, Any]) -> str:
    """What changed, in words; nothing for a case that is new, the same, or of a first run."""
    if row["change"] in ("new", "same", "first run"):
        return ""
    if row["change"] == "gone":
        return f"last flagged in {window_of(row).words}"
    parts = []
    if row["flag_type"] != row["flag_type_then"]:
        words = [naming.type_of(row[name]).words for name in ("flag_type_then", "flag_type")]
        parts.append(f"{words[0]} before, {words[1]} now")
    if row["severity_now"] != row["severity_now_then"]:
        parts.append(f"{row['severity_now_then']} before, {row['severity_now']} now")
    if row["window_end"] != row["window_end_then"]:
        parts.append(f"newest window {window_of(row).words}")
    if row["excess_usd"] != row["excess_usd_then"]:
        parts.append(f"excess {usd(row['excess_usd_then'])} before, {usd(row['excess_usd'])} now")
    elif row["value_usd"] != row["value_usd_then"]:
        parts.append(f"value {usd(row['value_usd_then'])} before, {usd(row['value_usd'])} now")
    elif row["value_prior_year_usd"] != row["value_prior_year_usd_then"]:
        then, now = usd(row["value_prior_year_usd_then"]), usd(row["value_prior_year_usd"])
        parts.append(f"the year before {then} before, {now} now")
    return "; ".join(parts)


def counts(changes: pl.DataFrame) -> dict[str, int]:
    """How many cases are new, worse and so on.

    Parameters
    ----------
    changes : polars.DataFrame
        The column change.

    Returns
    -------
    dict of str to int
        Each of CHANGE_WORDS, 0 among them; empty on a first run, on which nothing can have changed.
    """
    if changes.is_empty() or "first run" in changes["change"]:
        return {}
    numbers = dict(changes.group_by("change").len().iter_rows())
    return {change: numbers.get(change, 0) for change in CHANGE_WORDS}
