"""One flag as a person reads it: the row of the table and the card with the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB
from anomaly.contract.periods import FREQUENCY_WORDS, MONTHS_IN, window_of
from anomaly.flags.naming import type_of
from anomaly.reports.amounts import change, measured, million, usd
from anomaly.reports.base import Findings
from anomaly.reports.page.proof import by_flag, evidence
from anomaly.reports.page.sparkline import Chart, draw
from anomaly.reports.words import (
    country_name,
    good_name,
    next_steps,
    type_words,
)

# Reasons about trade between the coalition and the hub or the target, not about the route itself.
ABOUT_THE_LEGS = frozenset(
    {"upstream_surge_log", "direct_drop_log", "replacement_share", "route_through_usd", "mirror_gap_shift_log"}
)
_SAFE_ID = re.compile(r"^[A-Za-z0-9+._-]{1,80}$")


def rows(findings: Findings, flags: pl.DataFrame) -> list[dict[str, Any]]:
    """One row of the page's table per flag, in the order given.

    Parameters
    ----------
    findings : Findings
        Its goods and countries.
    flags : polars.DataFrame
        The table flags, or a part of it.

    Returns
    -------
    list of dict
        What the macro flag_row of parts.html.j2 shows.
    """
    return [_row(findings, flag, place) for place, flag in enumerate(flags.iter_rows(named=True), start=1)]


def cards(findings: Findings, flags: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """One card per flag, in the order given: the row and the evidence.

    Parameters
    ----------
    findings : Findings
        Its goods, countries, series, without; of its run: publishers and indicators.
    flags : polars.DataFrame
        The table flags, or a part of it.

    Yields
    ------
    dict
        What the macro card of parts.html.j2 shows.
    """
    without = by_flag(findings.without)
    points = _points(findings.series, flags["flag_id"])
    for place, flag in enumerate(flags.iter_rows(named=True), start=1):
        row = _row(findings, flag, place)
        is_into_hub = type_of(flag["flag_type"]).leg == COALITION_TO_HUB
        reasons = [_reason(reason, is_into_hub) for reason in flag["reasons"]]
        yield {
            **row,
            "is_whole": True,
            "sentence": sentence(findings, flag),
            "is_into_hub": is_into_hub,
            "chart": draw(_chart(findings, flag, points.get(flag["flag_id"], ()))),
            "reasons": [reason for reason in reasons if not reason["is_leg"]],
            "legs": [reason for reason in reasons if reason["is_leg"]],
            "caveats": flag["caveats"] or [],
            "benign": flag["benign"] or [],
            "compares": flag["compares"],
            "next_steps": next_steps(findings, flag),
            "numbers": _numbers(flag),
            **evidence(findings, flag, without.get(flag["flag_id"], [])),
        }


def shortened(card: dict[str, Any]) -> dict[str, Any]:
    """The same card without its chart and what is folded away.

    Parameters
    ----------
    card : dict
        Of `cards`.

    Returns
    -------
    dict
        Another one.
    """
    return {**card, "is_whole": False, "chart": ""}


def sentence(findings: Findings, flag: dict[str, Any]) -> str:
    """What happened, in one sentence: who sold how much of what to whom, against a year before and the baseline.

    Parameters
    ----------
    findings : Findings
        Its goods and countries.
    flag : dict
        A row of the table flags.

    Returns
    -------
    str
        With a full stop; the baseline only where it is known.
    """
    now, before, baseline = flag["value_usd"], flag["value_prior_year_usd"], flag["value_baseline_usd"]
    good = good_name(findings, flag["good"])
    route = f"from {country_name(findings, flag['exporter_iso'])} to {country_name(findings, flag['importer_iso'])}"
    text = f"{usd(now)} of {good} went {route} in {window_of(flag).words}"
    if before is None:
        text += "; the year before is not known"
    else:
        text += f", after {usd(before) if before else 'nothing'} in the same months a year before"
        text += f" ({change(now, before)})" if before else ""
    if baseline is not None:
        text += f"; the baseline is {usd(baseline) if baseline else 'nothing'}"
    return text + "."


def _row(findings: Findings, flag: dict[str, Any], place: int) -> dict[str, Any]:
    now, before = flag["value_usd"], flag["value_prior_year_usd"]
    return {
        "place": place,
        "anchor": f"flag-{flag['flag_id']}" if _SAFE_ID.match(flag["flag_id"]) else f"flag-number-{place}",
        "flag_id": flag["flag_id"],
        "good": flag["good"],
        "good_name": good_name(findings, flag["good"]),
        "exporter": country_name(findings, flag["exporter_iso"]),
        "importer": country_name(findings, flag["importer_iso"]),
        "window": window_of(flag).words,
        "window_order": window_of(flag).place,
        "value": million(now),
        "before": million(before),
        "change": change(now, before),
        "q": probability(flag["q_value"]),
        "severity": flag["severity"],
        "type": type_words(flag["flag_type"]),
        "tier": flag["list_tier"],
    }


def probability(value: float | None) -> str:
    """A p- or q-value for people.

    Parameters
    ----------
    value : float or None
        0 to 1.

    Returns
    -------
    str
        Three decimals, four below 0.01, never 0.

    Examples
    --------
    >>> probability(0.05), probability(0.0042), probability(1e-9), probability(None)
    ('0.050', '0.0042', '< 0.0001', 'not known')
    """
    if value is None:
        return "not known"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.3f}"


def excess(flag: dict[str, Any]) -> str:
    """What a flag stands above its counterfactual, with the interval.

    Parameters
    ----------
    flag : dict
        excess_usd, excess_low_usd and excess_high_usd; None is unknown.

    Returns
    -------
    str
        Such as 5.7 million USD (2.4 million USD to 7.4 million USD); the excess alone where the interval is not known.

    Examples
    --------
    >>> excess({"excess_usd": 5_700_000, "excess_low_usd": 2_400_000, "excess_high_usd": 7_400_000})
    '5.7 million USD (2.4 million USD to 7.4 million USD)'
    """
    low, high = flag.get("excess_low_usd"), flag.get("excess_high_usd")
    between = "" if low is None or high is None else f" ({usd(low)} to {usd(high)})"
    return f"{usd(flag['excess_usd'])}{between}"


def _numbers(flag: dict[str, Any]) -> list[tuple[str, str]]:
    stability = flag.get("stability_share")  # of seeds and backgrounds in which q stays within the limit
    return [
        ("q-value", probability(flag["q_value"])),
        *([] if stability is None else [("Stability", f"{100 * stability:.0f} %")]),
        ("Excess", excess(flag)),
        ("p-value", probability(flag["p_value"])),
        ("Score", "not scored" if flag["anomaly_score"] is None else f"{flag['anomaly_score']:.3f}"),
        ("Rank in window", "none" if flag["anomaly_rank"] is None else f"{flag['anomaly_rank']:,}"),
    ]


def _reason(reason: dict[str, Any], is_into_hub: bool) -> dict[str, Any]:
    """A reason with its number in words. A route into a hub is itself a leg of the coalition."""
    number = measured(reason["value"], reason["unit"])
    threshold = "" if reason["unit"] == "flag" else measured(reason["threshold"], reason["unit"])
    return {
        "text": reason["text"],
        "indicator": reason["indicator"],
        "number": number,
        "threshold": threshold,
        "is_leg": not is_into_hub and reason["indicator"] in ABOUT_THE_LEGS,
    }


def _points(series: pl.DataFrame, flag_ids: pl.Series) -> dict[str, tuple[tuple[date, int | None], ...]]:
    of_flags = series.filter(pl.col("flag_id").is_in(flag_ids.implode())).sort("flag_id", "ref_date")
    points: dict[str, list[tuple[date, int | None]]] = {}
    for flag_id, day, value in of_flags.select("flag_id", "ref_date", "value_usd").iter_rows():
        points.setdefault(flag_id, []).append((day, value))
    return {flag_id: tuple(of_flag) for flag_id, of_flag in points.items()}


def _chart(findings: Findings, flag: dict[str, Any], points: tuple[tuple[date, int | None], ...]) -> Chart:
    window = window_of(flag)
    before = window.in_year(window.year - 1)
    title = ""
    if points:
        start, end = points[0][0], points[-1][0]
        step = MONTHS_IN[flag["freq_code"]]
        expected = ((end.year - start.year) * 12 + end.month - start.month) // step + 1
        gaps = expected - sum(1 for _, value in points if value is not None)
        reported = "all periods reported" if gaps == 0 else f"{gaps} of {expected} periods not reported"
        title = (
            f"{FREQUENCY_WORDS[flag['freq_code']].capitalize()} trade from {country_name(findings, flag['exporter_iso'])} "
            f"to {country_name(findings, flag['importer_iso'])}, {start.year} to {end.year}, million USD; {reported}"
        )
    return Chart(
        points=points,
        freq_code=flag["freq_code"],
        window=(window.start, window.end),
        year_before=(before.start, before.end),
        title=title,
    )
