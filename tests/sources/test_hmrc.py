"""The United Kingdom's statistics: numbers that are codes, ports that are parts, values that are withheld."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.sources import hmrc
from anomaly.sources.base import Batch, Context, RawFile
from tests.sources.member_files import ots, ots_zip

GBP = pl.DataFrame({"month": [date(2022, 3, 1)], "usd_per_unit": [1.25]})


def read(folder: Path, content: bytes, context: Context | None = None) -> Batch:
    path = folder / "OTS_2022-03.zip"
    path.write_bytes(content)
    (batch,) = hmrc.read(RawFile(path, f"hmrc/{path.name}"), context or Context({"GBP": GBP}))
    return batch


def test_a_row_is_a_flow_of_the_united_kingdom_in_pounds_and_by_the_months_rate_in_dollars(tmp_path):
    row = read(tmp_path, ots_zip([ots(Value=1000.4)])).flows.row(0, named=True)
    assert (row["reporter_iso"], row["partner_iso"], row["flow_code"], row["cmd_code"]) == (
        "GBR",
        "KAZ",
        "X",
        "87032319",
    )
    assert (row["reported_value"], row["currency"], row["primary_value_usd"]) == (1000, "GBP", 1250)
    assert (row["net_wgt_g"], row["classification_code"]) == (300_000, "CN2022")


def test_a_number_is_a_code_of_eight_digits_with_its_zeros(tmp_path):
    assert read(tmp_path, ots_zip([ots(CommodityId=1012100)])).flows["cmd_code"].to_list() == ["01012100"]


def test_ports_are_parts_of_a_flow_also_across_pages(tmp_path):
    batch = read(tmp_path, ots_zip([ots(Value=10.3, PortId=1)], [ots(Value=20.4, PortId=2), ots(CountryId=4)]))
    assert batch.flows.select("partner_iso", "reported_value", "net_wgt_g").rows() == [
        ("KAZ", 31, 600_000),
        ("DEU", 1000, 300_000),
    ]
    assert (batch.rows_in, batch.rows_deduplicated) == (3, 1)


def test_a_part_without_weight_leaves_the_weight_unknown(tmp_path):
    batch = read(tmp_path, ots_zip([ots(PortId=1), ots(PortId=2, NetMass=None)]))
    assert batch.flows["net_wgt_g"].to_list() == [None]


def test_flows_with_the_eu_and_with_others_are_imports_and_exports(tmp_path):
    rows = [ots(FlowTypeId=number, CommodityId=87032319 + 0) for number in (1, 2, 3, 4)]
    flows = read(tmp_path, ots_zip(rows)).flows
    assert sorted(flows["flow_code"]) == ["M", "X"]  # the same country stands in both by mistake: parts are added up


def test_sums_of_small_trade_and_suppressed_values_are_no_errors_and_suppressed_goods_are_confidential(tmp_path):
    rows = [
        ots(CommodityId=-990),
        ots(CountryId=4, SuppressionIndex=3),
        ots(CountryId=644, SuppressionIndex=1, Value=None),
    ]
    batch = read(tmp_path, ots_zip(rows))
    assert batch.flows.select("partner_iso", "is_confidential").rows() == [("DEU", True)]
    assert batch.rejected.select("rule", "is_error").rows() == [("not_detailed", False), ("withheld", False)]


def test_qatar_is_a_country_withheld_partners_are_confidential_and_the_union_is_a_group(tmp_path):
    batch = read(tmp_path, ots_zip([ots(CountryId=number) for number in (644, 960, 961, 8)]))
    assert batch.flows.select(pl.col("partner_iso").is_in(["QAT"]), "is_confidential").rows() == [
        (True, False),
        (False, True),
    ]
    assert batch.rejected.select("rule", "is_error").rows() == [("aggregate", False), ("unknown_country", True)]


def test_a_month_without_a_rate_is_refused_with_its_name(tmp_path):
    with pytest.raises(DataRejected, match=r"GBP to USD.*\n.*2022-03"):
        read(tmp_path, ots_zip([ots()]), Context())


@pytest.mark.parametrize(
    "content",
    [ots_zip(), ots_zip([ots()], countries=None), ots_zip([{"MonthId": 202203}]), ots_zip([ots(Value="much")])],
    ids=["no page", "no countries", "no columns", "text for a number"],
)
def test_a_zip_that_is_no_month_of_pages_is_refused(tmp_path, content):
    with pytest.raises(DataRejected, match=r"OTS_2022-03\.zip"):
        read(tmp_path, content)


def test_a_key_with_two_values_is_refused(tmp_path):
    with pytest.raises(DataRejected, match="one row per"):
        read(tmp_path, ots_zip([ots(Value=1.0)], [ots(Value=2.0)]))
