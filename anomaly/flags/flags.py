"""Scores and reasons → flags: questions put to a person, with the evidence. features + scores → flags.

When a route is a flag stands in `rule`, what it is called in `naming` and `types`, how pressing it is in `severity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dataframely as dy
import polars as pl

from anomaly.contract.periods import window_of
from anomaly.contract.schema import ROUTE_KEY, Flags, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.flags import displaced, naming, onward, resolved, rule, types
from anomaly.flags.caveats import benign_explanations, caveats
from anomaly.flags.severity import list_tier, priority, severity
from anomaly.flags.types import second_hop
from anomaly.flags.types.base import Limits
from anomaly.indicators import INDICATORS, excess_usd

_KEY = list(ROUTE_KEY)
_OF_SCORES = (
    "anomaly_score", "anomaly_rank", "p_value", "q_value", "stability_share", "placebo_kind", "shock_ratio",
    "rest_low_log", "rest_high_log", "profile_q_value", "contributions",
)  # fmt: skip


def table_schema() -> type[dy.Schema]:
    """The contract of flags: the fixed columns, and a flag_type that is one of the registered."""
    names = [registered.name for registered in types.TYPES]
    meaning = f"what the figures look like: {', '.join(names[:-1])} or {names[-1]}"
    flag_type = dy.String(description=meaning, regex=f"^({'|'.join(names)})$")
    return type("FlagsOfTypes", (dy.Schema,), {**Flags.columns(), "flag_type": flag_type})


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

    rule.conditions says when a route is flagged.

    Parameters
    ----------
    features : polars.DataFrame
        Rows of the routes in `scores`; with the other routes to targets, also those that have fallen below materiality,
        routes are found to be resolved.
    scores, contributions, calibration : polars.DataFrame
        scores.build.
    lists : polars.DataFrame
        hs6, tier, valid_from, valid_to of the scenario's goods lists, with the HS family of each code as `good`.
    names : mapping
        Country → English name, for the sentences.
    settings : Settings
        The scenario.
    events : polars.DataFrame, optional
        policy_events.read_all: the measures that a route which was flagged and fell is held against; without, none is looked for.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Flags, those of evidence null.
    """
    limits = rule.limits_of(settings)
    own = rule.beside_scores(features.filter(is_own_gap(settings.baseline_years)), scores, calibration, limits)
    flagged = naming.with_flag_type(own.filter(rule.is_flag(limits)), set(lists["good"]), limits).sort(_KEY)
    flagged = onward.with_onward(flagged, own)
    contributed = _latest_contributions(contributions)
    calibrated = {
        (row["freq_code"], row["window_months"], row["window_end"], row["leg"]): row for row in calibration.to_dicts()
    }
    rows = []
    for route in flagged.join(contributed, on=_KEY, how="left", maintain_order="left").to_dicts():
        row = route | _names(route, names)
        tier = list_tier(row, lists)
        of_window = calibrated.get((row["freq_code"], row["window_months"], row["window_end"], row["leg"]), {})
        rows.append(_flag(row, severity(row, tier), [*_reasons(row, limits), *_onward(row)], of_window, tier, settings))
    flags = in_order(_as_frame(rows))
    if events is None or events.is_empty():
        return flags
    ended = resolved.candidates(features, flags, events, settings)
    closed = displaced.reasons(flagged, ended, names)
    beside = [row | {"reasons": [*row["reasons"], *_of_closed(row, closed)]} for row in rows]
    fell = [_ended(row, names, list_tier(row, lists), settings) for row in ended.to_dicts()]
    return in_order(_as_frame([*beside, *fell]))


def _names(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    sides = [side for side in ("exporter", "importer", "direct_target") if row.get(f"{side}_iso")]
    return {f"{side}_name": names.get(row[f"{side}_iso"], row[f"{side}_iso"]) for side in sides}


def _onward(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a flag between hubs the reason that the second of them sold the target more; none elsewhere."""
    sold_on = second_hop.sold_on(row)
    return [] if sold_on is None else [sold_on]


def _ended(row: Mapping[str, Any], names: Mapping[str, str], tier: str | None, settings: Settings) -> dict[str, Any]:
    """A flag of a route that has fallen: no score, the lowest severity, one reason."""
    score = dict.fromkeys(_OF_SCORES)
    route = {**row, **score, "flag_type": resolved.FLAG_TYPE}
    most_severe, reasons = naming.type_of(resolved.FLAG_TYPE).most_severe, [resolved.reason(row, names)]
    return _flag(route, most_severe, reasons, {}, tier, settings)


def _of_closed(row: Mapping[str, Any], closed: Mapping[tuple[Any, ...], dict[str, Any]]) -> list[dict[str, Any]]:
    """The reason that another road fell under a measure while this one rose; none where none did."""
    reason = closed.get(tuple(row[name] for name in _KEY))
    return [] if reason is None else [reason]


def _latest_contributions(contributions: pl.DataFrame) -> pl.DataFrame:
    return (
        contributions.sort("score_drop", "input", descending=[True, False])
        .group_by(_KEY, maintain_order=True)
        .agg(contributions=pl.struct("input", "score_drop"))
    )


def _reasons(row: Mapping[str, Any], limits: Limits) -> list[dict[str, Any]]:
    return [
        {
            "indicator": indicator.name,
            "value": row[indicator.name],
            "unit": indicator.unit,
            "threshold": limits.thresholds[indicator.name],
            "text": indicator.reason(row),
        }
        for indicator in INDICATORS
        if row[indicator.name] is not None and row[indicator.name] >= limits.thresholds[indicator.name]
    ]


def _flag(
    row: Mapping[str, Any],
    severity: str,
    reasons: list[dict[str, Any]],
    calibrated: Mapping[str, Any],
    tier: str | None,
    settings: Settings,
) -> dict[str, Any]:
    excess = None if row["excess_usd"] is None else round(row["excess_usd"])
    low, high = excess_usd.between(row, settings.floor_usd)
    return {
        **{name: row[name] for name in _KEY},
        "flag_id": flag_id(row),
        "flag_type": row["flag_type"],
        "severity": severity,
        "priority": priority(severity, settings.tier_weight(tier), excess),
        "list_tier": tier,
        **{name: row[name] for name in ("value_usd", "value_prior_year_usd", "value_baseline_usd")},
        "counterfactual_usd": row["counterfactual_usd"],
        "excess_usd": excess,
        "excess_low_usd": low,
        "excess_high_usd": high,
        **{name: row[name] for name in ("anomaly_score", "anomaly_rank", "p_value", "q_value", "stability_share")},
        "compares": compares(row),
        "reasons": reasons,
        "caveats": caveats(row, calibrated, settings.measures),
        "contributions": row["contributions"] or [],
        "benign": benign_explanations(row["good"], settings.measures),
        "is_before_sanctions": row["is_before_sanctions"],
    }


def flag_id(row: Mapping[str, Any]) -> str:
    """Stable across runs: 870323-ARM-RUS-2022 of annual data; of monthly data 851712+-KAZ-RUS-2022-06-6M, the window's
    last month and its length.

    Parameters
    ----------
    row : mapping
        The key of a route in a window.

    Returns
    -------
    str
        good-exporter-importer-window.
    """
    return f"{row['good']}-{row['exporter_iso']}-{row['importer_iso']}-{window_of(row).tag}"


def compares(row: Mapping[str, Any]) -> str:
    """The two windows and the baseline in words.

    Parameters
    ----------
    row : mapping
        A row of features.

    Returns
    -------
    str
        As it stands in a document: Jan–Jun 2022 with Jan–Jun 2021, and with the mean of 2019-2021.
    """
    window = window_of(row)
    return f"{window.words} with {window.in_year(window.year - 1).words}, and with the mean of {row['baseline_years']}"


def _as_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Flags.columns().items()}
    return pl.DataFrame(rows, schema=schema, orient="row").select(list(schema))


def in_order(flags: pl.DataFrame) -> pl.DataFrame:
    """Flags in the order of the table: findings before checks, the newest window first, then by priority and key.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags.

    Returns
    -------
    polars.DataFrame
        The same rows: findings before checks, the newest window first, then by priority and key.
    """
    order = ["is_before_sanctions", "window_end", "priority", *[name for name in _KEY if name != "window_end"]]
    return flags.sort(order, descending=[False, True, True, False, False, False, False, False])
