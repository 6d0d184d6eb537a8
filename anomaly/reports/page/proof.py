"""The evidence part of a card: what else could explain a flag, who reported what, and the nearest unflagged routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anomaly.reports.base import Findings
from anomaly.reports.words import (
    TALLY_WORDS,
    UNKNOWN,
    VERDICT_WORDS,
    change,
    country_name,
    good_name,
    indicator_words,
    million,
    publisher_name,
)

NOT_TRIED = "not tried for this flag; it is for those of the highest priority that stand now."
_SIDES = (
    ("export_value_fob_usd", "Exporter, FOB"),
    ("reexport_value_fob_usd", "of which re-exports"),
    ("import_value_cif_usd", "Importer, CIF"),
)
_SPANS = {"window": "Window", "year before": "Year before", "baseline": "Baseline"}


def evidence(findings: Findings, flag: Mapping[str, Any], without: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the card shows of a flag's evidence; each part is empty where the run has none."""
    return {
        "evidence": flag["evidence"],
        "explanations": _explanations(flag["benign_if"] or []),
        "tally": _tally(flag["benign_if"] or []),
        "sides": sides(flag["sides"] or []),
        "without": [_without(findings, row) for row in without],
        "not_tried": "" if without else NOT_TRIED,
        "comparables": [_comparable(findings, flag, one) for one in flag["comparables"] or []],
        "rests_on": _contributions(findings, flag["contributions"] or []),
    }


def by_flag(without: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows of flags.without by their flag, in the order of publishers."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in without.sort("flag_id", "source_left_out").to_dicts():
        found.setdefault(row["flag_id"], []).append(row)
    return found


def _explanations(items: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{**item, "verdict": VERDICT_WORDS.get(item["verdict"], item["verdict"])} for item in items]


def _tally(items: Sequence[Mapping[str, str]]) -> str:
    """How many explanations the data allow, allow in part, speak against and leave open: 1 possible, 4 spoken against."""
    counts = [(sum(item["verdict"] == name for item in items), word) for name, word in TALLY_WORDS.items()]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def sides(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Spans as columns and who reports as rows, in million USD, the weight in tonnes."""
    if not rows:
        return {}
    table = [(title, [million(row[name]) for row in rows]) for name, title in _SIDES]
    weights = [UNKNOWN if row["net_wgt_g"] is None else f"{row['net_wgt_g'] / 1e6:,.1f}" for row in rows]
    return {
        "spans": [_SPANS.get(row["span"], row["span"]) for row in rows],
        "rows": [*table, ("Weight, tonnes", weights)],
    }


def _without(findings: Findings, row: Mapping[str, Any]) -> dict[str, str]:
    lost = [
        f"{what}: {', '.join(row[name])}."
        for name, what in (("reasons_lost", "Lost"), ("unknown", "Not known then"))
        if row[name]
    ]
    return {
        "publisher": publisher_name(findings, row["source_left_out"]),
        "says": " ".join([row["says"], *lost]),
    }


def _comparable(findings: Findings, flag: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, str]:
    """The route by what differs from the flag's: the good, the importer or the exporter."""
    is_same_good = one["good"] == flag["good"]
    if not is_same_good:
        name = good_name(findings, one["good"])
    elif one["importer_iso"] != flag["importer_iso"]:
        name = f"to {country_name(findings, one['importer_iso'])}"
    else:
        name = country_name(findings, one["exporter_iso"])
    return {
        "name": name,
        "code": "" if is_same_good else one["good"],
        "nearness": one["nearness"],
        "value": million(one["value_usd"]),
        "change": change(one["value_usd"], one["value_prior_year_usd"]),
        "why": one["why"],
    }


def _contributions(findings: Findings, parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Every input of the score in words, with how far the score falls without it, the furthest first."""
    ordered = sorted(parts, key=lambda part: (-part["score_drop"], part["input"]))
    return [(indicator_words(findings, part["input"]), f"{part['score_drop']:.3f}") for part in ordered]
