"""The answer to an ad-hoc question: the routes of a good in a window, what they compare with, and whether they are flagged.

Frames in, frame out. `tables` is the store's tables by name; one that is missing counts as empty, one that is
narrowed to the good asked for gives the same answer as the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anomaly.bilateral.sums import ROUTE, Window, compare, fill, reported, within
from anomaly.flags.types.base import Limits
from anomaly.query.flagged import judged
from anomaly.query.held import BROKEN, Tables, is_window, table
from anomaly.query.question import TOTAL, Question

ANSWER: dict[str, Any] = {
    "good": pl.String,
    "exporter_iso": pl.String,
    "importer_iso": pl.String,
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
    """Per frequency the newest and longest window that was computed; else the newest twelve months of the data."""
    found = []
    for freq in ("A", "M"):
        scored = table(tables, "features").filter(pl.col("freq_code") == freq)
        held = table(tables, "bilateral").filter(pl.col("freq_code") == freq)
        if scored.height:
            row = scored.select("window_end", "window_months").sort("window_end", "window_months").row(-1)
            found.append(Window(freq, row[1], row[0]))
        elif held.height:
            last = held.select(pl.col("ref_date").max()).item()
            found.append(Window(freq, 12, last.replace(month=12) if freq == "A" else last))
    return tuple(found)


def answer(
    question: Question, windows: Sequence[Window], tables: Tables, limits: Limits, limit: int
) -> tuple[pl.DataFrame, int]:
    """Rows of ANSWER, the largest first, and how many there were before `limit` cut them.

    limits   of the scenario that made the tables: what a route must be to be a flag

    A route that the run computed comes from features; any other is added up from bilateral, and `note` says why it
    is no flag. Groups and TOTAL are sums over routes.
    """
    parts, found = [pl.DataFrame(schema=ANSWER)], 0
    held = table(tables, "bilateral").filter(
        pl.lit(value=True) if question.source is None else pl.col("source") == question.source
    )
    for window in windows:
        cells = held.filter(pl.col("freq_code") == window.freq_code)
        one = (
            _sums(question, window, cells, tables)
            if question.is_sum
            else _routes(question, window, cells, tables, limits, limit)
        )
        parts.append(_finish(one[0], window))
        found += one[1]
    order = ["value_usd", "value_prior_year_usd", *ROUTE, "freq_code"]
    answered = pl.concat(parts).sort(order, descending=[True, True, False, False, False, False], nulls_last=True)
    return answered.head(limit), found


def _sums(question: Question, window: Window, cells: pl.DataFrame, tables: Tables) -> tuple[pl.DataFrame, int]:
    """What is reported, added up over goods or countries; a month that none of the reporters published is unknown."""
    cells = cells.filter(question.where())
    names = {
        side.name: side.members for side in (question.exporter, question.importer) if side is not None and side.is_group
    }
    named = cells.with_columns(
        *[_named(column, names) for column in ("exporter_iso", "importer_iso")],
        *([pl.lit(TOTAL).alias("good")] if question.goods is None else []),
    )
    told = table(tables, "coverage").filter(pl.col("freq_code") == window.freq_code, pl.col("is_complete"))
    used = cells.select("source", "dataset", "exporter_iso").unique()
    told = told.filter(pl.col("flow_code") == "X").join(
        used, left_on=["source", "dataset", "reporter_iso"], right_on=["source", "dataset", "exporter_iso"], how="semi"
    )
    dataset = ["source", "dataset"]
    periods = told.select(*dataset, exporter_iso=_renamed("reporter_iso", names), ref_date="ref_date").unique()
    known = named.select(*ROUTE, *dataset).unique().join(periods, on=["exporter_iso", *dataset])
    held = table(tables, "coverage.scope").filter(pl.col("freq_code") == window.freq_code, pl.col("flow_code") == "X")
    for dimension, column in (("good", "good"), ("partner", "importer_iso")):
        if dimension == "partner" or question.goods is not None:
            of = held.filter(pl.col("dimension") == dimension).select(
                *dataset, _year(), _renamed("code", names).alias(column)
            )
            known = known.with_columns(_year()).join(of, on=[*dataset, column, "year"], how="semi")
    known = known.select(*ROUTE, "ref_date", hs_edition=pl.lit(0, dtype=pl.Int8)).unique()
    about = named.group_by(ROUTE).agg(
        value_basis=pl.col("value_basis").unique().sort().str.join(" and "),
        source=pl.col("source").unique().sort().str.join(" and "),
    )
    now, before = (
        set(told.filter(within(window, year))["reporter_iso"]) for year in (window.end.year, window.end.year - 1)
    )
    missing = sorted(now ^ before)
    unequal = f"; not in both windows: {', '.join(missing)}" if missing else ""
    sums = (
        compare(fill(named, known), window)
        .join(about, on=ROUTE)
        .drop("oldest_edition", "oldest_baseline_edition", "newest_edition")
    )
    sums = sums.filter(pl.any_horizontal(pl.col("value_usd", "value_prior_year_usd").is_not_null()))
    return sums.with_columns(note=pl.lit(f"a sum of reports, not scored{unequal}")), sums.height


def _year() -> pl.Expr:
    return pl.col("ref_date").dt.year().alias("year")


def _renamed(column: str, names: Mapping[str, tuple[str, ...]]) -> pl.Expr:
    named = pl.col(column)
    for name, members in names.items():
        named = pl.when(pl.col(column).is_in(list(members))).then(pl.lit(name)).otherwise(named)
    return named


def _named(column: str, names: Mapping[str, tuple[str, ...]]) -> pl.Expr:
    return _renamed(column, names).alias(column)


def _routes(
    question: Question, window: Window, cells: pl.DataFrame, tables: Tables, limits: Limits, limit: int
) -> tuple[pl.DataFrame, int]:
    """Route by route: from features where the run computed the window, from bilateral where it did not."""
    scored = table(tables, "features").filter(question.where(), is_window(window))
    if question.source is not None:
        scored = scored.filter(pl.col("source") == question.source)
    scored = scored.sort("baseline_gap_years").unique(ROUTE, keep="first", maintain_order=True)
    asked = cells.filter(question.where(), within(window) | within(window, window.end.year - 1))
    by_size = asked.group_by(ROUTE).agg(
        value_usd=pl.col("value_usd").filter(within(window)).sum(),
        before=pl.col("value_usd").sum(),
    )
    routes = pl.concat([by_size, scored.select(*ROUTE, "value_usd", before="value_usd")]).unique(ROUTE, keep="last")
    routes = routes.sort("value_usd", "before", *ROUTE, descending=[True, True, False, False, False])
    shown = routes.head(limit).select(ROUTE)
    rest = shown.join(scored, on=ROUTE, how="anti")
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
    if rest.height:
        computed = _computed(cells, rest, window, tables)
        rows = pl.concat([rows, computed.select(*columns, "is_broken")])
    return judged(rows, measured, window, tables, limits), routes.height


def _computed(cells: pl.DataFrame, routes: pl.DataFrame, window: Window, tables: Tables) -> pl.DataFrame:
    goods = routes["good"].unique().implode()
    nearby = cells.filter(pl.col("good").is_in(goods))
    own = nearby.join(routes, on=ROUTE, how="semi")
    scope = table(tables, "coverage.scope").filter((pl.col("dimension") == "partner") | pl.col("code").is_in(goods))
    # only on a re-coded good do the reporter's other routes tell nothing from unknown
    around = pl.concat([own, nearby.filter(pl.col("good").str.ends_with("+"))])
    known = reported(around, table(tables, "coverage"), scope).join(routes, on=ROUTE, how="semi")
    about = own.group_by(ROUTE).agg(pl.col("source", "value_basis").sort_by("ref_date").last())
    sums = _without_broken(compare(fill(own, known), window), table(tables, BROKEN))
    return routes.join(sums, on=ROUTE, how="left").join(about, on=ROUTE, how="left")


def _without_broken(sums: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """Take out the comparisons of goods that do not survive the reporter's change of HS edition."""
    newest = pl.col("newest_edition")
    crossed = (
        sums.join(broken, on="good")
        .filter(pl.col("newer_edition") <= newest)
        .group_by(ROUTE)
        .agg(
            is_broken=(pl.col("newer_edition") > pl.col("oldest_edition")).any(),
            is_baseline_broken=(pl.col("newer_edition") > pl.col("oldest_baseline_edition")).any(),
        )
    )
    marked = sums.join(crossed, on=ROUTE, how="left")
    is_broken, of_baseline = (pl.col(one).fill_null(value=False) for one in ("is_broken", "is_baseline_broken"))
    return marked.with_columns(
        pl.when(~is_broken).then("value_prior_year_usd"),
        pl.when(~(is_broken | of_baseline)).then(pl.col("value_baseline_usd", "baseline_years")),
        is_broken=is_broken,
    )


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
