"""The cases as the page shows them: what is new, the most pressing in a sentence each, and all of them in a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.cases import changes
from anomaly.cases.cases import in_order
from anomaly.cases.words import counted, figures, route
from anomaly.contract.periods import window_of
from anomaly.reports.amounts import million
from anomaly.reports.base import Findings
from anomaly.reports.words import country_name, good_name, type_words

MOST_CASES = 500
MOST_IN_SENTENCES = 5
MOST_CHANGED = 4  # of each kind
_SAFE_ID = re.compile(r"^[A-Za-z0-9+._-]{1,80}$")


def context(findings: Findings, anchors: Mapping[str, str]) -> dict[str, Any]:
    """What the head of the page and its section of cases show.

    Parameters
    ----------
    findings : Findings
        Its cases, changes, goods and countries.
    anchors : mapping of str to str
        Flag → its card's address, of the flags that have one.

    Returns
    -------
    dict
        Names that report.html.j2 uses: case_count, case_windows, alarms, case_rows, worst_cases, what_is_new, is_first_run.
    """
    cases = in_order(findings.cases)
    change_of = dict(findings.changes.select("case_id", "change").iter_rows())
    shown = [
        _row(findings, case, place, anchors, change_of)
        for place, case in enumerate(cases.head(MOST_CASES).to_dicts(), 1)
    ]
    numbers = changes.counts(findings.changes)
    return {
        "case_count": cases.height,
        "case_windows": int(cases["windows"].list.len().sum()),
        "case_words": f"{counted(cases.height, 'case')}, {counted(int(cases['windows'].list.len().sum()), 'window')}",
        "alarms": int(cases["is_alarm"].sum()),
        "case_rows": shown,
        "worst_cases": shown[:MOST_IN_SENTENCES],
        "is_first_run": not numbers,
        "unchanged": numbers.get("same", 0),
        "what_is_new": _what_is_new(findings, numbers, {row["case_id"]: row["anchor"] for row in shown}),
    }


def _row(
    findings: Findings, case: dict[str, Any], place: int, anchors: Mapping[str, str], change_of: Mapping[str, str]
) -> dict[str, Any]:
    window = window_of(case)
    change = change_of.get(case["case_id"], "")
    return {
        "case_id": case["case_id"],
        "place": place,
        "anchor": f"case-{case['case_id']}" if _SAFE_ID.match(case["case_id"]) else f"case-number-{place}",
        "evidence": anchors.get(case["flag_id"]),
        "route": route(case, findings.countries, findings.goods),
        "figures": figures(case),
        "good": case["good"],
        "good_name": good_name(findings, case["good"]),
        "exporter": country_name(findings, case["exporter_iso"]),
        "importer": country_name(findings, case["importer_iso"]),
        "severity": case["severity"],
        "type": type_words(case["flag_type"]),
        "is_alarm": case["is_alarm"],
        "newest": window.words,
        "newest_order": window.place,
        "value": million(case["value_usd"]),
        "excess": million(case["excess_usd"]),
        "change": "" if change == "first run" else change,
        "windows": [(number, anchors.get(flag)) for number, flag in enumerate(case["windows"], 1)],
    }


def _what_is_new(findings: Findings, numbers: Mapping[str, int], anchors: Mapping[str, str]) -> list[dict[str, Any]]:
    """For each kind of change that there is: how many, and the most pressing."""
    table = in_order(findings.changes)
    kinds = []
    for change in changes.CHANGE_WORDS:
        if change == "same" or not numbers.get(change):
            continue
        rows = table.filter(pl.col("change") == change).head(MOST_CHANGED).to_dicts()
        kinds.append(
            {
                "change": change,
                "words": changes.CHANGE_WORDS[change],
                "total": numbers[change],
                "rows": [
                    {
                        "anchor": anchors.get(row["case_id"]),
                        "route": route(row, findings.countries, findings.goods),
                        "says": row["says"] or figures(row),
                    }
                    for row in rows
                ],
            }
        )
    return kinds
