"""Whether a route in a window is flagged, as a whole or in a part of it; and where it is not, why.

Frames in, frame out.
"""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import ROUTE, ROUTE_KEY, WINDOW_KEY
from anomaly.contract.periods import Window, is_window
from anomaly.flags import naming, rule
from anomaly.flags.types.base import Limits
from anomaly.query import same_case
from anomaly.query.held import Tables, table


def newest_flagged(flags: pl.DataFrame) -> tuple[Window, ...]:
    """The newest window with a flag, and of those that end then the longest.

    Parameters
    ----------
    flags : polars.DataFrame
        WINDOW_KEY and flag_type, of what is asked.

    Returns
    -------
    tuple of Window
        One a frequency that has it, by freq_code; none where there is no flag of trade that goes on.
    """
    lasting = flags.filter(~naming.has_ended())  # a flag that says that trade has ended is no place to begin
    windows = {Window(*row) for row in lasting.select(WINDOW_KEY).rows()}
    newest = max(((window.end, window.months) for window in windows), default=None)
    of_newest = [window for window in windows if (window.end, window.months) == newest]
    return tuple(sorted(of_newest, key=lambda window: window.freq_code))


def routes_flagged(window: Window, tables: Tables) -> pl.DataFrame:
    """The routes that are flagged in a window, as a whole or in a part of it.

    Parameters
    ----------
    window : Window
        That is asked for.
    tables : mapping
        The store's tables by name.

    Returns
    -------
    polars.DataFrame
        ROUTE, each once.
    """
    return _flags_of(window, table(tables, "flags")).select(ROUTE)


def judged(rows: pl.DataFrame, measured: pl.DataFrame, window: Window, tables: Tables, limits: Limits) -> pl.DataFrame:
    """Add the flag, q and a note that says why there is none.

    Parameters
    ----------
    rows : polars.DataFrame
        A row a route of the window: ROUTE, value_usd, value_prior_year_usd and is_broken (the code changed its
        meaning).
    measured : polars.DataFrame
        The rows of features of these routes in the window.
    window : Window
        That is asked for.
    tables : mapping
        The store's tables by name.
    limits : Limits
        Of the scenario of the run.

    Returns
    -------
    polars.DataFrame
        The rows with the columns of answer.ANSWER that a flag and a score fill.
    """
    flags = _flags_of(window, table(tables, "flags")).lazy()
    refused = table(tables, "features.refused").lazy().filter(is_window(window)).select(*ROUTE, "says")
    is_in_run = any(
        table(tables, name).filter(is_window(window)).height
        for name in ("features", "features.refused", "scores.calibration")
    )
    is_unknown = pl.col("value_usd").is_null() | pl.col("value_prior_year_usd").is_null()
    of_the_whole = (
        pl.when(pl.col("flagged_period") == window.name)
        .then(pl.lit(""))
        .when(pl.col("is_measured") | pl.col("refused_because").is_not_null())
        .then("why_not")
        .when("is_broken")
        .then(pl.lit("not compared: the code changed its meaning with the HS edition"))
        .when(pl.lit(not is_in_run))
        .then(pl.lit("not scored: window not in the run"))
        .when(is_unknown)
        .then(pl.lit("not scored: one of the windows is not reported in full"))
        .otherwise("why_not")
    )
    is_part = (pl.col("flagged_period") != window.name).fill_null(value=False)
    of_the_part = pl.concat_str(pl.lit("flagged in its part "), "flagged_period", pl.lit("; as a whole "), of_the_whole)
    is_flagged = pl.col("flag_id").is_not_null()
    beside = (
        rows.lazy()
        .join(_beside(measured, window, tables, limits), on=ROUTE, how="left")
        .join(refused, on=ROUTE, how="left")
        .join(flags, on=ROUTE, how="left")
        .with_columns(refused_because="says", is_measured=pl.col("is_measured").fill_null(value=False))
        .with_columns(why_not=rule.why_not(limits))
    )
    return (
        same_case.with_case(beside, table(tables, "flags"), window, limits)
        .with_columns(
            is_flagged=pl.when(pl.col("q_value").is_not_null() | is_flagged).then(is_flagged),
            note=pl.when(is_part).then(of_the_part).otherwise(of_the_whole),
        )
        .collect()
    )


def _beside(measured: pl.DataFrame, window: Window, tables: Tables, limits: Limits) -> pl.LazyFrame:
    """What the rule of a flag looks at of each measured route, beside what the answer shows of it."""
    looked_at = [name for name in rule.MEASURES if name != "value_usd"]
    return rule.beside_scores(
        measured.lazy().select(*ROUTE_KEY, *looked_at),
        table(tables, "scores").lazy().filter(is_window(window)),
        table(tables, "scores.calibration").lazy().filter(is_window(window)),
        limits,
    )


def _flags_of(window: Window, flags: pl.DataFrame) -> pl.DataFrame:
    """One flag a route: the window's own, else the surest of those of its parts.

    One that has ended is of no part, and gives way to a part that stands.

    Columns ROUTE, flag_id, flag_type, severity, reasons (texts), flagged_period, flagged_q_value.
    """
    parts = [window]
    for freq, months, end in flags.select(WINDOW_KEY).unique().sort(pl.all()).rows():
        flag_window = Window(freq, months, end)
        if (
            freq == window.freq_code
            and flag_window != window
            and window.start <= flag_window.start
            and end <= window.end
        ):
            parts.append(flag_window)
    is_own = is_window(window)
    has_ended = naming.has_ended()
    flags_by_window = [
        flags.filter(is_window(part), ~has_ended | is_own).select(
            *ROUTE, "flag_id", "flag_type", "severity",
            reasons=pl.col("reasons").list.eval(pl.element().struct.field("text")),
            flagged_period=pl.lit(part.name), flagged_q_value="q_value", _has_ended=has_ended, _is_part=pl.lit(part != window),
        )
        for part in parts
    ]  # fmt: skip
    first = pl.concat(flags_by_window).sort(
        *ROUTE, "_has_ended", "_is_part", "flagged_q_value", "flag_id", nulls_last=True
    )
    return first.unique(ROUTE, keep="first", maintain_order=True).drop("_has_ended", "_is_part")
