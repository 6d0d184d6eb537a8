"""Which windows are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from anomaly.features.marks import Known

LEAST_BASELINE_YEARS = 2  # one year is a coincidence


@dataclass(frozen=True, slots=True)
class Window:
    """The months compared: `months` ending with the month of `end`, a year before, and in the baseline years.

    `gap_years` lies between the last baseline year and the window's year.
    """

    freq_code: str
    months: int
    end: date
    baseline_years: tuple[int, ...]
    gap_years: int


def plan(known: Known, window_months: Sequence[int], baseline_years: Sequence[int], least_months: int) -> list[Window]:
    """Every window worth computing, in order.

    Annual data: every year. Monthly data: calendar quarters, halves and years, the rolling windows that end with the
    last complete month, and the months of the last year so far. A window needs its year before inside the data.
    Windows before the end of the baseline are compared with the three years before them; those of later years are
    computed for every gap in use, so that a window finds placebos that are the same computation.
    """
    if known.freq_code == "A":
        spans = [(12, period.replace(month=12)) for period in known.periods]
    else:
        spans = _monthly_spans(known, window_months, least_months)
    last_baseline = max(baseline_years)
    gaps = sorted({max(1, end.year - last_baseline) for _, end in spans})
    windows = []
    for months, end in spans:
        if known.index(end, months, 1) is None or known.index(end, months) is None:
            continue
        own = max(1, end.year - last_baseline)
        for gap in [own] if end.year > last_baseline else gaps:
            years = (
                tuple(baseline_years)
                if end.year > last_baseline
                else tuple(end.year - gap - back for back in (2, 1, 0))
            )
            held = tuple(year for year in years if known.index(end.replace(year=year), months) is not None)
            has_baseline = len(held) >= LEAST_BASELINE_YEARS
            if has_baseline or end.year > last_baseline:  # a placebo without a baseline is not the same computation
                windows.append(Window(known.freq_code, months, end, held if has_baseline else (), gap))
    return windows


def _monthly_spans(known: Known, window_months: Sequence[int], least_months: int) -> list[tuple[int, date]]:
    complete = known.complete.any(axis=0)
    last = known.periods[int(np.flatnonzero(complete).max())]
    spans = {
        (months, end) for months in window_months for end in known.periods if end.month % months == 0 and end <= last
    }
    spans |= {(months, last) for months in window_months}
    if last.month >= least_months and last.month != 12:
        spans |= {(last.month, end) for end in known.periods if end.month == last.month and end <= last}
    return sorted(spans, key=lambda span: (span[1], span[0]))
