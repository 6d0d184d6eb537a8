"""Control routes: what is counted, the ratio by hand, and how p is raised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.scores.shock import Controls, count, raised, ratios


def test_only_control_routes_are_counted_and_by_whether_the_direct_trade_fell() -> None:
    p_value = np.array([0.05, 0.05, 0.05, 0.5])
    is_control, has_fallen = np.array([True, True, False, True]), np.array([True, False, True, True])
    assert count(p_value, is_control, has_fallen) == Controls(unusual=(1, 1), routes=(1, 2))


def test_each_class_has_its_own_count_of_routes_and_of_unusual_ones_with_a_p_of_a_twentieth_among_them() -> None:
    """Planted: 1 of 3 where the direct trade stood, 4 of 6 where it fell; a route that is no control is in neither."""
    p_value = np.array([0.05, 0.06, 0.9, *[0.01] * 3, 0.05, 0.2, 0.3, 0.01, 0.05])
    has_fallen = np.array([False] * 3 + [True] * 6 + [False, True])
    is_control = np.array([True] * 9 + [False] * 2)
    assert count(p_value, is_control, has_fallen) == Controls(unusual=(1, 4), routes=(3, 6))


def test_as_many_unusual_control_routes_as_chance_allows_raise_nothing() -> None:
    assert ratios([Controls((5, 10), (100, 200))]) == (1.0, 1.0)


def test_fewer_than_chance_allows_lower_nothing() -> None:
    assert ratios([Controls((0, 0), (100, 200))]) == (1.0, 1.0)


def test_three_times_as_many_in_one_class_are_told_of_that_class() -> None:
    """By hand: all together 35 of 300, with 40 routes as expected 37/17; each class beside 40 that behave like that."""
    stood, fell = ratios([Controls((5, 30), (100, 200))])
    among_all = (35 + 2) / (0.05 * 340)
    assert stood == pytest.approx((5 + 2 * among_all) / (0.05 * 140))
    assert fell == pytest.approx((30 + 2 * among_all) / (0.05 * 240))
    assert 1 < stood < 1.5 < 2.5 < fell < 3


def test_a_handful_of_control_routes_says_little() -> None:
    alone = 2 / (0.05 * 3)
    assert max(ratios([Controls((2, 0), (3, 0))])) < alone / 2


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(1, 20))
def test_a_smaller_p_stays_the_smaller_and_none_is_lowered(p_value: float, other_p_value: float, ratio: float) -> None:
    low, high = raised(np.array(sorted((p_value, other_p_value))), np.array([ratio, ratio]))
    assert low <= high <= 1
    assert low >= min(p_value, other_p_value) - 1e-12


def test_a_p_from_a_hundredth_on_is_raised_by_the_whole_ratio_and_a_tiny_one_hardly() -> None:
    p_values = raised(np.array([0.01, 0.2, 0.0001]), np.array([2.0, 2.0, 2.0]))
    assert p_values[:2] == pytest.approx([0.02, 0.4])
    assert p_values[2] == pytest.approx(0.0001, rel=0.01)
