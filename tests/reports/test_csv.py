"""flags.csv: what a spreadsheet and a script find in it."""

import csv
import io
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.contract.schema import Flags
from anomaly.reports.comma_separated import defused
from anomaly.reports.csv import REPORT
from tests.reports.findings import findings, poisoned

RUNS = ("=", "+", "-", "@", "\t", "\r")


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_each_flag_is_one_row_in_order_of_priority() -> None:
    flags = rows(REPORT.render(findings(30)))
    assert len(flags) == 30
    priorities = [float(row["priority"]) for row in flags]
    assert priorities == sorted(priorities, reverse=True)
    assert list(flags[0]) == [*Flags.column_names(), "good_name", "exporter_name", "importer_name"]


def test_excel_is_told_that_the_text_is_utf8() -> None:
    content = REPORT.render(findings(30))
    assert content.startswith(b"\xef\xbb\xbf")
    assert "Türkiye" in content.decode("utf-8-sig")


def test_codes_are_quoted_and_keep_their_leading_zeros_and_numbers_are_bare() -> None:
    line = next(line for line in REPORT.render(findings(30)).decode("utf-8-sig").splitlines() if "010121-KAZ" in line)
    assert '"010121"' in line
    assert ",178200000,37422000," in line


def test_a_negative_number_stays_a_number() -> None:
    flags = rows(REPORT.render(findings(30)))
    assert any(row["excess_usd"] == "-4200000" for row in flags)


def test_all_reasons_and_caveats_of_a_flag_are_in_its_row() -> None:
    given_ = findings(1)
    row = rows(REPORT.render(given_))[0]
    flag = given_.flags.row(0, named=True)
    assert row["reasons"] == " | ".join(reason["text"] for reason in flag["reasons"])
    assert row["caveats"] == " | ".join(flag["caveats"])
    assert row["contributions"].startswith("surge_log 0.12 | baseline_excess_log 0.06")


def test_the_evidence_of_a_flag_is_in_its_row_an_item_after_the_other() -> None:
    row = rows(REPORT.render(findings(4)))[3]
    assert row["benign_if"].split(" | ")[0].startswith("The exporter makes it itself (against): Kazakhstan would have")
    near = row["comparables"].split(" | ")
    assert len(near) == 3
    assert near[0].endswith(": not unusual enough: q 0.31 is above the limit of 0.1")
    assert " after not known: refused" in near[2]
    assert row["sides"].split(" | ")[0].startswith("window: exporter ")
    assert "importer not known USD CIF" in row["sides"]


@pytest.mark.parametrize("start", RUNS)
def test_text_that_a_spreadsheet_would_run_is_defused_in_every_column(start: str) -> None:
    numbers = {name for name, dtype in findings(1).flags.schema.items() if dtype.is_numeric()}
    for row in rows(REPORT.render(poisoned(start + "cmd|'/c calc'!A1"))):
        hostile = {name for name, text in row.items() if name not in numbers and text.startswith(RUNS)}
        assert hostile == set()
        assert row["good_name"].startswith("'" + start)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_it_was_but_for_the_apostrophe(text: str) -> None:
    expected = "'" + text if text.startswith(RUNS) else text
    assert pl.DataFrame({"a": [text]}).select(defused(pl.col("a"))).item() == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_quotes_commas_and_line_ends_in_a_text_do_not_break_the_row(text: str) -> None:
    given_ = findings(2)
    hostile = replace(given_, flags=given_.flags.with_columns(compares=pl.lit(text)))
    flags = rows(REPORT.render(hostile))
    assert [row["compares"] for row in flags] == [("'" + text if text.startswith(RUNS) else text)] * 2
