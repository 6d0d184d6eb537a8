"""The published cases are facts that can be read: codes, countries, periods, dates, and who said so."""

from typing import Any

import polars as pl
import pytest

from anomaly.reference import cases, countries, goods

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
    known = {*countries.table().filter(pl.col("kind") == "country")["iso3"], *cases.GROUPS}
    named = set(CASES[column].explode().drop_nulls())
    assert len(named) > 5
    assert named - known == set()


def test_every_code_of_a_case_parses_and_a_list_stands_for_its_codes():
    every = CASES["goods"].explode().drop_nulls()
    assert [code for code in every if goods.parse_code(code) != code] == []
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
    found = CASES.filter(pl.col("kind") == "not_a_hub")["importers"].explode()
    assert set(found) == {"TTO", "NGA", "AGO", "MRT", "GIB", "MWI"}


def test_every_case_is_of_a_regime_that_there_is():
    assert set(CASES["regime"]) == {"russia-2022", "china-minerals-2023"}
    assert case("tha-mex-usa-antimony-2025")["regime"] == "china-minerals-2023"
