"""flags.xlsx: what Excel finds in it, and what it must never find."""

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.contract.visible import visible
from anomaly.flags import naming
from anomaly.reports import xlsx
from anomaly.reports.base import Findings
from anomaly.reports.excel import sheets
from anomaly.reports.xlsx import MOST_CHARACTERS, REPORT, cut
from tests.reports.findings import findings, poisoned

HOSTILE = (
    "=1+1",
    "{=1+1}",
    "=HYPERLINK('http://example.org')",
    "http://example.org",
    "mailto:a@b.c",
    "internal:Flags!A1",
    "@SUM(1)",
    "-1+1",
    "0123",
)


def sheet(content: bytes, name: str) -> list[dict[str, Any]]:
    table = pd.read_excel(
        io.BytesIO(content), sheet_name=name, engine="calamine", dtype=object, keep_default_na=False, na_values=[""]
    )
    return list(table.to_dict("records"))


def parts(content: bytes) -> Iterable[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield name, archive.read(name).decode()


def test_the_sheets_are_in_the_order_a_person_reads_them() -> None:
    book = pd.ExcelFile(io.BytesIO(REPORT.render(findings(30))), engine="calamine")
    assert book.sheet_names == [
        "Read me first", "Cases", "Flags", "Reasons", "Other explanations", "Comparable routes", "Both sides",
        "Without a publisher", "Score inputs", "Goods", "Hubs", "Sales to hubs", "Leakage", "Leakage intervals", "Refused",
        "Files", "Settings",
    ]  # fmt: skip


def test_the_first_sheet_of_figures_has_a_row_a_case_with_what_changed_and_those_that_are_gone() -> None:
    given_ = findings(30)
    rows = sheet(REPORT.render(given_), "Cases")
    assert [row["Case"] for row in rows[:27]] == given_.cases["case_id"].to_list()
    assert [row["Since the run before"] for row in rows[27:]] == ["gone"]
    assert sum(row["Windows"] for row in rows[:27]) == 27


def test_the_excess_stands_with_its_interval_and_unknown_is_empty() -> None:
    rows = sheet(REPORT.render(findings(13)), "Flags")
    flags = {row["flag_id"]: row for row in findings(13).flags.to_dicts()}
    for row in rows:
        flag = flags[row["Flag"]]
        shown = [
            None if pd.isna(row[name]) else row[name]
            for name in ("Excess, low, USD", "Excess, USD", "Excess, high, USD")
        ]
        assert shown == [flag[name] for name in ("excess_low_usd", "excess_usd", "excess_high_usd")]
    assert {flag["excess_low_usd"] is None for flag in flags.values()} == {True, False}


def test_the_questions_to_ask_next_stand_on_the_sheet_of_flags_in_the_names_of_its_countries_and_its_good() -> None:
    row = next(row for row in sheet(REPORT.render(findings(1)), "Flags"))
    assert row["Ask next"].splitlines() == naming.next_steps(
        "hub_reexport", row["Name of the exporter"], row["Name of the importer"], row["Name of the good"]
    )


def test_codes_are_text_and_amounts_are_numbers() -> None:
    row = next(row for row in sheet(REPORT.render(findings(30)), "Flags") if row["Good"] == "010121")
    assert row["Name of the good"] == "Pure-bred breeding horses"
    assert row["Value, USD"] == 178_200_000
    assert row["Change"] == pytest.approx(3.7619, abs=1e-4)
    assert row["List tier"] == "1"
    assert row["Reasons"].count("\n") == 6


def test_the_unknown_is_an_empty_cell_and_a_known_nothing_is_0() -> None:
    rows = sheet(REPORT.render(findings(30)), "Flags")
    before = [row["Year before, USD"] for row in rows]
    assert 0 in before
    assert any(pd.isna(value) for value in before)


def test_each_reason_has_a_row_with_its_number_and_threshold() -> None:
    given_ = findings(30)
    rows = sheet(REPORT.render(given_), "Reasons")
    assert len(rows) == given_.flags["reasons"].list.len().sum()
    assert rows[0]["Indicator"] == "surge_log"
    assert (rows[0]["Value"], rows[0]["Threshold"]) == (1.57, 0.405)


def test_each_explanation_comparable_side_publisher_and_input_has_a_row_of_its_own() -> None:
    given_ = findings(30)
    content = REPORT.render(given_)
    for name, column in (
        ("Other explanations", "benign_if"),
        ("Comparable routes", "comparables"),
        ("Both sides", "sides"),
    ):
        assert len(sheet(content, name)) == given_.flags[column].list.len().sum()
    assert len(sheet(content, "Score inputs")) == given_.flags["contributions"].list.len().sum()
    assert len(sheet(content, "Without a publisher")) == given_.without.height
    row = sheet(content, "Without a publisher")[0]
    assert (row["Publisher left out"], row["What is left"]) == ("Eurostat, Comext", "flagged with fewer reasons")
    assert sheet(content, "Other explanations")[0]["The data"] == "the data speak against it"
    assert sheet(content, "Both sides")[0]["Of which re-exports, USD"] == 142_560_000


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_a_link_or_a_number(text: str) -> None:
    content = REPORT.render(poisoned(text, 3))
    for name, xml in parts(content):
        assert not re.search(r"<f[ >]", xml), name
        assert not re.search(r"<hyperlinks?[ >]|relationships/hyperlink", xml), name
        assert "externalLink" not in name
    assert all(row["Name of the good"].startswith(text) for row in sheet(content, "Flags"))
    assert all(isinstance(row["Good"], str) for row in sheet(content, "Flags"))


def test_no_letter_that_acts_stands_in_the_workbook_and_its_escape_does() -> None:
    texts = "".join(xml for _, xml in parts(REPORT.render(poisoned("planted\u202e\u2066\u200f\x1b\x9b", 3))))
    assert re.findall("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]|_x00[01][0-9A-F]_", texts) == []
    assert "planted\\u202e\\u2066" in texts


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=30, deadline=None)
def test_any_text_makes_a_workbook_that_can_be_read_back(text: str) -> None:
    given_ = findings(1)
    hostile = replace(given_, flags=given_.flags.with_columns(compares=pl.lit(text)))
    back = sheet(REPORT.render(hostile), "Flags")[0]["Compares"]
    printable = [character for character in visible(text) if character.isprintable()]
    assert [character for character in ("" if pd.isna(back) else back) if character in printable] == printable


def test_a_text_too_long_for_a_cell_is_cut_with_a_mark_in_the_cell_and_on_the_first_sheet() -> None:
    given_ = findings(1)
    content = REPORT.render(replace(given_, flags=given_.flags.with_columns(compares=pl.lit("x" * 40_000))))
    cell = sheet(content, "Flags")[0]["Compares"]
    assert len(cell) == MOST_CHARACTERS
    assert cell.endswith("[cut here: 40,000 characters in all, the whole text is in flags.parquet]")
    first_sheet = pd.read_excel(
        io.BytesIO(content), sheet_name=0, engine="calamine", header=None, keep_default_na=False, na_values=[""]
    )
    assert "Flags, row 2: a text of 40,000 characters was cut." in set(first_sheet[1])


@given(st.text(alphabet="a𝄞é", min_size=1, max_size=40), st.integers(1, 2_000))
@settings(max_examples=50, deadline=None)
def test_a_cut_text_always_fits_as_excel_counts(text: str, times: int) -> None:
    short = cut(text * times)
    assert len(short.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    assert "�" not in short


def test_more_rows_than_a_sheet_holds_end_in_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 12)
    content = REPORT.render(findings(30))
    rows = sheet(content, "Flags")
    assert len(rows) == 11
    assert rows[-1]["No."] == "20 more rows do not fit here; they are in flags.parquet"
    first_sheet = pd.read_excel(
        io.BytesIO(content), sheet_name=0, engine="calamine", header=None, keep_default_na=False, na_values=[""]
    )
    assert "Flags: 20 more rows do not fit here; they are in flags.parquet." in set(first_sheet[1])


def test_refused_rows_beyond_the_sheets_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_REFUSED_ROWS", 5)
    rows = sheet(REPORT.render(findings(3)), "Refused")
    assert len(rows) == 6
    assert rows[0]["Largest trade known, USD"] == 900_000 * 39  # the fortieth is not known
    assert (
        rows[-1]["Reason"] == "35 more rows do not fit here; they are in the tables features.refused and supply.refused"
    )


def test_simulated_data_say_so_on_the_first_sheet_and_real_ones_do_not() -> None:
    def first_texts(given_: Findings) -> set[str]:
        table = pd.read_excel(
            io.BytesIO(REPORT.render(given_)),
            sheet_name=0,
            engine="calamine",
            header=None,
            keep_default_na=False,
            na_values=[""],
        )
        return set(table[0].dropna())

    assert "Simulated data" in first_texts(findings(3, is_simulated=True))
    assert "Simulated data" not in first_texts(findings(3, is_simulated=False))


def test_the_document_has_a_fixed_date() -> None:
    core = dict(parts(REPORT.render(findings(1))))["docProps/core.xml"]
    assert re.findall(r">(\d{4}-[^<]*)<", core) == ["2022-02-24T00:00:00Z"] * 2
