"""Amounts, changes and windows in words."""

from anomaly.reports.amounts import change, measured, million, usd


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
