"""Which edition of the HS a row is in, and between which codes can be compared."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.reference import editions


def test_the_edition_of_a_row_comes_from_its_classification() -> None:
    given_codes = ["H0", "H4", "H5", "H6", "H6 ", "CN2011", "CN2012", "CN2016", "CN2017", "CN2021", "CN2022", "HS2017"]
    frame = pl.DataFrame({"code": given_codes}).select(edition=editions.edition_number(pl.col("code")))
    assert frame["edition"].to_list() == [0, 4, 5, 6, 6, 3, 4, 4, 5, 5, 6, 5]
    assert frame["edition"].dtype == pl.Int8


def test_what_is_no_edition_of_the_hs_has_no_number() -> None:
    frame = pl.DataFrame({"code": ["S4", "B5", "H9", "H", "", "CN1900", "CN9999", "CN2028", "CN22", None]})
    assert frame.select(editions.edition_number(pl.col("code"))).to_series().is_null().all()


def test_editions_without_a_table_of_links_are_not_comparable() -> None:
    assert editions.comparable_editions(5, 6, "29")
    assert editions.comparable_editions(6, 5, "29")
    assert editions.comparable_editions(4, 6, "8517")
    assert not editions.comparable_editions(4, 5, "29")
    assert not editions.comparable_editions(3, 4, "85")
    assert not editions.comparable_editions(2, 6, "87")
    assert editions.comparable_editions(3, 3, "85")


def numbers(codes: list[str]) -> list[int | None]:
    frame = pl.DataFrame({"code": codes})
    return frame.select(editions.edition_number(pl.col("code"))).to_series().to_list()


def test_each_edition_begins_in_its_year_and_ends_in_the_year_before_the_next() -> None:
    first_years = [1988, 1996, 2002, 2007, 2012, 2017, 2022]
    last_years = [1995, 2001, 2006, 2011, 2016, 2021, 2027]
    assert numbers([f"HS{year}" for year in first_years]) == [0, 1, 2, 3, 4, 5, 6]
    assert numbers([f"CN{year}" for year in last_years]) == [0, 1, 2, 3, 4, 5, 6]
    assert numbers([f"H{number}" for number in range(7)]) == [0, 1, 2, 3, 4, 5, 6]
    assert numbers(["HS1987", "HS2028", "H7", "H8"]) == [None] * 4


def test_a_family_over_all_editions_has_the_codes_of_every_one_of_them() -> None:
    assert editions.good_members("940600+") == ["940600", "940610", "940620", "940690"]  # split in 2017, again in 2022
    assert editions.good_members("854370+") == ["853950", "853952", "854340", "854370"]


def test_the_links_of_a_full_table_are_those_from_2017_to_2022_in_its_order(tmp_path: Path) -> None:
    table = tmp_path / "correlation.csv"
    table.write_text(
        "hs2022,hs2017,relationship\n940620,940690,n:1\n940690,940690,n:1\n940620,940690,n:1\n870120,870120,1:1\n",
        encoding="utf-8",
    )
    links = editions.edition_links(table)
    full = links.filter(pl.col("newer_edition") == 6)
    assert set(full["older_edition"]) == {5}
    assert full.drop("older_edition", "newer_edition").rows() == [  # and none of those that are shipped
        ("940690", "940620", "n:1"),
        ("940690", "940690", "n:1"),
    ]
    assert set(links.filter(pl.col("newer_edition") < 6)["older_edition"]) == {4}
    shipped = editions.edition_links().filter(pl.col("newer_edition") == 5)
    assert links.filter(pl.col("newer_edition") == 5).equals(shipped)
