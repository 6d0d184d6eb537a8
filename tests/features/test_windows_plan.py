"""Which windows are compared with which years: the plan that a run follows."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from anomaly.contract.periods import Window
from anomaly.features import windows
from anomaly.features.marks import Known

BASELINE = (2019, 2020, 2021)


def annual(first: int, last: int) -> Known:
    """Somebody has published each of these years in full."""
    return known("A", tuple(date(year, 1, 1) for year in range(first, last + 1)))


def monthly(first: date, complete_until: date) -> Known:
    """Somebody has published each month until one in full, and two more in part."""
    months = (complete_until.year - first.year) * 12 + complete_until.month - first.month
    places = range(first.month - 1, first.month + months + 2)
    periods = [date(first.year + at // 12, at % 12 + 1, 1) for at in places]
    return known("M", tuple(periods), months + 1)


def known(freq_code: str, periods: tuple[date, ...], complete: int | None = None) -> Known:
    marks = np.zeros((2, len(periods)), dtype=bool)
    marks[0, :complete] = True
    nobody = cast("Any", None)
    frame = pl.DataFrame()
    return Known(freq_code, periods, frame, marks, marks, nobody, frame, nobody, frame, nobody, frame, nobody)


def years_of(
    coverage: Known, year: int, baseline_years: tuple[int, ...] = BASELINE
) -> list[tuple[tuple[int, ...], int]]:
    comparisons = windows.plan(coverage, (12,), baseline_years, 3)
    return [(each.baseline_years, each.gap_years) for each in comparisons if each.window.year == year]


def test_a_year_after_the_baseline_is_compared_with_it_over_its_own_gap() -> None:
    coverage = annual(2015, 2023)
    assert years_of(coverage, 2022) == [((2019, 2020, 2021), 1)]
    assert years_of(coverage, 2023) == [((2019, 2020, 2021), 2)]


def test_a_year_of_the_baseline_is_compared_with_the_three_before_it_once_for_each_gap_in_use() -> None:
    coverage = annual(2012, 2023)
    assert years_of(coverage, 2020) == [((2017, 2018, 2019), 1), ((2016, 2017, 2018), 2)]
    assert years_of(coverage, 2021) == [((2018, 2019, 2020), 1), ((2017, 2018, 2019), 2)]


def test_where_no_year_after_the_baseline_is_out_the_gap_is_one_year() -> None:
    assert years_of(annual(2015, 2021), 2021) == [((2018, 2019, 2020), 1)]


def test_two_years_are_a_baseline_and_one_is_none() -> None:
    assert years_of(annual(2016, 2022), 2018) == [((2016, 2017), 1)]
    assert years_of(annual(2017, 2022), 2018) == []
    assert years_of(annual(2020, 2023), 2023) == [((2020, 2021), 2)]
    assert years_of(annual(2021, 2023), 2023) == [((), 2)]


def test_the_first_year_of_the_data_is_no_window_for_want_of_a_year_before() -> None:
    coverage = annual(2021, 2023)
    assert [each.window.year for each in windows.plan(coverage, (12,), BASELINE, 3)] == [2022, 2023]


def test_a_window_that_begins_before_the_data_is_left_out() -> None:
    coverage = monthly(date(2021, 3, 1), date(2023, 6, 1))
    spans = {(each.window.span()[0], each.window.end) for each in windows.plan(coverage, (12,), (2020,), 13)}
    assert spans == {(date(2022, 7, 1), date(2023, 6, 1))}


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (date(2023, 2, 1), set()),
        (date(2023, 3, 1), {date(2022, 3, 1), date(2023, 3, 1)}),
        (date(2023, 11, 1), {date(2022, 11, 1), date(2023, 11, 1)}),
    ],
)
def test_the_year_so_far_is_a_window_from_its_third_month_to_its_eleventh(last: date, ends: set[date]) -> None:
    coverage = monthly(date(2021, 1, 1), last)
    so_far = {each.window for each in windows.plan(coverage, (12,), (2020,), 3) if each.window.months < 12}
    assert so_far == {Window("M", last.month, end) for end in ends}


def test_a_whole_year_is_no_year_so_far() -> None:
    coverage = monthly(date(2020, 1, 1), date(2022, 12, 1))
    assert {each.window for each in windows.plan(coverage, (6,), (2019,), 3)} == {
        Window("M", 6, end) for end in (date(2021, 6, 1), date(2021, 12, 1), date(2022, 6, 1), date(2022, 12, 1))
    }


def test_a_quarter_that_ends_with_the_last_complete_month_is_a_window_and_a_later_one_is_none() -> None:
    coverage = monthly(date(2021, 1, 1), date(2022, 6, 1))
    ends = {each.window.end for each in windows.plan(coverage, (3,), (2020,), 13)}
    assert ends == {date(2022, 3, 1), date(2022, 6, 1)}


def test_a_comparison_knows_the_places_of_its_months_a_year_before_and_in_the_baseline() -> None:
    coverage = annual(2018, 2022)
    comparison = windows.compared_with(coverage, Window("A", 12, date(2022, 12, 1)), BASELINE, 1)
    assert (comparison.now(coverage), comparison.prior(coverage)) == ([4], [3])
    assert comparison.baseline(coverage) == [[1], [2], [3]]
