"""Values in another currency as US dollars, by the month's mean rate: what has none is not let through."""

from __future__ import annotations

import polars as pl

from anomaly.sources.base import Context
from anomaly.sources.reading.amounts import whole
from anomaly.sources.reading.text import refused


def in_usd(flows: pl.DataFrame, context: Context, name: str, currency: str, column: str) -> pl.DataFrame:
    """The flows with their value in US dollars: whole units times the month's mean rate.

    Parameters
    ----------
    flows : polars.DataFrame
        ref_date and reported_value, in the currency.
    context : Context
        usd_per of the currency.
    name : str
        The file's name, for errors.
    currency : str
        Such as EUR.
    column : str
        The file's own column of periods, for errors.

    Returns
    -------
    polars.DataFrame
        The flows in their order with primary_value_usd (Int64).

    Raises
    ------
    DataRejected
        With the months that have no rate: a value that cannot be compared is not let through.
    """
    rates = context.usd_per.get(currency, pl.DataFrame(schema={"month": pl.Date, "usd_per_unit": pl.Float64}))
    months = flows.select("ref_date").unique()
    missing = months.join(rates, left_on="ref_date", right_on="month", how="anti")["ref_date"].sort()
    if len(missing):
        shown = ", ".join(f"{month:%Y-%m}" for month in missing[:12]) + (" and more" if len(missing) > 12 else "")
        hint = "put the ECB's monthly rates that hold these months under data/raw/ecb (docs/sources/ecb.md)"
        expected = f"a rate of {currency} to USD for every month"
        raise refused(name, expected, f"none for {shown}", column=column, hint=hint)
    usd = whole(pl.col("reported_value") * pl.col("usd_per_unit"))
    return (
        flows.join(rates, left_on="ref_date", right_on="month", how="left", maintain_order="left")
        .with_columns(primary_value_usd=usd)
        .drop("usd_per_unit")
    )
