"""How far a leg rose, and what the direct trade did, by hand."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.supply import by_date, by_window, rise
from anomaly.supply.series import Legs

SETTINGS = load()
MONTHS = 36
CALENDAR = tuple(date(2020 + at // 12, at % 12 + 1, 1) for at in range(MONTHS))
MEASURE = CALENDAR.index(date(2022, 2, 1))
FLOOR = SETTINGS.supply.floor_usd / 2  # of half a year


def legs(value: list[list[int]], direct: list[list[list[int]]] | None = None) -> Legs:
    """One good and hub a row."""
    count = len(value)
    nothing = np.zeros((count, MONTHS), dtype=np.bool_)
    return Legs(
        CALENDAR, pl.Series([f"8481{at:02d}" for at in range(count)]), pl.Series(["KAZ"]), np.array([True]),
        ("BLR", "RUS"), np.arange(count), np.zeros(count, dtype=np.int64), np.array(value),
        np.array(direct) if direct else np.zeros((count, 2, MONTHS), dtype=np.int64), nothing,
        np.zeros(count, dtype=np.int64), np.zeros(MONTHS, dtype=np.bool_),
    )  # fmt: skip


def year_by_year(*levels: int) -> list[int]:
    return [level for level in levels for _ in range(12)]


def last_window() -> rise.Spell:
    window = rise.spell(MONTHS - 1, MEASURE, 6, None, SETTINGS)
    assert window is not None
    return window


def test_a_rise_is_held_against_the_best_year_before_the_measure() -> None:
    risen = rise.rise(legs([year_by_year(300_000, 100_000, 900_000)]), last_window(), SETTINGS)
    assert (risen.value[0], risen.prior[0], risen.best[0]) == (5_400_000, 600_000, 1_800_000)
    assert risen.sum_log[0] == pytest.approx(np.log((5_400_000 + FLOOR) / (1_800_000 + FLOOR)))


def test_one_large_month_is_no_rise() -> None:
    lumpy = year_by_year(100_000, 100_000, 100_000)
    lumpy[-2] = 50_000_000
    risen = rise.rise(legs([lumpy]), last_window(), SETTINGS)
    assert risen.sum_log[0] > 4
    assert risen.rise_log[0] == pytest.approx(0.0)


def test_two_large_months_are_no_rise_and_four_are() -> None:
    def with_large(months: int) -> list[int]:
        series = year_by_year(100_000, 100_000, 100_000)
        series[-months:] = [5_000_000] * months
        return series

    risen = rise.rise(legs([with_large(2), with_large(4)]), last_window(), SETTINGS)
    assert risen.rise_log[0] == pytest.approx(0.0)
    assert risen.rise_log[1] > 2


def test_a_rise_is_that_of_the_window_without_its_two_largest_months_by_hand() -> None:
    series = year_by_year(100_000, 100_000, 100_000)
    series[-6:] = [0, 1_000_000, 1_000_000, 1_000_000, 9_000_000, 9_000_000]
    risen = rise.rise(legs([series]), last_window(), SETTINGS)
    assert risen.rise_log[0] == pytest.approx(np.log((3_000_000 * 6 / 4 + FLOOR) / (600_000 + FLOOR)))


def test_windows_long_after_the_measure_are_held_against_years_before_it() -> None:
    late = rise.spell(MEASURE + 13, MEASURE, 6, None, SETTINGS)
    assert late is not None
    assert all(end < MEASURE for end in late.before)
    assert late.before[0] == MEASURE + 13 - 24


def test_a_fall_to_the_main_target_is_not_hidden_by_a_rise_to_another() -> None:
    rus, blr = year_by_year(3_000_000, 3_000_000, 100_000), year_by_year(1_000_000, 1_000_000, 9_000_000)
    direct_trade = rise.direct(legs([year_by_year(1, 1, 1)], [[blr, rus]]), last_window(), SETTINGS)
    assert direct_trade.fell[0]
    assert direct_trade.target[0] == 1


def test_direct_trade_that_fell_by_less_than_a_fifth_stood() -> None:
    stood = [[year_by_year(0, 0, 0), year_by_year(1_000_000, 1_000_000, 850_000)]]
    direct_trade = rise.direct(legs([year_by_year(1, 1, 1)], stood), last_window(), SETTINGS)
    assert (bool(direct_trade.fell[0]), bool(direct_trade.stood[0])) == (False, True)


def test_small_direct_trade_neither_fell_nor_stood() -> None:
    small = [[year_by_year(0, 0, 0), year_by_year(10_000, 10_000, 0)]]
    direct_trade = rise.direct(legs([year_by_year(1, 1, 1)], small), last_window(), SETTINGS)
    assert (bool(direct_trade.fell[0]), bool(direct_trade.stood[0])) == (False, False)


def test_q_is_that_of_benjamini_and_hochberg_by_hand() -> None:
    q_value = by_window.q_values(np.array([0.01, 0.04, np.nan, 0.03, 0.5]))
    assert q_value.tolist() == pytest.approx([0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.5], nan_ok=True)


def steps(at: list[int], size: list[float]) -> by_date.Steps:
    return by_date.Steps(np.array(size), np.array(at), np.ones(len(at), dtype=np.bool_), 0, MONTHS - 1)


def test_q_of_a_step_is_the_share_that_any_date_would_show_by_hand() -> None:
    at = [28] * 10 + [8, 14]
    dated = by_date.against_dates(steps(at, [1.0] * 10 + [2.0, 0.5]), 26, np.ones(12, dtype=np.bool_), SETTINGS, None)
    assert dated is not None
    assert (dated.since, dated.before, dated.dates_since, dated.dates_before) == (10, 2, 8, 23)
    assert dated.q_value[0] == pytest.approx((1 + 1) / 23 * 8 / 10)  # one step before is as large
    assert np.isnan(dated.q_value[10])


def test_steps_spread_over_all_dates_call_nothing() -> None:
    at = list(range(3, 34))
    dated = by_date.against_dates(steps(at, [1.0] * len(at)), 26, np.ones(len(at), dtype=np.bool_), SETTINGS, None)
    assert dated is not None
    assert np.nanmin(dated.q_value) > 0.5


def test_controls_that_step_up_as_often_raise_q_to_what_they_would_show() -> None:
    at = [28] * 40
    is_tested = np.arange(40) < 20
    alone = by_date.against_dates(steps(at, [1.0] * 40), 26, is_tested, SETTINGS, None)
    beside = by_date.against_dates(steps(at, [1.0] * 40), 26, is_tested, SETTINGS, ~is_tested)
    assert alone is not None
    assert beside is not None
    assert np.nanmax(alone.q_value) < 0.05
    assert np.nanmin(beside.q_value) == pytest.approx(1.0)


def test_a_measure_that_leaves_no_dates_before_it_has_no_date_test() -> None:
    assert by_date.against_dates(steps([28], [1.0]), 10, np.ones(1, dtype=np.bool_), SETTINGS, None) is None
