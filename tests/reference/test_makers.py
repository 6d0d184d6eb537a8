"""Who makes what: every row has a known country, codes that there are, a source and a year; what is not there is unknown."""

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.reference import countries, goods, makers, nomenclature, tables

MAKERS = makers.read_all()


def test_every_row_names_its_good_and_has_a_source_a_year_and_the_date_of_our_look():
    assert MAKERS.null_count().sum_horizontal().item() == 0
    assert MAKERS["year"].is_between(2012, 2026).all()
    assert set(MAKERS["evidence"]) == set(makers.EVIDENCE)


def test_every_maker_is_a_known_country_outside_the_coalition():
    countries_iso3 = set(countries.table().filter(pl.col("kind") == "country")["iso3"])
    named = set(MAKERS["exporter_iso"])
    assert {"CHN", "IND", "TUR", "MYS", "VNM", "UZB", "KAZ", "BLR"} <= named <= countries_iso3
    assert not named & set(load().coalition.countries)


def test_no_code_stands_twice_for_a_country():
    codes = MAKERS.select("exporter_iso", "goods").explode("goods")
    twice = codes.filter(codes.is_duplicated())
    assert twice.is_empty(), twice


def test_every_code_is_of_a_good_or_heading_that_there_is():
    held = {*tables.read("goods.csv")["good"], *nomenclature.codes()["code"]}
    for code in MAKERS["goods"].explode().unique():
        assert goods.parse_code(code) == code
        assert any(good.startswith(code) for good in held), code


def test_the_headings_of_named_goods_that_no_maker_is_known_of_are_few():
    named = tables.read("goods.csv").select(heading=pl.col("good").str.slice(0, 4), good="good")
    prefixes = MAKERS["goods"].explode().unique().to_list()
    covered = named.filter(pl.Series([any(good.startswith(code) for code in prefixes) for good in named["good"]]))
    share = covered["heading"].n_unique() / named["heading"].n_unique()
    assert share >= 0.65, share


@pytest.mark.parametrize(
    ("exporter", "good", "is_maker"),
    [
        ("CHN", "870323", True),
        ("UZB", "870322", True),
        ("KAZ", "870323", None),  # it assembles kits for its own market
        ("ARM", "870323", None),
        ("GEO", "870323", None),
        ("KGZ", "870323", None),
        ("CHN", "851712+", True),
        ("VNM", "851713", True),
        ("ARE", "851712+", None),
        ("MYS", "854231", True),
        ("HKG", "854231", None),
        ("ARM", "854231", None),
        ("BLR", "870410", True),
        ("GEO", "220421", True),
    ],
)
def test_a_maker_is_one_and_what_is_not_in_the_table_is_unknown(exporter, good, is_maker):
    routes = pl.DataFrame({"exporter_iso": [exporter], "good": [good]})
    assert makers.makes(routes)["is_maker"].to_list() == [is_maker]


TABLE = pl.DataFrame(
    {"exporter_iso": ["AAA"] * 3, "goods": [["87"], ["870323"], ["870323"]], "year": [2023, 2019, 2021],
     "source": ["chapter", "older", "newer"]},
)  # fmt: skip


def test_the_closest_code_and_then_the_newest_source_is_given():
    routes = pl.DataFrame({"good": ["870324", "870323", "850760"], "exporter_iso": ["AAA"] * 3, "value_usd": [1, 2, 3]})
    made = makers.makes(routes, TABLE)
    assert made["maker_source"].to_list() == ["chapter", "newer", None]
    assert made.select("good", "exporter_iso", "value_usd").equals(routes)


def test_no_routes_are_no_rows():
    assert makers.makes(pl.DataFrame(schema={"exporter_iso": pl.String, "good": pl.String})).height == 0
