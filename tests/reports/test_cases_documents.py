"""cases.csv, cases.parquet and changes.json: every case once, what is gone among them."""

import csv
import io
import json
from dataclasses import replace

import polars as pl

from anomaly.cases import changes
from anomaly.reports import cases_csv, cases_parquet, changes_json
from tests.reports.findings import findings


def test_a_row_a_case_in_the_order_of_the_page_and_what_is_gone_last() -> None:
    given_ = findings(30)
    text = cases_csv.REPORT.render(given_).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["case_id"] for row in rows] == [*given_.cases["case_id"], "to-target-000000-KGZ-RUS"]
    assert rows[0]["good_name"] == given_.goods[rows[0]["good"]]


def test_the_cases_come_back_whole_with_their_windows() -> None:
    given_ = findings(30)
    table = pl.read_parquet(cases_parquet.REPORT.render(given_))
    assert table.equals(given_.changes.sort("case_id"))


def test_what_changed_is_counted_and_named_and_what_is_unchanged_is_only_counted() -> None:
    told = json.loads(changes_json.REPORT.render(findings(30)))
    assert (told["cases"], told["windows"], told["is_simulated"]) == (27, 27, True)
    assert told["counts"] == {"new": 1, "worse": 1, "better": 0, "resolved": 0, "gone": 1, "revised": 1, "same": 24}
    assert [case["change"] for case in told["changed"]] == ["new", "worse", "gone", "revised"]


def test_on_a_first_run_nothing_is_counted_as_changed() -> None:
    given_ = findings(30)
    told = json.loads(changes_json.REPORT.render(replace(given_, changes=changes.build(given_.cases, None))))
    assert (told["counts"], told["changed"]) == ({}, [])
