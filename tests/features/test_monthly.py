"""What only monthly data can say of a route, from made-up months to features."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.trade import flow, measured, years

MILLION = 1_000_000
CALENDAR = [f"{year}-{month:02d}" for year in range(2019, 2023) for month in range(1, 13)]
UNEVEN = np.exp(np.random.default_rng(3).normal(0, 0.3, len(CALENDAR)))


def monthly(reporter: str, partner: str, values: list[float], **options: Any) -> list[dict[str, Any]]:
    return [
        flow(month, reporter, partner, round(value), **options) for month, value in zip(CALENDAR, values, strict=True)
    ]


def level(step: float, since: str = "2022-03", delay: int = 0) -> list[float]:
    """Half a million USD a month with noise, times `step` from a month on; the noise comes `delay` months later."""
    return [
        MILLION / 2 * (step if month >= since else 1) * UNEVEN[position - delay]
        for position, month in enumerate(CALENDAR)
    ]


def row(rows: list[dict[str, Any]], end: date = date(2022, 12, 1), months: int = 6) -> dict[str, Any]:
    route = measured(rows)[0].filter(
        pl.col("window_end") == end, pl.col("window_months") == months, exporter_iso="KAZ", importer_iso="RUS"
    )
    return route.row(0, named=True)


def test_the_step_of_a_route_has_its_size_and_its_month() -> None:
    route = row(monthly("KAZ", "RUS", level(6.0)))
    assert route["level_shift_log"] == pytest.approx(np.log(6), abs=0.4)
    assert route["break_month"] == date(2022, 3, 1)


def test_a_route_without_a_step_has_a_shift_of_nothing_and_no_month() -> None:
    route = row(monthly("KAZ", "RUS", level(1.0)))
    assert (route["level_shift_log"], route["break_month"]) == (0.0, None)


def test_what_comes_after_a_window_is_not_seen_in_it() -> None:
    assert row(monthly("KAZ", "RUS", level(6.0, "2022-10")), date(2022, 9, 1), 3)["break_month"] is None


def test_annual_data_and_short_series_have_no_level_shift() -> None:
    rows = years("KAZ", "RUS", dict.fromkeys(range(2019, 2023), 5 * MILLION))
    annual = measured(rows)[0]
    assert annual.select(pl.col("level_shift_log", "lead_lag_corr").is_null().all()).row(0) == (True, True)
    assert row(monthly("KAZ", "RUS", level(6.0)), date(2021, 6, 1))["level_shift_log"] == 0.0
    short = [month for month in monthly("KAZ", "RUS", level(6.0)) if month["ref_date"] >= date(2020, 9, 1)]
    assert row(short)["level_shift_log"] is None


def test_a_route_that_follows_the_coalitions_sales_to_its_hub_says_after_how_many_months() -> None:
    route = row([*monthly("KAZ", "RUS", level(1.0, delay=2)), *monthly("DEU", "KAZ", level(1.0))])
    assert route["lead_lag_corr"] > 0.9
    assert route["lead_lag_months"] == 2


def test_without_the_leg_into_the_hub_nothing_is_followed() -> None:
    route = row(monthly("KAZ", "RUS", level(1.0)))
    assert (route["lead_lag_corr"], route["lead_lag_months"]) == (None, None)


def test_a_member_that_reports_late_is_no_change_of_the_leg() -> None:
    late = [month for month in monthly("FRA", "KAZ", level(20.0, "2019-01")) if month["ref_date"] >= date(2020, 5, 1)]
    route = row([*monthly("KAZ", "RUS", level(1.0)), *monthly("DEU", "KAZ", level(1.0)), *late])
    assert route["lead_lag_corr"] == pytest.approx(1.0, abs=1e-3)
