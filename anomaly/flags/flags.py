"""Scores and reasons → flags: questions put to a person, with the evidence. features + scores → flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.schema import ROUTE_KEY, Flags, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.flags import resolved
from anomaly.flags.caveats import benign_explanations, caveats
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import direct_fall_log

_KEY = list(ROUTE_KEY)
_WINDOW = ["freq_code", "window_months", "window_end"]
# A route must itself have risen: price or mirror figures alone accuse nobody.
_RISE = ("surge_log", "baseline_excess_log", "new_route")
_TIER_WEIGHT = {"1": 2.0, "2": 1.8, "3.A": 1.6, "3.B": 1.5, "4.A": 1.4, "4.B": 1.4}
_SEVERITY_WEIGHT = {"high": 3.0, "medium": 2.0, "low": 1.0}
_STRONG_Q = 0.10
MATCHED = 0.5  # of the rise, by falls of the heading on the same route: a relabelling
PRICE_ROSE_LOG = 0.405  # half as dear again
VOLUME_STOOD_LOG = 0.1  # a tenth more
FELL_LOG = 0.223  # a fifth less than the year before or in the baseline
OF_THE_RISE = 0.7  # above the best year of the baseline: less, and the quantity had risen before
_LARGE_USD = 10_000_000


def build(
    features: pl.DataFrame,
    scores: pl.DataFrame,
    contributions: pl.DataFrame,
    calibration: pl.DataFrame,
    lists: pl.DataFrame,
    names: Mapping[str, str],
    settings: Settings,
    events: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Flags in order of window, priority and key; columns of schema.Flags.

    features   rows of the routes in `scores`; with the other routes to targets, also those that have fallen below
               materiality, routes are found to be resolved
    lists      hs6, tier, valid_from, valid_to of the scenario's goods lists, with the HS family of each code as `good`
    names      country → English name, for the sentences
    events     codes.policy_events: the measures that a resolved route is held against; none are looked for without

    A route is flagged where its q is within the limit of its window, or it is new and the direct trade fell; where at
    least one reason is over its threshold and one of them is a rise of the route itself; where the direct trade, or a
    neighbour of the good on the same pair, fell too; and where it is not below both the year before and its baseline.
    """
    candidates = _candidates(features, scores, calibration, settings)
    listed = frozenset(lists["good"])
    told = _latest_contributions(contributions)
    kinds = {
        (row["freq_code"], row["window_months"], row["window_end"], row["leg"]): row for row in calibration.to_dicts()
    }
    rows = []
    for row in candidates.join(told, on=_KEY, how="left", maintain_order="left").to_dicts():
        row |= {"exporter_name": names.get(row["exporter_iso"], row["exporter_iso"])}
        row |= {"importer_name": names.get(row["importer_iso"], row["importer_iso"])}
        reasons = _reasons(row, settings)
        if not _is_flag(row, reasons, settings):
            continue
        calibrated = kinds.get((row["freq_code"], row["window_months"], row["window_end"], row["leg"]), {})
        tier = _tier(row, lists)
        rows.append(_flag(row, _type(row, listed), _severity(row, tier), reasons, calibrated, tier))
    found = _in_order(rows)
    if events is None or events.is_empty():
        return found
    ended = resolved.candidates(features, found, events, settings).to_dicts()
    return _in_order([*rows, *[_resolved(row, names, _tier(row, lists)) for row in ended]])


def _resolved(row: Mapping[str, Any], names: Mapping[str, str], tier: str | None) -> dict[str, Any]:
    """A flag of a route that has fallen: no score, the lowest severity, one reason."""
    score = dict.fromkeys(("anomaly_score", "anomaly_rank", "p_value", "q_value", "stability_share", "contributions"))
    told = {**row, **score, "is_from_coalition": False}
    return _flag(told, "resolved", "low", [resolved.reason(row, names)], {}, tier)


def _candidates(
    features: pl.DataFrame, scores: pl.DataFrame, calibration: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    return (
        features.filter(is_own_gap(settings.baseline_years))
        .join(scores, on=_KEY, how="inner")
        .with_columns(is_from_coalition=pl.col("exporter_iso").is_in(list(settings.coalition.countries)))
        .with_columns(
            leg=pl.when("is_from_coalition").then(pl.lit("coalition to hub")).otherwise(pl.lit("hub to target"))
        )
        .join(calibration.select(*_WINDOW, "leg", "q_limit"), on=[*_WINDOW, "leg"], how="left")
        .with_columns(direct_fall_log=direct_fall_log(float(settings.floor_usd)))
        .filter(
            (pl.col("q_value") <= pl.col("q_limit")) | (pl.col("new_route") == 1),
            (pl.col("surge_log") > 0) | (pl.col("baseline_excess_log") > 0),
        )
        .sort(_KEY)
    )


def _latest_contributions(contributions: pl.DataFrame) -> pl.DataFrame:
    return (
        contributions.sort("score_drop", "input", descending=[True, False])
        .group_by(_KEY, maintain_order=True)
        .agg(contributions=pl.struct("input", "score_drop"))
    )


def _reasons(row: Mapping[str, Any], settings: Settings) -> list[dict[str, Any]]:
    found = []
    for indicator in INDICATORS:
        value = row[indicator.name]
        threshold = settings.thresholds.get(indicator.name, indicator.threshold)
        if value is not None and value >= threshold:
            found.append(
                {
                    "indicator": indicator.name,
                    "value": value,
                    "unit": indicator.unit,
                    "threshold": float(threshold),
                    "text": indicator.reason(row),
                }
            )
    return found


def _is_flag(row: Mapping[str, Any], reasons: list[dict[str, Any]], settings: Settings) -> bool:
    over = {reason["indicator"] for reason in reasons}
    if not over.intersection(_RISE) or row["value_usd"] < settings.materiality_usd:
        return False
    is_unusual = row["q_value"] is not None and row["q_value"] <= row["q_limit"]
    if row["is_from_coalition"]:
        return is_unusual and "mirror_gap_shift_log" in over
    if not _is_joint(row):
        return False
    is_new_and_direct_fell = {"new_route", "direct_drop_log"} <= over
    return is_unusual or is_new_and_direct_fell


def _is_joint(row: Mapping[str, Any]) -> bool:
    """Whether more than the route's own rise speaks for it: the direct trade fell, or a neighbour on the same pair.

    Where the coalition's direct trade is not in the data, nobody can say that it did not fall.
    """
    fell = row["direct_fall_log"]
    return fell is None or fell >= FELL_LOG or (row["neighbour_code_shift"] or 0.0) >= MATCHED


def _flag(
    row: Mapping[str, Any],
    flag_type: str,
    severity: str,
    reasons: list[dict[str, Any]],
    calibrated: Mapping[str, Any],
    tier: str | None,
) -> dict[str, Any]:
    excess = None if row["excess_usd"] is None else round(row["excess_usd"])
    weight = _TIER_WEIGHT.get(tier or "", 1.0)
    return {
        **{name: row[name] for name in _KEY},
        "flag_id": flag_id(row),
        "flag_type": flag_type,
        "severity": severity,
        "priority": round(_SEVERITY_WEIGHT[severity] * weight * _decades(excess), 6),
        "list_tier": tier,
        **{name: row[name] for name in ("value_usd", "value_prior_year_usd", "value_baseline_usd")},
        "excess_usd": excess,
        **{name: row[name] for name in ("anomaly_score", "anomaly_rank", "p_value", "q_value", "stability_share")},
        "compares": compares(row),
        "reasons": reasons,
        "caveats": caveats(row, calibrated),
        "contributions": row["contributions"] or [],
        "benign": benign_explanations(row["good"]),
        "is_before_sanctions": row["is_before_sanctions"],
    }


def flag_id(row: Mapping[str, Any]) -> str:
    """Stable across runs: 870323-ARM-RUS-2022 of annual data; of monthly data 851712+-KAZ-RUS-2022-06-6M, the window's
    last month and its length.
    """
    route = f"{row['good']}-{row['exporter_iso']}-{row['importer_iso']}"
    if row["freq_code"] == "A":
        return f"{route}-{row['window_end']:%Y}"
    return f"{route}-{row['window_end']:%Y-%m}-{row['window_months']}M"


def compares(row: Mapping[str, Any]) -> str:
    """The two windows and the baseline in words."""
    return (
        f"{period_name(row['freq_code'], row['window_months'], row['window_end'])} with the same months of "
        f"{row['window_end'].year - 1}, and with the mean of {row['baseline_years']}"
    )


def period_name(freq_code: str, window_months: int, window_end: Any) -> str:
    """A window for people: 2022, 2022H1, 2022Q3, January-November 2022, or 12 months to 2022-11."""
    year, month = window_end.year, window_end.month
    if freq_code == "A" or (window_months == 12 and month == 12):
        return str(year)
    if window_months == 6 and month % 6 == 0:
        return f"{year}H{month // 6}"
    if window_months == 3 and month % 3 == 0:
        return f"{year}Q{month // 3}"
    if window_months == month:
        return f"January-{window_end:%B} {year}"
    return f"{window_months} months to {year}-{month:02d}"


def _type(row: Mapping[str, Any], listed: frozenset[str]) -> str:
    """What the figures look like most. Lists of goods name a type; they have no part in the score."""
    if row["is_from_coalition"]:
        return "ghost_transit"
    matched = row["neighbour_code_shift"] or 0.0
    if matched >= MATCHED and row["neighbour_fell_good"] in listed and row["good"] not in listed:
        return "relabel"
    if row["new_route"] == 1:
        return "new_route"
    if _is_price_only(row):
        return "price_only"
    return "hub_reexport"


def _is_price_only(row: Mapping[str, Any]) -> bool:
    """The price carries the rise, which is one against the year before, and the quantity hardly moved."""
    volume, price = row["volume_surge_log"], row["price_surge_log"]
    if volume is None or price is None or price < PRICE_ROSE_LOG or volume > VOLUME_STOOD_LOG:
        return False
    return bool(row["surge_log"] >= OF_THE_RISE * (row["record_excess_log"] or 0.0))


def _severity(row: Mapping[str, Any], tier: str | None) -> str:
    q_value = 1.0 if row["q_value"] is None else row["q_value"]
    if _is_price_only(row) and not row["is_from_coalition"]:
        return "low"
    matters = row["value_usd"] >= _LARGE_USD or tier is not None
    if q_value <= _STRONG_Q:
        return "high" if matters else "medium"
    return "medium" if matters else "low"


def _decades(excess_usd: int | None) -> float:
    """log10 of the excess in thousand USD, at least 1: a flag of a million counts half as much as one of a billion."""
    return max(1.0, math.log10(max(excess_usd or 0, 1) / 1000))


def _tier(row: Mapping[str, Any], lists: pl.DataFrame) -> str | None:
    """Highest tier of the good on a list that held at the end of the window."""
    at = row["window_end"]
    held = lists.filter(
        pl.col("good") == row["good"],
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= at),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > at),
    )
    return None if held.is_empty() else str(held["tier"].min())


def _in_order(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Flags.columns().items()}
    order = ["is_before_sanctions", "window_end", "priority", *[name for name in _KEY if name != "window_end"]]
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .sort(order, descending=[False, True, True, False, False, False, False, False])
        .select(list(schema))
    )
