"""The cells of a table of one's own → columns of flows, null where a cell has no meaning; the rules say what that is."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema import FLOWS
from anomaly.reference import countries
from anomaly.sources.base import Context
from anomaly.sources.reading.amounts import is_filled, to_int, to_number, whole
from anomaly.sources.reading.numbers import Marks
from anomaly.sources.table_codes import with_codes
from anomaly.sources.table_mapping import TableMapping
from anomaly.sources.table_periods import is_monthly, is_quarterly, resolved

MOST_PLAUSIBLE_G = 10**17  # a hundred billion tonnes
# weights may be unknown: these stand for it everywhere, and in no table for a number
NO_WEIGHT = ("-", "--", "–", "—", ":", ".", "..", "...", "…", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "x", "X", "c", "C", "*")  # fmt: skip


def with_meaning(frame: pl.DataFrame, mapping: TableMapping, marks: dict[str, Marks], context: Context) -> pl.DataFrame:
    """Add the columns of flows and what the rules judge.

    Parameters
    ----------
    frame
        Text columns named by their role, and `row`.
    marks
        The decimal and thousands marks of `value` and `weight`.
    """
    for side in ("reporter", "partner"):
        frame = _with_country(frame, side, mapping)
    is_annual = not is_monthly(mapping.period, mapping.columns) and not is_wide_monthly(mapping)
    frame = _with_period(frame, mapping, is_annual=is_annual)
    frame = with_codes(frame, mapping)
    to_flow = mapping.flows or {flow: flow for flow in FLOWS}
    is_word = pl.col("value").is_in([*mapping.zero, *mapping.unknown, *mapping.withheld])
    value = (
        pl.when(pl.col("value").is_in(list(mapping.zero)))
        .then(pl.lit("0"))
        .otherwise(marks["value"].plain(pl.col("value")))
    )
    weight = pl.when(~pl.col("weight").is_in(list(NO_WEIGHT))).then(marks["weight"].plain(pl.col("weight")))
    frame = frame.with_columns(
        freq_code=pl.lit("A" if is_annual else "M"),
        flow_code=pl.col("flow")
        if "flow" in mapping.constants
        else pl.col("flow").replace_strict(to_flow, default=None),
        is_confidential=(pl.col("partner_kind") == "confidential").fill_null(value=False),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
        value_number=value,
        weight_number=weight,
        is_word=is_word.fill_null(value=False),
    )
    amount = to_number(pl.col("value_number")) * mapping.multiplier
    weight_g = to_int(pl.col("weight_number"), mapping.grams, most=MOST_PLAUSIBLE_G)
    is_nothing = (to_number(pl.col("weight_number")) == 0) & (amount > 0)
    return _with_rate(frame, mapping, context, is_annual=is_annual).with_columns(
        reported_value=whole(amount),
        primary_value_usd=whole(amount * pl.col("usd_per_unit")),
        net_wgt_g=pl.when(~is_nothing.fill_null(value=False)).then(weight_g),
    )


def is_wide_monthly(mapping: TableMapping) -> bool:
    """Whether the columns of a wide table are months."""
    return bool(mapping.wide) and is_monthly(mapping.wide["value"], mapping.columns)


def _with_country(frame: pl.DataFrame, side: str, mapping: TableMapping) -> pl.DataFrame:
    """Add `<side>_iso` and `<side>_kind`; null where neither the system nor the dictionary knows the text."""
    system = "iso3" if side in mapping.constants else mapping.countries
    written = frame[side].unique().drop_nulls()
    known = countries.resolve(written, system, mapping.own_countries)
    if side in mapping.constants and known.is_empty():
        known = countries.resolve(written, mapping.countries, mapping.own_countries)
    return frame.join(
        known.rename({"text": side, "iso3": f"{side}_iso", "kind": f"{side}_kind"}),
        on=side,
        how="left",
        maintain_order="left",
    )


def _with_period(frame: pl.DataFrame, mapping: TableMapping, *, is_annual: bool) -> pl.DataFrame:
    """Add ref_date; `is_quarter` is true where the row is one."""
    text = mapping.wide["value"] if mapping.wide else mapping.period
    keys = ["period", "month", "quarter"]
    is_quarter = is_quarterly(text, mapping.columns)
    begins = 1 if is_annual and not is_quarter else mapping.year_begins
    known = resolved(frame.select(keys).unique().sort(keys), text, mapping.month_names, begins)
    return frame.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")


def _with_rate(frame: pl.DataFrame, mapping: TableMapping, context: Context, *, is_annual: bool) -> pl.DataFrame:
    """Add usd_per_unit: the month's rate, or a year's, its own or the mean of its months; null where one is missing."""
    currency = mapping.currency
    if currency == "USD" and not mapping.own_rates:
        return frame.with_columns(usd_per_unit=pl.lit(1.0))
    rates = context.usd_per.get(currency, pl.DataFrame(schema={"month": pl.Date, "usd_per_unit": pl.Float64}))
    if mapping.own_rates:
        return _with_own_rates(frame, mapping.own_rates, is_annual=is_annual)
    if is_annual:
        year = pl.col("month").dt.truncate("1y")
        of_year = rates.sort("month").group_by(year, maintain_order=True)
        rates = (
            of_year.agg(pl.col("usd_per_unit").mean(), months=pl.len()).filter(pl.col("months") == 12).drop("months")
        )
    at = pl.col("ref_date").dt.truncate("1y") if is_annual else pl.col("ref_date")
    return (
        frame.with_columns(_at=at)
        .join(rates, left_on="_at", right_on="month", how="left", maintain_order="left")
        .drop("_at")
    )


def _with_own_rates(frame: pl.DataFrame, own: dict[str, float], *, is_annual: bool) -> pl.DataFrame:
    """Rates of the user's own: of the month, or of the year for all its months; a year of twelve months is their mean."""
    months = {key: rate for key, rate in own.items() if len(key) == 7}
    years = {key: rate for key, rate in own.items() if len(key) == 4}
    if is_annual:
        by_year: dict[str, list[float]] = {}
        for key, rate in sorted(months.items()):
            by_year.setdefault(key[:4], []).append(rate)
        means = {year: sum(rates) / 12 for year, rates in by_year.items() if len(rates) == 12}
        years = {**means, **years}
    of_month = pl.col("ref_date").dt.strftime("%Y-%m").replace_strict(months, default=None, return_dtype=pl.Float64)
    of_year = pl.col("ref_date").dt.strftime("%Y").replace_strict(years, default=None, return_dtype=pl.Float64)
    return frame.with_columns(usd_per_unit=of_year if is_annual else pl.coalesce(of_month, of_year))


def is_blank(columns: list[str]) -> pl.Expr:
    """Whether every one of these cells is empty."""
    return ~pl.any_horizontal(is_filled(pl.col(column)) for column in columns)
