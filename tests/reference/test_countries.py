"""Countries as people and publishers write them: understood, or refused with the nearest; never guessed."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.errors import BadRequest
from anomaly.reference import countries
from tests import REAL_RAW
from tests.refusal import refusal

REAL_REFERENCE = REAL_RAW.parent.parent / "reference"


def iso3_of(m49: int) -> str | None:
    matches = countries.m49_table().filter(pl.col("m49") == m49)
    return matches["iso3"].item() if matches.height else None


def test_every_iso_country_is_known_by_its_three_codes() -> None:
    pycountry = pytest.importorskip("pycountry")
    in_table = {row[0]: row[1] for row in countries.table().filter(pl.col("kind") == "country").iter_rows()}
    in_pycountry = {country.alpha_3: country.alpha_2 for country in pycountry.countries}
    assert {iso3: iso2 for iso3, iso2 in in_table.items() if iso3 != "XKX"} == in_pycountry
    numbers = {int(country.numeric): country.alpha_3 for country in pycountry.countries if country.alpha_3 != "MCO"}
    assert {number: iso3_of(number) for number in numbers} == numbers


def test_codes_of_countries_and_areas_are_unique_and_well_formed() -> None:
    table = countries.table()
    assert table["iso3"].is_unique().all()
    assert table["iso3"].str.contains(r"^[A-Z][A-Z0-9]{2}$").all()
    assert set(table["kind"]) == {"country", "group", "special", "confidential"}
    assert countries.m49_table()["m49"].is_unique().all()
    assert countries.iso2_table()["iso2"].is_unique().all()
    assert countries.comtrade_iso_table()["iso"].is_unique().all()
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
    kinds = dict(countries.m49_table().select("m49", "kind").iter_rows())
    assert {kinds[number] for number in (0, 97, 975)} == {"group"}
    assert {kinds[number] for number in (899, 837, 838, 839, 492, 473, 636, 568)} == {"special"}
    assert iso3_of(492) != "MCO"
    assert iso3_of(473) != iso3_of(636)
    assert {kinds[expired] for expired in (280, 58, 891, 810, 890, 736, 841)} == {"special"}
    assert "DEU" not in {iso3_of(280)}
    assert iso3_of(999) is None


def test_eurostat_codes_keep_qatar_and_namibia_apart_from_what_is_withheld() -> None:
    country_of = {row[0]: (row[1], row[2]) for row in countries.iso2_table().iter_rows()}
    assert country_of["QA"] == ("QAT", "country")
    assert country_of["NA"] == ("NAM", "country")
    assert country_of["GR"] == country_of["EL"] == ("GRC", "country")
    assert country_of["XS"] == ("SRB", "country")
    assert country_of["XI"] == ("GBR", "country")
    assert country_of["XK"] == ("XKX", "country")
    assert {country_of[code][1] for code in ("QX", "QY", "QZ")} == {"confidential"}
    assert {country_of[code][1] for code in ("QP", "QQ", "QR", "QS", "QU", "QV", "QW", "XC", "XL")} == {"special"}
    assert country_of["EU27_2020"][1] == country_of["EXT_EU27_2020"][1] == country_of["WORLD"][1] == "group"


def test_comtrade_texts_are_read_without_their_trailing_spaces() -> None:
    iso3_of_text = dict(countries.comtrade_iso_table().select("iso", "iso3").iter_rows())
    assert iso3_of_text["S19"] == "TWN"
    assert iso3_of_text["W00"] == iso3_of_text["World"] == "W00"
    assert iso3_of_text["_KS"] == "XKX"
    assert iso3_of_text["KAZ"] == "KAZ"
    assert iso3_of_text["MCO"] != "MCO"  # UN Comtrade writes MCO for other EU countries, and Monaco is within France
    assert countries.comtrade_iso_table()["iso"].str.strip_chars().eq(countries.comtrade_iso_table()["iso"]).all()


@pytest.mark.skipif(not REAL_REFERENCE.is_dir(), reason="UN Comtrade's lists of reporters and partners are not here")
def test_every_code_of_un_comtrade_is_known_and_no_group_is_a_country() -> None:
    for name in ("comtrade_reporter.csv", "comtrade_partner.csv"):
        listed = pl.read_csv(REAL_REFERENCE / name, infer_schema=False)
        table = listed.select(pl.col("id").cast(pl.Int32).alias("m49"), "iso_3", "exit_year", "group")
        joined = table.join(countries.m49_table(), on="m49", how="left")
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
            countries.parse_country(text)
    else:
        assert countries.parse_country(text) == iso3


def test_a_wrong_country_gets_a_sentence_with_the_nearest_right_ones() -> None:
    with pytest.raises(BadRequest, match=r"did you mean Kazakhstan \(KAZ\)"):
        countries.parse_country("Kazahstan")
    with pytest.raises(BadRequest, match=r"South Korea \(KOR\), North Korea \(PRK\)"):
        countries.parse_country("Korea")


def test_every_country_is_found_again_by_its_own_codes_and_name() -> None:
    for iso3, iso2, name, _ in countries.table().iter_rows():
        assert countries.parse_country(iso3) == iso3
        assert countries.parse_country(name) == iso3
        if iso2:
            assert countries.parse_country(iso2) == iso3


@given(st.text())
def test_no_text_for_a_country_ends_in_anything_but_a_country_or_help(text: str) -> None:
    message = refusal(countries.parse_country, text)
    assert "\ndo " in message or countries.parse_country(text) in set(countries.table()["iso3"])
