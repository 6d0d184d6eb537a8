"""Who reported what: absence is unknown unless somebody says zero."""

from typing import Any

import polars as pl

from anomaly.bilateral import coverage
from tests.trade import PHONES, flow, flows, prepared, years


def test_a_reporter_with_any_row_in_a_period_covers_it() -> None:
    _, coverage, _ = prepared([*years("KAZ", "RUS", {2021: 5, 2022: 6}), *years("VNM", "RUS", {2021: 7})])
    covered = set(coverage.select("reporter_iso", pl.col("ref_date").dt.year()).rows())
    assert covered == {("KAZ", 2021), ("KAZ", 2022), ("VNM", 2021)}


def test_a_period_with_a_third_of_the_usual_codes_is_partial() -> None:
    rows = [flow(2021, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(30)]
    rows += [flow(2022, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(10)]
    _, coverage, _ = prepared(rows)
    assert coverage.sort("ref_date")["is_complete"].to_list() == [True, False]


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
    _, coverage, _ = prepared(rows)
    assert coverage.filter(~pl.col("is_complete")).select("reporter_iso", pl.col("ref_date").dt.year()).rows() == [
        ("SWE", 2022)
    ]


def test_a_reporter_of_few_codes_is_never_called_partial() -> None:
    rows = [flow(2021, "KAZ", "RUS", 1, code=f"84{number:04d}") for number in range(10)]
    _, coverage, _ = prepared([*rows, flow(2022, "KAZ", "RUS", 1)])
    assert coverage["is_complete"].all()


def test_the_edition_is_the_rows_own_and_not_the_years() -> None:
    _, coverage, _ = prepared([flow(2022, "KAZ", "RUS", 1, edition="H5")])
    assert coverage["hs_edition"].to_list() == [5]


def test_two_codes_of_a_family_are_one_good_of_the_scope() -> None:
    rows = [flow(2022, "KAZ", "RUS", 1, code="851713"), flow(2022, "KAZ", "RUS", 1, code="851714")]
    _, _, scope = prepared(rows, PHONES)
    goods = scope.filter(pl.col("dimension") == "good")
    assert goods.select("code", "rows").rows() == [("851712+", 2)]


def test_a_good_whose_code_was_born_in_the_extract_is_not_held_before() -> None:
    origin: dict[str, Any] = {"source": "comext", "dataset": "DS"}
    rows = [flow("2021-01", "DEU", "KGZ", 5, code="85171100", **origin)]
    rows += [flow("2021-01", "DEU", "KGZ", 1, code="85176990", **origin)]
    rows += [flow("2022-01", "DEU", "KGZ", 90, code="85176970", **origin)]
    _, _, scope = prepared(rows)
    years_held = scope.filter(pl.col("code") == "851769")["ref_date"].dt.year().to_list()
    assert years_held == [2022]


def test_a_code_that_replaced_another_of_its_good_leaves_the_past_in_place() -> None:
    origin: dict[str, Any] = {"source": "comext", "dataset": "DS"}
    rows = [flow("2021-01", "DEU", "KGZ", 80, code="85176990", **origin)]
    rows += [flow("2022-01", "DEU", "KGZ", 90, code="85176970", **origin)]
    _, _, scope = prepared(rows)
    years_held = scope.filter(pl.col("code") == "851769")["ref_date"].dt.year().to_list()
    assert years_held == [2021, 2022]


def test_a_file_a_year_is_one_extract() -> None:
    rows = [row for year in (2020, 2021, 2022) for row in years("KAZ", "RUS", {year: 5}, dataset=f"of {year}")]
    together = coverage.extracts(flows(rows))
    assert together["extract"].unique().to_list() == ["of 2020"]


def test_extracts_of_different_partners_stay_apart() -> None:
    rows = [*years("KAZ", "RUS", {2021: 5}, dataset="to RUS"), *years("KAZ", "UZB", {2021: 5}, dataset="to UZB")]
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["to RUS", "to UZB"]


def test_a_file_a_year_is_one_extract_where_a_partner_joins_it_later() -> None:
    partners_of = {2020: ["RUS"], 2021: ["RUS", "BLR"], 2022: ["RUS", "BLR"]}
    rows = [
        row
        for year, partners in partners_of.items()
        for partner in partners
        for row in years("KAZ", partner, {year: 5}, dataset=f"of {year}")
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
    twelve_partners = [flow(2022, "KAZ", f"AA{chr(65 + number)}", 5) for number in range(12)]
    for added, held in (([], [(2022, 1)]), (twelve_partners, [(2021, 0), (2022, 1)])):
        _, _, scope = prepared([*rows, *added])
        belarus = scope.filter(pl.col("dimension") == "partner", pl.col("code") == "BLR")
        assert belarus.select(pl.col("ref_date").dt.year(), "rows").rows() == held


def codes(count: int) -> list[str]:
    return [f"84{number:04d}" for number in range(count)]


def completeness(counts: dict[int | str, int], reporter: str = "KAZ") -> list[bool]:
    """Whether each period of a reporter that told so many codes is whole."""
    rows = [flow(period, reporter, "RUS", 1, code=code) for period, count in counts.items() for code in codes(count)]
    _, coverage, _ = prepared(rows)
    return coverage.sort("ref_date")["is_complete"].to_list()


def test_a_reporter_of_twenty_codes_can_be_partial_and_one_of_nineteen_cannot() -> None:
    assert completeness({2021: 20, 2022: 1}) == [True, False]
    assert completeness({2021: 19, 2022: 1}) == [True, True]


def test_a_period_with_two_fifths_of_the_usual_codes_is_whole() -> None:
    assert completeness({2021: 50, 2022: 20}) == [True, True]
    assert completeness({2021: 50, 2022: 19}) == [True, False]


def test_what_is_usual_is_the_median_of_the_three_years_before() -> None:
    assert completeness({2018: 20, 2019: 20, 2020: 60, 2021: 60, 2022: 23})[-1] is False  # of three 60, of four 40
    assert completeness({2019: 20, 2020: 20, 2021: 100, 2022: 15})[-1] is True  # of three 20, of two 60


def test_what_is_usual_in_a_month_is_the_median_of_the_thirty_six_before() -> None:
    months = [f"{year}-{month:02d}" for year in range(2018, 2022) for month in range(1, 13)]
    # 18 months of 20 codes and 18 of 60: 40 are usual and 16 are enough; without the first month 60 and 24
    assert completeness(dict(zip(months, [20] * 18 + [60] * 18 + [17], strict=False)))[-1] is True
    # with one month of 20 more before them, 20 would be usual and 8 enough
    assert completeness(dict(zip(months, [20] * 19 + [60] * 18 + [15], strict=False)))[-1] is False


def test_four_others_say_nothing_about_what_is_usual_now() -> None:
    def partial(reporters: list[str]) -> set[str]:
        rows = [flow(2021, name, "RUS", 1, code=code) for name in reporters for code in codes(30)]
        rows += [flow(2022, name, "RUS", 1, code=code) for name in reporters for code in codes(11)]
        _, coverage, _ = prepared(rows)
        return set(coverage.filter(~pl.col("is_complete"))["reporter_iso"])

    five = ["DEU", "FRA", "ITA", "POL", "SWE"]
    assert partial(five) == set()
    assert partial(five[:4]) == set(five[:4])


def test_a_rise_of_everybody_elses_codes_makes_nobody_partial() -> None:
    rows = [flow(2021, name, "RUS", 1, code=code) for name in ("DEU", "FRA", "ITA", "POL", "SWE") for code in codes(30)]
    rows += [flow(2022, name, "RUS", 1, code=code) for name in ("DEU", "FRA", "ITA", "POL") for code in codes(90)]
    rows += [flow(2022, "SWE", "RUS", 1, code=code) for code in codes(13)]
    _, coverage, _ = prepared(rows)
    assert coverage["is_complete"].all()


def test_a_dataset_of_ten_partners_is_whole_and_one_of_nine_is_not() -> None:
    for count, held in ((10, [(2021, 0), (2022, 1)]), (9, [(2022, 1)])):
        partners = ["BLR", *[f"AA{chr(65 + number)}" for number in range(count - 1)]]
        rows = [flow(2021, "KAZ", partners[-1], 5), *[flow(2022, "KAZ", partner, 5) for partner in partners]]
        _, _, scope = prepared(rows)
        belarus = scope.filter(pl.col("dimension") == "partner", pl.col("code") == "BLR")
        assert belarus.select(pl.col("ref_date").dt.year(), "rows").rows() == held


def test_files_of_ten_partners_are_one_extract_whatever_the_partners_and_of_nine_are_not() -> None:
    for count, names in ((10, ["DEU", "DEU"]), (9, ["DEU", "FRA"])):
        rows = [
            flow(2021, name, f"{letter}A{chr(65 + number)}", 5, dataset=name)
            for name, letter in (("DEU", "A"), ("FRA", "B"))
            for number in range(count)
        ]
        assert coverage.extracts(flows(rows))["extract"].to_list() == names


def test_files_of_the_same_partners_are_one_extract_from_half_of_the_codes_on() -> None:
    for held, common, names in ((4, 2, ["a", "a"]), (4, 1, ["a", "b"]), (5, 2, ["a", "b"])):
        rows = [flow(2021, "KAZ", "RUS", 5, code=code, dataset="a") for code in codes(held)]
        rows += [flow(2021, "KAZ", "RUS", 5, code=code, dataset="b") for code in codes(common)]
        rows += [flow(2021, "KAZ", "RUS", 5, code=f"85{number:04d}", dataset="b") for number in range(held - common)]
        assert coverage.extracts(flows(rows))["extract"].to_list() == names


def test_files_of_other_flows_are_never_one_extract_and_a_file_of_re_exports_is_its_own() -> None:
    rows = [*years("KAZ", "RUS", {2021: 5}, dataset="a"), *years("KAZ", "RUS", {2022: 5}, dataset="b", flow="M")]
    rows += years("KAZ", "RUS", {2022: 5}, dataset="re-exports", flow="RX")
    assert coverage.extracts(flows(rows))["extract"].to_list() == ["a", "b", "re-exports"]


def test_files_of_one_extract_bear_its_name_and_others_their_own() -> None:
    rows = [row for year in (2021, 2022) for row in years("KAZ", "RUS", {year: 5}, dataset=f"of {year}")]
    rows += years("KAZ", "UZB", {2021: 5}, dataset="to UZB")
    named = coverage.as_extracts(flows(rows)).collect()
    assert named["dataset"].to_list() == ["of 2021", "of 2021", "to UZB"]
    assert named.columns == flows(rows).collect_schema().names()


def test_a_good_has_no_past_where_more_than_a_tenth_of_it_is_born_and_less_than_half_of_that_ended() -> None:
    def held(old: int, born: int, ended: int) -> list[int]:
        about: dict[str, Any] = {"source": "comext", "dataset": "DS"}
        rows = [flow("2021-01", "DEU", "KGZ", 5, code="85171100", **about)]
        rows += [flow(month, "DEU", "KGZ", old, code="85176990", **about) for month in ("2021-01", "2022-01")]
        rows += [flow("2021-01", "DEU", "KGZ", ended, code="85176950", **about)] if ended else []
        rows += [flow("2022-01", "DEU", "KGZ", born, code="85176970", **about)]
        _, _, scope = prepared(rows)
        return scope.filter(pl.col("code") == "851769")["ref_date"].dt.year().to_list()

    assert held(old=44, born=12, ended=0) == [2022]
    assert held(old=45, born=10, ended=0) == [2021, 2022]  # a tenth
    assert held(old=30, born=40, ended=19) == [2022]
    assert held(old=30, born=40, ended=20) == [2021, 2022]  # half
