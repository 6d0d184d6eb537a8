"""The shift of a monthly level: the published answer, planted steps, and noise without any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.features import level_shifts
from anomaly.features.level_shifts import critical, find

# EU imports of one product, monthly from August 2008, as published with Rousseeuw, Perrotta, Riani and Hubert 2019; the
# level falls at the 27th point, and the four points after it lie lower still.
PUBLISHED = [
    137.8, 99.7, 128.6, 147.3, 138, 105.3, 107.8, 121, 108.3, 156, 140.2, 129.5, 101.3, 103.8, 97, 134.7, 164.8, 153.9,
    137.4, 162.5, 129.9, 143.7, 146.9, 156.7, 129, 137.1, 73.8, 34.5, 46.2, 41.4, 40.8, 51.9, 74, 80.1, 73.4, 77.5, 45.4,
    56.4, 65.6, 73.3, 69.2, 77.8, 64.2, 61.4, 67.2, 86.4, 93, 70.2,
]  # fmt: skip
AUGUST = 8
JANUARY = 1
MONTHS = np.arange(60)


def noise(count: int, months: int, seed: int = 0) -> np.ndarray:
    """Log series with a trend and a season of their own and 30 % of noise."""
    draw = np.random.default_rng(seed)
    season = draw.normal(0, 0.4, (count, 12))[:, np.arange(months) % 12]
    trend = draw.normal(0, 0.01, (count, 1)) * np.arange(months)
    return season + trend + draw.normal(0, 0.3, (count, months))


def test_the_published_series_shifts_down_at_its_27th_point() -> None:
    shift = find(np.log([PUBLISHED]), AUGUST)
    assert shift.at[0] + 1 == 27
    assert shift.size[0] == pytest.approx(-1.0, abs=0.05)  # to 37 % of the level before


@pytest.mark.parametrize("outliers", [{5: 6.0, 40: 0.1}, {10: 0.05, 11: 0.05}, {20: 5.0, 45: 8.0, 3: 0.2}], ids=str)
def test_outliers_do_not_move_the_published_shift(outliers: dict[int, float]) -> None:
    series = np.array(PUBLISHED)
    for month, times in outliers.items():
        series[month] *= times
    shift = find(np.log(series[None]), AUGUST)
    assert shift.at[0] + 1 == 27
    assert shift.size[0] == pytest.approx(-1.0, abs=0.15)


@settings(max_examples=25, deadline=None)
@given(at=st.integers(8, 52), size=st.sampled_from([-2.5, -1.8, 1.8, 2.5]), seed=st.integers(0, 10**6))
def test_a_planted_step_is_found_where_and_as_large_as_it_is(at: int, size: float, seed: int) -> None:
    series = noise(40, 60, seed)
    series[:, at:] += size
    shifts = find(series, JANUARY)
    assert (np.abs(shifts.at - at) <= 1).mean() >= 0.9
    assert np.median(shifts.size) == pytest.approx(size, abs=0.2)


@pytest.mark.parametrize("months", [30, 35, 48, 60])
def test_noise_without_a_step_has_none_in_95_of_100_series(months: int) -> None:
    shifts = find(noise(2_000, months), JANUARY)
    assert (shifts.size != 0).mean() <= 0.05
    assert (shifts.at[shifts.size == 0] == -1).all()


def test_noise_that_remembers_itself_is_seldom_a_step() -> None:
    # a t that knows of no autocorrelation calls 8 of 100
    draw = np.random.default_rng(1)
    series = draw.normal(0, 0.3, (2_000, 80))
    for month in range(1, 80):
        series[:, month] += 0.3 * series[:, month - 1]
    assert (find(series[:, 20:], JANUARY).size != 0).mean() <= 0.05


def test_one_month_that_stands_alone_is_no_step() -> None:
    series = noise(200, 60)
    series[:, 30] += 4
    assert (find(series, JANUARY).size != 0).mean() <= 0.05


def test_a_growing_trade_is_no_step() -> None:
    assert (find(noise(200, 60) + 0.05 * MONTHS, JANUARY).size != 0).mean() <= 0.05


def test_a_boom_of_two_years_is_no_trend_with_a_step_down_at_its_foot() -> None:
    boom = noise(300, 35)
    boom[:, -24:] += np.linspace(0, 5, 24)
    assert (find(boom, JANUARY).size < 0).mean() <= 0.02  # 78 of 100 where the trend is free


def test_a_boom_of_the_last_months_is_a_step_up() -> None:
    boom = noise(300, 60)
    boom[:, -8:] += np.linspace(0.4, 3, 8)
    assert (find(boom, JANUARY).size > 0).mean() >= 0.9


def test_a_strong_season_hides_no_step() -> None:
    series = noise(100, 60) + 3 * np.sin(MONTHS * np.pi / 6) + np.where(MONTHS >= 33, 1.8, 0.0)
    shifts = find(series, JANUARY)
    assert (np.abs(shifts.at - 33) <= 1).mean() >= 0.9


def test_a_step_without_any_noise_is_found() -> None:
    shift = find(np.where(MONTHS >= 40, 12.0, 10.0)[None], JANUARY)
    assert (shift.at[0], shift.size[0]) == (40, pytest.approx(2.0))


def test_a_series_that_stands_still_has_no_step() -> None:
    shift = find(np.full((1, 60), 9.03), JANUARY)
    assert (shift.size[0], shift.at[0]) == (0.0, -1)


def test_months_that_are_not_known_are_left_out_and_the_rest_is_enough() -> None:
    series = noise(50, 60) + np.where(MONTHS >= 40, 2.0, 0.0)
    series[:, [3, 17, 38, 39, 50]] = np.nan
    shifts = find(series, JANUARY)
    assert (np.abs(shifts.at - 40) <= 1).mean() >= 0.9


def test_too_few_known_months_are_unknown() -> None:
    series = noise(2, 60)
    series[0, 29:] = np.nan
    series[1, 30:] = np.nan
    assert np.isnan(find(series, JANUARY).size).tolist() == [True, False]


def test_a_series_has_the_shift_it_has_alone() -> None:
    series = noise(2_500, 60) + np.where(MONTHS >= 40, 1.2, 0.0)
    series[::7, :9] = np.nan
    together = find(series, JANUARY)
    for row in (0, 1, 7, 1_234, 2_499):
        alone = find(series[[row]], JANUARY)
        assert (alone.at[0], alone.size[0]) == (together.at[row], pytest.approx(together.size[row], rel=1e-9))


@pytest.mark.parametrize(("dates", "freedom", "quantile"), [(30, 16, 4.5420), (43, 34, 4.1151), (55, 46, 4.0719)])
def test_the_limit_is_the_quantile_of_students_t(dates: int, freedom: int, quantile: float) -> None:
    assert critical(dates, freedom) == pytest.approx(quantile, abs=5e-5)


def test_the_running_median_takes_out_what_stands_alone_and_leaves_a_step() -> None:
    series = np.array([[0.0] * 10 + [5.0] + [0.0] * 9 + [3.0] * 10]) + noise(1, 30)[0] / 100
    clean = level_shifts._without_spikes(series)
    assert abs(clean[0, 10]) < 0.1
    assert clean[0, 20:].min() > 2.9
