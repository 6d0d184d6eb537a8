"""A series that follows another some months later."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.features.lead_lags import best


def changes(months: int, pairs: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (months, pairs))


def followed(lead: np.ndarray, lag: int, noise: float = 0.0) -> np.ndarray:
    months, pairs = lead.shape
    follow = noise * changes(months, pairs, seed=9)
    follow[lag:] += lead[: len(lead) - lag]
    return follow


@pytest.mark.parametrize("lag", range(7))
def test_the_planted_lag_is_found(lag: int) -> None:
    lead = changes(48)
    correlation, best_lag = best(lead, followed(lead, lag), [47], 40)
    assert (best_lag[0, 0], correlation[0, 0]) == (lag, pytest.approx(1.0))


def test_a_lag_of_seven_months_is_too_long() -> None:
    lead = changes(60, 200)
    correlation, _ = best(lead, followed(lead, 7), [59], 50)
    assert np.median(correlation) < 0.4


def test_what_moves_against_the_lead_does_not_follow_it() -> None:
    lead = changes(60, 50)
    correlation, _ = best(lead, -followed(lead, 0), [59], 60)
    assert np.median(correlation) < 0.4


def test_a_correlation_is_that_of_the_known_changes() -> None:
    lead, follow = changes(40), changes(40, seed=1)
    lead[[4, 9]], follow[[9, 21]] = np.nan, np.nan
    correlation, lag = best(lead, follow, [39], 40)
    by_lag = []
    for shift in range(7):
        x, y = lead[: 40 - shift, 0], follow[shift:, 0]
        is_known = ~(np.isnan(x) | np.isnan(y))
        by_lag.append(np.corrcoef(x[is_known], y[is_known])[0, 1])
    assert correlation[0, 0] == pytest.approx(max(by_lag))
    assert lag[0, 0] == int(np.argmax(by_lag))


def test_too_few_known_changes_say_nothing() -> None:
    lead = changes(18)
    correlation, lag = best(lead[1:], lead[1:], [16], 60)
    assert np.isnan(correlation[0, 0])
    assert lag[0, 0] == -1
    assert best(lead, lead, [17], 60)[0][0, 0] == pytest.approx(1.0)


def test_what_the_route_did_before_the_span_does_not_count() -> None:
    lead = changes(60)
    follow = followed(lead, 2)
    follow[:20] = changes(20, seed=5)
    assert best(lead, follow, [59], 40)[0][0, 0] == pytest.approx(1.0)


def test_a_leg_that_does_not_move_is_not_followed() -> None:
    lead = changes(40)
    assert best(lead, np.zeros_like(lead), [39], 40)[0][0, 0] == 0.0


@given(st.integers(20, 59), st.integers(0, 100))
def test_nothing_after_an_end_counts_for_it(end: int, seed: int) -> None:
    lead, follow = changes(60, 2, seed), changes(60, 2, seed + 1)
    whole = best(lead, follow, [end, 59], 30)
    cut = best(lead[: end + 1], follow[: end + 1], [end], 30)
    assert whole[0][0] == pytest.approx(cut[0][0], nan_ok=True)
    assert whole[1][0].tolist() == cut[1][0].tolist()
