"""Both sides of a route side by side; one basis a route; families by summing."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.trade import PHONES, flow, prepared, years


def test_both_sides_of_a_route_stand_in_one_row() -> None:
    sides, _, _ = prepared([flow(2021, "DEU", "KAZ", 100), flow(2021, "KAZ", "DEU", 106, flow="M")])
    row = sides.row(0, named=True)
    assert (row["exporter_iso"], row["importer_iso"]) == ("DEU", "KAZ")
    assert (row["export_value_fob_usd"], row["import_value_cif_usd"]) == (100, 106)
    assert (row["value_usd"], row["value_basis"]) == (100, "export")


def test_a_silent_exporter_is_spoken_for_by_the_importer_in_every_period() -> None:
    sides, _, _ = prepared(years("KAZ", "IRN", {2020: 5, 2021: 6}, flow="M"))
    assert sides.select("exporter_iso", "value_usd", "value_basis").rows() == [
        ("IRN", 5, "import"),
        ("IRN", 6, "import"),
    ]


def test_a_route_never_mixes_fob_and_cif() -> None:
    rows = [flow(2020, "DEU", "KAZ", 100), *years("KAZ", "DEU", {2020: 106, 2021: 212}, flow="M")]
    sides, _, _ = prepared(rows)
    assert sides["value_basis"].unique().to_list() == ["export"]
    assert sides["value_usd"].to_list() == [100, None]


def test_re_exports_are_shown_beside_exports_and_never_added() -> None:
    sides, _, _ = prepared([flow(2021, "ARE", "RUS", 100), flow(2021, "ARE", "RUS", 70, flow="RX")])
    assert sides.select("value_usd", "reexport_value_fob_usd").rows() == [(100, 70)]


def span(first_year: int, last_year: int, value: int) -> dict[int, int]:
    return dict.fromkeys(range(first_year, last_year + 1), value)


@pytest.mark.parametrize(
    ("comtrade", "baci", "wins"),
    [
        ((2019, 2024), (2010, 2022), "comtrade"),  # old years are no reason to lose the newest
        ((2023, 2024), (2015, 2022), "baci"),  # two years without a baseline compare with nothing
        ((2019, 2022), (2015, 2022), "comtrade"),  # as good since the baseline: the publisher's own figures
        ((2012, 2014), (2010, 2014), "comtrade"),
    ],
)
def test_a_route_is_told_by_the_publisher_that_knows_most_of_it_since_the_baseline(comtrade, baci, wins) -> None:
    rows = years("DEU", "KAZ", span(baci[0], baci[1], 1), source="baci", dataset="B") + years(
        "DEU", "KAZ", span(comtrade[0], comtrade[1], 2)
    )
    sides, _, _ = prepared(rows)
    assert sides["source"].unique().to_list() == [wins]
    assert (
        sides.height
        == {"comtrade": comtrade, "baci": baci}[wins][1] - {"comtrade": comtrade, "baci": baci}[wins][0] + 1
    )


def test_what_a_publisher_knows_counts_and_not_in_how_many_years_there_was_trade() -> None:
    rows = [
        *years("DEU", "KAZ", {2022: 9}),
        *years("DEU", "RUS", span(2019, 2022, 5)),
        *years("FRA", "KAZ", span(2019, 2022, 5)),
    ]
    rows += years("DEU", "KAZ", {2021: 1, 2022: 9}, source="baci", dataset="B")
    sides, _, _ = prepared(rows)
    assert sides.filter(exporter_iso="DEU", importer_iso="KAZ").select("source", "value_usd").rows() == [
        ("comtrade", 9)
    ]


def test_an_extract_that_lacked_the_good_in_most_years_gives_way_to_one_that_held_it() -> None:
    rows = [*years("DEU", "KAZ", {2022: 9}), *years("DEU", "KAZ", span(2015, 2022, 5), code="870323")]
    rows += years("DEU", "KAZ", span(2019, 2022, 1), source="baci", dataset="B")
    sides, _, _ = prepared(rows)
    assert sides.filter(good="847989")["source"].unique().to_list() == ["baci"]


def test_a_publisher_whose_reporter_moved_to_other_codes_of_a_good_does_not_know_it_from_then_on() -> None:
    """From 2021 on Comtrade has nothing of the good from Kazakhstan: it is told under codes that are not in it."""
    rows = years("KAZ", "RUS", span(2019, 2020, 2), code="851712") + years("KAZ", "RUS", span(2019, 2022, 3))
    rows += [flow(year, "DEU", "RUS", 1, code="851712" if year < 2022 else "851713") for year in range(2019, 2023)]
    baci = [
        flow(year, "KAZ", "RUS", 1, code="851712" if year < 2022 else "851713", source="baci")
        for year in range(2019, 2023)
    ]
    of_good = prepared(rows + baci, PHONES)[0].filter(good="851712+", exporter_iso="KAZ")
    assert of_good["source"].unique().to_list() == ["baci"]
    rows += years("KAZ", "ARM", {2021: 1}, code="851712") + years("KAZ", "ARM", {2022: 1}, code="851713")
    of_good = prepared(rows + baci, PHONES)[0].filter(good="851712+", exporter_iso="KAZ", importer_iso="RUS")
    assert of_good["source"].unique().to_list() == ["comtrade"], "it has it with others: nothing went to Russia"


def test_reconciled_figures_are_called_so() -> None:
    sides, _, _ = prepared(years("DEU", "KAZ", {2020: 1}, source="baci", dataset="B"))
    assert sides["value_basis"].to_list() == ["reconciled"]


def test_a_split_of_a_code_with_constant_totals_leaves_the_good_constant() -> None:
    rows = [flow(2021, "KAZ", "RUS", 100, code="851712")]
    rows += [flow(2022, "KAZ", "RUS", 60, code="851713"), flow(2022, "KAZ", "RUS", 40, code="851714")]
    sides, _, _ = prepared(rows, PHONES)
    assert sides.select("good", "value_usd").rows() == [("851712+", 100), ("851712+", 100)]


@given(
    st.lists(
        st.tuples(st.integers(2019, 2023), st.sampled_from("ABC"), st.sampled_from("XYZ"), st.integers(0, 10**12)),
        min_size=1,
        unique_by=lambda row: row[:3],
    )
)
def test_no_dollar_is_lost_or_made_between_flows_and_routes(cells: list[tuple[int, str, str, int]]) -> None:
    rows = [flow(year, f"{exporter}AA", f"{importer}BB", value) for year, exporter, importer, value in cells]
    sides, _, _ = prepared(rows)
    assert sides["value_usd"].sum() == sum(value for *_, value in cells)


ORDERED = (
    *years("DEU", "KAZ", {2020: 1, 2021: 2}),
    *years("KAZ", "RUS", {2020: 3, 2021: 4}),
    *years("KAZ", "DEU", {2021: 5}, flow="M"),
)


@pytest.fixture(scope="module")
def ordered() -> pl.DataFrame:
    return prepared(list(ORDERED))[0]


@given(st.permutations(ORDERED))
def test_the_order_of_flows_does_not_matter(ordered: pl.DataFrame, shuffled: list[dict[str, Any]]) -> None:
    assert_frame_equal(ordered, prepared(shuffled)[0])


def test_goods_are_taken_in_portions_of_bounded_size_that_keep_a_heading_together() -> None:
    from anomaly.bilateral import portions

    goods = [f"{heading}{good:02}" for heading in range(8401, 8411) for good in range(10)]
    rows = portions.ROWS_AT_A_TIME // 20  # ten goods a heading: two headings a portion
    scope = pl.DataFrame({"dimension": "good", "code": goods, "rows": [rows] * len(goods)})
    parts = [part.to_list() for part in portions.of_scope(scope)]
    assert [(part[0], part[-1]) for part in parts] == [
        ("840100", "840209"),
        ("840300", "840409"),
        ("840500", "840609"),
        ("840700", "840809"),
        ("840900", "841009"),
    ]
    assert [good for part in parts for good in part] == goods


def test_special_areas_are_neither_exporters_nor_importers() -> None:
    rows = [flow(2021, "DEU", "KAZ", 100), flow(2021, "DEU", "XNE", 50)]
    from anomaly.bilateral import bilateral
    from tests.trade import EDITION, NO_FAMILIES, flows

    goods = bilateral.with_goods(flows(rows), NO_FAMILIES, EDITION)
    countries = pl.DataFrame({"iso3": ["DEU", "KAZ", "XNE"], "kind": ["country", "country", "special"]})
    _, coverage, scope = prepared(rows)
    sides = bilateral.build(goods, coverage, scope, countries, {"comtrade": 10}, 2019)
    assert sides["importer_iso"].to_list() == ["KAZ"]
