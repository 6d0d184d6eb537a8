"""cases.csv: one row per case, beside it what changed since the run before."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema_cases import Changes
from anomaly.reports import csv
from anomaly.reports.base import Findings, Report


def render(findings: Findings) -> bytes:
    """The cases as CSV, what is gone since the run before last.

    Parameters
    ----------
    findings : Findings
        Its changes, goods and countries.

    Returns
    -------
    bytes
        As csv.written: the columns of the table changes, flags joined, then the names of csv.names.
    """
    ordered = findings.changes.sort(
        pl.col("change") == "gone", "is_alarm", "priority", "case_id", descending=[False, True, True, False]
    )
    columns = [
        pl.col(name).list.join(csv.BETWEEN) if name == "windows" else pl.col(name) for name in Changes.column_names()
    ]
    return csv.written(ordered.select(*columns, *csv.names(findings)))


REPORT = Report(
    name="cases",
    suffix=".csv",
    says="one row per case with what changed since the run before, for spreadsheets and scripts",
    render=render,
)
