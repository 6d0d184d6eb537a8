"""Which edition of the HS a row is in, and between which codes can be compared."""

from __future__ import annotations

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
