"""UNSD's workbook: the sheet of correlations, whatever it is called, and never the one of forced picks."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import xlsxwriter

from anomaly.contract.errors import DataRejected
from anomaly.reference import editions
from anomaly.sources import correlation
from pipelines import families

HEADING = ("HS2022", " HS2017", "Relationship")
LINKS = (("851713", "851712", "n:1"), ("851714", "851712", "n:1"), ("010121", "010121", "1:1"))


def workbook(**sheets: tuple[tuple[object, ...], ...]) -> bytes:
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name.replace("_", " "))
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return packed.getvalue()


CONVERSIONS = (("From HS2022", "To HS2017"), ("854151", "851712"))
GOOD = workbook(HS_Conversions=CONVERSIONS, Correlation_Tables=(("Between two editions",), HEADING, *LINKS))


def laid(folder: Path, content: bytes, day: str = "2024-05-20T030000Z-00000000") -> Path:
    path = folder / "reference/unsd/correlation/HS2022-HS2017" / day / "HS2022toHS2017.xlsx"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_the_links_are_those_of_the_sheet_of_correlations(tmp_path):
    text = correlation.as_csv(laid(tmp_path, GOOD), "book.xlsx").decode()
    assert text.splitlines() == ["hs2022,hs2017,relationship", *(",".join(link) for link in LINKS)]


def test_codes_with_dots_and_numbers_that_lost_a_zero_are_codes(tmp_path):
    rows = (HEADING, ("0101.21", 10120.0, "n:1"))
    text = correlation.as_csv(laid(tmp_path, workbook(Correlations=rows)), "book.xlsx").decode()
    assert text.splitlines()[1] == "010121,010120,n:1"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (workbook(HS_Conversions=CONVERSIONS), "one sheet of correlations"),
        (workbook(Correlations_A=(HEADING,), Correlations_B=(HEADING,)), "one sheet of correlations"),
        (workbook(Correlations=(("a", "b"), *LINKS)), "HS2022, HS2017, Relationship"),
        (GOOD[:-200], "book.xlsx"),
        (b"<html>moved</html>", "book.xlsx"),
    ],
    ids=["no such sheet", "two", "no heading", "cut", "page"],
)
def test_a_workbook_that_is_none_is_refused_by_name(tmp_path, content, says):
    with pytest.raises(DataRejected, match=says):
        correlation.as_csv(laid(tmp_path, content), "book.xlsx")


def test_families_are_made_from_the_newest_workbook_that_was_fetched(tmp_path):
    laid(tmp_path, workbook(Correlations=(HEADING, ("010121", "010121", "1:1"))), "2024-01-01T030000Z-ffffffff")
    newest = laid(tmp_path, GOOD)
    assert families.full_table(tmp_path) == newest
    goods = editions.family_map([5, 6], families.links(tmp_path))
    assert goods.select("edition", "cmd_code", "good").rows() == [
        (5, "851712", "851712+"),
        (6, "851713", "851712+"),
        (6, "851714", "851712+"),
    ]
    assert list(families.links_read(tmp_path)) == [f"raw/{newest.relative_to(tmp_path).as_posix()}"]


def test_a_table_of_ones_own_comes_before_a_workbook(tmp_path):
    laid(tmp_path, GOOD)
    own = tmp_path / families.FULL_TABLE
    own.write_text("hs2022,hs2017,relationship\n010121,010120,n:1\n010129,010120,n:1\n", encoding="utf-8")
    assert families.full_table(tmp_path) == own
    assert "010120+" in editions.family_map([5, 6], families.links(tmp_path))["good"].to_list()


def test_without_either_the_shipped_links_are_used(tmp_path):
    assert families.links(tmp_path).equals(editions.edition_links())
    assert families.links_read(tmp_path) == {}
