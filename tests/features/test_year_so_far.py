"""Which months an annual route's leg of the coalition is read from, where the year's own figure is not out."""

from typing import Any

import polars as pl

from tests.trade import flow, measured, years

MILLION = 1_000_000


def rows(members: dict[str, int], last_month_of_other: int = 0) -> list[dict[str, Any]]:
    """Annual sales of a hub; members that report so many months of 2022, and another reporter that does so many."""
    flows = years("KAZ", "RUS", dict.fromkeys(range(2019, 2022), 2 * MILLION) | {2022: 20 * MILLION})
    for year in range(2019, 2023):
        for month in range(1, 13):
            for member, last_month in members.items():
                if year < 2022 or month <= last_month:
                    flows.append(
                        flow(f"{year}-{month:02d}", member, "KAZ", MILLION, source="comext", dataset="monthly")
                    )
            if year < 2022 or month <= last_month_of_other:
                flows.append(flow(f"{year}-{month:02d}", "TUR", "KAZ", MILLION, dataset="of another"))
    return flows


def leg(trade: list[dict[str, Any]]) -> tuple[int | None, str]:
    row = measured(trade)[0].filter(
        pl.col("window_end").dt.year() == 2022, freq_code="A", exporter_iso="KAZ", importer_iso="RUS"
    )
    return row["coalition_to_hub_usd"][0], row["coalition_to_hub_compared"][0]


def test_the_leg_is_read_from_the_months_that_the_members_have_out() -> None:
    value, compared = leg(rows({"DEU": 11, "ITA": 11}))
    assert value == 2 * 11 * MILLION
    assert "Jan–Nov 2022" in compared


def test_another_reporter_that_reaches_december_does_not_take_the_leg_away() -> None:
    assert leg(rows({"DEU": 11, "ITA": 11}, last_month_of_other=12)) == leg(rows({"DEU": 11, "ITA": 11}))


def test_one_member_that_is_ahead_does_not_take_the_leg_from_the_others() -> None:
    value, compared = leg(rows({"DEU": 11, "ITA": 11, "POL": 12}))
    assert value == 3 * 11 * MILLION
    assert "Jan–Nov 2022" in compared


def test_a_leg_without_months_says_who_lacks_them_and_where_they_end() -> None:
    value, compared = leg(rows({"DEU": 2, "ITA": 1}))
    assert value is None
    assert compared == (
        "unknown: no member of the coalition reports exports by year; fewer than three months of 2022 are out by month from "
        "DEU, ITA (they end in February 2022)"
    )


def test_a_leg_of_which_the_year_before_is_missing_says_so() -> None:
    trade = [row for row in rows({"DEU": 11}) if row["reporter_iso"] == "KAZ" or row["ref_date"].year != 2021]
    value, compared = leg(trade)
    assert value is None
    assert compared.startswith("unknown: no member of the coalition reports exports by year; ")
    assert compared.endswith("; exports by month of DEU lack Jan–Nov 2021 (they end in November 2022)")


def test_a_leg_that_the_reports_at_hand_do_not_hold_says_so() -> None:
    elsewhere = [row | {"partner_iso": "TUR"} if row["reporter_iso"] == "DEU" else row for row in rows({"DEU": 11})]
    value, compared = leg(elsewhere)
    assert value is None
    assert compared.endswith("exports by month of DEU: no such good or partner among what is held of them")


def test_that_nobody_of_the_coalition_reports_is_said() -> None:
    assert leg(rows({})) == (
        None,
        "unknown: no member of the coalition reports exports by year; no member of the coalition reports exports by month",
    )
