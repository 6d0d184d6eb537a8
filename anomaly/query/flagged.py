"""Whether a route in a window is flagged, as a whole or in a part of it; and where it is not, why.

Frames in, frame out.
"""

from __future__ import annotations

import polars as pl

from anomaly.bilateral.sums import Window
from anomaly.contract.keys import ROUTE
from anomaly.query.held import Tables, is_window, table


def judged(rows: pl.DataFrame, window: Window, tables: Tables) -> pl.DataFrame:
    """Add the flag, q and a note that says why there is none."""
    flags = _flags_of(window, table(tables, "flags"))
    scores = table(tables, "scores").filter(is_window(window)).select(*ROUTE, "q_value")
    refused = table(tables, "features.refused").filter(is_window(window)).select(*ROUTE, "says")
    is_in_run = any(
        table(tables, name).filter(is_window(window)).height
        for name in ("features", "features.refused", "scores.calibration")
    )
    is_unknown = pl.col("value_usd").is_null() | pl.col("value_prior_year_usd").is_null()
    is_tested = pl.col("q_value").is_not_null()
    of_the_whole = (
        pl.when(pl.col("flagged_period") == window.name)
        .then(pl.lit(""))
        .when(pl.col("says").is_not_null())
        .then(pl.lit("refused: ") + pl.col("says"))
        .when(pl.col("is_scored") & is_tested)
        .then(pl.lit("scored, not flagged"))
        .when("is_scored")
        .then(pl.lit("measured, not scored: no route the scenario asks about, no longer large, or too few placebos"))
        .when("is_broken")
        .then(pl.lit("not compared: the code changed its meaning with the HS edition"))
        .when(pl.lit(not is_in_run))
        .then(pl.lit("not scored: window not in the run"))
        .when(is_unknown)
        .then(pl.lit("not scored: one of the windows is not reported in full"))
        .otherwise(pl.lit("not scored: below what the run looks at"))
    )
    is_part = (pl.col("flagged_period") != window.name).fill_null(value=False)
    of_the_part = pl.concat_str(pl.lit("flagged in its part "), "flagged_period", pl.lit("; as a whole "), of_the_whole)
    note = pl.when(is_part).then(of_the_part).otherwise(of_the_whole)
    return (
        rows.join(flags, on=ROUTE, how="left")
        .join(scores, on=ROUTE, how="left")
        .join(refused, on=ROUTE, how="left")
        .with_columns(
            is_flagged=pl.when(is_tested | pl.col("flag_id").is_not_null()).then(pl.col("flag_id").is_not_null()),
            note=note,
        )
    )


def _flags_of(window: Window, flags: pl.DataFrame) -> pl.DataFrame:
    """One flag a route: the window's own, else the surest of those of its parts. A resolved one is of no part, and gives
    way to a part that stands.

    Columns ROUTE, flag_id, flag_type, severity, reasons (texts), flagged_period, flagged_q_value.
    """
    parts = [window]
    begin = window.span()[0]
    for freq, months, end in flags.select("freq_code", "window_months", "window_end").unique().sort(pl.all()).rows():
        one = Window(freq, months, end)
        if freq == window.freq_code and one != window and begin <= one.span()[0] and end <= window.end:
            parts.append(one)
    is_own = is_window(window)
    is_resolved = pl.col("flag_type") == "resolved"
    found = [
        flags.filter(is_window(one), ~is_resolved | is_own).select(
            *ROUTE, "flag_id", "flag_type", "severity",
            reasons=pl.col("reasons").list.eval(pl.element().struct.field("text")),
            flagged_period=pl.lit(one.name), flagged_q_value="q_value", _is_resolved=is_resolved, _is_part=pl.lit(one != window),
        )
        for one in parts
    ]  # fmt: skip
    first = pl.concat(found).sort(*ROUTE, "_is_resolved", "_is_part", "flagged_q_value", "flag_id", nulls_last=True)
    return first.unique(ROUTE, keep="first", maintain_order=True).drop("_is_resolved", "_is_part")
