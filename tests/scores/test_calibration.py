"""p from placebos, q with weights, and backgrounds drawn again: values by hand, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomaly.scores.calibration import (
    FEW_PLACEBOS,
    TAIL_MOST,
    beyond_counts,
    p_values,
    p_values_of,
    q_values,
    resampled,
)

shares = st.lists(st.floats(min_value=1e-6, max_value=1), min_size=1, max_size=40)


def test_p_is_one_and_the_placebos_with_as_much_over_one_and_all() -> None:
    p_value = p_values(np.array([0.4, 0.1, 0.3, 0.2]), np.array([0.3, 0.5, 0.0]))
    assert p_value.tolist() == [3 / 5, 1 / 5, 1.0]


def test_a_background_of_each_placebo_once_is_the_placebos() -> None:
    null, route = np.array([0.3, 0.1, 0.2]), np.array([0.2])
    resampled = p_values_of(np.ones((1, 3), dtype=np.int64), null, route)
    assert resampled[0].tolist() == p_values(null, route).tolist()


def test_a_placebo_drawn_twice_counts_twice() -> None:
    assert p_values_of(np.array([[0, 2]]), np.array([0.1, 0.9]), np.array([0.5])).tolist() == [[1.0]]


def test_every_background_has_as_many_placebos_as_there_are() -> None:
    assert resampled(50, 7, 1).sum(axis=1).tolist() == [50] * 7


def by_definition(p_values: list[float], weights: list[float]) -> list[float]:
    """q of each: the least, over all p/weight at least as large, of what would be false by chance over what is called."""
    weighted = [min(p / weight, 1.0) for p, weight in zip(p_values, weights, strict=True)]
    called = {limit: sum(p <= limit for p in weighted) for limit in weighted}
    false_share = {limit: limit * len(weighted) / called[limit] for limit in weighted}
    return [min(false_share[limit] for limit in weighted if limit >= p) for p in weighted]


def test_q_is_the_value_that_benjamini_and_hochberg_published() -> None:
    """p and q by hand: four are tested, and no share of true nulls is estimated."""
    q = q_values(np.array([0.01, 0.04, 0.03, 0.6]), np.ones(4))
    assert q == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.6])


@given(st.lists(st.tuples(st.sampled_from([1e-6, 0.01, 0.01, 0.2, 1.0]) | st.floats(1e-6, 1), st.floats(0.05, 20)), min_size=1, max_size=40))  # fmt: skip
def test_q_is_that_of_the_definition_for_any_weights_order_and_ties(tested: list[tuple[float, float]]) -> None:
    p_values, weights = [p for p, _ in tested], [weight for _, weight in tested]
    q = q_values(np.array(p_values), np.array(weights))
    assert q == pytest.approx(by_definition(p_values, weights), rel=1e-12)


@hypothesis_settings(max_examples=50)
@given(shares)
def test_with_equal_weights_q_is_benjamini_hochbergs_at_most(p_values: list[float]) -> None:
    q_value = q_values(np.array(p_values), np.ones(len(p_values)))
    assert (q_value <= np.array(by_definition(p_values, [1.0] * len(p_values))) + 1e-12).all()


@hypothesis_settings(max_examples=50)
@given(shares)
def test_a_smaller_p_of_the_same_weight_never_has_a_larger_q(p_values: list[float]) -> None:
    p_value = np.array(p_values)
    q_value = q_values(p_value, np.ones(len(p_value)))
    assert (np.diff(q_value[np.argsort(p_value, kind="stable")]) >= -1e-12).all()


def test_of_two_routes_with_the_same_p_the_one_in_the_likelier_place_has_the_smaller_q() -> None:
    p_value = np.array([0.02, 0.02, 0.6, 0.7, 0.8, 0.9])
    weight = np.array([2.0, 0.4, 0.9, 0.9, 0.9, 0.9])
    likely, unlikely, *_ = q_values(p_value, weight)
    assert likely < unlikely


def test_rows_of_several_backgrounds_are_told_apart() -> None:
    p_values = np.array([[0.01, 0.5, 0.9], [0.9, 0.5, 0.01]])
    weight = np.array([1.0, 1.0, 1.0])
    assert q_values(p_values, weight)[0].tolist() == q_values(p_values[0], weight).tolist()
    assert q_values(p_values, weight)[1].tolist() == q_values(p_values[1], weight).tolist()


@pytest.mark.parametrize("level", [0.05, 0.1, 0.2])
def test_with_weights_that_know_where_to_look_the_false_share_stays_within_q(level: float) -> None:
    """200 routes, 40 of them true and mostly in likely places; the share of false calls, mean of 200 draws."""
    draw = np.random.default_rng(5)
    false = []
    for _ in range(200):
        is_true = np.arange(200) < 40
        p_value = np.where(is_true, draw.beta(0.1, 8, 200), draw.uniform(size=200))
        weight = np.where(draw.uniform(size=200) < np.where(is_true, 0.9, 0.3), 1.9, 0.1)
        called = q_values(p_value, weight / weight.mean()) <= level
        false.append((called & ~is_true).sum() / max(called.sum(), 1))
    assert np.mean(false) <= 1.1 * level  # 200 draws are that exact


def test_far_beyond_few_placebos_p_goes_below_what_can_be_counted_and_not_without_end() -> None:
    """By hand: of 0, 0.01 ... 0.49 the ten from 0.4 on lie 0.055 beyond 0.39 in the mean, and a route at 0.7 lies 0.31 beyond."""
    null = np.arange(50) / 100
    finer = beyond_counts(null, np.array([0.3, 0.49, 0.7, 50.0]))
    by_hand = 11 * (1 + 0.35 * 0.31 / (0.75 * 0.055)) ** (-1 / 0.35)
    assert finer.tolist() == pytest.approx([1.0, 1.0, by_hand, 1 / TAIL_MOST])
    assert 1 / TAIL_MOST < by_hand < 1


def test_many_placebos_are_counted_and_nothing_else() -> None:
    null = np.linspace(0, 1, FEW_PLACEBOS)
    assert beyond_counts(null, np.array([0.5, 99.0])).tolist() == [1.0, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("placebos", [30, 60, 150])
def test_p_beyond_few_placebos_is_no_smaller_than_chance_on_tails_thicker_than_the_fitted(placebos: int) -> None:
    """Student's t with three degrees of freedom: of honest routes one in a hundred has p up to 0.01."""
    draw = np.random.default_rng(0)
    small = []
    for _ in range(4_000):
        null, route = draw.standard_t(3, placebos), draw.standard_t(3, 10)
        small.append((p_values(null, route) * beyond_counts(null, route) <= 0.01).mean())
    assert np.mean(small) <= 0.0105
