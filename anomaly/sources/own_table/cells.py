"""The cells of a table of one's own → columns of flows, null where a cell has no meaning; the rules say what that is."""

from __future__ import annotations

import polars as pl

from anomaly.contract.periods import INTERVALS, MONTHS_IN
from anomaly.contract.schema import FLOWS
from anomaly.reference import countries
from anomaly.sources.base import Context
from anomaly.sources.own_table.codes import with_codes
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.own_table.periods import frequency, resolved
from anomaly.sources.reading.amounts import is_filled, to_int, to_number, whole
from anomaly.sources.reading.numbers import Marks

MOST_PLAUSIBLE_G = 10**17  # a hundred billion tonnes
# weights may be unknown: these stand for it everywhere, and in no table for a number
NO_WEIGHT = ("-", "--", "–", "—", ":", ".", "..", "...", "…", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "x", "X", "c", "C", "*")  # fmt: skip


def with_meaning(frame: pl.DataFrame, mapping: TableMapping, marks: dict[str, Marks], context: Context) -> pl.DataFrame:
    """What the cells of a table of one's own mean, beside them: columns of flows, and what the rules judge.

    Parameters
    ----------
    frame : polars.DataFrame
        Text columns named by their role, and `row`.
    mapping : TableMapping
        What a person said of the table.
    marks : dict of str to Marks
        The decimal and thousands marks of `value` and `weight`.
    context : Context
        usd_per of the mapping's currency.

    Returns
    -------
    polars.DataFrame
        The rows in their order with the flow's columns, null where a cell has no meaning: countries and their kinds,
        ref_date, the columns of `with_codes`, usd_per_unit, reported_value (whole units of the currency),
        primary_value_usd and net_wgt_g (grams; null where 0 stands beside a value). value_number and weight_number are
        the plain texts of both; is_word is true where the value is one of the mapping's marks, is_hidden where it is one
        for what is withheld or not known.
    """
    for side in ("reporter", "partner"):
        frame = _with_country(frame, side, mapping)
    freq_code = frequency_of(mapping)
    frame = _with_period(frame, mapping, freq_code)
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
        freq_code=pl.lit(freq_code),
        flow_code=pl.col("flow")
        if "flow" in mapping.constants
        else pl.col("flow").replace_strict(to_flow, default=None),
        is_confidential=(pl.col("partner_kind") == "confidential").fill_null(value=False),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
        value_number=value,
        weight_number=weight,
        is_word=is_word.fill_null(value=False),
        is_hidden=pl.col("value").is_in([*mapping.unknown, *mapping.withheld]).fill_null(value=False),
    )
    amount = to_number(pl.col("value_number")) * mapping.multiplier
    weight_g = to_int(pl.col("weight_number"), mapping.grams, most=MOST_PLAUSIBLE_G)
    is_nothing = (to_number(pl.col("weight_number")) == 0) & (amount > 0)
    return _with_rate(frame, mapping, context, freq_code).with_columns(
        reported_value=whole(amount),
        primary_value_usd=whole(amount * pl.col("usd_per_unit")),
        net_wgt_g=pl.when(~is_nothing.fill_null(value=False)).then(weight_g),
    )


def frequency_of(mapping: TableMapping) -> str:
    """Whether the periods of a table are months, quarters or years.

    Parameters
    ----------
    mapping : TableMapping
        Its `wide`, `period` and `columns`.

    Returns
    -------
    str
        M, Q or A, as in freq_code.
    """
    return frequency(mapping.wide["value"] if mapping.wide else mapping.period, mapping.columns)


def _with_country(frame: pl.DataFrame, side: str, mapping: TableMapping) -> pl.DataFrame:
    """Add `<side>_iso` and `<side>_kind`; null where neither the system nor the dictionary knows the text."""
    system = "iso3" if side in mapping.constants else mapping.countries
    written = frame[side].unique().drop_nulls()
    meanings = countries.resolve(written, system, mapping.own_countries)
    if side in mapping.constants and meanings.is_empty():
        meanings = countries.resolve(written, mapping.countries, mapping.own_countries)
    return frame.join(
        meanings.rename({"text": side, "iso3": f"{side}_iso", "kind": f"{side}_kind"}),
        on=side,
        how="left",
        maintain_order="left",
    )


def _with_period(frame: pl.DataFrame, mapping: TableMapping, freq_code: str) -> pl.DataFrame:
    """Add ref_date."""
    text = mapping.wide["value"] if mapping.wide else mapping.period
    keys = ["period", "month", "quarter"]
    begins = 1 if freq_code == "A" else mapping.year_begins
    dates = resolved(frame.select(keys).unique().sort(keys), text, mapping.month_names, begins)
    return frame.join(dates, on=keys, how="left", nulls_equal=True, maintain_order="left")


def _with_rate(frame: pl.DataFrame, mapping: TableMapping, context: Context, freq_code: str) -> pl.DataFrame:
    """Add usd_per_unit: the month's rate, the mean of the months of a quarter or year; null where one is missing."""
    currency = mapping.currency
    if currency == "USD" and not mapping.own_rates:
        return frame.with_columns(usd_per_unit=pl.lit(1.0))
    if mapping.own_rates:
        return _with_own_rates(frame, mapping.own_rates, freq_code)
    rates = context.usd_per.get(currency, pl.DataFrame(schema={"month": pl.Date, "usd_per_unit": pl.Float64}))
    first_of_period = pl.col("month").dt.truncate(INTERVALS[freq_code])
    of_period = rates.sort("month").group_by(first_of_period, maintain_order=True)
    rates = of_period.agg(pl.col("usd_per_unit").mean(), months=pl.len())
    rates = rates.filter(pl.col("months") == MONTHS_IN[freq_code]).drop("months")
    return (
        frame.with_columns(_at=pl.col("ref_date").dt.truncate(INTERVALS[freq_code]))
        .join(rates, left_on="_at", right_on="month", how="left", maintain_order="left")
        .drop("_at")
    )


def _with_own_rates(frame: pl.DataFrame, own: dict[str, float], freq_code: str) -> pl.DataFrame:
    """Rates of the user's own: the mean of the period's months, all of them, else of the year it lies in.

    A rate that is given for a year itself goes before the mean of its months.
    """
    months, interval = MONTHS_IN[freq_code], INTERVALS[freq_code]
    written = pl.DataFrame(
        {"month": [key for key in own if len(key) == 7], "usd_per_unit": [own[key] for key in own if len(key) == 7]},
        schema={"month": pl.String, "usd_per_unit": pl.Float64},
    ).with_columns(pl.col("month").str.to_date("%Y-%m", strict=True))
    first_of_period = pl.col("month").dt.truncate(interval)
    means = written.sort("month").group_by(first_of_period, maintain_order=True).agg(
        _mean=pl.col("usd_per_unit").sum() / months, _months=pl.len()
    ).filter(pl.col("_months") == months).drop("_months")  # fmt: skip
    years = {key: rate for key, rate in own.items() if len(key) == 4}
    of_year = pl.col("ref_date").dt.strftime("%Y").replace_strict(years, default=None, return_dtype=pl.Float64)
    joined = frame.with_columns(_at=pl.col("ref_date").dt.truncate(interval)).join(
        means, left_on="_at", right_on="month", how="left", maintain_order="left"
    )
    rate = pl.coalesce(of_year, "_mean") if freq_code == "A" else pl.coalesce("_mean", of_year)
    return joined.with_columns(usd_per_unit=rate).drop("_at", "_mean")


def is_blank(columns: list[str]) -> pl.Expr:
    """Whether every one of these cells is empty.

    Parameters
    ----------
    columns : list of str
        Columns of text.

    Returns
    -------
    polars.Expr
        Boolean, never null.
    """
    return ~pl.any_horizontal(is_filled(pl.col(column)) for column in columns)
