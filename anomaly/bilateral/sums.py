"""Sums over a window, a year before and the baseline, for questions that the run did not compute.

null is unknown and 0 is known to be nothing: a sum is null where one of its periods is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window, within

LEAST_BASELINE_YEARS = 2


def fill(trade: pl.DataFrame, silences: pl.DataFrame) -> pl.DataFrame:
    """The values of routes that are known: in the periods of `silences` what the row says, and 0 where there is none.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral, of one frequency.
    silences : polars.DataFrame
        `known.silences` of these routes.

    Returns
    -------
    polars.DataFrame
        ROUTE, ref_date, value_usd and hs_edition.
    """
    key = [*ROUTE, "ref_date"]
    rows = trade.filter(pl.col("value_usd").is_not_null()).group_by(key).agg(pl.col("value_usd").sum())
    periods = silences.select(*key, "hs_edition")
    return periods.join(rows, on=key, how="left").select(*key, pl.col("value_usd").fill_null(0), "hs_edition")


def by_year(filled: pl.DataFrame, window: Window, baseline_years: Sequence[int]) -> pl.DataFrame:
    """Sums over the window's months in its own year, the year before and the baseline years.

    Parameters
    ----------
    filled : polars.DataFrame
        `fill`.
    window : Window
        What is compared.
    baseline_years : sequence of int
        What it is compared with.

    Returns
    -------
    polars.DataFrame
        ROUTE, a column a year named _2021 (USD, null where a period is not known), and the HS editions of what is known:
        oldest_edition and newest_edition over window and year before, with _since over the baseline years, too.
    """
    recent = [window.year, window.year - 1]
    since = [*recent, *baseline_years]
    return filled.group_by(ROUTE).agg(
        *[_sum(window.in_year(year)).alias(f"_{year}") for year in sorted({*since})],
        oldest_edition=_editions(window, recent).min(),
        newest_edition=_editions(window, recent).max(),
        oldest_edition_since=_editions(window, since).min(),
        newest_edition_since=_editions(window, since).max(),
    )


def compare(filled: pl.DataFrame, window: Window, baseline_years: Sequence[int]) -> pl.DataFrame:
    """Trade of routes in a window, in the same months a year before, and on average in the baseline years.

    The baseline is the mean over those of its years whose months are all known, at least two of them.

    Parameters
    ----------
    filled : polars.DataFrame
        `fill`.
    window : Window
        What is compared.
    baseline_years : sequence of int
        Of the scenario: later windows are compared with these.

    Returns
    -------
    polars.DataFrame
        A row a route: ROUTE, value_usd, value_prior_year_usd and value_baseline_usd (whole USD, null where not known),
        baseline_years (the years that the mean is of, in words), and the editions of `by_year`.
    """
    years, end = window.baseline_years(baseline_years), window.year
    sums = by_year(filled, window, years)
    base = [pl.col(f"_{year}") for year in years]
    count = pl.sum_horizontal(*[column.is_not_null() for column in base]).cast(pl.Int64)
    listed = pl.concat_str(
        [pl.when(pl.col(f"_{year}").is_not_null()).then(pl.lit(str(year))) for year in years],
        separator=", ",
        ignore_nulls=True,
    )
    named = pl.when(count == len(years)).then(pl.lit(f"{years[0]}-{years[-1]}")).otherwise(listed)
    is_enough = count >= LEAST_BASELINE_YEARS
    return sums.select(
        *ROUTE,
        pl.col(f"_{end}").alias("value_usd"),
        pl.col(f"_{end - 1}").alias("value_prior_year_usd"),
        pl.when(is_enough).then((pl.sum_horizontal(*base) + count // 2) // count).alias("value_baseline_usd"),
        pl.when(is_enough).then(named).alias("baseline_years"),
        pl.col("^.*_edition.*$"),
    )


def _editions(window: Window, years: Sequence[int]) -> pl.Expr:
    return pl.col("hs_edition").filter(pl.any_horizontal(within(window.in_year(year)) for year in years))


def _sum(window: Window) -> pl.Expr:
    _, _, periods = window.span()
    inside = pl.col("value_usd").filter(within(window))
    return pl.when(inside.len() == periods).then(inside.sum())


def counted_once(trade: pl.DataFrame) -> pl.DataFrame:
    """Trade of all goods in which nothing is counted twice: one publisher's totals beside another's details.

    On a route a total of all goods, a chapter or a heading stands for what is under it where it has a row in every period
    that has one of these; elsewhere it is left out, and what is under it stands. So no sum of a route changes from the one
    to the other in time.

    Parameters
    ----------
    trade : polars.DataFrame
        freq_code, ROUTE, ref_date, and anything else; all goods.

    Returns
    -------
    polars.DataFrame
        The rows that stay, in their order.
    """
    route = ["freq_code", *(name for name in ROUTE if name != "good")]
    for digits in (0, 2, 4):
        is_whole = pl.col("good") == "TOTAL" if digits == 0 else pl.col("good").str.len_chars() == digits
        wholes = trade.filter(is_whole).select(*route, _whole="good").unique()
        if wholes.is_empty():
            continue
        whole = pl.lit("TOTAL") if digits == 0 else pl.col("good").str.slice(0, digits)
        placed = trade.with_columns(_whole=whole).join(wholes, on=[*route, "_whole"], how="semi")
        under = placed.filter(~is_whole).select(*route, "_whole", "ref_date").unique()
        gaps = under.join(placed.filter(is_whole), on=[*route, "_whole", "ref_date"], how="anti")
        split = wholes.join(gaps, on=[*route, "_whole"], how="semi")  # routes whose total does not stand for the rest
        held = wholes.join(gaps, on=[*route, "_whole"], how="anti")
        of_split = split.rename({"_whole": "good"})
        trade = trade.join(of_split, on=[*route, "good"], how="anti", maintain_order="left").with_columns(_whole=whole)
        is_held = trade.join(
            held.with_columns(_is_held=pl.lit(value=True)), on=[*route, "_whole"], how="left", maintain_order="left"
        )
        trade = is_held.filter(is_whole | pl.col("_is_held").is_null()).drop("_whole", "_is_held")
    return trade
