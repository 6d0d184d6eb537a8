"""The evidence of one flag as parts of a document: what `anomaly explain` shows beside the numbers."""

from __future__ import annotations

from typing import Any

import polars as pl

Row = dict[str, Any]

_SHOWN = (
    "flag_id", "flag_type", "severity", "priority", "list_tier", "excess_usd", "stability_share", "compares", "evidence",
)  # fmt: skip
NOT_TRIED = "not tried for this flag; it is for those of the highest priority that stand now"


def flag_part(flag: Row) -> Row:
    """The flag itself; what the run's flags do not have is left out."""
    return {name: flag[name] for name in _SHOWN if name in flag}


def evidence_parts(flag: Row | None, without: pl.DataFrame) -> dict[str, list[Any]]:
    """Other explanations, comparable routes, both sides and what is left without each publisher; empty without a flag.

    without   flags.without, whole or narrowed
    """
    if flag is None:
        return {"other_explanations": [], "comparable_routes": [], "both_sides": [], "without_a_publisher": []}
    left = without.filter(pl.col("flag_id") == flag["flag_id"]) if without.height else without
    tried: list[Any] = (
        [{name: row[name] for name in row if name != "flag_id"} for row in left.sort("source_left_out").to_dicts()]
        if left.height
        else [NOT_TRIED]
    )
    return {
        "other_explanations": flag.get("benign_if") or [],
        "comparable_routes": flag.get("comparables") or [],
        "both_sides": flag.get("sides") or [],
        "without_a_publisher": tried,
    }
