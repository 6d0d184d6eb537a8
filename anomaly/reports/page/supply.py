"""The section on what the coalition sells to hubs: the newest window, hub by hub, and the leakage beside it."""

from __future__ import annotations

from typing import Any

import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.periods import Window, window_of
from anomaly.reports.base import Findings
from anomaly.reports.words import country_name, good_name

MOST_GOODS = 20  # of the leakage table, the largest excess first


def context(findings: Findings) -> dict[str, Any]:
    """What the template shows of the newest window; `supply_window` is empty where there is none.

    Parameters
    ----------
    findings : Findings
        supply, supply_hubs, leakage and leakage_coverage are shown.

    Returns
    -------
    mapping of str to Any
        Names of the template → values; `supply_window` is empty where there is no window.
    """
    if findings.supply.is_empty():
        return {"supply_window": ""}
    newest = findings.supply.sort("window_end", "window_months").tail(1)
    row = newest.row(0, named=True)
    hubs = findings.supply_hubs.join(newest, on=WINDOW_KEY, how="semi")
    return {
        "supply_window": window_of(row).words,
        "supply_says": row["says"],
        "supply_hubs": [
            {**hub, "hub": country_name(findings, hub["importer_iso"])}
            for hub in hubs.sort("called", "importer_iso", descending=[True, False]).to_dicts()
        ],
        **_leakage(findings),
    }


def _leakage(findings: Findings) -> dict[str, Any]:
    """The longest of the newest windows: all, each hub, and the goods with the largest excess."""
    if findings.leakage.is_empty():
        return {"leaked": [], "leakage_window": "", "leakage_says": []}
    newest = findings.leakage.sort("window_end", "window_months").row(-1, named=True)
    end, months = newest["window_end"], newest["window_months"]
    own = findings.leakage.filter(window_end=end, window_months=months)
    parts = [
        own.filter(level="all"),
        own.filter(level="hub").sort("excess_middle_usd", "importer_iso", descending=[True, False]),
        own.filter(level="good").sort("excess_middle_usd", "good", descending=[True, False]).head(MOST_GOODS),
    ]
    coverage = findings.leakage_coverage.filter(window_end=end, window_months=months)
    return {
        "leaked": [_row(findings, row) for row in pl.concat(parts).to_dicts()],
        "leakage_window": Window("M", months, end).words,
        "leakage_says": coverage.sort("of")["says"].to_list(),
    }


def _row(findings: Findings, row: dict[str, Any]) -> dict[str, Any]:
    label = {
        "all": "All hubs and goods",
        "hub": country_name(findings, row["importer_iso"]),
        "good": f"{row['good']} {good_name(findings, row['good'])}",
    }[row["level"]]
    return {
        "of": label,
        "prior": row["value_prior_year_usd"],
        "value": row["value_usd"],
        "explained": row["counterfactual_middle_usd"],
        "low": row["excess_low_usd"],
        "middle": row["excess_middle_usd"],
        "high": row["excess_high_usd"],
        "lost": row["direct_lost_usd"],
    }
