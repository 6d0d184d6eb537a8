"""The registry of report formats: one file and one line each. The order is the order in which they are written."""

from anomaly.reports import cases_csv, cases_parquet, changes_json, csv, html, parquet, xlsx
from anomaly.reports.base import Findings, Report

REPORTS: tuple[Report, ...] = (
    html.REPORT,
    xlsx.REPORT,
    csv.REPORT,
    parquet.REPORT,
    cases_csv.REPORT,
    cases_parquet.REPORT,
    changes_json.REPORT,
)

__all__ = ["REPORTS", "Findings", "Report"]
