"""What did not arrive is evidence of the coalition's diverted supply where both are flagged, and a flag where it stands alone."""

from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.schema import Flags
from anomaly.flags import same_case

NAMES = {"DEU": "Germany", "LTU": "Lithuania"}
KINDS = {name: column.dtype for name, column in Flags.columns().items()}
UNKNOWN = {"explanation": "Another origin or a harmless use", "verdict": "unknown", "text": "No trade figure says."}
ON_THE_ROAD = {"explanation": "It was still on the road", "verdict": "partly", "text": "A month is 1 million USD."}
RISE = {"indicator": "supply_rise_log", "value": 2.0, "unit": "log", "threshold": 0.0, "text": "It rose."}
GAP = {"indicator": "mirror_gap_shift_log", "value": 1.2, "unit": "log", "threshold": 0.7, "text": "The gap widened."}
CASE: dict[str, Any] = {
    "freq_code": "M", "window_months": 6, "window_end": date(2022, 12, 1), "good": "842952", "exporter_iso": "XCO",
    "importer_iso": "KGZ", "flag_id": "case", "flag_type": "diverted_supply", "value_usd": 30_000_000, "reasons": [RISE],
    "evidence": "The coalition sold more.", "benign_if": [UNKNOWN], "is_before_sanctions": False, "excess_usd": 9,
}  # fmt: skip
GHOST = CASE | {
    "exporter_iso": "DEU", "flag_id": "ghost", "flag_type": "ghost_transit", "value_usd": 25_000_000, "reasons": [GAP],
    "evidence": "Germany reports 25.0 million USD sent, Kyrgyzstan records 1.0 million USD.",
    "benign_if": [ON_THE_ROAD, UNKNOWN],
}  # fmt: skip


def folded(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    flags = pl.DataFrame([dict.fromkeys(KINDS) | row for row in rows], schema=KINDS, orient="row")
    result = same_case.folded(flags, NAMES)
    assert result.schema == flags.schema
    return result.to_dicts()


def test_of_the_same_hub_good_and_window_it_is_evidence_of_the_one_flag_with_its_figures() -> None:
    (case,) = folded(CASE, GHOST)
    assert case["flag_id"] == "case"
    assert [reason["indicator"] for reason in case["reasons"]] == ["supply_rise_log", "mirror_gap_shift_log"]
    assert case["reasons"][1]["text"].startswith("Ghost transit (Germany, Jul–Dec 2022; 25.0 million USD sent): ")
    assert "Kyrgyzstan records 1.0 million USD" in case["evidence"]
    assert case["evidence"].startswith(CASE["evidence"])


def test_what_else_the_gap_could_be_stands_among_the_explanations_before_what_no_figure_says() -> None:
    assert folded(CASE, GHOST)[0]["benign_if"] == [ON_THE_ROAD, UNKNOWN]


def test_a_year_that_holds_the_window_is_the_same_case() -> None:
    year = GHOST | {"freq_code": "A", "window_months": 12}
    assert [flag["flag_id"] for flag in folded(CASE, year)] == ["case"]


def test_where_it_stands_alone_it_stays_a_flag_of_its_own() -> None:
    for change in (
        {"good": "850440"},
        {"importer_iso": "KAZ"},
        {"window_end": date(2022, 9, 1)},  # it lacks the last months
        {"window_end": date(2023, 3, 1)},
        {"window_months": 3},
        {"is_before_sanctions": True},
    ):
        alone = GHOST | change
        assert folded(CASE, alone) == folded(CASE) + folded(alone), change
    assert [flag["flag_type"] for flag in folded(GHOST)] == ["ghost_transit"]


def test_members_are_told_apart_the_one_that_lost_most_first() -> None:
    smaller = GHOST | {"exporter_iso": "LTU", "flag_id": "smaller", "excess_usd": 3, "evidence": "Lithuania too."}
    (case,) = folded(smaller, CASE, GHOST)
    assert case["evidence"].index("Germany reports") < case["evidence"].index("Lithuania too")
    assert [reason["indicator"] for reason in case["reasons"]].count("mirror_gap_shift_log") == 2
