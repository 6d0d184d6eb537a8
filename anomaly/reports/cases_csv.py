"""cases.csv: one row per case, beside it what changed since the run before."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema_cases import Changes
from anomaly.reports.base import Findings, Report
from anomaly.reports.comma_separated import BETWEEN, names, written


def render(findings: Findings) -> bytes:
    """The cases as CSV, what is gone since the run before last.

    Parameters
    ----------
    findings : Findings
        Its changes, goods and countries.

    Returns
    -------
    bytes
        As comma_separated.written: the columns of the table changes, flags joined, then the names of comma_separated.names.
    """
    ordered = findings.changes.sort(
        pl.col("change") == "gone", "is_alarm", "priority", "case_id", descending=[False, True, True, False]
    )
    columns = [
        pl.col(name).list.join(BETWEEN) if name == "windows" else pl.col(name) for name in Changes.column_names()
    ]
    return written(ordered.select(*columns, *names(findings)))


REPORT = Report(
    name="cases",
    suffix=".csv",
    says="one row per case with what changed since the run before, for spreadsheets and scripts",
    render=render,
)
