"""Codes of goods as people write them, their names, dated lists and measures."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.errors import BadRequest
from anomaly.reference import editions, goods, tables
from tests import REAL_RAW
from tests.refusal import refusal

REAL_REFERENCE = REAL_RAW.parent.parent / "reference"

DIGITS = st.text("0123456789", min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("8517.12", "851712"), ("851712", "851712"), ("8517 12", "851712"), ("85", "85"), ("8517", "8517"),
        ("851", "851"), ("85171", "85171"), ("0101.21", "010121"), ("01", "01"), ("85171300", "85171300"), ("8517.13.00.00", "8517130000"),
        ("8517 13 00", "85171300"), ("851712+", "851712+"), ("HS 8517.12", "851712"), ("999999", "999999"),
    ],
)  # fmt: skip
def test_a_code_is_read_with_or_without_dots_and_keeps_its_zeros(text: str, code: str) -> None:
    assert goods.parse_code(text) == code


@pytest.mark.parametrize("text", ["", "8", "8517121", "851712131", "85x", "85+", "smartphone", "８５", "-", "85,17"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected an HS code"):
        goods.parse_code(text)


def test_a_chapter_that_does_not_exist_is_refused_with_its_neighbours() -> None:
    with pytest.raises(BadRequest, match=r"did you mean chapter 76 \(Aluminium\), 78 \(Lead\)"):
        goods.parse_code("7712")
    with pytest.raises(BadRequest, match="chapter 01"):
        goods.parse_code("00")


def test_a_wrong_code_gets_the_nearest_goods_by_digits_or_by_name() -> None:
    with pytest.raises(BadRequest, match=r"851712\+? \("):
        goods.parse_code("8517121")
    with pytest.raises(BadRequest, match=r"851713 \(smartphones\)"):
        goods.parse_code("smartphone")


@pytest.mark.parametrize(
    ("text", "code"),
    [("smartphones", "851713"), ("Smartphone", "851713"), ("mobile phones", "851712+"), ("electric car", "870380")],
)
def test_words_that_are_the_name_of_one_good_are_that_good(text: str, code: str) -> None:
    assert goods.code_of_words(text) == code


@pytest.mark.parametrize("text", ["8517.12", "HS 8517", "cn85171300", "TOTAL", "851712+", "85", "", "8517x"])
def test_what_is_written_as_a_code_is_no_word(text: str) -> None:
    assert goods.code_of_words(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [("car", "870323  petrol cars"), ("phone", "851712\\+  mobile phones"), ("integrated circuits", "854239")],
)
def test_words_that_several_goods_have_are_asked_back_with_these(text: str, meant: str) -> None:
    with pytest.raises(BadRequest, match=meant):
        goods.code_of_words(text)


def test_words_for_very_many_goods_are_asked_back_with_some_and_how_many_more() -> None:
    message = refusal(goods.code_of_words, "car")
    assert len(re.findall(r"\n +[0-9]{6}", message)) == 12
    assert re.search(r"and \d+ more", message)


@given(st.text())
def test_any_words_are_a_good_or_no_words_or_refused_with_help(text: str) -> None:
    message = refusal(goods.code_of_words, text)
    assert "\ndo " in message or goods.code_of_words(text) is None or goods.parse_code(str(goods.code_of_words(text)))


@given(DIGITS)
def test_a_code_survives_dots_spaces_and_being_read_twice(digits: str) -> None:
    if refusal(goods.parse_code, digits):
        assert len(digits) == 7 or digits[:2] in ("00", "77")
        return
    assert goods.parse_code(digits) == digits
    assert goods.parse_code(".".join(re.findall("..?", digits))) == digits
    assert goods.parse_code(goods.parse_code(f" {digits[:4]} {digits[4:]} ")) == digits


@given(st.text())
def test_no_text_for_a_code_ends_in_anything_but_a_code_or_help(text: str) -> None:
    message = refusal(goods.parse_code, text)
    assert "\ndo " in message or re.fullmatch(r"[0-9]{2,10}\+?", goods.parse_code(text))


def test_the_priority_list_has_its_fifty_codes_with_tiers_and_dates() -> None:
    table = goods.goods_list("chpl.csv")
    assert table["hs6"].n_unique() == 50
    tiers = dict(table.group_by("tier").len().iter_rows())
    assert tiers == {"1": 4, "2": 5, "3.A": 16, "3.B": 9, "4.A": 11, "4.B": 5}
    assert table["valid_from"].null_count() == 0
    assert set(table.filter(pl.col("tier") == "4.B")["valid_from"]) == {date(2024, 2, 23)}
    assert (table["name"].str.split(" ").list.len() <= 8).all()
    assert tables.read("chpl.csv")["source"].null_count() == 0


@pytest.mark.skipif(not REAL_REFERENCE.is_dir(), reason="the published list is not here")
def test_the_priority_list_is_the_published_one() -> None:
    published = pl.read_csv(REAL_REFERENCE / "chpl_2024-02-23.csv", infer_schema=False)
    assert (
        goods.goods_list("chpl.csv")
        .select("hs6", "tier")
        .sort("hs6")
        .equals(published.select("hs6", "tier").sort("hs6"))
    )


@pytest.mark.parametrize("file", ["none.csv", "../schema.py", "/etc/hosts", "chpl"])
def test_a_goods_list_that_is_not_there_is_refused(file: str) -> None:
    with pytest.raises(BadRequest, match="a goods list in anomaly/reference"):
        goods.goods_list(file)


def test_every_good_has_a_name_of_at_most_eight_words() -> None:
    table = tables.read("goods.csv")
    assert table["good"].is_unique().all()
    assert table["good"].str.contains(r"^[0-9]{6}\+?$").all()
    assert (table["name"].str.split(" ").list.len() <= 8).all()
    assert {name for name in table["good"] if name.endswith("+")} <= set(editions._family_members())
    assert set(goods.goods_list("chpl.csv")["hs6"]) <= set(table["good"])


def test_a_good_without_a_name_is_called_by_its_chapter_and_code() -> None:
    assert goods.good_name("851712+") == "mobile phones"
    assert goods.good_name("85171300") == "smartphones"
    assert goods.good_name("010121") == "Live animals, 010121"
    assert goods.good_name("85") == "Electrical goods"
    assert goods.good_name("770000") == "Chapter 77, 770000"


def test_chinas_list_has_the_form_of_the_priority_list_with_the_codes_and_days_of_its_announcements() -> None:
    table, form = tables.read("china_minerals.csv"), tables.read("chpl.csv")
    assert set(table.columns) == set(form.columns)
    assert table["hs6"].is_unique().all()
    assert all(goods.parse_code(code) == code and len(code) == 6 for code in table["hs6"])
    days = {"No. 23": "2023-08-01", "No. 39": "2023-12-01", "No. 33": "2024-09-15"}
    for source, day in table.select("source", "valid_from").iter_rows():
        assert days[source.removeprefix("Announcement ")[:6]] == day
    for code, source in table.select("hs6", "source").iter_rows():
        assert code in source, "the announcement's own number begins with the code"
    assert {"811292", "250410", "380110"} <= set(table["hs6"])
    assert set(table["hs6"]) <= set(tables.read("goods.csv")["good"])


def test_a_list_is_compared_in_families_and_its_codes_are_of_hs_2022() -> None:
    listed = goods.listed(["china_minerals.csv"], editions.family_map([5, 6]))
    assert {"811292+", "681510+"} <= set(listed["good"])
    assert goods.listed([], editions.family_map([5, 6])).is_empty()
