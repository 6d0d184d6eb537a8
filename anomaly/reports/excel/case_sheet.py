"""The sheet Cases of flags.xlsx: one row per case, and what changed in it since the run before."""

from __future__ import annotations

from typing import Any

import polars as pl

from anomaly.cases.cases import in_order
from anomaly.contract.periods import window_of
from anomaly.reports.amounts import change_share
from anomaly.reports.base import Findings
from anomaly.reports.excel.sheet import Column, Sheet
from anomaly.reports.words import country_name, good_name, type_words

_COLUMNS = (
    Column("No.", "count", 6),
    Column("Case", width=30),
    Column("Severity", width=10),
    Column("Type now", width=18),
    Column("Alarm", width=7),
    Column("Since the run before", width=12),
    Column("What changed", "wrapped", 40),
    Column("Good", width=11),
    Column("Name of the good", width=34),
    Column("Name of the exporter", width=22),
    Column("Name of the importer", width=16),
    Column("List tier", width=9),
    Column("Newest window", width=17),
    Column("Value, USD", "usd", 16),
    Column("Year before, USD", "usd", 16),
    Column("Change", "change", 10),
    Column("Excess, USD", "usd", 16),
    Column("Smallest q", "score", 10),
    Column("Windows", "count", 9),
    Column("First flagged", "date", 11),
    Column("Flags", "wrapped", 40),
)


def case_sheet(findings: Findings) -> Sheet:
    """Cases as the page lists them, then those that are gone.

    Parameters
    ----------
    findings : Findings
        Its cases, changes, goods and countries.

    Returns
    -------
    Sheet
        The sheet Cases.
    """
    changes = findings.changes
    gone = changes.filter(change="gone")
    then = {row["case_id"]: row for row in changes.select("case_id", "change", "says").to_dicts()}
    columns = findings.cases.columns
    table = pl.concat([in_order(findings.cases), in_order(gone).select(columns)])
    rows = [_case(findings, place, row, then.get(row["case_id"], {})) for place, row in enumerate(table.to_dicts(), 1)]
    says = "One row per case: a route with all its flagged windows; figures of the newest. The most pressing first."
    return Sheet("Cases", says, _COLUMNS, rows, len(rows), frozen_columns=2, whole_in="cases.parquet")


def _case(findings: Findings, place: int, row: dict[str, Any], then: dict[str, Any]) -> list[Any]:
    return [
        place,
        row["case_id"],
        row["severity"],
        type_words(row["flag_type"]),
        row["is_alarm"],
        then.get("change"),
        then.get("says") or None,
        row["good"],
        good_name(findings, row["good"]),
        country_name(findings, row["exporter_iso"]),
        country_name(findings, row["importer_iso"]),
        row["list_tier"],
        window_of(row).words,
        row["value_usd"],
        row["value_prior_year_usd"],
        change_share(row["value_usd"], row["value_prior_year_usd"]),
        row["excess_usd"],
        row["best_q_value"],
        len(row["windows"]),
        row["first_window_end"],
        "\n".join(row["windows"]),
    ]
