"""Two hubs or two goods beside each other: their trade with the targets in the same windows, and what of it is flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from anomaly.contract.keys import ROUTE_KEY, WINDOW_KEY
from anomaly.contract.periods import Window, is_window, window_of
from anomaly.flags import naming

_KEY = [*WINDOW_KEY, "subject"]


def compare(
    features: pl.DataFrame, flags: pl.DataFrame, subjects: Mapping[str, pl.Expr], windows: Sequence[Window]
) -> pl.DataFrame:
    """What each subject's routes came to in each window.

    Parameters
    ----------
    features : polars.DataFrame
        ROUTE_KEY, value_usd and value_prior_year_usd of routes to the targets that could be compared.
    flags : polars.DataFrame
        ROUTE_KEY, flag_type, value_usd and q_value of the same routes; what is no alarm is left out.
    subjects : mapping of str to polars.Expr
        Name → which rows are its own.
    windows : sequence of Window
        Only these; all where there is none.

    Returns
    -------
    polars.DataFrame
        A row a window and subject, the newest and longest window first: period, freq_code, subject, routes,
        traded_usd, traded_prior_year_usd (null where no route could be compared), change_percent, flags,
        flagged_usd, flagged_share and best_q_value.
    """
    is_asked = pl.any_horizontal([is_window(window) for window in windows]) if windows else pl.lit(value=True)
    trade = features.filter(is_asked).unique(ROUTE_KEY, keep="first", maintain_order=True)
    alarms = flags.filter(is_asked, naming.is_alarm())
    trade, alarms = (_of_subjects(frame, subjects) for frame in (trade, alarms))
    sums = trade.group_by(_KEY).agg(
        routes=pl.len().cast(pl.Int64),
        traded_usd=pl.col("value_usd").sum(),
        traded_prior_year_usd=pl.col("value_prior_year_usd").sum(),
    )
    flagged = alarms.group_by(_KEY).agg(
        flags=pl.len().cast(pl.Int64), flagged_usd=pl.col("value_usd").sum(), best_q_value=pl.col("q_value").min()
    )
    names = pl.DataFrame({"subject": list(subjects)}, schema={"subject": pl.String})
    grid = pl.concat([sums.select(WINDOW_KEY), flagged.select(WINDOW_KEY)]).unique().join(names, how="cross")
    before = pl.col("traded_prior_year_usd")
    rows = (
        grid.join(sums, on=_KEY, how="left")
        .join(flagged, on=_KEY, how="left")
        .with_columns(pl.col("routes", "flags", "flagged_usd").fill_null(0))
        .with_columns(
            change_percent=pl.when(before > 0).then((100 * (pl.col("traded_usd") - before) / before).round(1)),
            flagged_share=pl.when(pl.col("traded_usd") > 0).then(pl.col("flagged_usd") / pl.col("traded_usd")),
            place=pl.col("subject").replace_strict(
                {name: at for at, name in enumerate(subjects)}, return_dtype=pl.Int8
            ),
        )
        .sort("window_end", "window_months", "freq_code", "place", descending=[True, True, False, False])
    )
    periods = pl.Series("period", [window_of(row).name for row in rows.select(WINDOW_KEY).to_dicts()], pl.String)
    return rows.with_columns(periods).select(
        "period", "freq_code", "subject", "routes", "traded_usd", "traded_prior_year_usd", "change_percent", "flags",
        "flagged_usd", "flagged_share", "best_q_value",
    )  # fmt: skip


def _of_subjects(frame: pl.DataFrame, subjects: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The rows of each subject under its name; a row of both, as of two headings that overlap, is of both."""
    return pl.concat([frame.filter(is_own).with_columns(subject=pl.lit(name)) for name, is_own in subjects.items()])
