"""changes.json: what is new since the run before, small enough for a mail or a script that decides whether to send one."""

from __future__ import annotations

import json
from typing import Any

from anomaly.cases import changes
from anomaly.cases.cases import in_order
from anomaly.cases.words import sentence
from anomaly.reports.base import Findings, Report
from anomaly.reports.tallies import run_of

UNTOLD = ("same", "first run")  # of these the count alone


def render(findings: Findings) -> bytes:
    """How many cases are new, worse, better, resolved, gone or revised, and which.

    Parameters
    ----------
    findings : Findings
        Its run, changes, goods and countries.

    Returns
    -------
    bytes
        JSON, indented; without counts and changed cases on a first run.
    """
    run, table = run_of(findings), in_order(findings.changes)
    order = list(changes.CHANGE_WORDS)
    told = [row for row in table.to_dicts() if row["change"] not in UNTOLD]
    summary = {
        "run": run["run_id"],
        "is_simulated": run["is_simulated"],
        "cases": findings.cases.height,
        "windows": int(findings.cases["windows"].list.len().sum()),
        "counts": changes.counts(table),
        "changed": [_case(findings, row) for row in sorted(told, key=lambda row: order.index(row["change"]))],
    }
    return (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode()


def _case(findings: Findings, row: dict[str, Any]) -> dict[str, Any]:
    names = ("case_id", "change", "says", "severity", "flag_type", "is_alarm", "value_usd", "excess_usd")
    return {**{name: row[name] for name in names}, "sentence": sentence(row, findings.countries, findings.goods)}


REPORT = Report(
    name="changes",
    suffix=".json",
    says="what is new, worse, better, resolved, revised or gone since the run before",
    render=render,
)
