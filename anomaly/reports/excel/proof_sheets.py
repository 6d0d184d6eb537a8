"""The sheets of flags.xlsx that hold the evidence behind the flags, a row an item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from anomaly.reports.amounts import change_share
from anomaly.reports.base import Findings
from anomaly.reports.excel.sheet import Column, Sheet
from anomaly.reports.page.proof import by_flag
from anomaly.reports.words import (
    REMAINS_WORDS,
    VERDICT_WORDS,
    country_name,
    good_name,
    in_order,
    indicator_words,
    publisher_name,
)

Flag = Mapping[str, Any]
_FLAG = Column("Flag", width=34)
_WORDS = Column("In words", "wrapped", 110)


def proof_sheets(findings: Findings) -> list[Sheet]:
    """Other explanations, comparable routes, both sides, what is left without a publisher, and the score's inputs.

    Parameters
    ----------
    findings : Findings
        Its flags, without, goods and countries; of its run: publishers and indicators.

    Returns
    -------
    list of Sheet
        One of each, in this order.
    """
    return [_explanations(findings), _comparables(findings), _sides(findings), _without(findings), _inputs(findings)]


def _sheet(
    findings: Findings,
    name: str,
    says: str,
    columns: Sequence[Column],
    rows_of: Callable[[Flag], Iterator[list[Any]]],
    whole_in: str = "flags.parquet",
) -> Sheet:
    flags = in_order(findings.flags).iter_rows(named=True)
    rows = [[flag["flag_id"], *row] for flag in flags for row in rows_of(flag)]
    return Sheet(name, says, (_FLAG, *columns), rows, len(rows), frozen_columns=1, whole_in=whole_in)


def _explanations(findings: Findings) -> Sheet:
    columns = (Column("Explanation", "wrapped", 44), Column("The data", width=28), _WORDS)
    says = "What would have to be true for a flag to be benign, and whether the data allow it."

    def rows_of(flag: Flag) -> Iterator[list[Any]]:
        for explanation in flag["benign_if"] or []:
            yield [
                explanation["explanation"],
                VERDICT_WORDS.get(explanation["verdict"], explanation["verdict"]),
                explanation["text"],
            ]

    return _sheet(findings, "Other explanations", says, columns, rows_of)


def _comparables(findings: Findings) -> Sheet:
    columns = (
        Column("Nearness", width=22),
        Column("Good", width=11),
        Column("Name of the good", width=34),
        Column("Exporter", width=9),
        Column("Name of the exporter", width=22),
        Column("Importer", width=9),
        Column("Value, USD", "usd", 16),
        Column("Year before, USD", "usd", 16),
        Column("Change", "change", 10),
        Column("q-value", "score", 10),
        Column("Why it is no flag", "wrapped", 70),
    )
    says = "The nearest routes of the same window that were not flagged, nearest first."

    def rows_of(flag: Flag) -> Iterator[list[Any]]:
        for route in flag["comparables"] or []:
            yield [
                route["nearness"],
                route["good"],
                good_name(findings, route["good"]),
                route["exporter_iso"],
                country_name(findings, route["exporter_iso"]),
                route["importer_iso"],
                route["value_usd"],
                route["value_prior_year_usd"],
                change_share(route["value_usd"], route["value_prior_year_usd"]),
                route["q_value"],
                route["why"],
            ]

    return _sheet(findings, "Comparable routes", says, columns, rows_of)


def _sides(findings: Findings) -> Sheet:
    columns = (
        Column("Time", width=14),
        Column("Exporter, FOB, USD", "usd", 18),
        Column("Of which re-exports, USD", "usd", 18),
        Column("Importer, CIF, USD", "usd", 18),
        Column("Weight, g", "count", 20),
    )
    names = ("span", "export_value_fob_usd", "reexport_value_fob_usd", "import_value_cif_usd", "net_wgt_g")

    def rows_of(flag: Flag) -> Iterator[list[Any]]:
        for span in flag["sides"] or []:
            yield [span[name] for name in names]

    return _sheet(
        findings, "Both sides", "The route as each side reports it; the baseline is a mean.", columns, rows_of
    )


def _without(findings: Findings) -> Sheet:
    columns = (
        Column("Publisher left out", width=34),
        Column("What is left", width=26),
        Column("Value, USD", "usd", 16),
        Column("q-value", "score", 10),
        Column("Reasons left", "wrapped", 40),
        Column("Reasons lost", "wrapped", 40),
        Column("Not known then", "wrapped", 40),
        _WORDS,
    )
    rows = by_flag(findings.without)

    def rows_of(flag: Flag) -> Iterator[list[Any]]:
        for row in rows.get(flag["flag_id"], []):
            yield [
                publisher_name(findings, row["source_left_out"]),
                REMAINS_WORDS.get(row["remains"], row["remains"]),
                row["value_usd"],
                row["q_value"],
                *["\n".join(row[name]) for name in ("reasons_left", "reasons_lost", "unknown")],
                row["says"],
            ]

    says = "What remains of a flag when one publisher's data are left out; flags of the highest priority only."
    return _sheet(findings, "Without a publisher", says, columns, rows_of, "the table flags.without")


def _inputs(findings: Findings) -> Sheet:
    columns = (Column("Input", width=26), Column("Fall of the score without it", "score", 14), _WORDS)

    def rows_of(flag: Flag) -> Iterator[list[Any]]:
        for part in flag["contributions"] or []:
            yield [part["input"], part["score_drop"], indicator_words(findings, part["input"])]

    return _sheet(findings, "Score inputs", "How far the score of a flag falls without each input.", columns, rows_of)
