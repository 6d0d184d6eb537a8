"""Quarterly data: windows are sums of quarters, the same that the months would give, and nothing is said that needs months."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.periods import Window
from tests.trade import flow, measured

VALUES = ["window_months", "window_end", "value_usd", "value_prior_year_usd", "value_baseline_usd"]
MONTHS = [(year, month) for year in range(2018, 2024) for month in range(1, 13)]


def by_month() -> list[dict[str, Any]]:
    return [
        flow(f"{year}-{month:02}", "KAZ", partner, 100_000 * (year - 2010) * month + len(partner) * number, code=code)
        for year, month in MONTHS
        for number, partner in enumerate(("RUS", "UZB", "DEU"))
        for code in ("847989", "854231")
    ]


def by_quarter() -> list[dict[str, Any]]:
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in by_month():
        first = date(row["ref_date"].year, 3 * ((row["ref_date"].month - 1) // 3) + 1, 1)
        key = (first, row["partner_iso"], row["cmd_code"])
        whole = sums.setdefault(key, {**row, "freq_code": "Q", "ref_date": first, "primary_value_usd": 0})
        whole["primary_value_usd"] += row["primary_value_usd"]
    return list(sums.values())


def route(rows: list[dict[str, Any]]) -> pl.DataFrame:
    features, _ = measured(rows)
    return features.filter(importer_iso="RUS", good="847989").sort("window_end", "window_months", "baseline_gap_years")


def test_a_window_of_quarters_is_the_sum_that_its_months_would_give() -> None:
    months, quarters = route(by_month()), route(by_quarter())
    assert set(quarters["freq_code"]) == {"Q"}
    assert {3, 6, 12} <= set(quarters["window_months"])
    same = months.join(
        quarters.select("window_months", "window_end").unique(), on=["window_months", "window_end"], how="semi"
    )
    assert same.select(VALUES).equals(quarters.select(VALUES))


def test_what_needs_months_is_unknown_of_quarters() -> None:
    quarters = route(by_quarter())
    assert quarters["level_shift_log"].null_count() == quarters.height
    assert quarters["lead_lag_corr"].null_count() == quarters.height


def test_months_and_quarters_of_one_route_are_never_added_up() -> None:
    both = route(by_month() + by_quarter()).filter(window_months=6, window_end=date(2022, 6, 1), baseline_gap_years=1)
    assert both.group_by("freq_code").agg(pl.col("value_usd").max()).sort("freq_code")["value_usd"].n_unique() == 1


def test_a_window_of_quarters_spans_them_from_first_day_to_first_day() -> None:
    half = Window("Q", 6, date(2022, 6, 1))
    assert (half.name, half.tag, half.span()) == ("2022H1", "2022-06-2Q", (date(2022, 1, 1), date(2022, 4, 1), 2))
