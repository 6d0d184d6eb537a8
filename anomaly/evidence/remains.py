"""What remains of each flag without a publisher, in columns and in words: rows of schema.Without."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.schema import ROUTE_KEY, Without
from anomaly.contract.settings import Settings
from anomaly.flags import rule

DIGITS = 9  # of features: what differs beyond is the order of a sum
NOTHING_LEFT = "Nothing is left: no other publisher has trade data of the good."
_KEY = list(ROUTE_KEY)


def tell(
    flags: pl.DataFrame,
    source: str,
    run_features: pl.DataFrame,
    measured: pl.DataFrame,
    scores: pl.DataFrame,
    still: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """Rows of schema.Without for the flags whose figures use the source.

    A flag of which every column is the same does not use the source and has no row.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags.
    source : str
        Name of the publisher that is left out.
    run_features : polars.DataFrame
        The flags' rows of features as the run has them.
    measured : polars.DataFrame
        The same routes measured without the source; a route that cannot be measured is missing.
    scores : polars.DataFrame
        ROUTE_KEY and q_value without the source.
    still : polars.DataFrame
        flags.build of `measured` and `scores`: what would be flagged without the source.
    settings : Settings
        Scenario: materiality and limits.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Without, sorted by flag_id.
    """
    before_of = {_route(row): row for row in run_features.to_dicts()}
    after_of = {_route(row): row for row in measured.to_dicts()}
    q_of = {_route(row): row["q_value"] for row in scores.to_dicts()}
    flagged = set(still["flag_id"])
    rows = []
    for flag in flags.to_dicts():
        before, after = before_of[_route(flag)], after_of.get(_route(flag))
        if after is not None and all(_is_same(before[name], after[name]) for name in before if name != "dataset"):
            continue
        is_small = after is not None and after["value_usd"] < settings.materiality_usd
        is_scored = _route(flag) in q_of or is_small
        row = _row(flag, before, after if is_scored else None, flag["flag_id"] in flagged, settings)
        q_value = q_of.get(_route(flag))
        rows.append(
            {**row, "source_left_out": source, "q_value": q_value, "says": _says(row, flag, after is not None, q_value)}
        )
    return _table(rows)


def _is_same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return math.isclose(before, after, rel_tol=10**-DIGITS, abs_tol=10**-DIGITS)
    return bool(before == after)


def nothing_left(flags: pl.DataFrame, source: str) -> pl.DataFrame:
    """Rows of schema.Without where one publisher alone has trade data.

    Parameters
    ----------
    flags : polars.DataFrame
        flag_id of all flags.
    source : str
        Name of the publisher.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Without, a row a flag, none comparable.
    """
    empty: dict[str, list[str]] = {"reasons_left": [], "reasons_lost": [], "unknown": []}
    row = {"source_left_out": source, "remains": "not_comparable", "says": NOTHING_LEFT, **empty}
    return _table([{"flag_id": flag_id, **row} for flag_id in flags["flag_id"]])


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    kinds = {name: column.dtype for name, column in Without.columns().items()}
    return pl.DataFrame(rows, schema=kinds, orient="row").sort("flag_id", "source_left_out")


def _route(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _row(
    flag: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    is_flagged: bool,
    settings: Settings,
) -> dict[str, Any]:
    reasons = [reason["indicator"] for reason in flag["reasons"]]
    base = {"flag_id": flag["flag_id"], "remains": "not_comparable", "value_usd": None}
    if after is None:
        return {**base, "reasons_left": [], "reasons_lost": [], "unknown": []}
    limits = rule.limits_of(settings).thresholds
    unknown = [name for name in limits if before[name] is not None and after[name] is None]
    reasons_left = [name for name in reasons if after[name] is not None and after[name] >= limits[name]]
    reasons_lost = [name for name in reasons if after[name] is not None and after[name] < limits[name]]
    remains = "not_flagged" if not is_flagged else "flagged" if reasons_left == reasons else "weaker"
    outcome = {"remains": remains, "value_usd": after["value_usd"]}
    return {**base, **outcome, "reasons_left": reasons_left, "reasons_lost": reasons_lost, "unknown": unknown}


def _says(row: Mapping[str, Any], flag: Mapping[str, Any], is_measured: bool, q_value: float | None) -> str:
    if row["remains"] == "not_comparable":
        if is_measured:
            return "The gap between the two sides is then not known, and the route cannot be scored."
        return "The route cannot be compared: no other publisher has it in both windows."
    count, reasons = len(row["reasons_left"]), len(flag["reasons"])
    held = {
        "flagged": "It would still be flagged, with every reason",
        "weaker": f"It would still be flagged, with {count} of {reasons} reasons",
        "not_flagged": f"It would not be flagged: {count} of {reasons} reasons are left",
    }[row["remains"]]
    was, now = ("not known" if q is None else f"{q:.3f}" for q in (flag["q_value"], q_value))
    moved = f"q stays {now}" if was == now else f"q {was} becomes {now}"
    value = "" if row["value_usd"] == flag["value_usd"] else "; the trade is another publisher's figure"
    return f"{held}; {moved}{value}."
