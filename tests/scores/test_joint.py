"""The room for a rise and the soft minimum of the two, by hand and for any figures."""

from datetime import date
from math import log
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.scores.joint import dated, joint, room_log, step_age_months, step_log

FLOOR_USD = 1.0
ROUTE: dict[str, Any] = {
    "value_usd": 5_000, "value_prior_year_usd": 999, "value_baseline_usd": 399,
    "coalition_to_hub_usd": 5_000, "coalition_to_hub_baseline_usd": 5_000, "coalition_to_hub_prior_usd": 4_000,
    "neighbour_code_shift": None, "neighbour_fell_usd": None,
}  # fmt: skip
logs = st.floats(-20, 20)


def room(**changes: Any) -> float | None:
    kinds: dict[str, Any] = dict.fromkeys((name for name in ROUTE if name.endswith("_usd")), pl.Int64)
    row = pl.DataFrame([{**ROUTE, **changes}], schema_overrides=kinds | {"neighbour_code_shift": pl.Float64})
    value: float | None = row.select(room_log(FLOOR_USD)).item()
    return value


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0.0),
        ({"coalition_to_hub_usd": 6_000}, log(2)),  # 1,000 more, on a route of 1,000 with the floor
        ({"coalition_to_hub_usd": 6_000, "value_prior_year_usd": 0}, log(3.5)),  # then its baseline is its size
        ({"coalition_to_hub_usd": 4_000}, 0.0),
        ({"coalition_to_hub_usd": 6_000, "coalition_to_hub_baseline_usd": None}, log(3)),  # against the year before
        ({"neighbour_code_shift": 0.5, "neighbour_fell_usd": 1_000}, log(2)),
        ({"neighbour_code_shift": 0.0, "neighbour_fell_usd": 1_000}, 0.0),
    ],
)
def test_the_room_is_how_far_what_the_hub_got_more_could_carry_the_route(changes, expected) -> None:
    assert room(**changes) == pytest.approx(expected)


def test_the_room_is_unknown_where_what_the_coalition_sells_the_hub_is_not_in_the_data() -> None:
    assert room(coalition_to_hub_usd=None, neighbour_code_shift=1.0, neighbour_fell_usd=1_000) is None


def test_the_routes_own_value_does_not_change_the_room() -> None:
    assert room(coalition_to_hub_usd=6_000, value_usd=1) == room(coalition_to_hub_usd=6_000, value_usd=10**12)


@given(logs, st.floats(0, 20))
def test_the_soft_minimum_is_at_most_the_smaller_and_at_least_that_less_half_of_ln_2(rise: float, space: float) -> None:
    value = float(joint(np.array([rise]), np.array([space]))[0])
    assert min(rise, space) - log(2) / 2 - 1e-9 <= value <= min(rise, space) + 1e-9


@given(logs, logs, st.floats(0, 20))
def test_more_rise_is_never_less_evidence(rise: float, other_rise: float, space: float) -> None:
    low, high = joint(np.array(sorted((rise, other_rise))), np.array([space, space]))
    assert low <= high


def test_an_unknown_room_gives_no_joint_evidence() -> None:
    assert np.isnan(joint(np.array([3.0]), np.array([np.nan]))[0])


def stepped(
    level_shift: float | None, everybodys: float | None = 0.0, since: date | None = date(2022, 4, 1)
) -> pl.DataFrame:
    kinds = {"level_shift_log": pl.Float64, "counterfactual_rise_log": pl.Float64, "break_month": pl.Date}
    row = {"level_shift_log": level_shift, "counterfactual_rise_log": everybodys, "break_month": since}
    return pl.DataFrame([{**row, "window_end": date(2022, 12, 1)}], schema_overrides=kinds)


@pytest.mark.parametrize(
    ("level_shift", "everybodys", "expected"),
    [(2.0, 0.5, 1.5), (0.4, 0.5, 0.0), (-2.0, 0.0, 0.0), (2.0, None, 2.0), (None, 0.5, None)],
)
def test_a_step_is_what_lies_beyond_everybodys_rise_and_unknown_stays_unknown(
    level_shift, everybodys, expected
) -> None:
    assert stepped(level_shift, everybodys).select(step_log()).item() == expected


def test_a_step_is_as_old_as_the_months_from_its_first_to_the_windows_last() -> None:
    assert stepped(2.0).select(step_age_months()).item() == 8
    assert stepped(0.0, since=None).select(step_age_months()).item() is None


@given(logs, st.floats(0, 20), st.floats(0, 20))
def test_a_larger_step_is_never_less_evidence_and_none_adds_to_the_rise(
    rise: float, step: float, other_step: float
) -> None:
    low, high = dated(np.array([rise, rise]), np.array(sorted((step, other_step))))
    assert low <= high <= rise
    assert low >= min(rise, rise / 2)
