"""Beside the called legs: who of the coalition carries them, whether the hub records them, and what went on."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema_supply import Supply
from anomaly.contract.settings import Settings

_KEY = ["window_end", "good", "importer_iso"]
_OF_OTHERS = ("recorded_usd", "recorded_prior_usd", "onward_usd", "onward_prior_usd", "onward_of", "members")


def cells_of(called: pl.DataFrame, settings: Settings) -> pl.Expr:
    """Rows of bilateral that `beside` needs: the called goods, into the hubs from the coalition and out to the targets.

    Parameters
    ----------
    called : polars.DataFrame
        Rows of supply with a `called_by`.
    settings : Settings
        Scenario: coalition and targets.

    Returns
    -------
    polars.Expr
        A condition on good, exporter_iso and importer_iso.
    """
    hubs = called["importer_iso"].unique().implode()
    inward = pl.col("exporter_iso").is_in(list(settings.coalition.countries)) & pl.col("importer_iso").is_in(hubs)
    outward = pl.col("exporter_iso").is_in(hubs) & pl.col("importer_iso").is_in(list(settings.targets.countries))
    return pl.col("good").is_in(called["good"].unique().implode()) & (inward | outward)


def beside(
    supply: pl.DataFrame, cells: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """The table supply with members, arrivals and onward sales of the called legs filled in.

    Parameters
    ----------
    supply : polars.DataFrame
        Rows of supply.build.
    cells : polars.DataFrame
        Rows of bilateral, `cells_of` at least.
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope: what nobody reports is unknown, not nothing.
    settings : Settings
        Scenario: coalition and targets.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order.
    """
    called = supply.filter(pl.col("called_by").is_not_null())
    if called.is_empty():
        return supply
    legs = called.select(*_KEY, "window_months", "prior_end")
    is_member = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    monthly = cells.filter(freq_code="M")
    inward = _in_windows(legs, monthly.filter(is_member))
    years = _years_known(coverage, scope, settings)
    parts = [
        _members(inward),
        _recorded(legs, inward, coverage),
        _onward(legs, monthly.filter(~is_member), cells.filter(~is_member, freq_code="A"), coverage, years),
    ]
    filled = supply.drop(_OF_OTHERS)
    for part in parts:
        filled = filled.join(part, on=_KEY, how="left", maintain_order="left")
    kinds = {name: column.dtype for name, column in Supply.columns().items()}
    return filled.with_columns(pl.col("members").fill_null([])).select(
        pl.col(name).cast(kind) for name, kind in kinds.items()
    )


def _in_windows(legs: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Cells of each leg's window and of the one before the measure, with `is_now`."""
    windows = [
        legs.select(*_KEY, until=end, since=pl.col(end).dt.offset_by("-" + pl.format("{}mo", pl.col("window_months") - 1)), is_now=pl.lit(end == "window_end"))
        for end in ("window_end", "prior_end")
    ]  # fmt: skip
    return (
        pl.concat(windows)
        .join(cells, on=["good", "importer_iso"], how="inner")
        .filter(pl.col("ref_date").is_between("since", "until"))
    )


def _now_and_then(value: str, prefix: str) -> list[pl.Expr]:
    return [
        pl.col(value).filter(pl.col("is_now")).sum().alias(f"{prefix}_usd"),
        pl.col(value).filter(~pl.col("is_now")).sum().alias(f"{prefix}_prior_usd"),
    ]


def _members(inward: pl.DataFrame) -> pl.DataFrame:
    """Who carries how much, the largest first; members with nothing in either window are left out."""
    sums = inward.group_by(*_KEY, "exporter_iso").agg(_now_and_then("export_value_fob_usd", "value"))
    sums = sums.filter((pl.col("value_usd") > 0) | (pl.col("value_prior_usd") > 0))
    ordered = sums.sort(*_KEY, "value_usd", "exporter_iso", descending=[False] * 3 + [True, False])
    member = pl.struct("exporter_iso", "value_usd", value_prior_year_usd="value_prior_usd")
    return ordered.group_by(_KEY, maintain_order=True).agg(members=member)


def _recorded(legs: pl.DataFrame, inward: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """What the hubs record as arrived, where they report every month of both windows; null where they do not."""
    reports = _reported(legs, coverage.filter(freq_code="M", flow_code="M"))
    sums = inward.group_by(_KEY).agg(_now_and_then("import_value_cif_usd", "recorded"))
    amounts = pl.col("recorded_usd", "recorded_prior_usd").fill_null(0)
    return reports.join(sums, on=_KEY, how="left").with_columns(amounts)


def _reported(legs: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Keys of the legs whose hub reports all months of both windows whole."""
    months = coverage.filter("is_complete").select(importer_iso="reporter_iso", ref_date="ref_date").unique()
    inside = _in_windows(legs, legs.select("good", "importer_iso").unique().join(months, on="importer_iso"))
    counted = inside.group_by(_KEY).agg(_months=pl.len())
    months_needed = legs.select(*_KEY, _wanted=2 * pl.col("window_months").cast(pl.UInt32))
    return months_needed.join(counted, on=_KEY).filter(pl.col("_months") == pl.col("_wanted")).select(_KEY)


def _onward(
    legs: pl.DataFrame, monthly: pl.DataFrame, annual: pl.DataFrame, coverage: pl.DataFrame, years_known: pl.DataFrame
) -> pl.DataFrame:
    """What the hub sold the targets: in the same months where it reports them, else in the same years."""
    turned = [
        frame.select("good", "ref_date", importer_iso="exporter_iso", usd="value_usd") for frame in (monthly, annual)
    ]
    by_month = _reported(legs, coverage.filter(freq_code="M", flow_code="X"))
    sums = _in_windows(legs, turned[0]).group_by(_KEY).agg(_now_and_then("usd", "onward"))
    of_months = by_month.join(sums, on=_KEY, how="left").with_columns(
        pl.col("onward_usd", "onward_prior_usd").fill_null(0), onward_of=pl.lit("the same months")
    )
    of_years = _years(legs.join(by_month, on=_KEY, how="anti"), turned[1], years_known)
    return pl.concat([of_months, of_years.select(of_months.columns)])


def _years(legs: pl.DataFrame, annual: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Onward sales by the year of the window's end and of the one before the measure, where both are reported."""
    sold = annual.group_by("importer_iso", "good", year=pl.col("ref_date").dt.year()).agg(pl.col("usd").sum())
    sales = legs.with_columns(now=pl.col("window_end").dt.year(), then=pl.col("prior_end").dt.year())
    for at, name in (("now", "onward_usd"), ("then", "onward_prior_usd")):
        leg_key, year_key = ["importer_iso", "good", at], ["importer_iso", "good", "year"]
        sales = sales.join(reported, how="semi", left_on=leg_key, right_on=year_key)
        sales = sales.join(sold, how="left", left_on=leg_key, right_on=year_key)
        sales = sales.with_columns(pl.col("usd").fill_null(0)).rename({"usd": name})
    return sales.select(*_KEY, "onward_usd", "onward_prior_usd", onward_of=pl.format("{} with {}", "now", "then"))


def _years_known(coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """importer_iso, good, year: what hubs report of a good, in datasets that hold it and trade with a target."""
    year, dataset = pl.col("ref_date").dt.year().alias("year"), ["source", "dataset", "year"]
    of_exports = scope.filter(freq_code="A", flow_code="X").with_columns(year)
    to_target = of_exports.filter(pl.col("code").is_in(list(settings.targets.countries)), dimension="partner")
    goods = of_exports.filter(dimension="good").join(to_target, on=dataset, how="semi")
    reports = coverage.filter("is_complete", freq_code="A", flow_code="X").with_columns(year)
    held = goods.select(*dataset, good="code")
    return (
        reports.select(*dataset, importer_iso="reporter_iso")
        .join(held, on=dataset)
        .select("importer_iso", "good", "year")
        .unique()
    )
