"""The sections on what the coalition sells to hubs, the newest window hub by hub, and on the leakage of both legs."""

from __future__ import annotations

from typing import Any

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.periods import window_of
from anomaly.reports.base import Findings
from anomaly.reports.words import country_name, good_name

MOST_HUBS = 30  # of the leakage table, the largest excess first
MOST_GOODS = 20
MOST_MAKERS = 5
_LEG_WORDS = {
    COALITION_TO_HUB: (
        "from the coalition to hubs: sales beyond what the years before explain, of goods whose direct trade fell",
        "year before the measure",
    ),
    HUB_TO_TARGET: (
        "from hubs to targets: sales beyond the counterfactual of each route, of goods whose direct trade fell",
        "baseline",
    ),
}


def context(findings: Findings) -> dict[str, Any]:
    """What the template shows of the newest window; `supply_window` is empty where there is none.

    Parameters
    ----------
    findings : Findings
        supply and supply_hubs are shown.

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
    }


def leakage(findings: Findings) -> dict[str, Any]:
    """What the template shows of the leakage: of each leg the longest of the newest windows.

    Parameters
    ----------
    findings : Findings
        leakage and leakage_coverage are shown.

    Returns
    -------
    mapping of str to Any
        `leaked_legs`, one a leg that is in the data: words, window, rows (all, each hub, the goods with the largest excess,
        the makers apart) and says (how often such intervals held).
    """
    held = [leg for leg in _LEG_WORDS if leg in findings.leakage["leg"]]
    return {"leaked_legs": [_leg(findings, leg) for leg in held]}


def _leg(findings: Findings, leg: str) -> dict[str, Any]:
    of_leg = findings.leakage.filter(leg=leg)
    newest = of_leg.sort("window_end", "window_months").row(-1, named=True)
    key = {name: newest[name] for name in WINDOW_KEY}
    own = of_leg.filter(**key)
    parts = [
        own.filter(level="all"),
        own.filter(level="hub").sort("excess_middle_usd", "hub_iso", descending=[True, False]).head(MOST_HUBS),
        own.filter(level="good").sort("excess_middle_usd", "good", descending=[True, False]).head(MOST_GOODS),
        own.filter(level="maker")
        .sort("value_usd", "hub_iso", "good", descending=[True, False, False])
        .head(MOST_MAKERS),
    ]
    says = findings.leakage_coverage.filter(leg=leg, **key).sort("of")["says"]
    words, before = _LEG_WORDS[leg]
    return {
        "id": leg.replace(" ", "-"),
        "words": words,
        "before": before,
        "window": window_of(key).words,
        "rows": [_row(findings, row) for row in pl.concat(parts).to_dicts()],
        "says": [*says, _left_out(own)],
    }


def _left_out(own: pl.DataFrame) -> str:
    """Hubs and goods that the page has no place for."""
    hubs, goods, makers = (
        max(0, own.filter(level=level).height - most)
        for level, most in (("hub", MOST_HUBS), ("good", MOST_GOODS), ("maker", MOST_MAKERS))
    )
    return f"Not on this page: {hubs} hubs, {goods} goods and {makers} rows of makers, which the table leakage holds."


def _row(findings: Findings, row: dict[str, Any]) -> dict[str, Any]:
    hub = country_name(findings, row["hub_iso"]) if row["hub_iso"] else ""
    good = f"{row['good']} {good_name(findings, row['good'])}" if row["good"] else ""
    label = {
        "all": "All hubs and goods",
        "hub": hub,
        "good": good,
        "maker": f"{hub} makes {good}: in no sum",
    }[row["level"]]
    return {
        "of": label,
        "prior": row["value_before_usd"],
        "value": row["value_usd"],
        "explained": row["counterfactual_middle_usd"],
        "low": row["excess_low_usd"],
        "middle": row["excess_middle_usd"],
        "high": row["excess_high_usd"],
        "lost": row["direct_lost_usd"],
    }
