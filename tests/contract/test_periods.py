"""Periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract import periods
from anomaly.contract.errors import BadRequest
from tests.refusal import refusal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022", periods.Period("2022", "A", date(2022, 1, 1), date(2022, 12, 1), 12)),
        ("2022H1", periods.Period("2022H1", "M", date(2022, 1, 1), date(2022, 6, 1), 6)),
        ("2022h2", periods.Period("2022H2", "M", date(2022, 7, 1), date(2022, 12, 1), 6)),
        ("2022Q3", periods.Period("2022Q3", "M", date(2022, 7, 1), date(2022, 9, 1), 3)),
        ("2022-07", periods.Period("2022-07", "M", date(2022, 7, 1), date(2022, 7, 1), 1)),
        ("202207", periods.Period("2022-07", "M", date(2022, 7, 1), date(2022, 7, 1), 1)),
    ],
)
def test_a_period_is_a_stretch_of_whole_months(text: str, expected: periods.Period) -> None:
    assert periods.parse_period(text) == expected


@pytest.mark.parametrize("text", ["", "22", "2022-13", "2022H3", "2022Q5", "2022Q0", "3022", "2022-7", "2022-07-01"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected a period such as"):
        periods.parse_period(text)


@pytest.mark.parametrize("text", ["July 2022", "2022-7", "7/2022"])
def test_a_wrong_period_gets_the_nearest_right_one(text: str) -> None:
    with pytest.raises(BadRequest, match="did you mean 2022-07"):
        periods.parse_period(text)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["A", "H", "Q", "M"]))
def test_a_period_is_read_again_from_its_own_text(day: date, kind: str) -> None:
    text = {
        "A": f"{day.year}",
        "H": f"{day.year}H{(day.month - 1) // 6 + 1}",
        "Q": f"{day.year}Q{(day.month - 1) // 3 + 1}",
        "M": f"{day.year}-{day.month:02d}",
    }[kind]
    period = periods.parse_period(text)
    assert period.text == text
    assert period.start <= day.replace(day=1) <= period.end
    assert (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1 == period.months


@given(st.text())
def test_no_text_for_a_period_ends_in_anything_but_a_period_or_help(text: str) -> None:
    message = refusal(periods.parse_period, text)
    assert "\ndo " in message or periods.parse_period(text).months in (1, 3, 6, 12)
