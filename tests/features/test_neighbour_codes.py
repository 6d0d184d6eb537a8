"""A rise that is matched by the fall of a good of the same heading, on the same route."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.features import features
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.store.store import Store
from tests.trade import ALL_LINKED, broken_in, measured, prepared, years

MILLION = 1_000_000
YEARS = (2019, 2020, 2021, 2022)


def moves(before: int, now: int, code: str, exporter: str = "KAZ", importer: str = "RUS") -> list[dict[str, Any]]:
    """A route that stands at `before` million USD to 2021 and at `now` in 2022."""
    return years(exporter, importer, {year: (now if year == 2022 else before) * MILLION for year in YEARS}, code=code)


def of_2022(table: pl.DataFrame, good: str) -> dict[str, Any]:
    matches = table.filter(pl.col("window_end").dt.year() == 2022, exporter_iso="KAZ", importer_iso="RUS", good=good)
    return matches.row(0, named=True)


def shift_of(rows: list[dict[str, Any]], good: str = "851769") -> tuple[float | None, str | None, int | None]:
    row = of_2022(measured(rows)[0], good)
    return row["neighbour_code_shift"], row["neighbour_fell_good"], row["neighbour_fell_usd"]


RISE = moves(2, 12, "851769")


def test_a_rise_is_matched_by_the_fall_of_its_sibling() -> None:
    assert shift_of([*RISE, *moves(20, 15, "851762"), *moves(3, 2, "851761")]) == (0.6, "851762", 5 * MILLION)


def test_a_larger_fall_matches_the_rise_whole() -> None:
    assert shift_of([*RISE, *moves(60, 10, "851762")]) == (1.0, "851762", 50 * MILLION)


def test_the_usual_growth_of_a_third_sibling_takes_nothing_from_the_match() -> None:
    assert shift_of([*RISE, *moves(20, 15, "851762"), *moves(70, 85, "851779")])[0] == 0.5


@pytest.mark.parametrize(
    "elsewhere",
    [
        moves(20, 10, "851762", importer="BLR"),
        moves(20, 10, "851762", exporter="ARM"),
        moves(20, 10, "851810"),
    ],
    ids=["another importer", "another exporter", "another heading"],
)
def test_what_falls_elsewhere_matches_nothing(elsewhere: list[dict[str, Any]]) -> None:
    assert shift_of([*RISE, *moves(5, 5, "851762"), *elsewhere]) == (0.0, None, None)


def test_a_good_that_did_not_rise_by_the_floor_has_no_neighbour() -> None:
    assert shift_of([*moves(12, 12, "851769"), *moves(20, 10, "851762")]) == (0.0, None, None)


def test_a_heading_of_which_the_extract_has_one_good_says_nothing() -> None:
    assert shift_of([*RISE, *moves(20, 10, "851810")])[0] is None


def test_a_sibling_in_an_extract_of_another_importer_says_nothing() -> None:
    rows = [*RISE, *moves(20, 10, "847989"), *moves(20, 10, "847990")]
    elsewhere = [{**row, "dataset": "another"} for row in moves(20, 10, "851762", importer="UZB")]
    assert shift_of([*rows, *elsewhere])[0] is None


def test_a_sibling_that_cannot_be_compared_leaves_it_unknown() -> None:
    table, _ = measured([*RISE, *moves(20, 10, "851762")], broken=broken_in(("851762", 6)))
    assert of_2022(table, "851769")["neighbour_code_shift"] is None


def test_of_two_equal_falls_the_first_code_is_named() -> None:
    assert shift_of([*RISE, *moves(20, 15, "851771"), *moves(20, 15, "851762")])[1] == "851762"


@pytest.mark.parametrize("rows", [1, 9, 30, 1000])
def test_the_size_of_a_chunk_parts_no_siblings(tmp_path: Path, rows: int) -> None:
    trade = [*RISE, *moves(20, 15, "851762"), *moves(3, 2, "851761"), *moves(3, 9, "847989"), *moves(30, 9, "847990")]
    sides, coverage, scope = prepared(trade)
    store, settings = Store(tmp_path), load()
    with store.writer("bilateral", inputs={}, sort=("good",)) as writer:
        writer.add(sides)
    plan = features.plan(coverage, scope, ALL_LINKED, settings)
    chunks = store.chunks("bilateral", rows, HEADING_DIGITS)
    cut = pl.concat([features.build(chunk, plan, settings)[0] for chunk in chunks])
    assert cut.equals(features.build(sides, plan, settings)[0])
    assert of_2022(cut, "851769")["neighbour_code_shift"] == 0.6
