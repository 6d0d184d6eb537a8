"""The evidence part of a card: what else could explain a flag, who reported what, and the nearest unflagged routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anomaly.reports.amounts import UNKNOWN, change, million
from anomaly.reports.base import Findings
from anomaly.reports.words import TALLY_WORDS, VERDICT_WORDS, country_name, good_name, indicator_words, publisher_name

NOT_TRIED = "not tried for this flag; it is for those of the highest priority that stand now."
_SIDES = (
    ("export_value_fob_usd", "Exporter, FOB"),
    ("reexport_value_fob_usd", "of which re-exports"),
    ("import_value_cif_usd", "Importer, CIF"),
)
_SPANS = {"window": "Window", "year before": "Year before", "baseline": "Baseline"}


def evidence(findings: Findings, flag: Mapping[str, Any], without: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the card shows of a flag's evidence; each part is empty where the run has none.

    Parameters
    ----------
    findings : Findings
        Its goods and countries; of its run: publishers and indicators.
    flag : mapping
        A row of the table flags.
    without : sequence of mapping
        The flag's rows of the table flags.without.

    Returns
    -------
    dict
        evidence, explanations, tally, sides, without, not_tried, comparables, rests_on: names of parts.html.j2.
    """
    return {
        "evidence": flag["evidence"],
        "explanations": _explanations(flag["benign_if"] or []),
        "tally": _tally(flag["benign_if"] or []),
        "sides": sides(flag["sides"] or []),
        "without": [_without(findings, row) for row in without],
        "not_tried": "" if without else NOT_TRIED,
        "comparables": [_comparable(findings, flag, route) for route in flag["comparables"] or []],
        "rests_on": _contributions(findings, flag["contributions"] or []),
    }


def by_flag(without: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """What is left of each flag without a publisher.

    Parameters
    ----------
    without : polars.DataFrame
        The table flags.without.

    Returns
    -------
    dict of str to list of dict
        flag_id → its rows, in the order of publishers.
    """
    rows_of: dict[str, list[dict[str, Any]]] = {}
    for row in without.sort("flag_id", "source_left_out").to_dicts():
        rows_of.setdefault(row["flag_id"], []).append(row)
    return rows_of


def _explanations(items: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{**item, "verdict": VERDICT_WORDS.get(item["verdict"], item["verdict"])} for item in items]


def _tally(items: Sequence[Mapping[str, str]]) -> str:
    """How many explanations the data allow, allow in part, speak against and leave open: 1 possible, 4 spoken against."""
    counts = [(sum(item["verdict"] == name for item in items), word) for name, word in TALLY_WORDS.items()]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def sides(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Both sides of a route for people: spans of time as columns and who reports as rows.

    Parameters
    ----------
    rows : sequence of mapping
        sides of a flag: span, the values in USD, net_wgt_g.

    Returns
    -------
    dict
        spans (titles of the columns) and rows (title, texts): million USD, the weight in tonnes; empty without rows.
    """
    if not rows:
        return {}
    table = [(title, [million(row[name]) for row in rows]) for name, title in _SIDES]
    weights = [UNKNOWN if row["net_wgt_g"] is None else f"{row['net_wgt_g'] / 1e6:,.1f}" for row in rows]
    return {
        "spans": [_SPANS.get(row["span"], row["span"]) for row in rows],
        "rows": [*table, ("Weight, tonnes", weights)],
    }


def _without(findings: Findings, row: Mapping[str, Any]) -> dict[str, str]:
    changes = [
        f"{title}: {', '.join(row[name])}."
        for name, title in (("reasons_lost", "Lost"), ("unknown", "Not known then"))
        if row[name]
    ]
    return {
        "publisher": publisher_name(findings, row["source_left_out"]),
        "says": " ".join([row["says"], *changes]),
    }


def _comparable(findings: Findings, flag: Mapping[str, Any], route: Mapping[str, Any]) -> dict[str, str]:
    """The route by what differs from the flag's: the good, the importer or the exporter."""
    is_same_good = route["good"] == flag["good"]
    if not is_same_good:
        name = good_name(findings, route["good"])
    elif route["importer_iso"] != flag["importer_iso"]:
        name = f"to {country_name(findings, route['importer_iso'])}"
    else:
        name = country_name(findings, route["exporter_iso"])
    return {
        "name": name,
        "code": "" if is_same_good else route["good"],
        "nearness": route["nearness"],
        "value": million(route["value_usd"]),
        "change": change(route["value_usd"], route["value_prior_year_usd"]),
        "why": route["why"],
    }


def _contributions(findings: Findings, parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Every input of the score in words, with how far the score falls without it, the furthest first."""
    ordered = sorted(parts, key=lambda part: (-part["score_drop"], part["input"]))
    return [(indicator_words(findings, part["input"]), f"{part['score_drop']:.3f}") for part in ordered]
