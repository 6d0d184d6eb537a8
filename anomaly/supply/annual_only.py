"""Legs of which the coalition's members report whole years only: refused by name, with who they are."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import COALITION
from anomaly.contract.schema_supply import SupplyRefused
from anomaly.contract.settings import Settings

REFUSAL = "reported_by_year"
MOST_NAMED = 3
_LEG = ["good", "importer_iso", "year"]


def rows_of(settings: Settings) -> pl.Expr:
    """Rows of bilateral that `refused` needs: whole years of the coalition's sales to countries outside it since the measure.

    Parameters
    ----------
    settings : Settings
        Scenario: coalition, targets, date of the measure.

    Returns
    -------
    polars.Expr
        A condition on freq_code, exporter_iso, importer_iso and ref_date.
    """
    inside = list(settings.coalition.countries)
    return (
        (pl.col("freq_code") == "A")
        & pl.col("exporter_iso").is_in(inside)
        & ~pl.col("importer_iso").is_in([*inside, *settings.targets.countries])
        & (pl.col("ref_date").dt.year() >= settings.sanctions_since.year)
    )


def refused(annual: pl.DataFrame, supply: pl.DataFrame, others: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Material legs to hubs in years of which no window could be read by month.

    Parameters
    ----------
    annual : polars.DataFrame
        Rows of bilateral, `rows_of` at least.
    supply, others : polars.DataFrame
        The tables supply and supply.refused so far: legs that were judged, or refused for another reason.
    settings : Settings
        Scenario: roles of countries, materiality.

    Returns
    -------
    polars.DataFrame
        Columns of SupplyRefused, sorted by its key.
    """
    is_hub = [country for country in annual["importer_iso"].unique().sort() if settings.role_of(country) == "other"]
    sold = annual.filter(pl.col("importer_iso").is_in(is_hub), pl.col("value_usd") > 0)
    year = pl.col("ref_date").dt.year().alias("year")
    by_member = (
        sold.group_by(*_LEG[:2], year, "exporter_iso").agg(pl.col("value_usd").sum()).sort(*_LEG, "exporter_iso")
    )
    legs = by_member.group_by(_LEG, maintain_order=True).agg(
        pl.col("value_usd").sum(), named=pl.col("exporter_iso").head(MOST_NAMED).str.join(", "), members=pl.len()
    )
    by_month = [frame.select(*_LEG[:2], year=pl.col("window_end").dt.year()) for frame in (supply, others)]
    further = pl.when(pl.col("members") > MOST_NAMED).then(pl.format(" and {} more", pl.col("members") - MOST_NAMED))
    says = pl.format(
        "reported by year ({}{}), and no window of it could be read by month: without months there is neither a step nor a middle month",
        "named",
        further.otherwise(pl.lit("")),
    )
    left = legs.filter(pl.col("value_usd") >= settings.materiality_usd).join(
        pl.concat(by_month).unique(), on=_LEG, how="anti"
    )
    kinds = {name: column.dtype for name, column in SupplyRefused.columns().items()}
    return (
        left.with_columns(
            freq_code=pl.lit("A"),
            window_months=pl.lit(12),
            window_end=pl.date(pl.col("year"), 12, 1),
            exporter_iso=pl.lit(COALITION),
            refusal=pl.lit(REFUSAL),
            says=says,
        )
        .select(pl.col(name).cast(kind) for name, kind in kinds.items())
        .sort(SupplyRefused.primary_key())
    )
