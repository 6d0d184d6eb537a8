"""Windows, what is known in them, and what is refused by name."""

from datetime import date
from math import log
from typing import Any

import polars as pl
import pytest

from anomaly.contract.schema import Scope
from anomaly.contract.settings import load
from anomaly.features import features
from anomaly.scores import forest_inputs
from anomaly.stages.order import through
from tests.trade import PHONES, at_hand, broken_in, flow, measured, years

MILLION = 1_000_000
ROUTE = {2019: 2 * MILLION, 2020: 2 * MILLION, 2021: 3 * MILLION, 2022: 12 * MILLION}
DIRECT = {2019: 90 * MILLION, 2020: 90 * MILLION, 2021: 100 * MILLION, 2022: 20 * MILLION}


def route(table: pl.DataFrame, year: int, exporter: str = "KAZ", importer: str = "RUS") -> dict[str, Any]:
    matches = table.filter(
        pl.col("window_end").dt.year() == year,
        pl.col("exporter_iso") == exporter,
        pl.col("importer_iso") == importer,
    )
    assert matches.height == 1, f"{matches.height} rows for {exporter} {importer} {year}"
    return matches.row(0, named=True)


def to_many(exporter: str) -> list[dict[str, object]]:
    """A small trade of an exporter with twelve others: what makes a dataset whole."""
    partners = [f"AA{chr(65 + number)}" for number in range(12)]
    return [row for partner in partners for row in years(exporter, partner, dict.fromkeys(ROUTE, MILLION))]


def test_a_window_stands_beside_its_year_before_and_the_mean_of_the_baseline() -> None:
    table, _ = measured([*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT)])
    row = route(table, 2022)
    assert (row["value_usd"], row["value_prior_year_usd"], row["value_baseline_usd"]) == (
        12_000_000,
        3_000_000,
        2_333_333,
    )
    assert row["baseline_years"] == "2019-2021"


def test_the_direct_leg_is_the_coalitions_own_trade_with_the_target() -> None:
    table, _ = measured([*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT), *years("CHN", "RUS", DIRECT)])
    row = route(table, 2022)
    assert (row["coalition_to_target_usd"], row["coalition_to_target_prior_usd"]) == (20_000_000, 100_000_000)


def test_the_upstream_leg_is_the_coalitions_trade_with_the_hub() -> None:
    rows = [*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT), *years("DEU", "KAZ", ROUTE)]
    row = route(measured(rows)[0], 2022)
    assert (row["coalition_to_hub_usd"], row["coalition_to_hub_prior_usd"]) == (12_000_000, 3_000_000)


def test_a_member_that_did_not_report_is_out_of_both_windows_of_a_leg() -> None:
    late = {year: value for year, value in DIRECT.items() if year < 2022}
    row = route(
        measured([*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT), *years("FRA", "RUS", late)])[0], 2022
    )
    assert row["coalition_to_target_prior_usd"] == 100_000_000


def test_a_missing_row_of_a_reporter_that_reported_is_zero() -> None:
    rows = [
        *years("KAZ", "RUS", {2022: 5 * MILLION}),
        *years("KAZ", "RUS", ROUTE, code="853710"),
        *years("DEU", "RUS", DIRECT),
    ]
    table, _ = measured(rows)
    row = route(table.filter(pl.col("good") == "847989"), 2022)
    assert (row["value_prior_year_usd"], row["value_baseline_usd"], row["new_route"]) == (0, 0, 1.0)


def test_a_good_outside_the_extract_in_the_year_before_is_unknown_and_not_new() -> None:
    rows = [*years("KAZ", "RUS", {2022: 5 * MILLION}), *years("KAZ", "RUS", ROUTE, code="853710")]
    table, refused = measured(rows)
    assert table.filter(pl.col("good") == "847989").is_empty()
    assert route(refused.filter(pl.col("good") == "847989"), 2022)["refusal"] == "outside_extract"


def test_a_partner_outside_an_extract_in_the_year_before_is_unknown_and_not_new() -> None:
    table, refused = measured([*years("KAZ", "RUS", ROUTE), *years("KAZ", "BLR", {2022: 5 * MILLION})])
    assert table.filter(pl.col("importer_iso") == "BLR").is_empty()
    assert route(refused, 2022, importer="BLR")["refusal"] == "outside_extract"


@pytest.mark.parametrize("year", [2021, 2022])
def test_a_window_of_which_a_value_is_withheld_is_refused_by_name(year: int) -> None:
    whole = [*years("KAZ", "RUS", ROUTE), *years("KAZ", "BLR", ROUTE)]
    source, dataset = whole[0]["source"], whole[0]["dataset"]
    cells = [(source, dataset, "A", "X", "withheld", f"KAZ BLR {whole[0]['cmd_code']}", date(year, 1, 1), 1, None)]
    hidden = pl.DataFrame(cells, schema=Scope.create_empty().schema, orient="row")
    made = through(["features", "features.refused"], at_hand(whole) | {"withheld": hidden}, load())
    assert route(made.read("features.refused"), 2022, importer="BLR")["refusal"] == "withheld"
    assert route(made.read("features"), 2022)["value_usd"] == ROUTE[2022]


def test_a_partner_that_a_dataset_of_many_lacks_for_a_year_is_nothing_in_it() -> None:
    row = route(measured([*years("KAZ", "BLR", {2022: 5 * MILLION}), *to_many("KAZ")])[0], 2022, importer="BLR")
    assert (row["value_prior_year_usd"], row["value_baseline_usd"]) == (0, 0)


def test_an_importers_partner_outside_its_extract_in_the_year_before_is_unknown() -> None:
    rows = [*years("RUS", "KAZ", ROUTE, flow="M"), *years("RUS", "UZB", {2022: 5 * MILLION}, flow="M")]
    table, refused = measured(rows)
    assert route(table, 2022)["value_basis"] == "import"
    assert table.filter(pl.col("exporter_iso") == "UZB").is_empty()
    assert route(refused, 2022, "UZB")["refusal"] == "outside_extract"


def test_an_importers_extract_without_the_exporter_does_not_say_that_nothing_arrived() -> None:
    rows = [*years("DEU", "KAZ", ROUTE), *years("FRA", "KAZ", ROUTE)]
    rows += [*years("KAZ", "FRA", ROUTE, flow="M"), *years("KAZ", "DEU", {2019: MILLION, 2020: MILLION}, flow="M")]
    table, _ = measured(rows)
    assert route(table, 2022, "DEU", "KAZ")["leg_imported_usd"] is None
    assert route(table, 2022, "FRA", "KAZ")["leg_imported_usd"] == 12 * MILLION


def test_a_country_that_did_not_report_is_refused_and_not_a_fall() -> None:
    rows = [*years("VNM", "RUS", {2021: 9 * MILLION, 2022: 9 * MILLION}), *years("DEU", "RUS", {**DIRECT, 2023: 1})]
    _, refused = measured(rows)
    assert route(refused, 2023, "VNM")["refusal"] == "not_reported"


def test_a_year_before_that_was_not_reported_is_refused() -> None:
    _, refused = measured([*years("UZB", "RUS", {2022: 9 * MILLION}), *years("DEU", "RUS", DIRECT)])
    assert route(refused, 2022, "UZB")["refusal"] == "year_before_not_reported"


def test_a_reporter_with_some_months_of_a_window_is_refused() -> None:
    months = [f"{year}-{month:02d}" for year in (2019, 2020, 2021, 2022) for month in range(1, 13)]
    rows = [flow(month, "DEU", "RUS", MILLION) for month in months]
    rows += [flow(month, "KAZ", "RUS", MILLION) for month in months if month <= "2022-02"]
    _, refused = measured(rows)
    half = refused.filter(pl.col("window_months") == 6, pl.col("window_end") == date(2022, 6, 1))
    assert half.select("exporter_iso", "refusal").rows() == [("KAZ", "too_few_months")]


def test_an_edition_change_without_a_table_is_refused() -> None:
    rows = [*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT)]
    table, refused = measured(rows, broken=broken_in(("847989", 6)))
    assert table.filter(pl.col("window_end").dt.year() == 2022).is_empty()
    assert route(refused, 2022)["refusal"] == "edition_break"


def test_an_unstable_good_is_never_compared_across_its_change_but_is_within_an_edition() -> None:
    rows = [
        *years("KAZ", "RUS", {**ROUTE, 2023: 30 * MILLION}, code="854151"),
        *years("DEU", "RUS", {**DIRECT, 2023: 1}, code="854151"),
    ]
    table, refused = measured(rows, broken=broken_in(("854151", 6)))
    assert route(refused, 2022)["refusal"] == "edition_break"
    row = route(table, 2023)
    assert row["value_prior_year_usd"] == 12_000_000
    assert row["value_baseline_usd"] is None


def test_a_split_code_with_constant_totals_does_not_move() -> None:
    rows = years("KAZ", "RUS", {2019: 9 * MILLION, 2020: 9 * MILLION, 2021: 9 * MILLION}, code="851712")
    rows += [flow(2022, "KAZ", "RUS", 5 * MILLION, code="851713"), flow(2022, "KAZ", "RUS", 4 * MILLION, code="851714")]
    row = route(measured(rows, PHONES)[0], 2022)
    assert row["surge_log"] == pytest.approx(0.0)
    assert row["is_edition_changed"] is True


def test_a_reporter_that_falls_silent_on_a_recoded_good_is_unknown() -> None:
    rows = years("UZB", "RUS", {2019: 9 * MILLION, 2020: 9 * MILLION, 2021: 9 * MILLION}, code="851712")
    rows += [flow(2022, "KAZ", "RUS", 5 * MILLION, code="851713"), flow(2022, "UZB", "RUS", MILLION)]
    rows += years("KAZ", "RUS", {2021: 5 * MILLION}, code="851712")
    _, refused = measured(rows, PHONES)
    assert route(refused.filter(pl.col("good") == "851712+"), 2022, "UZB")["refusal"] == "outside_extract"


def test_a_route_is_not_called_new_where_the_extract_leaves_out_small_values() -> None:
    other_goods = [
        of_good
        for number in range(400)
        for of_good in years("DEU", "RUS", dict.fromkeys(ROUTE, MILLION), code=f"85{number:04d}")
    ]
    rows = [
        *years("KAZ", "RUS", {2022: 5 * MILLION}),
        *years("KAZ", "RUS", ROUTE, code="853710"),
        *years("DEU", "RUS", DIRECT),
    ]
    row = route(measured([*other_goods, *rows])[0].filter(pl.col("good") == "847989"), 2022)
    assert row["new_route"] is None
    assert row["smallest_published_usd"] == MILLION


def test_what_is_sold_elsewhere_is_unknown_in_an_extract_of_one_importer() -> None:
    row = route(measured([*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT)])[0], 2022)
    assert row["elsewhere_usd"] is None


def test_what_is_sold_elsewhere_is_the_rest_where_the_data_have_everyone() -> None:
    row = route(measured([*years("KAZ", "RUS", ROUTE), *to_many("KAZ")])[0], 2022)
    assert row["elsewhere_usd"] == 12_000_000


def test_months_missing_at_the_end_of_a_year_compare_the_same_months_and_say_so() -> None:
    rows = [*years("KAZ", "RUS", ROUTE, code="870323"), *years("DEU", "RUS", DIRECT, code="870323")]
    months = [
        f"{year}-{month:02d}"
        for year in (2019, 2020, 2021, 2022)
        for month in range(1, 13)
        if (year, month) != (2022, 12)
    ]
    rows += [
        flow(ref_month, "DEU", "KAZ", 2 * MILLION, code="87032319", source="comext", dataset="DS")
        for ref_month in months
    ]
    row = route(measured(rows)[0].filter(pl.col("freq_code") == "A"), 2022)
    assert row["coalition_to_hub_usd"] == 22 * MILLION
    assert row["coalition_to_hub_prior_usd"] == 22 * MILLION
    assert row["coalition_to_hub_compared"] == "Jan–Nov 2022 with Jan–Nov 2021 (Dec 2022 not published), comext"


def test_calendar_quarters_halves_years_and_the_rolling_year_are_windows_of_monthly_data() -> None:
    rows = [
        flow(f"{year}-{month:02d}", "KAZ", "RUS", MILLION)
        for year in range(2019, 2023)
        for month in range(1, 13)
        if (year, month) < (2022, 9)
    ]
    table, _ = measured(rows)
    ends = set(table.filter(pl.col("window_end").dt.year() == 2022).select("window_months", "window_end").rows())
    assert ends == {
        (3, date(2022, 3, 1)), (3, date(2022, 6, 1)), (6, date(2022, 6, 1)),
        (3, date(2022, 8, 1)), (6, date(2022, 8, 1)), (12, date(2022, 8, 1)), (8, date(2022, 8, 1)),
    }  # fmt: skip


def test_a_mirror_gap_is_measured_where_both_sides_report() -> None:
    rows = [*years("DEU", "KAZ", ROUTE), *years("KAZ", "DEU", {**ROUTE, 2022: 3 * MILLION}, flow="M")]
    row = route(measured(rows)[0], 2022, "DEU", "KAZ")
    assert (row["leg_exported_usd"], row["leg_imported_usd"]) == (12_000_000, 3_000_000)
    assert row["mirror_gap_shift_log"] > 1.3


def test_what_an_importer_says_in_another_dataset_is_not_read_as_nothing() -> None:
    rows = years("DEU", "KAZ", ROUTE)
    rows += years("KAZ", "DEU", {2019: MILLION, 2020: MILLION, 2021: MILLION}, flow="M", dataset="older")
    rows += years("KAZ", "DEU", {2022: 12 * MILLION}, flow="M", dataset="newer")
    assert route(measured(rows)[0], 2022, "DEU", "KAZ")["leg_imported_usd"] is None


def test_an_importers_dataset_of_other_goods_does_not_hide_its_report() -> None:
    rows = [*years("DEU", "KAZ", ROUTE), *years("KAZ", "DEU", ROUTE, flow="M")]
    rows += years("KAZ", "DEU", {2019: MILLION}, flow="M", dataset="cars", code="870323")
    assert route(measured(rows)[0], 2022, "DEU", "KAZ")["leg_imported_usd"] == 12 * MILLION


@pytest.mark.parametrize(
    ("exporters", "importers"),
    [("H5 H5 H5 H5", "H5 H5 H5 H6"), ("H5 H5 H5 H5", "H5 H5 H6 H6"), ("H6 H6 H6 H6", "H5 H5 H5 H5")],
)
def test_no_mirror_gap_is_measured_where_the_importers_edition_breaks_the_good(exporters: str, importers: str) -> None:
    for code, is_measured in (("854151", False), ("847989", True)):
        rows = []
        for year, exporter, importer in zip(ROUTE, exporters.split(), importers.split(), strict=True):
            rows.append(flow(year, "DEU", "KAZ", ROUTE[year], code=code, edition=exporter))
            rows.append(flow(year, "KAZ", "DEU", ROUTE[year] // 2, code=code, edition=importer, flow="M"))
        row = route(measured(rows, broken=broken_in(("854151", 6)))[0], 2022, "DEU", "KAZ")
        figures = [row[name] is not None for name in ("leg_exported_usd", "leg_imported_usd", "mirror_gap_shift_log")]
        assert figures == [is_measured] * 3


def test_a_mirror_gap_of_a_stable_family_is_measured_where_the_importer_changes_its_edition_later() -> None:
    codes = {2019: "851712", 2020: "851712", 2021: "851712", 2022: "851713"}
    rows = [flow(year, "DEU", "KAZ", ROUTE[year], code=code) for year, code in codes.items()]
    rows += [flow(year, "KAZ", "DEU", ROUTE[year], code="851712", edition="H5", flow="M") for year in codes]
    row = route(measured(rows, PHONES)[0], 2022, "DEU", "KAZ")
    assert (row["leg_exported_usd"], row["leg_imported_usd"]) == (12_000_000, 12_000_000)


def test_features_keep_their_contract() -> None:
    table, _ = measured([*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT)])
    features.table_schema().validate(table)


def test_a_chunk_of_one_good_gives_the_rows_it_gives_among_others() -> None:
    of_one_good = [*years("KAZ", "RUS", ROUTE), *years("DEU", "RUS", DIRECT)]
    of_another = [*years("KAZ", "RUS", DIRECT, code="853710"), *years("DEU", "RUS", ROUTE, code="853710")]
    of_all_goods = "exporter_importer_peers"  # how many other goods the exporter sells the importer
    alone = measured(of_one_good)[0].drop(of_all_goods)
    together = measured([*of_one_good, *of_another])[0].filter(pl.col("good") == "847989").drop(of_all_goods)
    assert alone.equals(together)


def test_imports_of_another_country_do_not_make_an_extract_of_one_importer_whole() -> None:
    rows = [*years("KAZ", "RUS", ROUTE)]
    for number in range(12):
        rows += years("UZB", f"AA{chr(65 + number)}", dict.fromkeys(ROUTE, 2 * MILLION), flow="M")
    table, _ = measured(rows)
    assert route(table, 2022)["elsewhere_usd"] is None
    assert route(table, 2022, "AAA", "UZB")["elsewhere_usd"] is None


def test_a_route_to_a_target_that_was_large_a_year_before_keeps_its_row() -> None:
    fell = {**ROUTE, 2022: 3_000}
    table, _ = measured([*years("KAZ", "RUS", fell), *years("KAZ", "KGZ", fell), *years("DEU", "RUS", DIRECT)])
    assert route(table, 2022)["value_usd"] == 3_000
    assert table.filter(pl.col("importer_iso") == "KGZ", pl.col("window_end").dt.year() == 2022).is_empty()


def test_a_route_that_is_no_longer_large_is_not_scored_and_moves_no_median() -> None:
    fell = {**ROUTE, 2022: 3_000}
    weighed = [*years("ARM", "RUS", fell, weight_g=1), *years("KAZ", "RUS", ROUTE, weight_g=10**9)]
    table, _ = measured([*weighed, *years("DEU", "RUS", DIRECT, weight_g=10**9)])
    of_2022 = table.filter(pl.col("window_end").dt.year() == 2022)
    assert of_2022.height == 3
    assert forest_inputs.build(of_2022, load())["exporter_iso"].sort().to_list() == ["DEU", "KAZ"]
    assert of_2022["median_unit_value_usd_per_kg"].unique().to_list() == [16.0]


def test_the_price_of_the_leg_into_the_hub_is_that_of_all_its_weighed_trade_together() -> None:
    rows = [*years("KAZ", "RUS", ROUTE, weight_g=10**8), *years("DEU", "KAZ", ROUTE, weight_g=10**9)]
    rows += [*years("FRA", "KAZ", ROUTE, weight_g=2 * 10**9), *years("ITA", "KAZ", dict.fromkeys(ROUTE, MILLION))]
    row = route(measured(rows)[0], 2022)
    assert row["coalition_to_hub_usd_per_kg"] == 24 * MILLION / 3_000_000
    assert row["hub_markup_log"] == pytest.approx(log(120 / 8))


def test_a_leg_of_which_less_than_four_fifths_are_weighed_has_no_price() -> None:
    rows = [*years("KAZ", "RUS", ROUTE, weight_g=10**8), *years("DEU", "KAZ", ROUTE, weight_g=10**9)]
    rows += years("ITA", "KAZ", {**ROUTE, 2022: 4 * MILLION})
    assert route(measured(rows)[0], 2022)["coalition_to_hub_usd_per_kg"] is None


def test_a_surge_is_a_rise_of_the_quantity_and_one_of_the_price() -> None:
    rows = [flow(year, "KAZ", "RUS", value, weight_g=10**9 * value // MILLION) for year, value in ROUTE.items()]
    dearer = [*rows[:-1], flow(2022, "KAZ", "RUS", 12 * MILLION, weight_g=3 * 10**9)]
    volume, price = (route(measured(trade)[0], 2022) for trade in (rows, dearer))
    assert (volume["volume_surge_log"], volume["price_surge_log"]) == pytest.approx((volume["surge_log"], 0.0))
    assert (price["volume_surge_log"], price["price_surge_log"]) == pytest.approx((0.0, price["surge_log"]))


def test_a_month_without_a_weight_leaves_the_price_of_the_others() -> None:
    months = [f"{year}-{month:02d}" for year in range(2019, 2023) for month in range(1, 13)]
    rows = [
        flow(ref_month, "KAZ", "RUS", MILLION, weight_g=None if ref_month == "2022-05" else 10**7)
        for ref_month in months
    ]
    table, _ = measured(rows)
    row = table.filter(pl.col("window_months") == 12, pl.col("window_end") == date(2022, 12, 1)).row(0, named=True)
    assert (row["net_wgt_g"], row["unit_value_usd_per_kg"], row["price_surge_log"]) == (None, 100.0, 0.0)


def test_the_price_of_the_good_is_told_beside_that_of_the_route() -> None:
    def dearer(exporter: str, price: int) -> list[dict[str, object]]:
        return [
            flow(year, exporter, "RUS", 8 * MILLION * (price if year == 2022 else 1), weight_g=10**9) for year in ROUTE
        ]

    table, _ = measured([*dearer("KAZ", 4), *dearer("ARM", 2), *dearer("DEU", 1)])
    row = route(table, 2022)
    assert row["price_surge_log"] == pytest.approx(log(32.1 / 8.1))
    assert row["median_price_surge_log"] == pytest.approx(log(16.1 / 8.1))
