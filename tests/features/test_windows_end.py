"""Windows end where somebody has published a month in full; months after it are no windows."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np

from anomaly.features import windows

MONTHS = [date(2022, month, 1) for month in range(1, 13)] + [date(2023, month, 1) for month in range(1, 13)]


def ends(months: tuple[int, ...], complete_until: date) -> set[date]:
    complete = np.array([[month <= complete_until for month in MONTHS], [False] * len(MONTHS)])
    coverage: Any = SimpleNamespace(freq_code="M", periods=MONTHS, complete=complete)
    return {window.end for window in windows._windows(coverage, months, 3)}


def test_no_calendar_window_ends_after_the_last_month_that_somebody_has_in_full() -> None:
    assert max(ends((3, 6, 12), date(2023, 6, 1))) == date(2023, 6, 1)


def test_no_year_so_far_ends_after_it_either() -> None:
    assert ends((12,), date(2022, 5, 1)) == {date(2022, 5, 1)}
