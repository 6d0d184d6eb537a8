"""Flags by hand, of which cases are made."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.schema import Flags

END = date(2023, 6, 1)


def flag(end: date = END, months: int = 12, **others: Any) -> dict[str, Any]:
    """A flagged window of one route; others say in what it is another."""
    row: dict[str, Any] = {
        "freq_code": "M", "window_months": months, "window_end": end, "good": "854231", "exporter_iso": "KGZ",
        "importer_iso": "RUS", "flag_type": "hub_reexport", "severity": "medium", "priority": 10.0, "list_tier": "1",
        "value_usd": 12_000_000, "value_prior_year_usd": 2_000_000, "excess_usd": 8_000_000, "q_value": 0.02,
        "is_before_sanctions": False,
    } | others  # fmt: skip
    route = "-".join(str(row[name]) for name in ("good", "exporter_iso", "importer_iso"))
    return {"flag_id": f"{route}-{row['window_end']:%Y-%m}-{row['window_months']}{row['freq_code']}", **row}


def flags(*rows: dict[str, Any]) -> pl.DataFrame:
    """The columns of flags that cases are made of."""
    schema = {name: dtype for name, dtype in Flags.create_empty().schema.items() if name in flag()}
    return pl.DataFrame(list(rows), schema=schema)
