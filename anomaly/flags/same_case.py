"""A case that two legs tell is one flag: what left the coalition for a hub and did not arrive is evidence of diverted supply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.periods import first_month, window_of
from anomaly.flags.types import diverted_supply, ghost_transit
from anomaly.indicators.base import usd

_HUB = ["good", "importer_iso"]
GAP = "mirror_gap_shift_log"  # the reason that makes a ghost transit


def folded(flags: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Flags in which a ghost transit of a member is evidence of the coalition's diverted supply of the same good and hub.

    It is so where its window holds all months of the other's. It is then no flag of its own: its gap stands among the
    reasons, its figures in the evidence, and what else the gap could be among the explanations. Where no diverted supply is
    flagged it stands alone, as it was.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags with their evidence.
    names : mapping of str to str
        Country to English name, for the sentences.

    Returns
    -------
    polars.DataFrame
        The rows that are left, in their order.
    """
    pairs = _pairs(flags)
    if pairs.is_empty():
        return flags
    of_case: dict[str, list[dict[str, Any]]] = {}
    ghosts = flags.filter(pl.col("flag_id").is_in(pairs["ghost_id"].implode()))
    by_id = {ghost["flag_id"]: ghost for ghost in ghosts.to_dicts()}
    for case_id, ghost_id in pairs.iter_rows():
        of_case.setdefault(case_id, []).append(by_id[ghost_id])
    kept = flags.filter(~pl.col("flag_id").is_in(pairs["ghost_id"].implode()))
    changed = [
        _with(row, of_case[row["flag_id"]], names)
        for row in kept.filter(pl.col("flag_id").is_in(list(of_case))).to_dicts()
    ]
    columns = ("reasons", "evidence", "benign_if")
    beside = pl.DataFrame(
        [{"flag_id": row["flag_id"], **{name: row[name] for name in columns}} for row in changed],
        schema={name: flags.schema[name] for name in ("flag_id", *columns)},
    )
    return kept.update(beside, on="flag_id", how="left", maintain_order="left").select(flags.columns)


def _pairs(flags: pl.DataFrame) -> pl.DataFrame:
    """case_id and ghost_id, the members that lost most first."""
    own = flags.with_columns(first=first_month()).filter(~pl.col("is_before_sanctions"))
    cases = own.filter(flag_type=diverted_supply.TYPE.name).select(*_HUB, "first", "window_end", case_id="flag_id")
    ghosts = own.filter(flag_type=ghost_transit.TYPE.name).select(
        *_HUB, "excess_usd", ghost_first="first", ghost_end="window_end", ghost_id="flag_id"
    )
    return (
        cases.join(ghosts, on=_HUB)
        .filter(pl.col("ghost_first") <= pl.col("first"), pl.col("ghost_end") >= pl.col("window_end"))
        .sort("case_id", "excess_usd", "ghost_id", descending=[False, True, False], nulls_last=True)
        .select("case_id", "ghost_id")
    )


def _with(row: dict[str, Any], ghosts: list[dict[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """A flag of diverted supply with the ghost transits of its case."""
    texts = [f"{names.get(ghost['exporter_iso'], ghost['exporter_iso'])}, {window_of(ghost).words}" for ghost in ghosts]
    gaps = [
        {**reason, "text": f"Ghost transit ({text}; {usd(ghost['value_usd'])} sent): {reason['text']}"}
        for text, ghost in zip(texts, ghosts, strict=True)
        for reason in ghost["reasons"]
        if reason["indicator"] == GAP
    ]
    figures = " ".join(
        f"{text}: {ghost['evidence']}" for text, ghost in zip(texts, ghosts, strict=True) if ghost["evidence"]
    )
    held = {item["explanation"] for item in row["benign_if"]}
    gap_items = [item for item in ghosts[0]["benign_if"] or () if item["explanation"] not in held]
    return {
        **row,
        "reasons": [*row["reasons"], *gaps],
        "evidence": f"{row['evidence']} Evidence of the same case, ghost transit: {figures}".strip(),
        "benign_if": [*row["benign_if"][:-1], *gap_items, *row["benign_if"][-1:]],
    }
