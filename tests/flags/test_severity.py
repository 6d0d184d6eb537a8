"""What keeps a flag from being pressing, each by its own doubt."""

from typing import Any

import pytest

from anomaly.flags.severity import severity

MILLION = 1_000_000
STRONG: dict[str, Any] = {
    "good": "848220", "value_usd": 12 * MILLION, "value_prior_year_usd": 2 * MILLION, "q_value": 0.05, "shock_ratio": 1.0,
    "most_severe": "high",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"value_prior_year_usd": 12 * MILLION},
        {"value_prior_year_usd": None},  # nobody can say that it fell
        {"shock_ratio": 1.99},
        {"shock_ratio": None},
    ],
)
def test_a_large_route_of_a_small_q_without_a_doubt_is_high(change: dict[str, Any]) -> None:
    assert severity(STRONG | change, None) == "high"


@pytest.mark.parametrize(
    "change",
    [
        {"value_prior_year_usd": 12 * MILLION + 1},  # it fell on the year before
        {"good": "880240"},  # one aircraft
        {"shock_ratio": 2.0},  # control routes say that half of the calls may be a shock
        {"q_value": 0.0501},
        {"q_value": None},  # by rule
        {"most_severe": "medium"},
    ],
)
@pytest.mark.parametrize("tier", [None, "1"])
def test_a_doubt_makes_it_medium_whatever_its_good_is(change: dict[str, Any], tier: str | None) -> None:
    assert severity(STRONG | change, tier) == "medium"


def test_a_small_route_of_a_good_on_no_list_is_a_step_less_pressing() -> None:
    small = STRONG | {"value_usd": 10 * MILLION - 1}
    assert [severity(small, tier) for tier in (None, "2")] == ["medium", "high"]
    assert severity(small | {"good": "880240"}, None) == "low"


def test_no_figure_makes_a_type_that_is_low_more_pressing() -> None:
    assert severity(STRONG | {"most_severe": "low"}, "1") == "low"
