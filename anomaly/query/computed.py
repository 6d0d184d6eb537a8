"""What the run did not compute: windows of routes, of groups of countries or of all goods, added up from bilateral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from anomaly.bilateral.known import DIMENSIONS, is_broken, own_side, silences
from anomaly.bilateral.sums import compare, fill
from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window, within
from anomaly.query.held import BROKEN, Tables, table
from anomaly.query.question import TOTAL, Question

_KIND = ("source", "dataset", "value_basis")
_VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
_SUM = {
    **dict.fromkeys(ROUTE, pl.String),
    **dict.fromkeys(_VALUES, pl.Int64),
    **dict.fromkeys(("baseline_years", "source", "value_basis", "left_out"), pl.String),
}


def of_routes(
    trade: pl.DataFrame, routes: pl.DataFrame, window: Window, tables: Tables, baseline_years: Sequence[int]
) -> pl.DataFrame:
    """Window, year before and baseline of routes, as far as they are known.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral of the window's frequency, whole goods where they are re-coded.
    routes : polars.DataFrame
        ROUTE.
    window : Window
        What is asked for.
    tables : mapping of str to polars.DataFrame
        The store's tables by name.
    baseline_years : sequence of int
        Of the scenario that made the tables.

    Returns
    -------
    polars.DataFrame
        A row a route: ROUTE, the three values in USD, baseline_years, is_broken, source and value_basis.
    """
    own = trade.join(routes, on=ROUTE, how="semi")
    about = own.group_by(ROUTE).agg(pl.col("source", "value_basis").sort_by("ref_date").last())
    compared = _compared(own, _recoded(trade), window, tables, baseline_years)
    return routes.join(compared, on=ROUTE, how="left").join(about, on=ROUTE, how="left")


def of_groups(
    question: Question, trade: pl.DataFrame, window: Window, tables: Tables, baseline_years: Sequence[int]
) -> pl.DataFrame:
    """Sums over the countries of groups, or over all goods, of the routes that are known in every window.

    Where no route of a sum is known in the baseline, too, those of window and year before are added up; where none is
    known in these, those of the window.

    Parameters
    ----------
    question : Question
        What is asked: a side that is a group, or all goods.
    trade : polars.DataFrame
        Rows of bilateral of the window's frequency, whole goods where they are re-coded.
    window : Window
        What is asked for.
    tables : mapping of str to polars.DataFrame
        The store's tables by name.
    baseline_years : sequence of int
        Of the scenario that made the tables.

    Returns
    -------
    polars.DataFrame
        A row a sum: ROUTE, the three values in USD, baseline_years, source, value_basis, and left_out: the reporters
        whose reports are not in the sum, null where there is none.
    """
    asked = trade.filter(question.where())
    if question.goods is None:
        asked = asked.with_columns(good=pl.lit(TOTAL))
    parts = [
        _compared(part, _recoded(trade), window, tables, baseline_years).with_columns(
            pl.lit(part[name][0]).alias(name) for name in _KIND
        )
        for part in asked.partition_by(_KIND, maintain_order=True)
    ]
    groups = [side for side in (question.exporter, question.importer) if side is not None and side.is_group]
    if not parts:
        return pl.DataFrame(schema=_SUM)
    return _added_up(pl.concat(parts), {side.name: side.members for side in groups})


def _recoded(trade: pl.DataFrame) -> pl.DataFrame:
    """Of re-coded goods alone a reporter's other routes tell nothing from unknown."""
    return trade.filter(pl.col("good").str.ends_with("+"))


def _compared(
    trade: pl.DataFrame, around: pl.DataFrame, window: Window, tables: Tables, baseline_years: Sequence[int]
) -> pl.DataFrame:
    """sums.compare of every route, and is_broken: its good does not survive the editions of window and year before."""
    years = {window.year, window.year - 1, *window.baseline_years(baseline_years)}
    coverage = table(tables, "coverage").filter(pl.any_horizontal(within(window.in_year(year)) for year in years))
    scope = table(tables, "coverage.scope").filter(
        (pl.col("dimension") == "partner") | pl.col("code").is_in(trade["good"].unique().implode())
    )
    # All goods together hold a good under whichever code.
    dimensions = DIMENSIONS[1:] if (trade["good"] == TOTAL).all() else DIMENSIONS
    sums = compare(fill(trade, silences(trade, coverage, scope, around, dimensions)), window, baseline_years)
    broken = table(tables, BROKEN)
    sums = sums.with_columns(
        is_broken=is_broken(sums, broken, "oldest_edition", "newest_edition"),
        is_broken_since=is_broken(sums, broken, "oldest_edition_since", "newest_edition_since"),
    )
    return sums.select(
        *ROUTE,
        "value_usd",
        pl.when(~pl.col("is_broken")).then("value_prior_year_usd"),
        pl.when(~pl.col("is_broken_since")).then(pl.col("value_baseline_usd", "baseline_years")),
        "is_broken",
    )


def _added_up(routes: pl.DataFrame, groups: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The routes of each sum that are known in as many of its windows as any of them."""
    value, prior, base = (pl.col(name).is_not_null() for name in _VALUES)
    depth = pl.when(value & prior & base).then(3).when(value & prior).then(2).when(value).then(1).when(prior).then(0)
    named = own_side(routes).with_columns(*[_named(side, groups) for side in ROUTE[1:]], depth=depth)
    marked = named.with_columns(is_in=(pl.col("depth") == pl.col("depth").max().over(ROUTE)).fill_null(value=False))
    whole = pl.when(pl.col(*_VALUES).null_count() == 0).then(pl.col(*_VALUES).sum())
    sums = (
        marked.filter("is_in")
        .group_by(ROUTE)
        .agg(whole, pl.col("baseline_years", "source", "value_basis").unique().drop_nulls().sort().str.join(" and "))
        .with_columns(baseline_years=pl.when(pl.col("value_baseline_usd").is_not_null()).then("baseline_years"))
    )
    reporters = marked.group_by(*ROUTE, "reporter_iso").agg(is_in=pl.col("is_in").any(), is_out=~pl.col("is_in").all())
    left_out = (
        reporters.filter("is_out")
        .with_columns(name=pl.col("reporter_iso") + pl.when("is_in").then(pl.lit(" in part")).otherwise(pl.lit("")))
        .group_by(ROUTE)
        .agg(left_out=pl.col("name").sort().str.join(", "))
    )
    return sums.join(left_out, on=ROUTE, how="left")


def _named(side: str, groups: Mapping[str, Sequence[str]]) -> pl.Expr:
    """The name of the group for its members."""
    named = pl.col(side)
    for name, members in groups.items():
        named = pl.when(pl.col(side).is_in(list(members))).then(pl.lit(name)).otherwise(named)
    return named.alias(side)
