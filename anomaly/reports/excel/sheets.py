"""What stands on each sheet of flags.xlsx: columns with kind and width, and rows of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anomaly.cases.words import counted
from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.periods import FREQUENCY_WORDS, window_of
from anomaly.contract.schema import ROUTE_KEY
from anomaly.reports.amounts import change_share
from anomaly.reports.base import Findings
from anomaly.reports.excel.case_sheet import case_sheet
from anomaly.reports.excel.proof_sheets import proof_sheets
from anomaly.reports.excel.sheet import Column, Sheet
from anomaly.reports.excel.supply_sheets import supply_sheets
from anomaly.reports.tallies import flat_settings, run_of
from anomaly.reports.words import country_name, good_name, in_order, measures, next_steps, type_words

MOST_REFUSED_ROWS = 20_000  # largest trade first; 100,000 took 30 s to write, and the whole table is in the store


def all_sheets(findings: Findings) -> list[Sheet]:
    """The tables in the order of the workbook.

    Parameters
    ----------
    findings : Findings
        All of it but series.

    Returns
    -------
    list of Sheet
        All but the first sheet, which `read_me` fills.
    """
    return [
        case_sheet(findings),
        _flags(findings),
        _reasons(findings),
        *proof_sheets(findings),
        _rollups(findings, "good", "Goods"),
        _rollups(findings, "hub", "Hubs"),
        *supply_sheets(findings),
        _refused(findings),
        _files(findings),
        _settings(findings),
    ]


def read_me(findings: Findings, tables: Sequence[Sheet]) -> list[tuple[str, str, str]]:
    """Lines of the first sheet: what the run was, and how to read the others.

    Parameters
    ----------
    findings : Findings
        Its run.
    tables : sequence of Sheet
        The sheets that follow.

    Returns
    -------
    list of tuple of str
        (title, warning or text; left; right).
    """
    run = run_of(findings)
    simulated = "Every figure in this workbook comes from a made-up trade world. Nothing in it is about real trade."
    return [
        ("title", "Trade route report", ""),
        ("warning", "Simulated data", simulated)
        if run["is_simulated"]
        else ("text", "Data", "as published; see the sheet Files"),
        ("text", "Title", str(run["title"])),
        ("text", "Run", str(run["run_id"])),
        ("text", "Scenario", str(run["scenario"])),
        ("text", "Code version", str(run["code_version"])),
        (
            "text",
            "Cases",
            f"{counted(findings.cases.height, 'case')}, {counted(int(findings.cases['windows'].list.len().sum()), 'window')}. "
            "A case is a route with all its windows that are flagged; a flag is one of them.",
        ),
        ("text", "", ""),
        (
            "text",
            "How to read a flag",
            "A flag is a question, not an accusation. It says nothing about any company. Read the caveats and rule out the benign explanations first.",
        ),
        (
            "text",
            "Checks",
            f"Rows marked yes under 'Check before the {measures(findings)}' lie before them: they show how often the method is wrong and are no findings.",
        ),
        ("text", "Empty cells", "Not known: nobody reported it. Nothing is written as 0."),
        (
            "text",
            "Codes",
            "Codes of goods are text with their leading zeros. A code with + stands for a family of codes that is stable across editions of the Harmonized System.",
        ),
        ("text", "q-value", "The share of false flags to expect among all flags that are at least as unusual."),
        ("text", "", ""),
        *[("text", f"Sheet {sheet.name}", f"{sheet.says} {sheet.total:,} rows.") for sheet in tables],
    ]


_ROUTE_COLUMNS = (
    Column("Good", width=11),
    Column("Name of the good", width=34),
    Column("Exporter", width=9),
    Column("Name of the exporter", width=22),
    Column("Importer", width=9),
    Column("Name of the importer", width=16),
    Column("Data", width=8),
    Column("Window", width=17),
    Column("Months", "count", 8),
    Column("Last month", "date", 11),
)


def _route(findings: Findings, row: dict[str, Any]) -> list[Any]:
    return [
        row["good"],
        good_name(findings, row["good"]),
        row["exporter_iso"],
        country_name(findings, row["exporter_iso"]),
        row["importer_iso"],
        country_name(findings, row["importer_iso"]),
        FREQUENCY_WORDS[row["freq_code"]],
        window_of(row).words,
        row["window_months"],
        row["window_end"],
    ]


def _flags(findings: Findings) -> Sheet:
    columns = (
        Column("No.", "count", 6),
        Column("Flag", width=34),
        Column("Severity", width=10),
        Column("Type", width=15),
        Column("List tier", width=9),
        *_ROUTE_COLUMNS,
        Column("Value, USD", "usd", 16),
        Column("Year before, USD", "usd", 16),
        Column("Change", "change", 10),
        Column("Baseline, USD", "usd", 16),
        Column("Excess, USD", "usd", 16),
        Column("Excess, low, USD", "usd", 16),
        Column("Excess, high, USD", "usd", 16),
        Column("q-value", "score", 10),
        Column("p-value", "score", 10),
        Column("Score", "score", 10),
        Column("Rank in window", "count", 9),
        Column("Priority", "score", 10),
        Column("What fits together", "wrapped", 80),
        Column("Reasons", "wrapped", 80),
        Column("Caveats", "wrapped", 60),
        Column("Rule out first", "wrapped", 50),
        Column("Ask next", "wrapped", 60),
        Column("Compares", "wrapped", 50),
        Column(f"Check before the {measures(findings)}", width=14),
    )
    rows = [
        _flag(findings, place, row) for place, row in enumerate(in_order(findings.flags).iter_rows(named=True), start=1)
    ]
    return Sheet("Flags", "One row per flag, the most pressing first.", columns, rows, len(rows), frozen_columns=2)


def _flag(findings: Findings, place: int, row: dict[str, Any]) -> list[Any]:
    return [
        place,
        row["flag_id"],
        row["severity"],
        type_words(row["flag_type"]),
        row["list_tier"],
        *_route(findings, row),
        row["value_usd"],
        row["value_prior_year_usd"],
        change_share(row["value_usd"], row["value_prior_year_usd"]),
        row["value_baseline_usd"],
        row["excess_usd"],
        row["excess_low_usd"],
        row["excess_high_usd"],
        row["q_value"],
        row["p_value"],
        row["anomaly_score"],
        row["anomaly_rank"],
        row["priority"],
        row["evidence"],
        "\n".join(reason["text"] for reason in row["reasons"]),
        "\n".join(row["caveats"] or []),
        "\n".join(row["benign"] or []),
        "\n".join(next_steps(findings, row)),
        row["compares"],
        row["is_before_sanctions"],
    ]


def _reasons(findings: Findings) -> Sheet:
    columns = (
        Column("Flag", width=34),
        Column("Good", width=11),
        Column("Exporter", width=9),
        Column("Importer", width=9),
        Column("Window", width=17),
        Column("Indicator", width=24),
        Column("Value", "score", 16),
        Column("Unit", width=8),
        Column("Threshold", "score", 16),
        Column("In words", "wrapped", 110),
    )
    rows = [
        [
            flag["flag_id"],
            flag["good"],
            flag["exporter_iso"],
            flag["importer_iso"],
            window_of(flag).words,
            reason["indicator"],
            reason["value"],
            reason["unit"],
            reason["threshold"],
            reason["text"],
        ]
        for flag in in_order(findings.flags).iter_rows(named=True)
        for reason in flag["reasons"]
    ]
    return Sheet(
        "Reasons",
        "One row per reason of a flag, with its number and threshold.",
        columns,
        rows,
        len(rows),
        frozen_columns=1,
    )


def _rollups(findings: Findings, rollup: str, name: str) -> Sheet:
    columns = (
        Column("Code", width=11),
        Column("Name", width=34),
        Column("Data", width=8),
        Column("Window", width=17),
        Column("Last month", "date", 11),
        Column("Flags", "count", 8),
        Column("Flagged, USD", "usd", 16),
        Column("Flagged excess, USD", "usd", 16),
        Column("All trade to targets, USD", "usd", 18),
        Column("Share flagged", "share", 9),
        Column("Smallest q", "score", 10),
    )
    table = findings.rollups.filter(findings.rollups["rollup"] == rollup)
    keys = [*WINDOW_KEY, "flagged_usd", "key"]
    name_of = good_name if rollup == "good" else country_name
    rows = [
        [
            row["key"],
            name_of(findings, row["key"]),
            FREQUENCY_WORDS[row["freq_code"]],
            window_of(row).words,
            row["window_end"],
            row["flags"],
            row["flagged_usd"],
            row["flagged_excess_usd"],
            row["total_usd"],
            row["flagged_share"],
            row["best_q_value"],
        ]
        for row in table.sort(keys, descending=[False, True, True, True, False]).iter_rows(named=True)
    ]
    says = f"How much of the trade to targets is flagged, per {rollup} and window."
    return Sheet(name, says, columns, rows, len(rows), frozen_columns=2, whole_in="the table rollups")


def _refused(findings: Findings) -> Sheet:
    columns = (
        Column("Reason", width=24),
        *_ROUTE_COLUMNS,
        Column("Largest trade known, USD", "usd", 16),
        Column("In words", "wrapped", 90),
    )
    keys = ["value_usd", *ROUTE_KEY, "refusal"]
    table = findings.refused.sort(keys, descending=[True] + [False] * (len(keys) - 1), nulls_last=True)
    rows = [
        [row["refusal"], *_route(findings, row), row["value_usd"], row["says"]]
        for row in table.head(MOST_REFUSED_ROWS).iter_rows(named=True)
    ]
    return Sheet(
        "Refused",
        "Comparisons that the data cannot carry: neither clean nor flagged.",
        columns,
        rows,
        table.height,
        whole_in="the tables features.refused and supply.refused",
    )


def _files(findings: Findings) -> Sheet:
    publishers = dict(findings.run.get("publishers", {}))
    names = (
        ("source", Column("Format", width=12)),
        ("dataset", Column("Dataset", width=26)),
        ("vintage", Column("Vintage", width=14)),
        ("path", Column("File", width=50)),
        ("url", Column("Published at", width=50)),
        ("fetched_at", Column("Fetched at", width=20)),
        ("rows_in", Column("Rows in", "count")),
        ("rows_kept", Column("Kept", "count")),
        ("rows_rejected", Column("Rejected", "count")),
        ("rows_errors", Column("Of them bad", "count")),
        ("rows_deduplicated", Column("Folded into a kept row", "count")),
        ("size_bytes", Column("Bytes", "count", 14)),
        ("sha256", Column("sha256", width=68)),
    )
    table = findings.files.sort("source", "dataset", "vintage", "path")
    rows = [
        [publishers.get(row["source"], row["source"]), *[row[name] for name, _ in names]]
        for row in table.iter_rows(named=True)
    ]
    columns = (Column("Publisher", width=28), *[column for _, column in names])
    return Sheet(
        "Files",
        "Every raw file read: rows in = kept + rejected + folded.",
        columns,
        rows,
        len(rows),
        whole_in="the table flows.files",
    )


def _settings(findings: Findings) -> Sheet:
    columns = (Column("Setting", width=34), Column("Value", "wrapped", 110))
    rows = flat_settings(run_of(findings)["settings"])
    return Sheet("Settings", "Every setting of the run.", columns, rows, len(rows), frozen_columns=1)
