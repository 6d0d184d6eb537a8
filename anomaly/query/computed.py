"""What the run did not compute: windows of routes, of groups of countries or of all goods, added up from bilateral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from anomaly.bilateral import withheld
from anomaly.bilateral.known import DATASET, DIMENSIONS, full_reports, is_broken, own_side, silences, speaking_years
from anomaly.bilateral.sums import compare, counted_once, fill
from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window, within
from anomaly.query.held import BROKEN, Tables, table
from anomaly.query.question import TOTAL, Question

_VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
_SUM = {
    **dict.fromkeys(ROUTE, pl.String),
    **dict.fromkeys(_VALUES, pl.Int64),
    **dict.fromkeys(("baseline_years", "source", "value_basis", "unequal"), pl.String),
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
    sources_of = own.group_by(ROUTE).agg(pl.col("source", "value_basis").sort_by("ref_date").last())
    compared = _compared(own, _recoded(trade), window, tables, baseline_years)
    return routes.join(compared, on=ROUTE, how="left").join(sources_of, on=ROUTE, how="left")


def of_groups(
    question: Question, trade: pl.DataFrame, window: Window, tables: Tables, baseline_years: Sequence[int]
) -> pl.DataFrame:
    """Sums of what is reported, over the countries of groups or over all goods.

    A month that none of the reporters published is unknown; a member that lacks some of the months adds what it reported,
    and is named.

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
        A row a sum: ROUTE, the three values in USD, baseline_years, source, value_basis, and unequal: the reporters that
        published other months in the window than in the year before, null where there is none.
    """
    in_question = trade.filter(question.where())
    groups = [side for side in (question.exporter, question.importer) if side is not None and side.is_group]
    members = {side.name: side.members for side in groups}
    if in_question.is_empty():
        return pl.DataFrame(schema=_SUM)
    sides = own_side(in_question).with_columns(*[_named(side, members) for side in ROUTE[1:]])
    if question.goods is None:
        sides = counted_once(sides).with_columns(good=pl.lit(TOTAL))
    months = _published(sides, tables, _dimensions(question.goods is None))
    periods = months.select(*ROUTE, "ref_date", hs_edition=pl.lit(0, dtype=pl.Int8)).unique()
    sources_of = sides.group_by(ROUTE).agg(
        pl.col("source", "value_basis").unique().drop_nulls().sort().str.join(" and ")
    )
    sums = compare(fill(sides, periods), window, baseline_years).select(*ROUTE, *_VALUES, "baseline_years")
    sums = sums.filter(pl.any_horizontal(pl.col("value_usd", "value_prior_year_usd").is_not_null()))
    return sums.join(sources_of, on=ROUTE, how="left").join(_unequal(months, window), on=ROUTE, how="left")


def _dimensions(is_all_goods: bool) -> Sequence[str]:
    """What a dataset must hold to speak: all goods together hold a good under whichever code."""
    return DIMENSIONS[1:] if is_all_goods else DIMENSIONS


def _published(sides: pl.DataFrame, tables: Tables, dimensions: Sequence[str]) -> pl.DataFrame:
    """ROUTE of each sum, reporter_iso and ref_date: months that a reporter of the sum published in full.

    Of a year in which its dataset holds the partner, and the good where one is asked for.
    """
    coverage, reporter = table(tables, "coverage"), [*DATASET, "reporter_iso"]
    routes = sides.select(*ROUTE, *reporter, "partner_iso").unique()
    years = speaking_years(routes, coverage, table(tables, "coverage.scope"), dimensions)
    months = years.join(full_reports(coverage), on=[*reporter, "year"])
    months = withheld.without(months, table(tables, "coverage.scope"))
    return months.select(*ROUTE, "reporter_iso", "ref_date").unique()


def _unequal(months: pl.DataFrame, window: Window) -> pl.DataFrame:
    """ROUTE and unequal: reporters with another number of months in the window than a year before."""
    now, before = (within(window.in_year(year)) for year in (window.year, window.year - 1))
    counts = months.group_by(*ROUTE, "reporter_iso").agg(now=now.sum(), before=before.sum())
    return (
        counts.filter(pl.col("now") != pl.col("before"))
        .group_by(ROUTE)
        .agg(unequal=pl.col("reporter_iso").sort().str.join(", "))
    )


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
        (pl.col("dimension") != "good") | pl.col("code").is_in(trade["good"].unique().implode())
    )
    dimensions = _dimensions((trade["good"] == TOTAL).all())
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


def _named(side: str, groups: Mapping[str, Sequence[str]]) -> pl.Expr:
    """The name of the group for its members."""
    named = pl.col(side)
    for name, members in groups.items():
        named = pl.when(pl.col(side).is_in(list(members))).then(pl.lit(name)).otherwise(named)
    return named.alias(side)
