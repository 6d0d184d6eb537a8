"""supply → flags: what the coalition sells to hubs, as questions put to a person, with the evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE_KEY, WINDOW_KEY
from anomaly.contract.periods import window_of
from anomaly.contract.schema import Flags
from anomaly.contract.settings import Settings
from anomaly.features.goods_asked import is_in_question, with_control
from anomaly.flags.caveats import LUMPY, benign_explanations, is_lumpy
from anomaly.flags.flags import flag_id
from anomaly.flags.severity import LARGE_USD, list_tier, priority
from anomaly.flags.types import diverted_supply
from anomaly.indicators.base import usd

TYPE = diverted_supply.TYPE
Row = Mapping[str, Any]
_ONE_MONTH_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Tables:
    """The table supply and the companions that stand beside its calls.

    Parameters
    ----------
    supply : polars.DataFrame
        Supply, filled in by `supply.sides.beside`.
    calibration : polars.DataFrame
        SupplyCalibration.
    hubs : polars.DataFrame
        SupplyHubs.
    """

    supply: pl.DataFrame
    calibration: pl.DataFrame
    hubs: pl.DataFrame


def build(tables: Tables, lists: pl.DataFrame, names: Mapping[str, str], settings: Settings) -> pl.DataFrame:
    """The called legs as flags with their evidence.

    Parameters
    ----------
    tables : Tables
        The table supply and its companions.
    lists : polars.DataFrame
        good, tier, valid_from, valid_to of the scenario's goods lists: they set severity and order, and
        where the scenario asks about listed goods alone, which calls are flags.
    names : mapping of str to str
        Country to English name, for the sentences.
    settings : Settings
        Scenario: goods_asked, supply and the limits that the sentences name.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Flags, in no order.
    """
    called = tables.supply.filter(pl.col("called_by").is_not_null(), ~pl.col("is_before_sanctions"))
    called = with_control(called, settings, lists).filter(is_in_question(settings)).select(called.columns)
    of_window = tables.calibration.rename({"called": "window_called", "tested": "window_tested"}).drop("legs", "says")
    of_hub = tables.hubs.select(*WINDOW_KEY, "importer_iso", "is_boom_possible", "dose_response", hub_says="says")
    rows = called.join(of_window, on=WINDOW_KEY, how="left", maintain_order="left").join(
        of_hub, on=[*WINDOW_KEY, "importer_iso"], how="left", maintain_order="left"
    )
    schema = {name: column.dtype for name, column in Flags.columns().items()}
    flags = [_flag(_named(row, names), list_tier(row, lists), settings) for row in rows.to_dicts()]
    return pl.DataFrame(flags, schema=schema, orient="row")


def _named(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return row | {
        "exporter_name": names.get(row["exporter_iso"], row["exporter_iso"]),
        "importer_name": names.get(row["importer_iso"], row["importer_iso"]),
        "target_name": names.get(row["direct_target_iso"], row["direct_target_iso"]),
        "member_names": [names.get(member["exporter_iso"], member["exporter_iso"]) for member in row["members"]],
        "window": window_of(row).words,
    }


def _of_window(row: Row) -> str:
    """What the same tests give where nothing can have been diverted; the whole of it stands in supply.calibration."""
    return (
        f"In this window {row['window_called']:,} of {row['window_tested']:,} legs are called; of goods whose direct trade "
        f"stood {row['controls_called']:,} of {row['controls']:,} would be, in the same months of the year before "
        f"{row['year_before_called']:,} of {row['year_before_tested']:,}, and at any of {row['pseudo_dates']} dates before "
        f"the measure {row['pseudo_calls']:,} at most."
    )


def _flag(row: dict[str, Any], tier: str | None, settings: Settings) -> dict[str, Any]:
    excess = diverted_supply.rise_usd(row)
    pressing = severity(row, tier)
    return {
        **{name: row[name] for name in ROUTE_KEY},
        "flag_id": flag_id(row),
        "flag_type": TYPE.name,
        "severity": pressing,
        "priority": priority(pressing, settings.tier_weight(tier), excess),
        "list_tier": tier,
        "value_usd": row["value_usd"],
        "value_prior_year_usd": row["value_prior_year_usd"],
        "excess_usd": excess,
        "anomaly_rank": row["place"],
        "p_value": row["p_value"],
        "q_value": q_of_both(row),
        "compares": f"{row['window']} with {row['compared_with']}, the best of them",
        "reasons": reasons(row, settings),
        "caveats": caveats(row),
        "contributions": [],
        "benign": benign_explanations(row["good"], settings.measures),
        "evidence": TYPE.sentence(row),
        "benign_if": [explanation(row) for explanation in TYPE.explanations],
        "comparables": [],
        "sides": [],
        "is_before_sanctions": False,
    }


def q_of_both(row: Row) -> float | None:
    """Twice the smaller q of the two tests, so that a limit holds for both together.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply.

    Returns
    -------
    float or None
        0 to 1; None where neither test was made.
    """
    q_values = [row[name] for name in ("window_q_value", "date_q_value") if row[name] is not None]
    return min(1.0, 2 * min(q_values)) if q_values else None


def severity(row: Row, tier: str | None) -> str:
    """high, medium or low.

    A hub's own demand for the same goods looks alike on this leg, so it is medium at most; high only where both tests
    call it and what others report bears it out: most of the rise went on to the targets, or never arrived. Where controls
    are called nearly as often, or no test could be made, it is medium at most in any case.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply beside its window's and its hub's figures.
    tier : str or None
        Of the scenario's goods lists; None where the good is on none.

    Returns
    -------
    str
        `high`, `medium` or `low`.
    """
    matters = row["value_usd"] >= LARGE_USD or tier is not None
    if row["called_by"] == "both" and matters and diverted_supply.is_borne_out(row) and not row["is_boom_possible"]:
        return "high"
    return "medium" if matters or row["called_by"] == "both" else "low"


def reasons(row: Row, settings: Settings) -> list[dict[str, Any]]:
    """What speaks for a flag, each with its number, its threshold and a sentence; what others report comes last.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply beside its window's and its hub's figures, with names of countries.
    settings : Settings
        Scenario: thresholds of `supply`.

    Returns
    -------
    list of dict of str to Any
        Items of the column reasons of schema.Flags.
    """
    fell_from = -math.log1p(-settings.supply.direct_fall_share)
    measured: list[tuple[str, float | int | None, str, float, Callable[[Row, Settings], str]]] = [
        ("supply_rise_log", row["rise_log"], "log", 0.0, _rise),
        ("supply_window_test", _or_none(row, "window"), "flag", 1.0, _window),
        ("supply_date_test", _or_none(row, "date"), "flag", 1.0, _date),
        ("supply_by_rule", _or_none(row, "rule"), "flag", 1.0, _rule),
        ("supply_direct_fall_log", row["direct_fall_log"], "log", fell_from, _direct),
        ("supply_onward_usd", diverted_supply.onward_usd(row) or None, "usd", 1.0, _onward),
        ("supply_lost_usd", diverted_supply.lost_usd(row) or None, "usd", 1.0, _lost),
    ]
    return [
        {"indicator": name, "value": float(value), "unit": unit, "threshold": threshold, "text": text(row, settings)}
        for name, value, unit, threshold, text in measured
        if value is not None
    ]


def _or_none(row: Row, test: str) -> float | None:
    is_called = row["called_by"] == test or (row["called_by"] == "both" and test != "rule")
    return 1.0 if is_called else None


def _rise(row: Row, _settings: Settings) -> str:
    return (
        f"In {row['window']} the coalition sold {row['importer_name']} {usd(row['value_usd'])} of it, after "
        f"{usd(row['value_best_usd'])} in the best of {row['compared_with']}: more in the sum, without its largest months, "
        "and in the middle month."
    )


def _window(row: Row, _settings: Settings) -> str:
    importers = row["placebo_importers"]
    against = "legs of the hubs in windows before the measure"
    against = f"{importers:,} legs to countries that are no detour, and {against}" if importers else against
    return (
        f"Window test, on {row['window']}: among {against}, so steep a rise is rare (p {_p(row['p_value'])}, "
        f"q {_p(row['window_q_value'])}). It says which legs stand out."
    )


def _date(row: Row, _settings: Settings) -> str:
    return (
        f"Date test, on the months since {row['months_read_since']:%B %Y}: its level stepped up "
        f"{math.exp(row['step_log']):,.1f}-fold in {row['break_month']:%B %Y}. {row['steps_since']:,} legs step up at "
        f"one of {row['dates_since']} dates since the measure, {row['steps_before']:,} at one of {row['dates_before']} before "
        f"(q {_p(row['date_q_value'])}). It says how many such steps are too many, not which."
    )


def _rule(row: Row, settings: Settings) -> str:
    return (
        f"By rule, not calibrated: too few placebos for a test. Its level stepped up {math.exp(row['step_log']):,.1f}-fold in "
        f"{row['break_month']:%B %Y}, and it rose by more than {100 * math.expm1(settings.supply.rule_rise_log):.0f} %."
    )


def _direct(row: Row, _settings: Settings) -> str:
    return (
        f"The coalition's direct sales of the good to {row['target_name']} went from {usd(row['direct_prior_usd'])} to "
        f"{usd(row['direct_usd'])}."
    )


def _onward(row: Row, _settings: Settings) -> str:
    return (
        f"{row['importer_name']} sold the targets {usd(row['onward_usd'])} of it, after {usd(row['onward_prior_usd'])} "
        f"({row['onward_of']})."
    )


def _lost(row: Row, _settings: Settings) -> str:
    return (
        f"{row['importer_name']} records {usd(row['recorded_usd'])} of it as arrived, after {usd(row['recorded_prior_usd'])} "
        f"of {usd(row['value_prior_year_usd'])}: {usd(diverted_supply.lost_usd(row))} more than usual is missing there."
    )


def _p(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2g}"


def caveats(row: Row) -> list[str]:
    """What else could explain a flag, and what the data cannot say.

    Parameters
    ----------
    row : mapping of str to Any
        A row of supply beside its window's and its hub's figures, with names of countries.

    Returns
    -------
    list of str
        Sentences, the gravest first.
    """
    members, share = row["members"], row["largest_month_share"] or 0.0
    carried = members[0]["value_usd"] / max(1, sum(member["value_usd"] for member in members)) if members else 0.0
    sentences = [
        (is_lumpy(row["good"]), LUMPY),
        (row["called_by"] == "rule", "No test could be made: flagged by a rule that is not calibrated."),
        (bool(row["is_boom_possible"]), f"A boom of {row['importer_name']} cannot be told from diversion here: {row['hub_says']}"),
        (share >= _ONE_MONTH_SHARE, f"{100 * share:.0f} % of the window falls in one month."),
        (carried >= 0.9, f"{100 * carried:.0f} % is carried by {row['member_names'][0] if members else ''}."),
        (
            diverted_supply.is_stocked(row["direct_stock_usd"], row["direct_stock_prior_usd"]),
            f"{row['target_name']} may have laid in stock: in {row['stock_of']}, just before the measure, the coalition sold it "
            f"{usd(row['direct_stock_usd'])} of the good, after {usd(row['direct_stock_prior_usd'])} a year earlier. Part of the "
            "fall after it is stock used up.",
        ),
        (
            diverted_supply.is_stocked(row["stock_usd"], row["stock_prior_usd"]),
            f"It rose before the measure already: {usd(row['stock_prior_usd'])} to {usd(row['stock_usd'])} in {row['stock_of']}.",
        ),
        (True, "A hub's own demand for the same goods looks alike on this leg: only what happens beyond it can tell."),
        (row["recorded_usd"] is None, "Whether it arrived is not in the data: the hub does not report these months."),
        (row["onward_usd"] is None, "What the hub sold on is not in the data."),
        (not row["placebo_importers"], "The placebos are windows before the measure: a shock of the year itself is not in them."),
        (not row["is_boom_possible"], f"Beside it: {row['hub_says']}"),
        (True, _of_window(row)),
        (bool(row["members_left_out"]), f"Without {', '.join(row['members_left_out'])}, which had not reported every month."),
    ]  # fmt: skip
    return [sentence for applies, sentence in sentences if applies]
