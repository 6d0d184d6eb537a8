"""What holds for every registered format."""

from dataclasses import replace
from functools import cache

import polars as pl
import pytest

from anomaly.reports import REPORTS, Report
from tests.reports.findings import findings, poisoned, shuffled

every_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name + report.suffix)


@cache
def rendered(report: Report) -> bytes:
    return report.render(findings())


def test_the_formats_are_those_that_people_were_promised() -> None:
    assert [report.name + report.suffix for report in REPORTS] == [
        "report.html",
        "flags.xlsx",
        "flags.csv",
        "flags.parquet",
        "cases.csv",
        "cases.parquet",
        "changes.json",
    ]


@every_report
def test_the_same_findings_give_the_same_bytes(report: Report) -> None:
    made_again = findings.__wrapped__()
    assert report.render(made_again) == rendered(report)


@every_report
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_the_rows_does_not_matter(report: Report, seed: int) -> None:
    assert report.render(shuffled(findings(), seed)) == rendered(report)


@every_report
def test_another_figure_gives_other_bytes(report: Report) -> None:
    original = findings()
    amounts = [pl.col("value_usd", "excess_usd") + 1_000_000]
    changed = replace(
        original, flags=original.flags.with_columns(amounts), changes=original.changes.with_columns(amounts)
    )
    assert report.render(changed) != rendered(report)


@every_report
def test_findings_without_a_flag_still_make_a_document(report: Report) -> None:
    assert len(report.render(findings(0))) > 100


@every_report
def test_any_text_in_any_column_still_makes_a_document(report: Report) -> None:
    assert len(report.render(poisoned('=cmd|"><script>\x00\t\r\n￿'))) > 100
