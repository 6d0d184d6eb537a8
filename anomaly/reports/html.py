"""report.html: one self-contained page for the person who has to judge the flags.

Everything that comes from data is escaped by the template engine. The page's own style and script stand in it
once each, and its content security policy lets the browser run those two by their hash and nothing else: no
image, no font, no request, whatever a text from the data says.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import polars as pl
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB
from anomaly.contract.periods import window_of
from anomaly.contract.visible import visible
from anomaly.flags import types
from anomaly.flags.naming import is_alarm, is_on
from anomaly.reports import refused, tallies
from anomaly.reports.amounts import million, usd
from anomaly.reports.base import Findings, Report
from anomaly.reports.page import cards, cases, supply
from anomaly.reports.words import country_name, good_name, in_order, measures, windows_words

MOST_CARDS = 500
MOST_BYTES = 2_000_000  # beyond it a mail server or a browser on a small machine balks
MOST_BYTES_AROUND = 6_000  # of what the page says only where it has flags
MOST_CHECKS = 100
MOST_ROLLUPS = 150
MOST_ROWS = 300  # of the calibration, files and rejections


def render(findings: Findings) -> bytes:
    """The whole report as one page, with as many flags as fit: the page says how many it leaves out.

    Where not all cards fit whole, those of the lowest priority are short ones; only then cards are left out.

    Parameters
    ----------
    findings : Findings
        All of it.

    Returns
    -------
    bytes
        UTF-8, at most MOST_BYTES wherever one card fits.

    Raises
    ------
    ContractBroken
        Where the run's description lacks a key.
    """
    room = MOST_BYTES - MOST_BYTES_AROUND - len(_page(findings, [], 0))
    shown = _in_the_page(findings).head(MOST_CARDS)
    parts: Any = environment().get_template("parts.html.j2").module
    rows = [
        len(str(parts.flag_row(row, True)).encode()) + len(str(parts.to_window(0, row["anchor"])).encode())
        for row in cards.rows(findings, shown)
    ]
    shown_cards: list[tuple[dict[str, Any], str]] = []
    for row, item in zip(rows, cards.cards(findings, shown), strict=True):
        short = str(parts.card(cards.shortened(item)))
        room -= row + len(short.encode())
        if room < 0 and shown_cards:
            break
        shown_cards.append((item, short))
    texts = [short for _, short in shown_cards]
    full_cards = 0
    for item, short in shown_cards:
        text = str(parts.card(item))
        room -= len(text.encode()) - len(short.encode())
        if room < 0:
            break
        texts[full_cards], full_cards = text, full_cards + 1
    return _page(findings, texts, full_cards)


def _page(findings: Findings, texts: list[str], full_cards: int) -> bytes:
    shown = context(findings, len(texts)) | {"cards": [Markup(text) for text in texts], "whole": full_cards}  # noqa: S704 - made by our own template
    return environment().get_template("report.html.j2").render(shown).encode()


def _in_the_page(findings: Findings) -> pl.DataFrame:
    """The flags that are findings, in their order; checks before the sanctions have a table of their own."""
    return in_order(findings.flags).filter(~pl.col("is_before_sanctions"))


def _visible(value: Any) -> Any:
    """No text turns the order of the letters around it round, or hides any."""
    return type(value)(visible(value)) if isinstance(value, str) else value


@cache
def environment() -> Environment:
    """Templates from the package, everything escaped, a name that is not there an error."""
    engine = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_resource),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        finalize=_visible,
    )
    engine.filters.update(million=million, usd=usd, count=lambda number: f"{number:,}")
    return engine


def context(findings: Findings, most_cards: int = MOST_CARDS) -> dict[str, Any]:
    """Everything the template shows but the cards, counted and put in order; what is cut off is counted beside it.

    Parameters
    ----------
    findings : Findings
        All of it but series and without.
    most_cards : int, optional
        How many flags have a row in the table.

    Returns
    -------
    dict
        The names that report.html.j2 uses, but cards and whole.
    """
    run = tallies.run_of(findings)
    flags = in_order(findings.flags)
    since = _in_the_page(findings)
    checks = flags.filter(pl.col("is_before_sanctions"))
    shown = since.head(most_cards)
    rows = cards.rows(findings, shown)
    shown_types, severities = tallies.by_severity_and_type(since)
    is_into_hub = is_on(COALITION_TO_HUB)
    is_between = is_on(HUB_TO_HUB)
    routes, amount = tallies.routes_and_amount(since.filter(~is_into_hub, ~is_between, is_alarm()))
    between_hubs, between_hubs_usd = tallies.routes_and_amount(since.filter(is_between, is_alarm()))
    into_hubs, into_hubs_usd = tallies.routes_and_amount(since.filter(is_into_hub))
    return {
        **_own_files(),
        "run": run,
        "measures": measures(findings),
        "is_of_listed_goods": tallies.asks_about_listed_goods(findings),
        "settings": tallies.flat_settings(run["settings"]),
        "flags": since.height,
        "types": shown_types,
        "severities": severities,
        "routes": routes,
        "amount_usd": amount,
        "into_hubs": into_hubs,
        "into_hubs_usd": into_hubs_usd,
        "into_hub_words": _words_of_legs(since),
        "between_hubs": between_hubs,
        "between_hubs_usd": between_hubs_usd,
        "windows": tallies.windows_examined(findings.calibration),
        "calibration_words": tallies.calibration_in_words(findings),
        "calibration": _calibration(findings),
        "goods": _rollups(findings, "good"),
        "hubs": _rollups(findings, "hub"),
        **supply.context(findings),
        **supply.leakage(findings),
        "rows": rows,
        **cases.context(findings, {row["flag_id"]: row["anchor"] for row in rows}),
        "type_terms": [(flag_type.words.capitalize(), flag_type.says) for flag_type in types.TYPES],
        "indicators": dict(run.get("indicators", {})),
        "checks": checks.height,
        "check_rows": cards.rows(findings, checks.head(MOST_CHECKS)),
        "refused": findings.refused.height,
        "refusals": _refusals(findings),
        "totals": tallies.file_totals(findings.files),
        "files": _cut(findings.files.sort("source", "dataset", "vintage", "path").to_dicts()),
        "publishers": dict(run.get("publishers", {})),
        "rejections": _cut(tallies.rejections(findings.rejected)),
        "doubts": _cut(findings.doubts.to_dicts()),
        "set_aside": _cut(findings.set_aside.to_dicts()),
    }


def _words_of_legs(flags: pl.DataFrame) -> str:
    """The types of flags on the coalition's legs that there are; all of them where there is none."""
    of_legs = [kind for kind in types.TYPES if kind.leg == COALITION_TO_HUB]
    shown = set(flags["flag_type"])
    return " or ".join(
        kind.words for kind in of_legs if kind.name in shown or shown.isdisjoint(leg_type.name for leg_type in of_legs)
    )


def policy_hash(text: str) -> str:
    """The hash by which a content security policy knows an inline script or style.

    Parameters
    ----------
    text : str
        What stands between the tags.

    Returns
    -------
    str
        sha256- and the hash in base64.

    Examples
    --------
    >>> policy_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _resource(name: str) -> str:
    """A file of the templates folder, with line ends as a browser sees them, so that hashes hold everywhere."""
    return (
        resources.files("anomaly.reports").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")
    )


@cache
def _own_files() -> dict[str, Any]:
    style, script = _resource("report.css"), _resource("report.js")
    return {
        "style": Markup(style),  # noqa: S704 - the package's own file
        "script": Markup(script),  # noqa: S704 - the package's own file
        "style_hash": policy_hash(style),
        "script_hash": policy_hash(script),
    }


def _cut(rows: list[dict[str, Any]], most: int = MOST_ROWS) -> dict[str, Any]:
    """The first rows and how many there are: the page says so where it shows fewer."""
    return {"rows": rows[:most], "total": len(rows)}


def _rollups(findings: Findings, rollup: str) -> dict[str, Any]:
    rows = tallies.latest_rollups(findings, rollup)
    name_of = good_name if rollup == "good" else country_name
    for row in rows:
        row["name"] = name_of(findings, row["key"])
        row["window"] = window_of(row).words
        row["window_order"] = window_of(row).place
        row["share"] = f"{100 * row['flagged_share']:.0f} %"
        row["q"] = cards.probability(row["best_q_value"])
    return _cut(rows, MOST_ROLLUPS)


def _calibration(findings: Findings) -> dict[str, Any]:
    table = findings.calibration.sort(
        ["window_end", "freq_code", "window_months", "leg"], descending=[True, False, True, True]
    )
    rows = table.to_dicts()
    for row in rows:
        row["data"] = windows_words(row["freq_code"], row["window_months"])
        row["window"] = window_of(row).words
        row["window_order"] = window_of(row).place
    return _cut(rows)


def _refusals(findings: Findings) -> list[dict[str, Any]]:
    rows = refused.refusals(findings.refused)
    for row in rows:
        row["examples"] = [
            refused.refused_example(
                example,
                good_name(findings, example["good"]),
                country_name(findings, example["exporter_iso"]),
                country_name(findings, example["importer_iso"]),
            )
            for example in row["examples"]
        ]
    return rows


REPORT = Report(
    name="report",
    suffix=".html",
    says="one self-contained page: summary, goods, hubs, a card with chart and reasons per flag, what was refused",
    render=render,
)
