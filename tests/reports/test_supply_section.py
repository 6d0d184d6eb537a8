"""What the coalition sells to hubs, in the page and in the workbook: the newest window, its doubts, and the leakage."""

import io
import re
from dataclasses import replace
from datetime import date
from html import unescape

import pandas as pd
import pytest

from anomaly.leakage import frames, to_hubs
from anomaly.reports import html, xlsx
from anomaly.reports.base import Findings
from anomaly.supply import reporting
from tests.reports.findings import findings
from tests.supply import made
from tests.supply.made import FELL, NO_LISTS
from tests.trade import ALL_LINKED

LAST = date(2022, 12, 1)


@pytest.fixture(scope="module")
def shown() -> Findings:
    rows = made.flows(made.step({(good, "KGZ"): 25.0 for good in FELL[:12]}))
    cells, reported, scope = made.prepared(rows)
    spans = reporting.spans(reported, scope, made.settings())
    leaked = frames.together(to_hubs.build([cells], spans, ALL_LINKED, NO_LISTS, made.settings()))
    tables = made.built(rows)
    return replace(
        findings(2), supply=tables.calibration, supply_hubs=tables.hubs, leakage=leaked.leakage,
        leakage_coverage=leaked.coverage,
    )  # fmt: skip


def section(shown: Findings, name: str = "supply") -> str:
    page = html.REPORT.render(shown).decode()
    return unescape(re.sub(r"<[^>]+>", " ", page.split(f'id="{name}"')[1].split("</section>")[0]))


def test_the_page_shows_the_newest_window_with_what_stands_beside_its_calls(shown: Findings) -> None:
    text = section(shown)
    assert "Jul–Dec 2022" in text
    assert "12 are called" in text
    assert "Of 48 legs of goods whose direct trade stood, 0 would have been called" in text


def test_the_page_shows_the_leakage_with_the_coverage_of_its_interval_under_it(shown: Findings) -> None:
    text = section(shown, "leakage")
    assert "All hubs and goods" in text
    assert "never add them up" in text
    held = shown.leakage_coverage.filter(window_end=LAST, window_months=12, of="hub")["says"].item()
    assert held in text


def test_without_the_leg_the_page_says_why_there_is_nothing(shown: Findings) -> None:
    assert "no monthly exports of the coalition to hubs" in section(findings(2))


def test_the_workbook_has_every_window_and_hub_and_the_leakage(shown: Findings) -> None:
    book = pd.read_excel(io.BytesIO(xlsx.REPORT.render(shown)), sheet_name=None, engine="calamine", dtype=object)
    assert len(book["Sales to hubs"]) == shown.supply.height + shown.supply_hubs.height
    assert len(book["Leakage"]) == shown.leakage.height
    assert len(book["Leakage intervals"]) == shown.leakage_coverage.height
