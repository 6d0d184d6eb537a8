"""Amounts, windows and names in words, the same in every format; and the one order of flags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.schema import ROUTE_KEY
from anomaly.flags import naming
from anomaly.reports.base import Findings

SEVERITIES = ("high", "medium", "low")
FREQUENCY_WORDS = {"A": "annual", "M": "monthly"}
VERDICT_WORDS = {
    "fits": "the data allow it",
    "partly": "the data allow a part of it",
    "against": "the data speak against it",
    "unknown": "the data cannot say",
}
TALLY_WORDS = {"fits": "possible", "partly": "possible in part", "against": "spoken against", "unknown": "open"}
REMAINS_WORDS = {
    "flagged": "still flagged",
    "weaker": "flagged with fewer reasons",
    "not_flagged": "not flagged",
    "not_comparable": "not comparable",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNKNOWN = "not known"


def usd(value: float | int | None) -> str:
    """An amount in a sentence: 178.2 million USD."""
    if value is None:
        return UNKNOWN
    for size, word in ((1e9, "billion USD"), (1e6, "million USD"), (1e3, "thousand USD")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {word}".replace("-", "−")
    return f"{value:,.0f} USD".replace("-", "−")


def million(value: float | int | None) -> str:
    """An amount in a column headed million USD; what would round to 0.0 keeps one digit that says something."""
    if value is None:
        return UNKNOWN
    amount = value / 1e6
    text = f"{amount:,.1f}" if abs(amount) >= 0.05 else f"{amount:.1g}"
    return text.replace("-", "−")


def change(now: float | int | None, then: float | int | None) -> str:
    """+381 %, −44 %, from nothing, or not known."""
    ratio = change_share(now, then)
    if ratio is not None:
        return f"{100 * ratio:+,.0f} %".replace("-", "−")
    if now is None or then is None:
        return UNKNOWN
    return "from nothing" if now else "nothing"


def change_share(now: float | int | None, then: float | int | None) -> float | None:
    """(now - then) / then; null where either is unknown or there was nothing to grow from."""
    return None if now is None or not then else (now - then) / then


def measured(value: float | None, unit: str) -> str:
    """An indicator's number, with the unit where its name does not say it: 1.57, 12.3 pp, 34.0 %, 1.2 million USD."""
    if value is None:
        return UNKNOWN
    if unit == "usd":
        return usd(value)
    if unit == "flag":
        return "yes" if value else "no"
    plain = f"{value:,.2f}" if unit == "log" else f"{value:,.2f} {unit}"
    number = {"share": f"{100 * value:,.1f} %", "pp": f"{value:,.1f} pp"}.get(unit, plain)
    return number.replace("-", "−")


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months earlier."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def window_bounds(window_months: int, window_end: date) -> tuple[date, date]:
    """First days of the first and of the last month of a window."""
    return months_before(window_end, window_months - 1), months_before(window_end, 0)


def window_words(window_months: int, window_end: date) -> str:
    """2022, Jan-Jun 2022, Oct 2021-Mar 2022 or Mar 2022."""
    start, end = window_bounds(window_months, window_end)
    if window_months == 12 and end.month == 12:
        return str(end.year)
    if start == end:
        return f"{MONTHS[end.month - 1]} {end.year}"
    first = MONTHS[start.month - 1] + (f" {start.year}" if start.year != end.year else "")
    return f"{first}–{MONTHS[end.month - 1]} {end.year}"


def windows_words(freq_code: str, window_months: int) -> str:
    """Annual, or monthly data in windows of 3 months."""
    return "Annual data" if freq_code == "A" else f"Monthly data, windows of {window_months} months"


def type_words(flag_type: str) -> str:
    """A flag's type for people."""
    return naming.type_of(flag_type).words


def indicator_words(findings: Findings, name: str) -> str:
    """What an indicator measures, or its name where the run does not say."""
    said: str = dict(findings.run.get("indicators", {})).get(name) or name.replace("_", " ")
    return said


def publisher_name(findings: Findings, source: str) -> str:
    """The publisher of a source, without the title of what it publishes, or the source's own name."""
    said: str = dict(findings.run.get("publishers", {})).get(source) or source
    return said.partition(": ")[0]


def good_name(findings: Findings, good: str) -> str:
    """The short name of a good, or its code where it has none."""
    return findings.goods.get(good) or good


def country_name(findings: Findings, iso: str) -> str:
    """The English name of a country, or its code where it has none."""
    return findings.countries.get(iso) or iso


def next_steps(findings: Findings, flag: Mapping[str, Any]) -> list[str]:
    """The questions to ask next about a flag, with the names of its countries and its good."""
    exporter, importer = (country_name(findings, flag[name]) for name in ("exporter_iso", "importer_iso"))
    return naming.next_steps(flag["flag_type"], exporter, importer, good_name(findings, flag["good"]))


def in_order(flags: pl.DataFrame) -> pl.DataFrame:
    """Flags by priority, the most pressing first; ties by the key, so that the order is total."""
    return flags.sort(["priority", *ROUTE_KEY], descending=[True] + [False] * len(ROUTE_KEY))
