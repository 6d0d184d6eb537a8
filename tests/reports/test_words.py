"""Amounts, changes and windows in words."""

from datetime import date

import pytest

from anomaly.reports.amounts import change, measured, million, usd
from anomaly.reports.words import months_before, window_bounds, window_words


@pytest.mark.parametrize(
    ("months", "end", "words"),
    [
        (12, date(2022, 12, 1), "2022"),
        (12, date(2022, 10, 1), "Nov 2021–Oct 2022"),
        (11, date(2022, 11, 1), "Jan–Nov 2022"),
        (6, date(2022, 6, 1), "Jan–Jun 2022"),
        (3, date(2022, 1, 1), "Nov 2021–Jan 2022"),
        (1, date(2022, 3, 1), "Mar 2022"),
    ],
)
def test_a_window_is_named_by_its_months(months: int, end: date, words: str) -> None:
    assert window_words(months, end) == words


def test_a_window_that_crosses_the_new_year_starts_in_the_year_before() -> None:
    assert window_bounds(3, date(2022, 1, 1)) == (date(2021, 11, 1), date(2022, 1, 1))
    assert months_before(date(2022, 1, 1), 12) == date(2021, 1, 1)


def test_a_change_from_nothing_is_not_a_percentage_and_the_unknown_is_not_zero() -> None:
    assert change(178_200_000, 37_000_000) == "+382 %"
    assert change(1, 2) == "−50 %"
    assert change(5, 0) == "from nothing"
    assert change(0, 0) == "nothing"
    assert change(5, None) == "not known"


def test_amounts_keep_a_digit_that_says_something() -> None:
    assert usd(178_200_000) == "178.2 million USD"
    assert usd(-4_200_000) == "−4.2 million USD"
    assert usd(None) == "not known"
    assert [million(value) for value in (178_249_000, 42_000, 0, None)] == ["178.2", "0.04", "0", "not known"]


def test_an_indicator_is_shown_in_its_own_unit() -> None:
    assert measured(1.5707, "log") == "1.57"
    assert measured(0.397, "share") == "39.7 %"
    assert measured(-22.41, "pp") == "−22.4 pp"
    assert measured(1.0, "flag") == "yes"
    assert measured(None, "usd") == "not known"
