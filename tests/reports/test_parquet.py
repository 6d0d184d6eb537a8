"""flags.parquet: the table itself."""

import io

import polars as pl
from polars.testing import assert_frame_equal

from anomaly.contract.schema import ROUTE_KEY, Flags
from anomaly.reports.parquet import REPORT
from tests.reports.findings import findings


def test_the_flags_come_back_whole_with_their_nested_reasons() -> None:
    original = findings(30)
    back = pl.read_parquet(io.BytesIO(REPORT.render(original)))
    assert_frame_equal(back, original.flags.sort(ROUTE_KEY))
    assert Flags.is_valid(back)
    assert back["reasons"][0][0]["threshold"] == 0.405


def test_no_flag_gives_a_table_with_all_its_columns() -> None:
    back = pl.read_parquet(io.BytesIO(REPORT.render(findings(0))))
    assert back.height == 0
    assert back.columns == Flags.column_names()
