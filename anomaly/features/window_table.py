"""The windows to compute as a table, so that a run can be asked for others: which months, against which baseline years."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from anomaly.contract.keys import WINDOW_TYPES
from anomaly.contract.periods import Window, window_of
from anomaly.contract.settings import Settings
from anomaly.features import marks, windows
from anomaly.features.windows import Comparison, compared_with

COLUMNS: dict[str, Any] = {
    **WINDOW_TYPES, "baseline_gap_years": pl.Int8,
    "baseline_years": pl.List(pl.Int32),
}  # fmt: skip


def worth_computing(coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Every window that the data allow, in order.

    Parameters
    ----------
    coverage, scope : polars.DataFrame
        coverage.build: who reported which period, and what each dataset holds.
    settings : Settings
        Scenario: lengths of windows, baseline years, fewest months of a year so far.

    Returns
    -------
    polars.DataFrame
        freq_code, window_months, window_end, baseline_gap_years, baseline_years (list of years, empty without a
        baseline).
    """
    widths_and_years = (settings.window_months, settings.baseline_years, settings.least_months)
    known = [marks.know(coverage, scope, freq) for freq in sorted(coverage["freq_code"].unique())]
    rows = [
        (
            comparison.window.freq_code,
            comparison.window.months,
            comparison.window.end,
            comparison.gap_years,
            list(comparison.baseline_years),
        )
        for reported in known
        for comparison in windows.plan(reported, *widths_and_years)
    ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def inside(table: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame) -> pl.DataFrame:
    """The windows as other data allow them: baseline years outside these data go, and all of them where too few stay.

    Parameters
    ----------
    table : polars.DataFrame
        `worth_computing` of other data.
    coverage, scope : polars.DataFrame
        coverage.build of these data.

    Returns
    -------
    polars.DataFrame
        The rows of `table` at the frequencies of these data.
    """
    rows = []
    for freq in sorted(coverage["freq_code"].unique()):
        covered = marks.know(coverage, scope, freq)
        for row in table.filter(pl.col("freq_code") == freq).to_dicts():
            comparison = compared_with(covered, window_of(row), row["baseline_years"], row["baseline_gap_years"])
            rows.append({**row, "baseline_years": list(comparison.baseline_years)})
    return pl.DataFrame(rows, schema=COLUMNS)


def by_frequency(table: pl.DataFrame, frequencies: Iterable[str]) -> dict[str, list[Comparison]]:
    """The windows of each frequency.

    Parameters
    ----------
    table : polars.DataFrame
        `worth_computing` or `inside`.
    frequencies : iterable of str
        A annual, M monthly.

    Returns
    -------
    dict of str to list of Comparison
        For each frequency its windows in the order of the table; an empty list where it has none.
    """
    return {
        freq: [
            Comparison(Window(code, months, end), tuple(years), gap)
            for code, months, end, gap, years in table.filter(pl.col("freq_code") == freq).rows()
        ]
        for freq in frequencies
    }
