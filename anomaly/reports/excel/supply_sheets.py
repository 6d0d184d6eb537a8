"""Sheets on what the coalition sells to hubs: every window, every hub in it, and the leakage."""

from __future__ import annotations

from anomaly.contract.periods import window_of
from anomaly.reports.base import Findings
from anomaly.reports.excel.sheet import Column, Sheet
from anomaly.reports.words import country_name, good_name

MOST_LEAKED_ROWS = 3_000  # the newest window and the largest excess first; the whole table is in the store


def supply_sheets(findings: Findings) -> list[Sheet]:
    """Windows and hubs with what stands beside their calls, and the leakage with its intervals.

    Parameters
    ----------
    findings : Findings
        supply, supply_hubs, leakage and leakage_coverage are shown.

    Returns
    -------
    list of Sheet
        In the order of the workbook.
    """
    return [_windows(findings), _leakage(findings), _coverage(findings)]


def _windows(findings: Findings) -> Sheet:
    columns = (
        Column("Window", width=17),
        Column("Last month", "date", 11),
        Column("Hub", width=22),
        Column("Called", "count"),
        Column("Tested", "count"),
        Column("Controls called", "count"),
        Column("Controls", "count"),
        Column("Dose and response", "score"),
        Column("Boom possible", width=10),
        Column("In words", "wrapped", 100),
    )
    all_hubs = [
        [window_of(row).words, row["window_end"], "all hubs", row["called"], row["tested"],
         row["controls_called"], row["controls"], None, None, row["says"]]
        for row in findings.supply.sort("window_end", descending=True).to_dicts()
    ]  # fmt: skip
    hubs = [
        [window_of(row).words, row["window_end"],
         country_name(findings, row["importer_iso"]), row["called"], row["tested"], row["controls_called"], row["controls"],
         row["dose_response"], row["is_boom_possible"], row["says"]]
        for row in findings.supply_hubs.sort("window_end", "importer_iso", descending=[True, False]).to_dicts()
    ]  # fmt: skip
    says = "What the coalition sells to hubs: how many legs are called, and what stands beside the calls."
    return Sheet("Sales to hubs", says, columns, [*all_hubs, *hubs], len(all_hubs) + len(hubs), 3, "the table supply")


def _leakage(findings: Findings) -> Sheet:
    amounts = (
        ("value_prior_year_usd", "Year before, USD"),
        ("value_usd", "Window, USD"),
        ("counterfactual_low_usd", "Explained, low, USD"),
        ("counterfactual_middle_usd", "Explained, middle, USD"),
        ("counterfactual_high_usd", "Explained, high, USD"),
        ("excess_low_usd", "Excess, low, USD"),
        ("excess_middle_usd", "Excess, middle, USD"),
        ("excess_high_usd", "Excess, high, USD"),
        ("direct_lost_usd", "Direct trade lost, USD"),
    )
    columns = (
        Column("Of", width=10),
        Column("Hub", width=22),
        Column("Good", width=11),
        Column("Name of the good", width=34),
        Column("Window", width=17),
        Column("Last month", "date", 11),
        *[Column(title, "usd", 16) for _, title in amounts],
        Column("Excess of what was lost", "share"),
    )
    order = ["window_end", "window_months", "level", "excess_middle_usd", "importer_iso", "good"]
    table = findings.leakage.sort(order, descending=[True, True, False, True, False, False])
    rows = [
        [
            row["level"].replace("_", " and "),
            country_name(findings, row["importer_iso"]) if row["importer_iso"] else "all hubs",
            row["good"] or "all goods",
            good_name(findings, row["good"]) if row["good"] else "",
            window_of(row).words,
            row["window_end"],
            *[row[name] for name, _ in amounts],
            row["excess_of_lost_share"],
        ]
        for row in table.head(MOST_LEAKED_ROWS).to_dicts()
    ]
    says = "Sales to hubs beyond what the years before the measure explain, of goods whose direct trade fell."
    return Sheet("Leakage", says, columns, rows, table.height, 4, "the table leakage")


def _coverage(findings: Findings) -> Sheet:
    columns = (
        Column("Window", width=17),
        Column("Last month", "date", 11),
        Column("Sums tried", "count"),
        Column("Held", "count"),
        Column("Asked for", "share"),
        Column("In words", "wrapped", 110),
    )
    rows = [
        [window_of(row).words, row["window_end"], row["sums"], row["held"],
         row["interval_share"], row["says"]]
        for row in findings.leakage_coverage.sort("window_end", "window_months", "of", descending=[True, True, False]).to_dicts()
    ]  # fmt: skip
    says = "How often the intervals of the leakage held what came, on the year before the measure."
    return Sheet("Leakage intervals", says, columns, rows, len(rows), 2, "the table leakage.coverage")
