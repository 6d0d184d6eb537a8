"""The size-aware effect against values computed by hand and against its definition, written out for one good at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.features.size_effect import FENCE, size_effect

MILLION = 1_000_000
FLOOR = 100_000.0


def effects(value: list[int], prior: list[int], good: list[int] | None = None) -> np.ndarray:
    goods = np.array(good or [0] * len(value))
    return size_effect(np.array(value), np.array(prior), goods, FLOOR)


def textbook(value: np.ndarray, prior: np.ndarray) -> np.ndarray:
    ratio = (value + FLOOR) / (prior + FLOOR)
    median = np.median(ratio)
    change = np.array([r / median - 1 if r >= median else 1 - median / r for r in ratio])
    effect = change * (np.maximum(value, prior) / 1e6) ** 0.3
    low, middle, high = np.quantile(effect, [0.25, 0.5, 0.75])
    sides = [(high if size > middle else low) for size in effect]
    width = np.array([max(abs(side - middle), 0.05 * abs(middle)) for side in sides])
    return (effect - middle) / (7 * width) if (width > 0).all() else np.full(len(value), np.nan)


def test_the_route_at_the_upper_quartile_is_a_seventh_of_the_fence() -> None:
    # twenty-one routes of one size around a median that stands still: the effects are 0, +-1 step, +-2 steps ...
    value = [MILLION] * 21
    prior = [round((MILLION + FLOOR) / (1 + step / 100) - FLOOR) for step in range(11)]
    prior += [round((MILLION + FLOOR) * (1 + step / 100) - FLOOR) for step in range(1, 11)]
    size_effects = effects(value, prior)
    assert size_effects[5] == pytest.approx(1 / FENCE, rel=1e-4)
    assert size_effects[10] == pytest.approx(2 / FENCE, rel=1e-4)


def test_of_two_equal_rises_the_larger_route_is_the_more_unusual() -> None:
    value = [4_100_000, 410_100_000, *[MILLION + 10_000 * number for number in range(24)]]
    prior = [2 * MILLION, 205 * MILLION, *[MILLION] * 24]  # twice, with the floor on both sides
    small, large, *_ = effects(value, prior)
    assert 1 < small < large


def test_a_fall_is_below_nothing() -> None:
    value = [MILLION, *[10 * MILLION + 100_000 * number for number in range(24)]]
    assert effects(value, [10 * MILLION] * 25)[0] < -1


def test_a_good_of_nineteen_routes_has_no_fence() -> None:
    value, prior = [MILLION + number for number in range(39)], [MILLION] * 39
    assert np.isnan(effects(value, prior, [0] * 19 + [1] * 20)).tolist() == [True] * 19 + [False] * 20


def test_a_good_that_stands_still_has_no_fence() -> None:
    assert np.isnan(effects([MILLION] * 30, [MILLION] * 30)).all()


def test_from_nothing_is_finite() -> None:
    size_effects = effects([5 * MILLION, *[MILLION + 1000 * number for number in range(24)]], [0, *[MILLION] * 24])
    assert np.isfinite(size_effects).all()


amounts = st.integers(min_value=0, max_value=10**12)


@given(st.lists(st.tuples(amounts, amounts), min_size=20, max_size=30), st.integers(min_value=0, max_value=30))
def test_each_good_has_the_effects_it_has_alone(pairs: list[tuple[int, int]], routes_beside: int) -> None:
    value, prior = (np.array(side) for side in zip(*pairs, strict=True))
    values_of_others = np.arange(1, routes_beside + 1) * MILLION
    good = np.repeat([0, 1, 3], [routes_beside, len(value), routes_beside])
    among = size_effect(
        np.concatenate([values_of_others, value, values_of_others]),
        np.concatenate([values_of_others, prior, values_of_others[::-1]]),
        good,
        FLOOR,
    )
    of_good = among[routes_beside : routes_beside + len(value)]
    expected = textbook(value, prior)
    if not np.isnan(expected).any():
        assert of_good == pytest.approx(expected, rel=1e-9)
