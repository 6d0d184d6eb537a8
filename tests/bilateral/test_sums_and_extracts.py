"""What a sum of flows may hold, and which files are one extract: each with the case that a near miss gets wrong."""

import polars as pl

from anomaly.bilateral import coverage
from anomaly.bilateral.sums import counted_once
from anomaly.contract.keys import ROUTE
from tests.trade import PHONES, flow, flows, prepared, years


def test_trade_of_a_country_with_itself_is_no_route() -> None:
    sides, _, _ = prepared(
        [flow(2021, "KAZ", "RUS", 5), flow(2021, "KAZ", "KAZ", 7), flow(2021, "KAZ", "KAZ", 7, flow="M")]
    )
    assert sides.select("exporter_iso", "importer_iso").rows() == [("KAZ", "RUS")]


def test_a_weight_of_which_one_part_is_unknown_is_unknown() -> None:
    parts = [
        flow(2022, "KAZ", "RUS", 5, code="851713", weight_g=100),
        flow(2022, "KAZ", "RUS", 7, code="851714", weight_g=None),
        flow(2022, "KAZ", "BLR", 5, code="851713", weight_g=100),
        flow(2022, "KAZ", "BLR", 7, code="851714", weight_g=50),
    ]
    sides, _, _ = prepared(parts, PHONES)
    assert sides.sort("importer_iso").select("importer_iso", "value_usd", "net_wgt_g").rows() == [
        ("BLR", 12, 150),
        ("RUS", 12, None),
    ]


def test_the_first_baseline_year_counts_for_the_publisher_that_knows_it() -> None:
    rows = years("DEU", "KAZ", {2019: 1, 2020: 1}, source="baci", dataset="B") + years(
        "DEU", "KAZ", {2017: 2, 2018: 2, 2020: 2}
    )
    sides, _, _ = prepared(rows)
    assert sides["source"].unique().to_list() == ["baci"]


def test_an_extract_of_few_goods_and_one_of_many_that_holds_them_are_one() -> None:
    rows = years("KAZ", "RUS", {2021: 5}, dataset="a", code="870323")
    for code in ("870323", "870324", "870325", "870326"):
        rows += years("KAZ", "RUS", {2022: 5}, dataset="b", code=code)
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["a", "a"]


def levels_of(*rows: tuple[str, str, int]) -> list[tuple[str, str]]:
    """Good and period of the rows that count, of (good, period, value) on one route."""
    trade = pl.DataFrame(
        [("A", good, "KAZ", "RUS", period, value) for good, period, value in rows],
        schema=["freq_code", *ROUTE, "ref_date", "value_usd"],
        orient="row",
    )
    return counted_once(trade).select("good", "ref_date").rows()


def test_a_total_that_one_publisher_says_stands_for_the_goods_that_another_says():
    assert levels_of(("TOTAL", "2021", 9), ("TOTAL", "2022", 9), ("854231", "2022", 2), ("8471", "2022", 2)) == [
        ("TOTAL", "2021"),
        ("TOTAL", "2022"),
    ]


def test_a_total_of_some_periods_does_not_stand_for_goods_of_all():
    assert levels_of(("TOTAL", "2022", 9), ("854231", "2021", 2), ("854231", "2022", 2)) == [
        ("854231", "2021"),
        ("854231", "2022"),
    ]


def test_a_heading_is_counted_once_beside_its_codes_and_other_goods_stay():
    assert levels_of(("8542", "2022", 5), ("854231", "2022", 2), ("851712+", "2022", 7), ("87", "2022", 1)) == [
        ("8542", "2022"),
        ("851712+", "2022"),
        ("87", "2022"),
    ]
