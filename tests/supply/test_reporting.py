"""Which months are read of the coalition, and whose."""

from datetime import date

import polars as pl

from tests.supply import made
from tests.supply.made import MONTHS


def test_where_all_have_reported_one_run_of_months_with_all_members_is_read() -> None:
    (span,) = made.spans(made.flows())
    assert (span.months[0], span.months[-1]) == (made.CALENDAR[0], made.CALENDAR[-1])
    assert (len(span.kept), span.gaps, span.left_out.height) == (3, (), 0)


def test_a_month_that_most_of_the_coalition_has_not_reported_is_not_out() -> None:
    (span,) = made.spans(made.flows(months={"DEU": MONTHS - 2}))
    assert span.months[-1] == made.CALENDAR[MONTHS - 3]


def test_what_a_late_member_has_not_reported_counts_as_nothing_where_that_is_little() -> None:
    (span,) = made.spans(made.flows(months={"POL": MONTHS - 1}))
    assert (span.months[-1], span.gaps, span.left_out.height) == (made.CALENDAR[-1], ("POL",), 0)


def test_a_member_whose_gap_is_too_much_is_left_out_of_the_windows_that_have_it_only() -> None:
    rows = made.flows(months={"POL": MONTHS - 2})
    before, after = made.spans(rows)
    assert (before.ends[-1], before.left_out.height) == (date(2022, 9, 1), 0)
    assert (after.ends, after.left_out["reporter_iso"].to_list()) == ((date(2022, 12, 1),), ["POL"])
    value = made.built(rows).supply.filter(window_end=date(2022, 12, 1))["value_usd"].sum()
    counted = rows.filter(
        pl.col("reporter_iso") != "POL", pl.col("partner_iso") != "RUS", pl.col("ref_date") >= date(2022, 7, 1)
    )
    assert value == counted["primary_value_usd"].sum()


def test_without_monthly_reports_of_the_coalition_nothing_is_read() -> None:
    rows = made.flows().with_columns(reporter_iso=pl.lit("CHN"))
    assert made.spans(rows.unique(["cmd_code", "partner_iso", "ref_date"])) == []
    assert made.built(rows.unique(["cmd_code", "partner_iso", "ref_date"])).supply.is_empty()
