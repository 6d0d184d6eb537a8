"""p from placebos, q with weights, and backgrounds drawn again: values by hand, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomaly.scores.calibration import Null, q_values, resampled

shares = st.lists(st.floats(min_value=1e-6, max_value=1), min_size=1, max_size=40)


def null(score: list[float], usd: list[int] | None = None, least: int = 3) -> Null:
    value = np.array(usd or [5] * len(score), dtype=np.int64)
    return Null(np.array(score), value, (10,), least)


def test_p_is_one_and_the_placebos_with_as_much_over_one_and_all() -> None:
    p_value, count = null([0.1, 0.2, 0.3, 0.4]).p_values(np.array([0.3, 0.5, 0.0]), np.array([5, 5, 5]))
    assert p_value.tolist() == [3 / 5, 1 / 5, 1.0]
    assert count.tolist() == [4, 4, 4]


def test_a_size_band_with_enough_placebos_has_its_own() -> None:
    sized = null([0.1, 0.2, 0.3, 0.9, 0.9], [5, 5, 5, 50, 50])
    p_value, count = sized.p_values(np.array([0.5, 0.5]), np.array([5, 50]))
    assert count.tolist() == [3, 5]
    assert p_value.tolist() == [1 / 4, 3 / 6]


def test_a_value_on_the_edge_of_two_size_bands_is_of_the_upper_one_as_placebo_and_as_route() -> None:
    sized = null([0.1, 0.2, 0.3, 0.9, 0.9, 0.9, 0.9], [5, 5, 5, 10, 50, 50, 50])
    assert sized.p_values(np.array([0.5, 0.5]), np.array([9, 10]))[1].tolist() == [3, 4]


def test_a_background_of_each_placebo_once_is_the_placebos() -> None:
    told = null([0.3, 0.1, 0.2])
    once, count = told.p_values_of(np.ones((1, 3), dtype=np.int64), np.array([0.2]), np.array([5]))
    assert once[0].tolist() == told.p_values(np.array([0.2]), np.array([5]))[0].tolist()
    assert count.tolist() == [[3]]


def test_a_placebo_drawn_twice_counts_twice() -> None:
    p_value, _ = null([0.1, 0.9]).p_values_of(np.array([[0, 2]]), np.array([0.5]), np.array([5]))
    assert p_value.tolist() == [[1.0]]


def test_every_background_has_as_many_placebos_as_there_are() -> None:
    assert resampled(50, 7, 1).sum(axis=1).tolist() == [50] * 7


def by_definition(p_values: list[float], weights: list[float], share_true_null: float = 1.0) -> list[float]:
    """q of each: the least, over all p/weight at least as large, of what would be false by chance over what is called."""
    weighted = [min(p / weight, 1.0) for p, weight in zip(p_values, weights, strict=True)]
    called = {limit: sum(p <= limit for p in weighted) for limit in weighted}
    false_share = {limit: limit * len(weighted) / called[limit] for limit in weighted}
    return [min(false_share[limit] for limit in weighted if limit >= p) * share_true_null for p in weighted]


def test_q_is_the_published_value_where_half_and_more_may_be_true_nulls() -> None:
    """p and q of Benjamini and Hochberg by hand: four are tested, and the estimate of the nulls is held at all of them."""
    got = q_values(np.array([0.01, 0.04, 0.03, 0.6]), np.ones(4))
    assert got == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.6])


@given(st.lists(st.tuples(st.sampled_from([1e-6, 0.01, 0.01, 0.2, 1.0]) | st.floats(1e-6, 1), st.floats(0.05, 20)), min_size=1, max_size=40))  # fmt: skip
def test_q_is_that_of_the_definition_for_any_weights_order_and_ties(tested: list[tuple[float, float]]) -> None:
    p_values, weights = [p for p, _ in tested], [weight for _, weight in tested]
    above = sum(weight for p, weight in tested if p > 0.5)
    share_true_null = min(1.0, (max(weights) + above) / (len(tested) / 2))
    got = q_values(np.array(p_values), np.array(weights))
    assert got == pytest.approx(by_definition(p_values, weights, share_true_null), rel=1e-12)


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
