"""cases.parquet: the table of changes as it is in the store, every case with what it was in the run before."""

from __future__ import annotations

import io

from anomaly.contract.schema_cases import Changes
from anomaly.reports.base import Findings, Report


def render(findings: Findings) -> bytes:
    """The cases in one Parquet file for programs.

    Parameters
    ----------
    findings : Findings
        Its changes.

    Returns
    -------
    bytes
        Parquet, zstd, one row group, by case_id: the same cases give the same bytes.
    """
    file = io.BytesIO()
    cases = findings.changes.sort("case_id").select(Changes.column_names()).rechunk()
    cases.write_parquet(file, compression="zstd", statistics=True, row_group_size=max(cases.height, 1))
    return file.getvalue()


REPORT = Report(
    name="cases",
    suffix=".parquet",
    says="the cases with what changed since the run before, for programs",
    render=render,
)
