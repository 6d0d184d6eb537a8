"""Absence is not zero: in which periods a dataset's silence about a route means that nothing was traded.

It does where

1. the reporter published the period in full (`coverage.is_complete`),
2. the dataset holds the good, and the partner, in the year of the period (`coverage.scope`),
3. the reporter has not moved to other codes: one that has nothing of a re-coded good (with + in its name) with anyone
   in a year, after a year in which it had, tells it under codes that are not in the good, and
4. it withholds nothing of the route in the period (`withheld`).

Elsewhere the route is unknown, and so is what a row says of it: a part of a period is no period. A side that a route's
value does not come from may lie in any of its reporter's datasets, and which one is not kept: there all that ever can
say so must. Beside the rule stand two limits of what silence can say: an extract may leave out small values
(`cut_by_value`), and a good may not be the same thing in two editions of the HS (`is_broken`).

The dense grids of features apply the same rule to arrays (`features.marks`); `tests/features/test_marks.py` holds that
both say the same of every route and period.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from anomaly.bilateral import withheld
from anomaly.contract.keys import ROUTE

DATASET = ("source", "dataset", "freq_code", "flow_code")
DIMENSIONS = ("good", "partner")  # of coverage.scope
ROWS_THAT_SHOW_A_CUT = 1_000  # a dataset this long without a small value leaves them out

_YEAR = pl.col("ref_date").dt.year().alias("year")
_SPEAKER = ("source", "dataset", "freq_code", "good", "reporter_iso")
_SIDES = {"X": ("exporter_iso", "importer_iso"), "M": ("importer_iso", "exporter_iso")}
_AMOUNTS = {"X": "export_value_fob_usd", "M": "import_value_cif_usd"}


def full_reports(coverage: pl.DataFrame) -> pl.DataFrame:
    """Periods that reporters published in full.

    Parameters
    ----------
    coverage : polars.DataFrame
        Rows of coverage.

    Returns
    -------
    polars.DataFrame
        DATASET, reporter_iso, ref_date, hs_edition and year.
    """
    return coverage.filter("is_complete").select(*DATASET, "reporter_iso", "ref_date", "hs_edition", _YEAR)


def held_years(scope: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Years in which datasets hold goods, or trade with partners.

    Parameters
    ----------
    scope : polars.DataFrame
        Rows of coverage.scope.
    dimension : str
        `good` or `partner`.

    Returns
    -------
    polars.DataFrame
        DATASET, code and year, each once.
    """
    return scope.filter(pl.col("dimension") == dimension).select(*DATASET, "code", _YEAR).unique()


def own_side(trade: pl.DataFrame) -> pl.DataFrame:
    """Add who reports a route's value: flow_code, reporter_iso and partner_iso, from value_basis.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral.

    Returns
    -------
    polars.DataFrame
        The rows with three columns more.
    """
    is_import = pl.col("value_basis") == "import"
    return trade.with_columns(
        flow_code=pl.when(is_import).then(pl.lit("M")).otherwise(pl.lit("X")),
        reporter_iso=pl.when(is_import).then("importer_iso").otherwise("exporter_iso"),
        partner_iso=pl.when(is_import).then("exporter_iso").otherwise("importer_iso"),
    )


def speaking_years(
    routes: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    dimensions: Sequence[str] = DIMENSIONS,
) -> pl.DataFrame:
    """Years with a period of which a dataset can speak of a route, by what it holds and by who reports.

    Parameters
    ----------
    routes : polars.DataFrame
        DATASET, reporter_iso, partner_iso, good, and anything else.
    coverage, scope : polars.DataFrame
        Rows of coverage and of coverage.scope.
    dimensions : sequence of str
        What the dataset has to hold: for a sum over all goods the partner alone.

    Returns
    -------
    polars.DataFrame
        The routes, and year: a row for each year that may have such periods.
    """
    reports = full_reports(coverage).select(*DATASET, "reporter_iso", "year").unique()
    years = routes.join(reports, on=[*DATASET, "reporter_iso"])
    for dimension, column in zip(DIMENSIONS, ("good", "partner_iso"), strict=True):
        if dimension in dimensions:
            held = held_years(scope, dimension).rename({"code": column})
            years = years.join(held, on=[*DATASET, column, "year"], how="semi")
    return years


def active_years(trade: pl.DataFrame, amount: str, speaker: Sequence[str] = _SPEAKER) -> pl.DataFrame:
    """Years in which reporters have anything of re-coded goods with anyone.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral with reporter_iso; all routes of the reporters, of the re-coded goods at least.
    amount : str
        The column of USD that the reporter's report stands in.
    speaker : sequence of str
        What makes a reporter one: its dataset, where that is known, and the good.

    Returns
    -------
    polars.DataFrame
        `speaker` and year, each once.
    """
    recoded = trade.filter(pl.col("good").str.ends_with("+"), pl.col(amount) > 0)
    return recoded.select(*speaker, _YEAR).unique()


def without_moved(years: pl.DataFrame, active: pl.DataFrame) -> pl.DataFrame:
    """Take out the years in which reporters have moved to other codes of a re-coded good.

    Parameters
    ----------
    years : polars.DataFrame
        The columns of `active`, and anything else.
    active : polars.DataFrame
        `active_years`: a reporter that never had anything has not moved.

    Returns
    -------
    polars.DataFrame
        The rows of `years` that stand.
    """
    if active.is_empty():
        return years
    speaker = [name for name in active.columns if name != "year"]
    since = active.group_by(speaker).agg(_since=pl.col("year").min())
    moved = (
        years.filter(pl.col("good").str.ends_with("+"))
        .select(active.columns)
        .unique()
        .join(since, on=speaker)
        .filter(pl.col("year") > pl.col("_since"))
        .join(active, on=active.columns, how="anti")
    )
    return years.join(moved, on=active.columns, how="anti")


def silences(
    trade: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    around: pl.DataFrame | None = None,
    dimensions: Sequence[str] = DIMENSIONS,
) -> pl.DataFrame:
    """Periods in which the side that a route's value comes from would mean nothing by silence.

    In these periods, and in no others, a route's value is known: what its row says, or 0 where there is none.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral: a route and its dataset count, not in which periods it has rows.
    coverage, scope : polars.DataFrame
        Rows of coverage and of coverage.scope.
    around : polars.DataFrame, optional
        Rows of bilateral with all routes of the reporters, of re-coded goods at least; `trade` has them if not given.
    dimensions : sequence of str
        As for `speaking_years`.

    Returns
    -------
    polars.DataFrame
        ROUTE, freq_code, ref_date, and hs_edition of the report.
    """
    routes = own_side(trade.group_by(*ROUTE, "freq_code", "source", "dataset", "value_basis").agg())
    active = active_years(own_side(trade if around is None else around), "value_usd")
    years = without_moved(speaking_years(routes, coverage, scope, dimensions), active)
    periods = withheld.without(years.join(full_reports(coverage), on=[*DATASET, "reporter_iso", "year"]), scope)
    return periods.group_by(*ROUTE, "freq_code", "ref_date").agg(pl.col("hs_edition").max())


def silences_beside(
    routes: pl.DataFrame, flow_code: str, around: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame
) -> pl.DataFrame:
    """Periods in which the other side of a route can speak of it, from whichever of its datasets.

    Parameters
    ----------
    routes : polars.DataFrame
        ROUTE and freq_code.
    flow_code : str
        X for what the exporter says, M for what the importer says.
    around : polars.DataFrame
        Rows of bilateral with all routes of these reporters, of re-coded goods at least.
    coverage, scope : polars.DataFrame
        Rows of coverage and of coverage.scope.

    Returns
    -------
    polars.DataFrame
        ROUTE, freq_code, ref_date, hs_edition and is_nothing. A row of the route is whole in these periods; no row means
        nothing only where is_nothing: all datasets say so that ever can.
    """
    reporter, partner = _SIDES[flow_code]
    key = [*ROUTE, "freq_code"]
    datasets = coverage.filter(pl.col("flow_code") == flow_code).select(*DATASET, "reporter_iso").unique()
    sides = routes.select(key).unique().with_columns(reporter_iso=reporter, partner_iso=partner)
    years = speaking_years(sides.join(datasets, on=["freq_code", "reporter_iso"]), coverage, scope)
    periods = years.join(full_reports(coverage), on=[*DATASET, "reporter_iso", "year"])
    active = active_years(
        around.with_columns(reporter_iso=reporter), _AMOUNTS[flow_code], ("freq_code", "good", "reporter_iso")
    )
    ever = periods.group_by(key).agg(_ever=pl.struct("source", "dataset").n_unique())
    return (
        without_moved(withheld.without(periods, scope), active)
        .group_by(*key, "ref_date")
        .agg(pl.col("hs_edition").max(), _now=pl.struct("source", "dataset").n_unique())
        .join(ever, on=key)
        .select(*key, "ref_date", "hs_edition", is_nothing=pl.col("_now") == pl.col("_ever"))
    )


def cut_by_value(scope: pl.DataFrame, floor_usd: int) -> pl.DataFrame:
    """Datasets that leave out small values: nothing in them may be a small trade, and is not known to be none.

    Parameters
    ----------
    scope : polars.DataFrame
        Rows of coverage.scope, of all partners.
    floor_usd : int
        A value in USD from which on the smallest of a dataset is no small one. Only a long dataset can show it.

    Returns
    -------
    polars.DataFrame
        source, dataset, smallest_published_usd.
    """
    return (
        scope.filter(pl.col("dimension") == "partner")
        .group_by("source", "dataset")
        .agg(rows=pl.col("rows").sum(), smallest_published_usd=pl.col("smallest_value_usd").min())
        .filter(pl.col("rows") >= ROWS_THAT_SHOW_A_CUT, pl.col("smallest_published_usd") >= floor_usd)
        .drop("rows")
    )


def is_broken(routes: pl.DataFrame, broken: pl.DataFrame, oldest: str, newest: str) -> pl.Series:
    """Whether a good is not the same one in one of the editions from the oldest to the newest of what is compared.

    Parameters
    ----------
    routes : polars.DataFrame
        good, and the two columns of HS editions; null where nothing is known.
    broken : polars.DataFrame
        families.broken: good and newer_edition, the changes that a good does not survive.
    oldest, newest : str
        Names of the two columns.

    Returns
    -------
    polars.Series of bool
        A value a row of `routes`.
    """
    changes = broken.group_by("good").agg(_changes=pl.lit(2).pow(pl.col("newer_edition").cast(pl.Int64)).sum())
    lowest, highest = (pl.lit(2).pow(pl.col(name).cast(pl.Int64) + 1) for name in (oldest, newest))
    crossed = (pl.col("_changes") & (highest - lowest)) != 0
    marked = routes.select("good", oldest, newest).join(changes, on="good", how="left", maintain_order="left")
    return marked.select(crossed.fill_null(value=False)).to_series()
