"""Who reported what: absence is unknown unless somebody says zero."""

from typing import Any

import polars as pl

from anomaly.bilateral import coverage
from tests.trade import PHONES, flow, flows, prepared, years


def test_a_reporter_with_any_row_in_a_period_covers_it() -> None:
    _, who, _ = prepared([*years("KAZ", "RUS", {2021: 5, 2022: 6}), *years("VNM", "RUS", {2021: 7})])
    covered = set(who.select("reporter_iso", pl.col("ref_date").dt.year()).rows())
    assert covered == {("KAZ", 2021), ("KAZ", 2022), ("VNM", 2021)}


def test_a_period_with_a_third_of_the_usual_codes_is_partial() -> None:
    rows = [flow(2021, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(30)]
    rows += [flow(2022, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(10)]
    _, who, _ = prepared(rows)
    assert who.sort("ref_date")["is_complete"].to_list() == [True, False]


def test_a_fall_of_everybodys_codes_at_once_is_no_partial_period() -> None:
    rows = [
        flow(2021, name, "RUS", 1, code=f"84{number:04d}")
        for name in ("DEU", "FRA", "ITA", "POL", "SWE")
        for number in range(30)
    ]
    rows += [
        flow(2022, name, "RUS", 1, code=f"84{number:04d}")
        for name in ("DEU", "FRA", "ITA", "POL")
        for number in range(11)
    ]
    rows += [flow(2022, "SWE", "RUS", 1, code=f"84{number:04d}") for number in range(3)]
    _, who, _ = prepared(rows)
    assert who.filter(~pl.col("is_complete")).select("reporter_iso", pl.col("ref_date").dt.year()).rows() == [
        ("SWE", 2022)
    ]


def test_a_reporter_of_few_codes_is_never_called_partial() -> None:
    rows = [flow(2021, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(10)]
    _, who, _ = prepared([*rows, flow(2022, "KAZ", "RUS", 1)])
    assert who["is_complete"].all()


def test_the_edition_is_the_rows_own_and_not_the_years() -> None:
    _, who, _ = prepared([flow(2022, "KAZ", "RUS", 1, edition="H5")])
    assert who["hs_edition"].to_list() == [5]


def test_two_codes_of_a_family_are_one_good_of_the_scope() -> None:
    rows = [flow(2022, "KAZ", "RUS", 1, code="851713"), flow(2022, "KAZ", "RUS", 1, code="851714")]
    _, _, scope = prepared(rows, PHONES)
    goods = scope.filter(pl.col("dimension") == "good")
    assert goods.select("code", "rows").rows() == [("851712+", 2)]


def test_a_good_whose_code_was_born_in_the_extract_is_not_held_before() -> None:
    told: dict[str, Any] = {"source": "comext", "dataset": "DS"}
    rows = [flow("2021-01", "DEU", "KGZ", 5, code="85171100", **told)]
    rows += [flow("2021-01", "DEU", "KGZ", 1, code="85176990", **told)]
    rows += [flow("2022-01", "DEU", "KGZ", 90, code="85176970", **told)]
    _, _, scope = prepared(rows)
    years_held = scope.filter(pl.col("code") == "851769")["ref_date"].dt.year().to_list()
    assert years_held == [2022]


def test_a_code_that_replaced_another_of_its_good_leaves_the_past_in_place() -> None:
    told: dict[str, Any] = {"source": "comext", "dataset": "DS"}
    rows = [flow("2021-01", "DEU", "KGZ", 80, code="85176990", **told)]
    rows += [flow("2022-01", "DEU", "KGZ", 90, code="85176970", **told)]
    _, _, scope = prepared(rows)
    years_held = scope.filter(pl.col("code") == "851769")["ref_date"].dt.year().to_list()
    assert years_held == [2021, 2022]


def test_a_file_a_year_is_one_extract() -> None:
    rows = [one for year in (2020, 2021, 2022) for one in years("KAZ", "RUS", {year: 5}, dataset=f"of {year}")]
    together = coverage.extracts(flows(rows))
    assert together["extract"].unique().to_list() == ["of 2020"]


def test_extracts_of_different_partners_stay_apart() -> None:
    rows = [*years("KAZ", "RUS", {2021: 5}, dataset="to RUS"), *years("KAZ", "UZB", {2021: 5}, dataset="to UZB")]
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["to RUS", "to UZB"]


def test_a_file_a_year_is_one_extract_where_a_partner_joins_it_later() -> None:
    asked = {2020: ["RUS"], 2021: ["RUS", "BLR"], 2022: ["RUS", "BLR"]}
    rows = [
        one
        for year, partners in asked.items()
        for partner in partners
        for one in years("KAZ", partner, {year: 5}, dataset=f"of {year}")
    ]
    assert coverage.extracts(flows(rows))["extract"].unique().to_list() == ["of 2020"]


def test_extracts_of_one_year_stay_apart_where_one_has_more_partners() -> None:
    rows = [*years("KAZ", "RUS", {2021: 5}, dataset="a"), *years("KAZ", "RUS", {2021: 6}, dataset="b", code="847989")]
    rows += years("KAZ", "BLR", {2021: 5}, dataset="b")
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["a", "b"]


def test_extracts_of_different_goods_stay_apart() -> None:
    rows = years("KAZ", "RUS", {2021: 5}, dataset="cars", code="870323")
    rows += years("KAZ", "RUS", {2021: 5}, dataset="phones", code="851712")
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["cars", "phones"]


def test_whole_files_of_one_reporter_each_are_one_extract() -> None:
    partners = [f"AA{chr(65 + number)}" for number in range(12)]
    rows = [flow(2021, name, partner, 5, dataset=name) for name in ("DEU", "FRA") for partner in partners]
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["DEU", "DEU"]


def test_a_partner_of_a_dataset_of_many_is_held_in_every_year_of_it_and_of_a_few_in_its_own() -> None:
    rows = [*years("KAZ", "RUS", {2021: 5, 2022: 6}), *years("KAZ", "BLR", {2022: 7})]
    many = [flow(2022, "KAZ", f"AA{chr(65 + number)}", 5) for number in range(12)]
    for more, held in (([], [(2022, 1)]), (many, [(2021, 0), (2022, 1)])):
        _, _, scope = prepared([*rows, *more])
        belarus = scope.filter(pl.col("dimension") == "partner", pl.col("code") == "BLR")
        assert belarus.select(pl.col("ref_date").dt.year(), "rows").rows() == held
