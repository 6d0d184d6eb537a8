"""Sums over a window, a year before and the baseline, for questions that the run did not compute.

null is unknown and 0 is known to be nothing: a sum is null where one of its periods is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

ROUTE = ("good", "exporter_iso", "importer_iso")
LEAST_BASELINE_YEARS = 2


@dataclass(frozen=True, slots=True)
class Window:
    """`months` ending with the month of `end`; annual data have twelve, ending in December."""

    freq_code: str
    months: int
    end: date

    def span(self, year: int | None = None) -> tuple[date, date, int]:
        """First and last period, and how many periods, of the same months in another year of the end."""
        end = self.end if year is None else self.end.replace(year=year)
        if self.freq_code == "A":
            return date(end.year, 1, 1), date(end.year, 1, 1), 1
        first = end.year * 12 + end.month - self.months
        return date(first // 12, first % 12 + 1, 1), end, self.months

    def baseline_years(self, fixed: Sequence[int]) -> tuple[int, ...]:
        """The scenario's fixed baseline for later windows, else the three years before: a window never compares with
        itself.
        """
        year = self.end.year
        return tuple(fixed) if year > max(fixed) else (year - 3, year - 2, year - 1)

    @property
    def name(self) -> str:
        """As `--period` takes it: 2022, 2022H1, 2022Q3, 2022-07 or 2022-01:2022-11."""
        first, end, _ = self.span()
        if self.freq_code == "A" or (self.months, end.month) == (12, 12):
            return str(end.year)
        if self.months in (3, 6) and end.month % self.months == 0:
            return f"{end.year}{'Q' if self.months == 3 else 'H'}{end.month // self.months}"
        return f"{end:%Y-%m}" if self.months == 1 else f"{first:%Y-%m}:{end:%Y-%m}"


def within(window: Window, year: int | None = None) -> pl.Expr:
    """Rows of the window's months, in another year if told."""
    first, last, _ = window.span(year)
    return pl.col("ref_date").is_between(pl.lit(first), pl.lit(last))


def reported(cells: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame) -> pl.DataFrame:
    """Periods in which nothing was traded counts as 0: ROUTE, ref_date, hs_edition.

    cells      bilateral rows, with the reporters' other routes of the goods where they are at hand
    coverage   who reported which period; complete ones count
    scope      coverage.scope: a good or a partner that the dataset lacks in a year is unknown in it

    A reporter that has nothing of a re-coded good with anyone, after a year in which it had, has moved to other
    codes: unknown, too.
    """
    is_import = pl.col("value_basis") == "import"
    routes = (
        cells.group_by(*ROUTE, "freq_code", "source", "dataset", "value_basis")
        .agg()
        .with_columns(
            flow_code=pl.when(is_import).then(pl.lit("M")).otherwise(pl.lit("X")),
            reporter_iso=pl.when(is_import).then("importer_iso").otherwise("exporter_iso"),
            partner_iso=pl.when(is_import).then("exporter_iso").otherwise("importer_iso"),
        )
    )
    year = pl.col("ref_date").dt.year().alias("year")
    dataset = ["source", "dataset", "freq_code", "flow_code"]
    told = coverage.filter("is_complete").select(*dataset, "reporter_iso", "ref_date", "hs_edition", year)
    known = routes.join(told, on=[*dataset, "reporter_iso"])
    for dimension, column in (("good", "good"), ("partner", "partner_iso")):
        held = scope.filter(pl.col("dimension") == dimension).select(*dataset, year, pl.col("code").alias(column))
        known = known.join(held, on=[*dataset, column, "year"], how="semi")
    recoded = cells.filter(pl.col("good").str.ends_with("+"), pl.col("value_usd") > 0)
    if recoded.height:
        known = known.join(_silent(recoded, known), on=["good", "reporter_iso", "dataset", "year"], how="anti")
    return known.select(*ROUTE, "ref_date", "hs_edition").unique()


def _silent(recoded: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    key = ["good", "reporter_iso", "dataset"]
    is_import = pl.col("value_basis") == "import"
    active = recoded.select(
        "good",
        "dataset",
        reporter_iso=pl.when(is_import).then("importer_iso").otherwise("exporter_iso"),
        year=pl.col("ref_date").dt.year(),
    ).unique()
    since = active.group_by(key).agg(since=pl.col("year").min())
    return (
        known.select(*key, "year")
        .unique()
        .join(since, on=key)
        .filter(pl.col("year") > pl.col("since"))
        .join(active, on=[*key, "year"], how="anti")
    )


def fill(cells: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The values that are known: rows as reported, and 0 where `known` has the period and there is no row."""
    key = [*ROUTE, "ref_date"]
    editions = known.unique(key).select(*key, "hs_edition")
    rows = cells.filter(pl.col("value_usd").is_not_null()).group_by(key).agg(pl.col("value_usd").sum())
    zeros = editions.join(rows, on=key, how="anti").with_columns(value_usd=pl.lit(0, dtype=pl.Int64))
    return pl.concat(
        [
            rows.join(editions, on=key, how="left").select(*key, "value_usd", "hs_edition"),
            zeros.select(*key, "value_usd", "hs_edition"),
        ]
    )


def compare(filled: pl.DataFrame, window: Window, baseline_years: Sequence[int]) -> pl.DataFrame:
    """A row a route: value_usd, value_prior_year_usd, value_baseline_usd, baseline_years, and the HS editions of each.

    oldest_edition, oldest_baseline_edition, newest_edition   of the year before, of the baseline, of the window

    baseline_years   of the scenario: later windows are compared with these

    The baseline is the mean over those of its years whose months are all known, at least two of them.
    """
    years = window.baseline_years(baseline_years)
    end = window.end.year
    sums = filled.group_by(ROUTE).agg(
        *[_sum(window, year).alias(f"_{year}") for year in {end, end - 1, *years}],
        oldest_edition=pl.col("hs_edition").filter(within(window, end - 1)).min(),
        newest_edition=pl.col("hs_edition").filter(within(window)).max(),
        oldest_baseline_edition=pl.col("hs_edition")
        .filter(pl.any_horizontal(within(window, year) for year in years))
        .min(),
    )
    base = [pl.col(f"_{year}") for year in years]
    count = pl.sum_horizontal(*[column.is_not_null() for column in base]).cast(pl.Int64)
    each = pl.concat_str(
        [pl.when(pl.col(f"_{year}").is_not_null()).then(pl.lit(str(year))) for year in years],
        separator=", ",
        ignore_nulls=True,
    )
    named = pl.when(count == len(years)).then(pl.lit(f"{years[0]}-{years[-1]}")).otherwise(each)
    is_enough = count >= LEAST_BASELINE_YEARS
    return sums.select(
        *ROUTE,
        value_usd=pl.col(f"_{end}"),
        value_prior_year_usd=pl.col(f"_{end - 1}"),
        value_baseline_usd=pl.when(is_enough).then((pl.sum_horizontal(*base) + count // 2) // count),
        baseline_years=pl.when(is_enough).then(named),
        oldest_edition="oldest_edition",
        oldest_baseline_edition="oldest_baseline_edition",
        newest_edition="newest_edition",
    )


def _sum(window: Window, year: int) -> pl.Expr:
    _, _, periods = window.span(year)
    inside = pl.col("value_usd").filter(within(window, year))
    return pl.when(inside.len() == periods).then(inside.sum())
