"""Sheets on what the coalition sells to hubs: every window, every hub in it, and the leakage."""

from __future__ import annotations

from anomaly.contract.periods import window_of
from anomaly.reports.base import Findings
from anomaly.reports.excel.sheet import Column, Sheet
from anomaly.reports.words import country_name, good_name

MOST_LEAKED_ROWS = 3_000  # of a leg, the newest window and the largest excess first; the whole table is in the store


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
        ("value_before_usd", "Before, USD"),
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
        Column("Leg", width=16),
        Column("Of", width=10),
        Column("Hub", width=22),
        Column("Good", width=11),
        Column("Name of the good", width=34),
        Column("Window", width=17),
        Column("Last month", "date", 11),
        *[Column(title, "usd", 16) for _, title in amounts],
        Column("Excess of what was lost", "share"),
    )
    order = ["leg", "window_end", "window_months", "level", "excess_middle_usd", "hub_iso", "good"]
    table = findings.leakage.sort(order, descending=[False, True, True, False, True, False, False])
    shown = table.group_by("leg", maintain_order=True).head(MOST_LEAKED_ROWS)
    rows = [
        [
            row["leg"],
            row["level"].replace("_", " and "),
            country_name(findings, row["hub_iso"]) if row["hub_iso"] else "all hubs",
            row["good"] or "all goods",
            good_name(findings, row["good"]) if row["good"] else "",
            window_of(row).words,
            row["window_end"],
            *[row[name] for name, _ in amounts],
            row["excess_of_lost_share"],
        ]
        for row in shown.to_dicts()
    ]
    says = (
        "Sales to hubs, and from hubs to targets, beyond what can be explained, of goods whose direct trade fell. The legs are "
        "the same goods on one way: never add them up. What a maker of a good sold is in no sum."
    )
    return Sheet("Leakage", says, columns, rows, table.height, 5, "the table leakage")


def _coverage(findings: Findings) -> Sheet:
    columns = (
        Column("Leg", width=16),
        Column("Window", width=17),
        Column("Last month", "date", 11),
        Column("Sums tried", "count"),
        Column("Held", "count"),
        Column("Asked for", "share"),
        Column("In words", "wrapped", 110),
    )
    rows = [
        [row["leg"], window_of(row).words, row["window_end"], row["sums"], row["held"],
         row["interval_share"], row["says"]]
        for row in findings.leakage_coverage.sort("leg", "window_end", "window_months", "of", descending=[False, True, True, False]).to_dicts()
    ]  # fmt: skip
    says = "How often the intervals of the leakage held what came where nothing can have gone round."
    return Sheet("Leakage intervals", says, columns, rows, len(rows), 3, "the table leakage.coverage")
