"""Which windows are compared, and with which years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from anomaly.contract.periods import MONTHS_IN, Window, months_before
from anomaly.features.marks import Known

LEAST_BASELINE_YEARS = 2  # one year is a coincidence


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window beside the same months a year before and in the baseline years.

    Parameters
    ----------
    window : Window
        What is compared.
    baseline_years : tuple of int
        With which years; empty where the data hold too few.
    gap_years : int
        Years from the last baseline year to the window's.
    """

    window: Window
    baseline_years: tuple[int, ...]
    gap_years: int

    def now(self, known: Known) -> list[int] | None:
        """Positions of the window's periods.

        Parameters
        ----------
        known : Known
            Of the window's frequency.

        Returns
        -------
        list of int, or None
            None where the data do not go that far.
        """
        return known.index(self.window)

    def prior(self, known: Known) -> list[int] | None:
        """Positions of the same months a year before.

        Parameters
        ----------
        known : Known
            Of the window's frequency.

        Returns
        -------
        list of int, or None
            None where the data do not go that far.
        """
        return known.index(self.window.in_year(self.window.year - 1))

    def baseline(self, known: Known) -> list[list[int]]:
        """Positions of the same months in each baseline year that is in the data.

        Parameters
        ----------
        known : Known
            Of the window's frequency.

        Returns
        -------
        list of list of int
            A list a year.
        """
        places = [known.index(self.window.in_year(year)) for year in self.baseline_years]
        return [at for at in places if at is not None]


def compared_with(known: Known, window: Window, years: Sequence[int], gap_years: int) -> Comparison:
    """Compare a window with those of some years that are in the data.

    Parameters
    ----------
    known : Known
        Of the window's frequency.
    window : Window
        What is compared.
    years : sequence of int
        Of the baseline.
    gap_years : int
        Years from the last of these to the window's.

    Returns
    -------
    Comparison
        Without a baseline where fewer than LEAST_BASELINE_YEARS of the years are in the data.
    """
    held = tuple(year for year in years if known.index(window.in_year(year)) is not None)
    return Comparison(window, held if len(held) >= LEAST_BASELINE_YEARS else (), gap_years)


def plan(
    known: Known, window_months: Sequence[int], baseline_years: Sequence[int], least_months: int
) -> list[Comparison]:
    """Every window worth computing, in order.

    Annual data: every year. Monthly and quarterly data: calendar quarters, halves and years, the rolling windows that end with the
    last complete month, and the months of the last year so far. A window needs its year before inside the data.
    Windows before the end of the baseline are compared with the three years before them; those of later years are
    computed for every gap in use, so that a window finds placebos that are the same computation.

    Parameters
    ----------
    known : Known
        Of one frequency.
    window_months : sequence of int
        Lengths of windows of monthly data.
    baseline_years : sequence of int
        Of the scenario.
    least_months : int
        How many months of the last year have to be out to be a window of their own.

    Returns
    -------
    list of Comparison
        By the windows' ends, short ones first; a window of the baseline's years once for each gap.
    """
    last_baseline, windows = max(baseline_years), _windows(known, window_months, least_months)
    gaps = sorted({max(1, window.year - last_baseline) for window in windows})
    comparisons = []
    for window in windows:
        if known.index(window) is None or known.index(window.in_year(window.year - 1)) is None:
            continue
        if window.year > last_baseline:
            comparisons.append(compared_with(known, window, baseline_years, window.year - last_baseline))
            continue
        for gap in gaps:
            placebo = compared_with(known, window, [window.year - gap - back for back in (2, 1, 0)], gap)
            if placebo.baseline_years:  # one without a baseline is not the same computation
                comparisons.append(placebo)
    return comparisons


def _windows(known: Known, window_months: Sequence[int], least_months: int) -> list[Window]:
    if known.freq_code == "A":
        return [Window("A", 12, period.replace(month=12)) for period in known.periods]
    of_period = MONTHS_IN[known.freq_code]
    ends = [months_before(period, 1 - of_period) for period in known.periods]
    last = ends[int(np.flatnonzero(known.complete.any(axis=0)).max())]
    lengths = [months for months in window_months if months % of_period == 0]
    spans: set[tuple[date, int]] = {
        (end, months) for months in lengths for end in ends if end.month % months == 0 and end <= last
    }
    spans |= {(last, months) for months in lengths}
    if last.month >= least_months and last.month != 12:
        spans |= {(end, last.month) for end in ends if end.month == last.month and end <= last}
    return [Window(known.freq_code, months, end) for end, months in sorted(spans)]
