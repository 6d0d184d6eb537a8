"""What silence means, case by case; that grids say the same is in tests/features/test_marks.py."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from anomaly.bilateral import known, sums
from tests.trade import NO_FAMILIES, PHONES, flow, prepared, years

GOOD = "870323"
YEARS = range(2019, 2023)


def partial(coverage: pl.DataFrame, reporter: str, year: int) -> pl.DataFrame:
    """The reporter published only a part of a year."""
    is_part = (pl.col("reporter_iso") == reporter) & (pl.col("ref_date").dt.year() == year)
    return coverage.with_columns(is_complete=~is_part)


def value_by_year(
    rows: list[dict[str, Any]],
    route: tuple[str, str, str],
    families: pl.DataFrame = NO_FAMILIES,
    part: int | None = None,
) -> dict[int, int]:
    """Year → value of a route where it is known; the exporter's report of a year may be a part of one."""
    trade, coverage, scope = prepared(rows, families)
    coverage = coverage if part is None else partial(coverage, route[1], part)
    filled = sums.fill(trade, known.silences(trade, coverage, scope))
    own = filled.filter(good=route[0], exporter_iso=route[1], importer_iso=route[2])
    return dict(own.select(pl.col("ref_date").dt.year(), "value_usd").sort("ref_date").iter_rows())


def importer_says(rows: list[dict[str, Any]], route: tuple[str, str, str]) -> dict[int, bool]:
    """Year → whether no row means nothing, for the years of which the importer can speak."""
    trade, coverage, scope = prepared(rows, PHONES)
    own = trade.filter(good=route[0], exporter_iso=route[1], importer_iso=route[2])
    heard = known.silences_beside(own, "M", trade, coverage, scope)
    return dict(heard.select(pl.col("ref_date").dt.year(), "is_nothing").sort("ref_date").iter_rows())


def other_sellers(*held: int, **options: Any) -> list[dict[str, Any]]:
    """Another exporter's sales, by which the dataset holds the good and the partner."""
    return years("DEU", "RUS", dict.fromkeys(held, 5), code=GOOD, **options)


def test_a_missing_row_is_nothing_where_the_reporter_published_and_the_dataset_holds_good_and_partner() -> None:
    rows = years("KAZ", "RUS", {2021: 7}, code=GOOD) + years("KAZ", "RUS", {2020: 3, 2022: 3})
    assert value_by_year(rows + other_sellers(2020, 2021, 2022), (GOOD, "KAZ", "RUS")) == {2020: 0, 2021: 7, 2022: 0}
    assert value_by_year(rows + other_sellers(2020, 2021), (GOOD, "KAZ", "RUS")) == {2020: 0, 2021: 7}


def test_a_row_of_a_part_of_a_period_is_no_value_of_the_period() -> None:
    rows = years("KAZ", "RUS", {2020: 5, 2021: 7}, code=GOOD)
    assert value_by_year(rows, (GOOD, "KAZ", "RUS"), part=2021) == {2020: 5}


def test_a_reporter_that_has_a_re_coded_good_with_someone_has_not_moved() -> None:
    rows = years("UZB", "KAZ", {2020: 8, 2021: 8}, code="851712") + years("UZB", "KAZ", {2022: 5})
    rows += years("DEU", "KAZ", {2020: 1, 2021: 1}, code="851712") + years("DEU", "KAZ", {2022: 1}, code="851713")
    assert value_by_year(rows, ("851712+", "UZB", "KAZ"), PHONES) == {2020: 8, 2021: 8}
    rows += years("UZB", "RUS", {2022: 1}, code="851713")
    assert value_by_year(rows, ("851712+", "UZB", "KAZ"), PHONES) == {2020: 8, 2021: 8, 2022: 0}


def test_what_another_sources_dataset_of_the_same_name_has_does_not_speak_for_a_reporter_that_moved() -> None:
    """Comtrade tells one route of Uzbekistan, BACI the other; both call their dataset the same."""
    rows = years("UZB", "KAZ", {2020: 8, 2021: 8}, code="851712") + years("UZB", "KAZ", {2022: 5})
    rows += years("DEU", "KAZ", {2020: 1, 2021: 1}, code="851712") + years("DEU", "KAZ", {2022: 1}, code="851713")
    rows += years("UZB", "RUS", {2022: 1}, code="851713", source="baci")
    assert value_by_year(rows, ("851712+", "UZB", "KAZ"), PHONES) == {2020: 8, 2021: 8}


def test_what_an_importer_does_not_record_is_nothing_where_all_its_datasets_that_ever_can_say_so() -> None:
    rows = years("KAZ", "RUS", dict.fromkeys(YEARS, 9), code=GOOD)
    rows += [*years("RUS", "KAZ", dict.fromkeys(YEARS, 1), flow="M"), *years("RUS", "DEU", dict.fromkeys(YEARS, 1), flow="M", code=GOOD)]  # fmt: skip
    assert importer_says(rows, (GOOD, "KAZ", "RUS")) == dict.fromkeys(YEARS, True)
    origin: dict[str, Any] = {"flow": "M", "dataset": "more"}
    rows += [flow(2022, "RUS", "KAZ", 1, **origin), flow(2022, "RUS", "DEU", 1, code=GOOD, **origin)]
    assert importer_says(rows, (GOOD, "KAZ", "RUS")) == {2019: False, 2020: False, 2021: False, 2022: True}


def test_an_importer_that_moved_to_other_codes_of_a_good_does_not_say_that_nothing_came() -> None:
    rows = years("KAZ", "RUS", {2020: 9, 2021: 9}, code="851712") + years("KAZ", "RUS", {2022: 9}, code="851713")
    rows += years("RUS", "DEU", {2020: 1}, flow="M", code="851712") + years(
        "RUS", "KAZ", {2020: 1, 2021: 1, 2022: 1}, flow="M"
    )
    rows += [flow(2021, "ARM", "DEU", 1, flow="M", code="851712"), flow(2022, "ARM", "DEU", 1, flow="M", code="851713")]
    assert importer_says(rows, ("851712+", "KAZ", "RUS")) == {2020: True}


def test_only_a_long_dataset_without_a_small_value_is_cut_by_value() -> None:
    scope = pl.DataFrame(
        {"source": ["s"] * 3, "dataset": ["d", "d", "e"], "dimension": ["partner", "partner", "partner"],
         "rows": [600, 400, 999], "smallest_value_usd": [10_000, 12_000, 50_000]},
    )  # fmt: skip
    cut = known.cut_by_value(scope, 10_000)
    assert cut.rows() == [("s", "d", 10_000)]
    assert known.cut_by_value(scope, 10_001).is_empty()


@pytest.mark.parametrize(
    ("oldest", "newest", "is_broken"),
    [(5, 6, True), (4, 6, True), (6, 6, False), (5, 5, False), (4, 5, False), (None, 6, False)],
)
def test_a_good_is_broken_where_one_of_its_changes_lies_between_the_editions(oldest, newest, is_broken) -> None:
    routes = pl.DataFrame(
        {"good": ["1", "2"], "a": [oldest] * 2, "b": [newest] * 2}, schema_overrides={"a": pl.Int8, "b": pl.Int8}
    )
    broken = pl.DataFrame({"good": ["1"], "newer_edition": [6]}, schema_overrides={"newer_edition": pl.Int8})
    assert known.is_broken(routes, broken, "a", "b").to_list() == [is_broken, False]
