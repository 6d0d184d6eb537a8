"""The published cases are facts that can be read: codes, countries, periods, dates, and who said so."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from anomaly.reference import cases, countries, goods, statements

CASES = cases.read()
IDS = CASES["case_id"].to_list()


def case(case_id: str) -> dict[str, Any]:
    return CASES.row(by_predicate=pl.col("case_id") == case_id, named=True)


def test_every_case_has_a_name_a_kind_a_publisher_a_source_and_the_date_of_our_look():
    assert CASES["case_id"].is_unique().all()
    assert set(CASES["kind"]) == set(cases.KINDS)
    assert set(CASES["evidence"]) == set(cases.EVIDENCE)
    for column in ("publisher", "source", "reviewed", "goods_named"):
        assert CASES[column].null_count() == 0, column


@pytest.mark.parametrize("column", ["exporters", "importers"])
def test_every_country_of_a_case_is_known(column):
    codes = {*countries.table().filter(pl.col("kind") == "country")["iso3"], *statements.GROUPS}
    named = set(CASES[column].explode().drop_nulls())
    assert len(named) > 5
    assert named - codes == set()


def test_every_code_of_a_case_parses_and_a_list_stands_for_its_codes():
    codes = CASES["goods"].explode().drop_nulls()
    assert [code for code in codes if goods.parse_code(code) != code] == []
    assert set(case("tur-rus-priority-2023")["goods"]) == set(goods.goods_list("chpl.csv")["hs6"])


@pytest.mark.parametrize("case_id", IDS)
def test_only_a_rise_that_is_no_way_round_lacks_its_period(case_id):
    row = case(case_id)
    assert (row["start"] is None) == (row["kind"] == "not_a_hub")
    if row["start"] is not None:
        assert row["start"].day == 1
        assert row["start"] <= row["end"]


@pytest.mark.parametrize("case_id", CASES.filter(pl.col("kind").is_in(["rise", "gap"]))["case_id"])
def test_a_rise_or_a_gap_has_a_figure_and_a_unit_and_says_where_goods_are_a_group(case_id):
    row = case(case_id)
    assert row["after"] is not None or row["change_percent"] is not None
    assert row["unit"] is not None or row["after"] is None
    is_group = len(row["goods"]) > 2
    assert not is_group or row["goods_named"].startswith("a group")


def test_the_case_that_the_project_began_with_is_there_to_the_figure():
    row = case("kaz-rus-smartphones")
    assert (row["before"], row["after"], row["change_percent"]) == (37.0, 178.0, 381.0)
    assert (row["goods"], str(row["start"]), str(row["end"])) == (["851712", "851713"], "2022-01-01", "2022-06-01")
    assert str(row["published"]) == "2022-08-22"


def test_the_countries_that_are_no_hubs_are_those_of_the_independent_study():
    importers = CASES.filter(pl.col("kind") == "not_a_hub")["importers"].explode()
    assert set(importers) == {"TTO", "NGA", "AGO", "MRT", "GIB", "MWI"}


def test_every_case_is_of_a_regime_with_a_scenario_or_of_one_that_is_kept_for_a_later_one():
    kept_for_later = {"eu-trade-defence", "us-trade-defence", "us-tariffs-2025"}
    assert set(CASES["regime"]) == {"russia-2022", "china-minerals-2023"} | kept_for_later
    assert case("tha-mex-usa-antimony-2025")["regime"] == "china-minerals-2023"


def test_a_contested_case_is_no_label_and_prints_both_sides():
    contested = CASES.filter(judgement="contested")
    assert contested.height == 7
    assert contested["is_evasion"].null_count() == 7
    assert contested.select("says", "says_otherwise").null_count().row(0) == (0, 0)


@pytest.mark.parametrize(
    ("case_id", "is_evasion"),
    [
        ("arm-rus-870323-2022", True),
        ("chn-eu-coated-steel", True),
        ("geo-rus-wine-2024", False),
        ("chn-rus-machine-tools-2023", False),
        ("eu-tto-not-a-hub", False),
        ("kgz-rus-all-2022", None),
        ("tur-rus-priority-2024", None),
        ("arm-are-gold-2024", None),
        ("arm-rus-all-2022", None),
    ],
)
def test_a_case_is_a_label_only_where_it_says_of_a_good_whether_it_went_round(case_id, is_evasion):
    assert case(case_id)["is_evasion"] is is_evasion


def test_every_judgement_is_of_those_there_are_and_only_what_is_contested_has_another_side():
    assert set(CASES["judgement"]) == set(cases.IS_EVASION)
    assert set(CASES.filter(pl.col("says_otherwise").is_not_null())["judgement"]) == {"contested"}


def test_a_pair_is_one_good_of_one_origin_that_went_round_by_one_hub_and_not_by_another():
    pairs = CASES.filter(pl.col("pair").is_not_null()).group_by("pair").agg(pl.all())
    assert pairs.height == 2
    for row in pairs.to_dicts():
        assert len({tuple(codes) for codes in row["goods"]}) == 1
        assert len({tuple(importers) for importers in row["importers"]}) == 1
        assert set(row["judgement"]) == {"evasion", "benign"}


def test_a_statement_on_several_countries_is_one_case():
    assert case("five-hubs-rus-all-2022")["exporters"] == ["ARM", "GEO", "KAZ", "KGZ", "UZB"]
    assert case("five-hubs-rus-all-2022")["goods"] == []


def test_codes_that_are_our_reading_of_words_are_marked():
    says_so = CASES["goods_named"].str.contains("our reading|stand for")
    assert CASES["is_inferred"].to_list() == says_so.to_list()
    assert CASES.filter("is_inferred").height > 20


def test_the_kazakh_ban_that_was_denied_the_same_evening_is_no_case():
    assert not [case_id for case_id in IDS if "106" in case_id]


def test_a_case_is_about_each_route_in_a_window_of_its_months_once():
    window = {"freq_code": "M", "window_months": 3, "good": "220421", "exporter_iso": "GEO", "importer_iso": "RUS"}
    ends = [date(2024, 2, 1), date(2024, 2, 1), date(2023, 12, 1), date(2024, 9, 1)]
    routes = pl.DataFrame([{**window, "window_end": end} for end in ends], schema_overrides={"window_months": pl.Int16})
    about = cases.about(routes, CASES.filter(case_id="geo-rus-wine-2024"))
    assert about.select("case_id", "window_end").rows() == [("geo-rus-wine-2024", date(2024, 2, 1))]
