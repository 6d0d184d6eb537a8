"""Periods as people write them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract import periods
from anomaly.contract.errors import BadRequest
from anomaly.contract.periods import Window
from tests.refusal import refusal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022", Window("A", 12, date(2022, 12, 1))),
        ("2022H1", Window("M", 6, date(2022, 6, 1))),
        ("2022h2", Window("M", 6, date(2022, 12, 1))),
        ("2022Q3", Window("M", 3, date(2022, 9, 1))),
        ("2022-07", Window("M", 1, date(2022, 7, 1))),
        ("202207", Window("M", 1, date(2022, 7, 1))),
        ("H1 2022", Window("M", 6, date(2022, 6, 1))),
        ("2022 H1", Window("M", 6, date(2022, 6, 1))),
        ("2022-Q2", Window("M", 3, date(2022, 6, 1))),
        ("Q2 2022", Window("M", 3, date(2022, 6, 1))),
        ("Jan 2022", Window("M", 1, date(2022, 1, 1))),
        ("september 2022", Window("M", 1, date(2022, 9, 1))),
        ("2022 Sept.", Window("M", 1, date(2022, 9, 1))),
    ],
)
def test_a_period_is_a_stretch_of_whole_months(text: str, expected: Window) -> None:
    assert periods.parse_period(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22",
        "2022-13",
        "2022H3",
        "2022Q5",
        "2022Q0",
        "3022",
        "2022-7",
        "2022-07-01",
        "Marches 2022",
        "1H 2022",
        "H1",
        "Jan",
        "last year",
        "2022 2023",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected a period such as"):
        periods.parse_period(text)


@pytest.mark.parametrize("text", ["07 2022", "2022-7", "7/2022"])
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
    assert period.name == text
    assert period.start <= day.replace(day=1) <= period.end
    assert (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1 == period.months


@given(st.text())
def test_no_text_for_a_period_ends_in_anything_but_a_period_or_help(text: str) -> None:
    message = refusal(periods.parse_period, text)
    assert "\ndo " in message or periods.parse_period(text).months in (1, 3, 6, 12)


@pytest.mark.parametrize(
    ("freq", "months", "end", "name", "words"),
    [
        ("A", 12, date(2022, 12, 1), "2022", "2022"),
        ("A", 36, date(2022, 12, 1), "2020:2022", "2020–2022"),
        ("M", 12, date(2022, 12, 1), "2022", "2022"),
        ("M", 12, date(2022, 10, 1), "2021-11:2022-10", "Nov 2021–Oct 2022"),
        ("M", 11, date(2022, 11, 1), "2022-01:2022-11", "Jan–Nov 2022"),
        ("M", 6, date(2022, 6, 1), "2022H1", "Jan–Jun 2022"),
        ("M", 6, date(2022, 7, 1), "2022-02:2022-07", "Feb–Jul 2022"),
        ("M", 3, date(2022, 9, 1), "2022Q3", "Jul–Sep 2022"),
        ("M", 3, date(2022, 1, 1), "2021-11:2022-01", "Nov 2021–Jan 2022"),
        ("M", 1, date(2022, 3, 1), "2022-03", "Mar 2022"),
    ],
)
def test_a_window_has_one_name_for_commands_and_one_for_people(
    freq: str, months: int, end: date, name: str, words: str
) -> None:
    window = Window(freq, months, end)
    assert (window.name, window.words) == (name, words)


@pytest.mark.parametrize(
    ("window", "span"),
    [
        (Window("A", 12, date(2022, 12, 1)), (date(2022, 1, 1), date(2022, 1, 1), 1)),
        (Window("A", 24, date(2022, 12, 1)), (date(2021, 1, 1), date(2022, 1, 1), 2)),
        (Window("M", 3, date(2022, 1, 1)), (date(2021, 11, 1), date(2022, 1, 1), 3)),
    ],
)
def test_a_window_spans_the_periods_of_its_tables(window: Window, span: tuple[date, date, int]) -> None:
    assert window.span() == span
    days = pl.DataFrame({"ref_date": pl.date_range(date(2020, 1, 1), date(2023, 1, 1), "1mo", eager=True)})
    is_of_table = pl.col("ref_date").dt.month() == 1 if window.freq_code == "A" else pl.lit(value=True)
    inside = days.filter(is_of_table, periods.within(window))["ref_date"]
    assert (inside.min(), inside.max(), inside.len()) == span


def test_the_same_months_of_another_year_end_in_that_year() -> None:
    assert Window("M", 3, date(2022, 1, 1)).in_year(2020) == Window("M", 3, date(2020, 1, 1))


@pytest.mark.parametrize(("year", "baseline"), [(2022, (2019, 2020)), (2021, (2019, 2020)), (2020, (2017, 2018, 2019))])
def test_a_window_is_compared_with_the_scenarios_years_or_the_three_before_it(
    year: int, baseline: tuple[int, ...]
) -> None:
    assert Window("M", 6, date(year, 6, 1)).baseline_years((2019, 2020)) == baseline


@given(st.integers(1, 12), st.dates(date(2000, 1, 1), date(2030, 12, 1)))
def test_a_windows_first_month_is_the_same_in_a_frame(months: int, day: date) -> None:
    window = Window("M", months, day.replace(day=1))
    row = {"freq_code": "M", "window_months": months, "window_end": window.end}
    table = pl.DataFrame([row, row | {"window_months": months % 12 + 1}], schema_overrides={"window_months": pl.Int16})
    assert table.select(periods.first_month()).to_series()[0] == window.start
    assert table.filter(periods.is_window(window)).height == 1
    assert periods.window_of(table.row(0, named=True)) == window


WINDOWS = st.builds(
    lambda is_annual, months, day: Window("A", 12, day.replace(month=12, day=1)) if is_annual else Window("M", months, day.replace(day=1)),
    st.booleans(),
    st.integers(1, 12),
    st.dates(date(1990, 1, 1), date(2030, 12, 1)),
)  # fmt: skip


@given(WINDOWS)
def test_a_window_is_read_again_from_the_end_of_a_flags_name(window: Window) -> None:
    assert periods.parse_tag(window.tag) == window


@given(WINDOWS, WINDOWS)
def test_windows_stand_in_the_order_of_their_ends_and_then_of_their_lengths(left: Window, right: Window) -> None:
    by_time = (left.end, left.months) < (right.end, right.months)
    assert (left.place < right.place) == by_time
