"""flags.parquet: the flags table as it is in the store, nested lists and all, in the order of its key."""

from __future__ import annotations

import io

from anomaly.contract.schema import ROUTE_KEY, Flags
from anomaly.reports.base import Findings, Report


def render(findings: Findings) -> bytes:
    """The flags in one Parquet file for programs.

    Parameters
    ----------
    findings : Findings
        Its flags.

    Returns
    -------
    bytes
        Parquet, zstd, one row group, in the order of the key: the same flags give the same bytes.
    """
    file = io.BytesIO()
    flags = findings.flags.sort(ROUTE_KEY).select(Flags.column_names()).rechunk()
    flags.write_parquet(file, compression="zstd", statistics=True, row_group_size=max(flags.height, 1))
    return file.getvalue()


REPORT = Report(
    name="flags",
    suffix=".parquet",
    says="the flags table with its nested reasons, for programs",
    render=render,
)
