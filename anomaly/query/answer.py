"""The answer to an ad-hoc question: routes of a good in a window, what they compare with, whether they are flagged.

Frames in, frame out. `tables` is the store's tables by name; one that is missing counts as empty, one that is
narrowed to the good asked for gives the same answer as the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import MONTHS_IN, Window, is_window, months_before, within
from anomaly.flags.types.base import Limits
from anomaly.query.computed import of_groups, of_routes
from anomaly.query.flagged import judged, routes_flagged
from anomaly.query.held import Tables, table
from anomaly.query.question import Question

ANSWER: dict[str, Any] = {
    **dict.fromkeys(ROUTE, pl.String),
    "period": pl.String,
    "freq_code": pl.String,
    "value_usd": pl.Int64,
    "value_prior_year_usd": pl.Int64,
    "change_percent": pl.Float64,
    "value_baseline_usd": pl.Int64,
    "baseline_years": pl.String,
    "value_basis": pl.String,
    "source": pl.String,
    "is_flagged": pl.Boolean,
    "flag_id": pl.String,
    "flag_type": pl.String,
    "severity": pl.String,
    "flagged_period": pl.String,
    "flagged_q_value": pl.Float64,
    "q_value": pl.Float64,
    "reasons": pl.List(pl.String),
    "note": pl.String,
}


def latest(tables: Tables) -> tuple[Window, ...]:
    """Per frequency the newest and longest window that was computed; else the newest twelve months of the data.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        The store's tables by name: of them features and bilateral.

    Returns
    -------
    tuple of Window
        Annual before monthly before quarterly; a frequency of which neither table holds a row has none.
    """
    newest = []
    for freq in ("A", "M", "Q"):
        scored = table(tables, "features").filter(pl.col("freq_code") == freq)
        held = table(tables, "bilateral").filter(pl.col("freq_code") == freq)
        if scored.height:
            row = scored.select("window_end", "window_months").sort("window_end", "window_months").row(-1)
            newest.append(Window(freq, row[1], row[0]))
        elif held.height:
            last = held.select(pl.col("ref_date").max()).item()
            newest.append(Window(freq, 12, months_before(last, 1 - MONTHS_IN[freq])))
    return tuple(newest)


def answer(
    question: Question,
    windows: Sequence[Window],
    tables: Tables,
    baseline_years: Sequence[int],
    limits: Limits,
    limit: int | None,
) -> tuple[pl.DataFrame, int]:
    """Trade in the goods and windows asked for, with what it compares with and whether it is flagged.

    A route that the run computed comes from features; any other is added up from bilateral, and `note` says why it
    is no flag. Groups and TOTAL are sums over routes.

    Parameters
    ----------
    question : Question
        Goods, sides and source.
    windows : sequence of Window
        Each is answered from data of its own frequency.
    tables : mapping of str to polars.DataFrame
        The store's tables by name.
    baseline_years : sequence of int
        Of the scenario that made the tables.
    limits : Limits
        Of the same: what a route must be to be a flag.
    limit : int or None
        The most rows to give; all of them where it is None.

    Returns
    -------
    tuple of polars.DataFrame and int
        Rows of ANSWER, flagged ones first, then the largest value_usd, values in USD (null is unknown; is_flagged null is
        neither scored nor flagged); and how many there were before `limit` cut them.
    """
    parts, count = [pl.DataFrame(schema=ANSWER)], 0
    held = table(tables, "bilateral").filter(
        pl.lit(value=True) if question.source is None else pl.col("source") == question.source
    )
    for window in windows:
        cells = held.filter(pl.col("freq_code") == window.freq_code)
        rows, in_all = (
            _sums(question, window, cells, tables, baseline_years)
            if question.is_sum
            else _routes(question, window, cells, tables, baseline_years, limits, limit)
        )
        parts.append(_finish(rows, window))
        count += in_all
    order = [pl.col("is_flagged").fill_null(value=False), "value_usd", "value_prior_year_usd", *ROUTE, "freq_code"]
    answered = pl.concat(parts).sort(order, descending=[True] * 3 + [False] * 4, nulls_last=True)
    return answered.slice(0, limit), count


def _sums(
    question: Question, window: Window, trade: pl.DataFrame, tables: Tables, baseline_years: Sequence[int]
) -> tuple[pl.DataFrame, int]:
    """Sums over countries or over all goods, which are never scored, and whose months differ."""
    sums = of_groups(question, trade, window, tables, baseline_years)
    months = pl.lit("; other months than a year before: ") + pl.col("unequal")
    return sums.with_columns(note=pl.lit("a sum of reports, not scored") + months.fill_null("")), sums.height


def _routes(
    question: Question,
    window: Window,
    cells: pl.DataFrame,
    tables: Tables,
    baseline_years: Sequence[int],
    limits: Limits,
    limit: int | None,
) -> tuple[pl.DataFrame, int]:
    """Route by route: from features where the run computed the window, from bilateral where it did not."""
    scored = table(tables, "features").filter(question.where(), is_window(window))
    if question.source is not None:
        scored = scored.filter(pl.col("source") == question.source)
    scored = scored.sort("baseline_gap_years").unique(ROUTE, keep="first", maintain_order=True)
    in_question = cells.filter(question.where(), within(window) | within(window.in_year(window.year - 1)))
    by_size = in_question.group_by(ROUTE).agg(
        value_usd=pl.col("value_usd").filter(within(window)).sum(),
        before=pl.col("value_usd").sum(),
    )
    routes = pl.concat([by_size, scored.select(*ROUTE, "value_usd", before="value_usd")]).unique(ROUTE, keep="last")
    routes = routes.sort("value_usd", "before", *ROUTE, descending=[True, True, False, False, False])
    if limit is not None and routes.height > limit:
        flagged = routes_flagged(window, tables)
        routes = pl.concat([routes.join(flagged, on=ROUTE, how=how, maintain_order="left") for how in ("semi", "anti")])
    shown = routes.slice(0, limit).select(ROUTE)
    unscored = shown.join(scored, on=ROUTE, how="anti")
    columns = [
        *ROUTE,
        "source",
        "value_basis",
        "baseline_years",
        "value_usd",
        "value_prior_year_usd",
        "value_baseline_usd",
    ]
    measured = scored.join(shown, on=ROUTE, how="semi")
    rows = measured.select(*columns, is_broken=pl.lit(value=False))
    if routes.is_empty():
        return rows, 0
    if unscored.height:
        computed = of_routes(cells, unscored, window, tables, baseline_years)
        rows = pl.concat([rows, computed.select(*columns, "is_broken")])
    return judged(rows, measured, window, tables, limits), routes.height


def _finish(rows: pl.DataFrame, window: Window) -> pl.DataFrame:
    before = pl.col("value_prior_year_usd")
    rows = rows.with_columns(
        period=pl.lit(window.name),
        freq_code=pl.lit(window.freq_code),
        change_percent=pl.when(before > 0).then((100 * (pl.col("value_usd") - before) / before).round(1)),
    )
    missing = {name: dtype for name, dtype in ANSWER.items() if name not in rows.columns}
    rows = rows.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in missing.items())
    return rows.select(pl.col(name).cast(dtype) for name, dtype in ANSWER.items())
