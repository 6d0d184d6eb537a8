"""Codes: what people and publishers write is understood, or refused with help; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.errors import BadRequest
from anomaly.reference import codes
from tests import REAL_RAW

REAL_REFERENCE = REAL_RAW.parent.parent / "reference"

DIGITS = st.text("0123456789", min_size=2, max_size=8)


def iso3_of(m49: int) -> str | None:
    found = codes.m49_table().filter(pl.col("m49") == m49)
    return found["iso3"].item() if found.height else None


def refusal(read: Callable[[str], object], text: str) -> str:
    """The message a text is refused with; empty where it is understood."""
    try:
        read(text)
    except BadRequest as error:
        return str(error)
    return ""


# ------------------------------------------------------------------ countries


def test_every_iso_country_is_known_by_its_three_codes() -> None:
    pycountry = pytest.importorskip("pycountry")
    ours = {row[0]: row[1] for row in codes.countries().filter(pl.col("kind") == "country").iter_rows()}
    theirs = {country.alpha_3: country.alpha_2 for country in pycountry.countries}
    assert {iso3: iso2 for iso3, iso2 in ours.items() if iso3 != "XKX"} == theirs
    numbers = {int(country.numeric): country.alpha_3 for country in pycountry.countries if country.alpha_3 != "MCO"}
    assert {number: iso3_of(number) for number in numbers} == numbers


def test_codes_of_countries_and_areas_are_unique_and_well_formed() -> None:
    table = codes.countries()
    assert table["iso3"].is_unique().all()
    assert table["iso3"].str.contains(r"^[A-Z][A-Z0-9]{2}$").all()
    assert set(table["kind"]) == {"country", "group", "special", "confidential"}
    assert codes.m49_table()["m49"].is_unique().all()
    assert codes.iso2_table()["iso2"].is_unique().all()
    assert codes.comtrade_iso_table()["iso"].is_unique().all()
    assert table.filter((pl.col("kind") == "country") & pl.col("iso2").is_null()).is_empty()
    assert table.filter((pl.col("kind") != "country") & pl.col("iso2").is_not_null()).is_empty()


@pytest.mark.parametrize(
    ("m49", "iso3"),
    [
        (842, "USA"), (840, "USA"), (251, "FRA"), (250, "FRA"), (757, "CHE"), (756, "CHE"), (579, "NOR"), (578, "NOR"),
        (699, "IND"), (356, "IND"), (490, "TWN"), (158, "TWN"), (412, "XKX"), (516, "NAM"), (634, "QAT"), (0, "W00"),
        (97, "EUR"),
    ],
)  # fmt: skip
def test_every_un_code_of_a_country_maps_to_it(m49: int, iso3: str) -> None:
    assert iso3_of(m49) == iso3


def test_what_is_no_country_is_never_taken_for_one() -> None:
    kinds = dict(codes.m49_table().select("m49", "kind").iter_rows())
    assert {kinds[number] for number in (0, 97, 975)} == {"group"}
    assert {kinds[number] for number in (899, 837, 838, 839, 492, 473, 636, 568)} == {"special"}
    assert iso3_of(492) != "MCO"
    assert iso3_of(473) != iso3_of(636)
    assert {kinds[expired] for expired in (280, 58, 891, 810, 890, 736, 841)} == {"special"}
    assert "DEU" not in {iso3_of(280)}
    assert iso3_of(999) is None


def test_eurostat_codes_keep_qatar_and_namibia_apart_from_what_is_withheld() -> None:
    known = {row[0]: (row[1], row[2]) for row in codes.iso2_table().iter_rows()}
    assert known["QA"] == ("QAT", "country")
    assert known["NA"] == ("NAM", "country")
    assert known["GR"] == known["EL"] == ("GRC", "country")
    assert known["XS"] == ("SRB", "country")
    assert known["XI"] == ("GBR", "country")
    assert known["XK"] == ("XKX", "country")
    assert {known[code][1] for code in ("QX", "QY", "QZ")} == {"confidential"}
    assert {known[code][1] for code in ("QP", "QQ", "QR", "QS", "QU", "QV", "QW", "XC", "XL")} == {"special"}
    assert known["EU27_2020"][1] == known["EXT_EU27_2020"][1] == known["WORLD"][1] == "group"


def test_comtrade_texts_are_read_without_their_trailing_spaces() -> None:
    known = dict(codes.comtrade_iso_table().select("iso", "iso3").iter_rows())
    assert known["S19"] == "TWN"
    assert known["W00"] == known["World"] == "W00"
    assert known["_KS"] == "XKX"
    assert known["KAZ"] == "KAZ"
    assert known["MCO"] != "MCO"  # UN Comtrade writes MCO for other EU countries, and Monaco is within France
    assert codes.comtrade_iso_table()["iso"].str.strip_chars().eq(codes.comtrade_iso_table()["iso"]).all()


@pytest.mark.skipif(not REAL_REFERENCE.is_dir(), reason="UN Comtrade's lists of reporters and partners are not here")
def test_every_code_of_un_comtrade_is_known_and_no_group_is_a_country() -> None:
    for name in ("comtrade_reporter.csv", "comtrade_partner.csv"):
        listed = pl.read_csv(REAL_REFERENCE / name, infer_schema=False)
        table = listed.select(pl.col("id").cast(pl.Int32).alias("m49"), "iso_3", "exit_year", "group")
        joined = table.join(codes.m49_table(), on="m49", how="left")
        assert joined.filter(pl.col("iso3").is_null()).is_empty()
        current = joined.filter(pl.col("exit_year").is_null(), pl.col("kind") == "country", pl.col("iso_3") != "S19")
        odd = current.filter(pl.col("iso3") != pl.col("iso_3").str.strip_chars())
        assert odd["iso3"].unique().to_list() in ([], ["XKX"])


@pytest.mark.parametrize(
    ("text", "iso3"),
    [
        ("KZ", "KAZ"), ("kaz", "KAZ"), ("Kazakhstan", "KAZ"), (" kazakhstan ", "KAZ"), ("398", "KAZ"), ("51", "ARM"),
        ("Turkey", "TUR"), ("Türkiye", "TUR"), ("TURKIYE", "TUR"), ("Kyrgyz Republic", "KGZ"), ("Kyrgyzstan", "KGZ"),
        ("UAE", "ARE"), ("Russia", "RUS"), ("Russian Federation", "RUS"), ("NA", "NAM"), ("QA", "QAT"), ("EL", "GRC"),
        ("Viet Nam", "VNM"), ("Vietnam", "VNM"), ("Côte d'Ivoire", "CIV"), ("cote d’ivoire", "CIV"), ("S. Korea", None),
        ("South Korea", "KOR"), ("UK", "GBR"), ("Macau", "MAC"), ("World", "W00"), ("", None), ("n/a", None),
        ("Korea", None), ("ZZ", None), ("998", None), ("Россия", None),
    ],
)  # fmt: skip
def test_a_country_is_understood_or_refused_never_guessed(text: str, iso3: str | None) -> None:
    if iso3 is None:
        with pytest.raises(BadRequest):
            codes.parse_country(text)
    else:
        assert codes.parse_country(text) == iso3


def test_a_wrong_country_gets_a_sentence_with_the_nearest_right_ones() -> None:
    with pytest.raises(BadRequest, match=r"did you mean Kazakhstan \(KAZ\)"):
        codes.parse_country("Kazahstan")
    with pytest.raises(BadRequest, match=r"South Korea \(KOR\), North Korea \(PRK\)"):
        codes.parse_country("Korea")


def test_every_country_is_found_again_by_its_own_codes_and_name() -> None:
    for iso3, iso2, name, _ in codes.countries().iter_rows():
        assert codes.parse_country(iso3) == iso3
        assert codes.parse_country(name) == iso3
        if iso2:
            assert codes.parse_country(iso2) == iso3


@given(st.text())
def test_no_text_for_a_country_ends_in_anything_but_a_country_or_help(text: str) -> None:
    message = refusal(codes.parse_country, text)
    assert "\ndo " in message or codes.parse_country(text) in set(codes.countries()["iso3"])


# ------------------------------------------------------------------ commodity codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("8517.12", "851712"), ("851712", "851712"), ("8517 12", "851712"), ("85", "85"), ("8517", "8517"),
        ("851", "851"), ("85171", "85171"), ("0101.21", "010121"), ("01", "01"), ("85171300", "85171300"),
        ("8517 13 00", "85171300"), ("851712+", "851712+"), ("HS 8517.12", "851712"), ("999999", "999999"),
    ],
)  # fmt: skip
def test_a_code_is_read_with_or_without_dots_and_keeps_its_zeros(text: str, code: str) -> None:
    assert codes.parse_code(text) == code


@pytest.mark.parametrize("text", ["", "8", "8517121", "851712131", "85x", "85+", "smartphone", "８５", "-", "85,17"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected an HS code"):
        codes.parse_code(text)


def test_a_chapter_that_does_not_exist_is_refused_with_its_neighbours() -> None:
    with pytest.raises(BadRequest, match=r"did you mean chapter 76 \(Aluminium\), 78 \(Lead\)"):
        codes.parse_code("7712")
    with pytest.raises(BadRequest, match="chapter 01"):
        codes.parse_code("00")


def test_a_wrong_code_gets_the_nearest_goods_by_digits_or_by_name() -> None:
    with pytest.raises(BadRequest, match=r"851712\+? \("):
        codes.parse_code("8517121")
    with pytest.raises(BadRequest, match=r"851713 \(smartphones\)"):
        codes.parse_code("smartphone")


@given(DIGITS)
def test_a_code_survives_dots_spaces_and_being_read_twice(digits: str) -> None:
    if refusal(codes.parse_code, digits):
        assert len(digits) == 7 or digits[:2] in ("00", "77")
        return
    assert codes.parse_code(digits) == digits
    assert codes.parse_code(".".join(re.findall("..?", digits))) == digits
    assert codes.parse_code(codes.parse_code(f" {digits[:4]} {digits[4:]} ")) == digits


@given(st.text())
def test_no_text_for_a_code_ends_in_anything_but_a_code_or_help(text: str) -> None:
    message = refusal(codes.parse_code, text)
    assert "\ndo " in message or re.fullmatch(r"[0-9]{2,8}\+?", codes.parse_code(text))


# ------------------------------------------------------------------ periods


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022", codes.Period("2022", "A", date(2022, 1, 1), date(2022, 12, 1), 12)),
        ("2022H1", codes.Period("2022H1", "M", date(2022, 1, 1), date(2022, 6, 1), 6)),
        ("2022h2", codes.Period("2022H2", "M", date(2022, 7, 1), date(2022, 12, 1), 6)),
        ("2022Q3", codes.Period("2022Q3", "M", date(2022, 7, 1), date(2022, 9, 1), 3)),
        ("2022-07", codes.Period("2022-07", "M", date(2022, 7, 1), date(2022, 7, 1), 1)),
        ("202207", codes.Period("2022-07", "M", date(2022, 7, 1), date(2022, 7, 1), 1)),
    ],
)
def test_a_period_is_a_stretch_of_whole_months(text: str, expected: codes.Period) -> None:
    assert codes.parse_period(text) == expected


@pytest.mark.parametrize("text", ["", "22", "2022-13", "2022H3", "2022Q5", "2022Q0", "3022", "2022-7", "2022-07-01"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected a period such as"):
        codes.parse_period(text)


@pytest.mark.parametrize("text", ["July 2022", "2022-7", "7/2022"])
def test_a_wrong_period_gets_the_nearest_right_one(text: str) -> None:
    with pytest.raises(BadRequest, match="did you mean 2022-07"):
        codes.parse_period(text)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["A", "H", "Q", "M"]))
def test_a_period_is_read_again_from_its_own_text(day: date, kind: str) -> None:
    text = {
        "A": f"{day.year}",
        "H": f"{day.year}H{(day.month - 1) // 6 + 1}",
        "Q": f"{day.year}Q{(day.month - 1) // 3 + 1}",
        "M": f"{day.year}-{day.month:02d}",
    }[kind]
    period = codes.parse_period(text)
    assert period.text == text
    assert period.start <= day.replace(day=1) <= period.end
    assert (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1 == period.months


@given(st.text())
def test_no_text_for_a_period_ends_in_anything_but_a_period_or_help(text: str) -> None:
    message = refusal(codes.parse_period, text)
    assert "\ndo " in message or codes.parse_period(text).months in (1, 3, 6, 12)


# ------------------------------------------------------------------ editions


def test_the_edition_of_a_row_comes_from_its_classification() -> None:
    given_codes = ["H0", "H4", "H5", "H6", "H6 ", "CN2011", "CN2012", "CN2016", "CN2017", "CN2021", "CN2022", "HS2017"]
    frame = pl.DataFrame({"code": given_codes}).select(edition=codes.edition_number(pl.col("code")))
    assert frame["edition"].to_list() == [0, 4, 5, 6, 6, 3, 4, 4, 5, 5, 6, 5]
    assert frame["edition"].dtype == pl.Int8


def test_what_is_no_edition_of_the_hs_has_no_number() -> None:
    frame = pl.DataFrame({"code": ["S4", "B5", "H9", "H", "", "CN1900", "CN9999", "CN2028", "CN22", None]})
    assert frame.select(codes.edition_number(pl.col("code"))).to_series().is_null().all()


def test_editions_without_a_table_of_links_are_not_comparable() -> None:
    assert codes.comparable_editions(5, 6, "29")
    assert codes.comparable_editions(6, 5, "29")
    assert codes.comparable_editions(4, 6, "8517")
    assert not codes.comparable_editions(4, 5, "29")
    assert not codes.comparable_editions(3, 4, "85")
    assert not codes.comparable_editions(2, 6, "87")
    assert codes.comparable_editions(3, 3, "85")


# ------------------------------------------------------------------ names, lists and events


def test_the_priority_list_has_its_fifty_codes_with_tiers_and_dates() -> None:
    table = codes.goods_list("chpl.csv")
    assert table["hs6"].n_unique() == 50
    tiers = dict(table.group_by("tier").len().iter_rows())
    assert tiers == {"1": 4, "2": 5, "3.A": 16, "3.B": 9, "4.A": 11, "4.B": 5}
    assert table["valid_from"].null_count() == 0
    assert set(table.filter(pl.col("tier") == "4.B")["valid_from"]) == {date(2024, 2, 23)}
    assert table["name"].str.split(" ").list.len().max() <= 8
    assert codes._read("chpl.csv")["source"].null_count() == 0


@pytest.mark.skipif(not REAL_REFERENCE.is_dir(), reason="the published list is not here")
def test_the_priority_list_is_the_published_one() -> None:
    published = pl.read_csv(REAL_REFERENCE / "chpl_2024-02-23.csv", infer_schema=False)
    assert (
        codes.goods_list("chpl.csv")
        .select("hs6", "tier")
        .sort("hs6")
        .equals(published.select("hs6", "tier").sort("hs6"))
    )


@pytest.mark.parametrize("file", ["none.csv", "../schema.py", "/etc/hosts", "chpl"])
def test_a_goods_list_that_is_not_there_is_refused(file: str) -> None:
    with pytest.raises(BadRequest, match="a goods list in anomaly/reference"):
        codes.goods_list(file)


def test_every_good_has_a_name_of_at_most_eight_words() -> None:
    table = codes._read("goods.csv")
    assert table["good"].is_unique().all()
    assert table["good"].str.contains(r"^[0-9]{6}\+?$").all()
    assert table["name"].str.split(" ").list.len().max() <= 8
    assert {name for name in table["good"] if name.endswith("+")} <= set(codes._family_members())
    assert set(codes.goods_list("chpl.csv")["hs6"]) <= set(table["good"])


def test_a_good_without_a_name_is_called_by_its_chapter_and_code() -> None:
    assert codes.good_name("851712+") == "mobile phones"
    assert codes.good_name("85171300") == "smartphones"
    assert codes.good_name("010121") == "Live animals, 010121"
    assert codes.good_name("85") == "Electrical goods"
    assert codes.good_name("770000") == "Chapter 77, 770000"


def test_policy_events_are_dated_and_sourced_and_name_known_countries() -> None:
    table = codes.policy_events()
    assert table["date"].is_sorted()
    assert table.null_count().row(0) == (0,) * 5
    known = set(codes.countries().filter(pl.col("kind") == "country")["iso3"])
    assert {iso3 for text in table["countries"] for iso3 in text.split(" ")} <= known
    measures = table.filter(pl.col("effect").is_in(["less transit", "fewer re-exports"]))
    assert {"KAZ", "GEO", "TUR"} <= {iso3 for text in measures["countries"] for iso3 in text.split(" ")}
