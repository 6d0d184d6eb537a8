"""What a sum of flows may hold, and which files are one extract: each with the case that a near miss gets wrong."""

from anomaly.bilateral import coverage
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
