"""The windows to compute as a table, so that a run can be asked for others: which months, against which baseline years."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features import marks, windows
from anomaly.features.windows import LEAST_BASELINE_YEARS, Window

COLUMNS: dict[str, Any] = {
    "freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date, "baseline_gap_years": pl.Int8,
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
    asked = (settings.window_months, settings.baseline_years, settings.least_months)
    known = [marks.know(coverage, scope, freq) for freq in sorted(coverage["freq_code"].unique())]
    rows = [
        (window.freq_code, window.months, window.end, window.gap_years, list(window.baseline_years))
        for one in known
        for window in windows.plan(one, *asked)
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
        known = marks.know(coverage, scope, freq)
        for row in table.filter(pl.col("freq_code") == freq).to_dicts():
            end, months = row["window_end"], row["window_months"]
            years = [year for year in row["baseline_years"] if known.index(end.replace(year=year), months) is not None]
            rows.append({**row, "baseline_years": years if len(years) >= LEAST_BASELINE_YEARS else []})
    return pl.DataFrame(rows, schema=COLUMNS)


def by_frequency(table: pl.DataFrame, frequencies: Iterable[str]) -> dict[str, list[Window]]:
    """The windows of each frequency.

    Parameters
    ----------
    table : polars.DataFrame
        `worth_computing` or `inside`.
    frequencies : iterable of str
        A annual, M monthly.

    Returns
    -------
    dict of str to list of Window
        For each frequency its windows in the order of the table; an empty list where it has none.
    """
    return {
        freq: [
            Window(code, months, end, tuple(years), gap)
            for code, months, end, gap, years in table.filter(pl.col("freq_code") == freq).rows()
        ]
        for freq in frequencies
    }
