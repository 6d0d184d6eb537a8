"""The US Census Bureau's exports: which rows are trade with a country, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.reference import countries
from anomaly.reference.tables import read as reference_table
from anomaly.sources import census
from anomaly.sources.base import Batch, Context, RawFile
from tests.sources.member_files import NAMES, census_answer


def read(folder: Path, content: bytes) -> Batch:
    path = folder / "census_exports_hs6_2024-01.json"
    path.write_bytes(content)
    (batch,) = census.read(RawFile(path, f"census/{path.name}"), Context())
    return batch


def test_a_row_is_an_export_of_the_united_states_in_dollars_without_a_weight(tmp_path):
    flows = read(tmp_path, census_answer(("854231", "4634", "KAZAKHSTAN", "155905"))).flows
    row = flows.row(0, named=True)
    assert (row["reporter_iso"], row["partner_iso"], row["flow_code"]) == ("USA", "KAZ", "X")
    assert (row["primary_value_usd"], row["net_wgt_g"], row["currency"]) == (155_905, None, "USD")
    assert (row["classification_code"], row["cmd_code"], f"{row['ref_date']}") == ("H6", "854231", "2024-01-01")


@pytest.mark.parametrize("code", ["-", "0003", "0014", "4XXX", "1XXX"])
def test_a_group_of_countries_is_no_country(tmp_path, code):
    batch = read(tmp_path, census_answer(("854231", code, "SOME GROUP", "1"), ("854231", "5700", "CHINA", "2")))
    assert batch.flows["partner_iso"].to_list() == ["CHN"]
    assert batch.rejected.select("rule", "is_error").rows() == [("aggregate", False)]


def test_a_summary_of_countries_under_a_countrys_code_is_a_group(tmp_path):
    assert read(tmp_path, census_answer(("854231", "5700", "CHINA", "2"), level="CGP")).flows.is_empty()


def test_a_code_of_no_country_is_an_error_with_its_place(tmp_path):
    rejected = read(tmp_path, census_answer(("854231", "9998", "ATLANTIS", "1"))).rejected
    assert rejected.select("rule", "value", "row", "is_error").rows() == [("unknown_country", "9998", 1, True)]


def test_a_name_beside_a_code_that_is_another_countrys_refuses_the_file(tmp_path):
    with pytest.raises(DataRejected, match="4635"):
        read(tmp_path, census_answer(("854231", "4635", "TAJIKISTAN", "1")))


def test_a_predicate_that_comes_twice_is_read_by_its_first(tmp_path):
    names = (*NAMES[:4], "E_COMMODITY", "COMM_LVL", "SUMMARY_LVL", "time")
    batch = read(tmp_path, census_answer(("854231", "5700", "CHINA", "2", "999999"), names=names))
    assert batch.flows["cmd_code"].to_list() == ["854231"]


def test_totals_of_codes_and_impossible_values_are_set_aside(tmp_path):
    rows = (("85", "5700", "CHINA", "9"), ("854231", "5800", "KOREA, SOUTH", "-3"), ("854231", "5880", "JAPAN", "1e99"))
    rejected = read(tmp_path, census_answer(*rows)).rejected
    assert rejected.select("rule", "is_error").rows() == [("not_detailed", False), ("negative", True), ("absurd", True)]


def test_a_month_that_had_no_rows_is_read_as_none(tmp_path):
    batch = read(tmp_path, b"[]\n")
    assert (batch.rows_in, batch.flows.height) == (0, 0)


def test_both_codes_of_palestine_are_one_country_and_their_trade_is_added_up(tmp_path):
    rows = (
        ("854231", "5082", "GAZA STRIP ADMINISTERED BY ISRAEL", "1"),
        ("854231", "5083", "WEST BANK ADMINISTERED BY ISRAEL", "2"),
    )
    batch = read(tmp_path, census_answer(*rows))
    assert batch.flows.select("partner_iso", "reported_value").rows() == [("PSE", 3)]
    assert batch.rows_deduplicated == 1


def test_schedule_c_names_countries_that_there_are_each_code_once():
    table = reference_table("schedule_c.csv")
    assert table["code"].is_unique().all()
    assert table["code"].str.contains(r"^[1-9][0-9]{3}$").all()
    kinds = table.join(countries.table(), on="iso3", how="left")["kind"]
    assert set(kinds) == {"country"}
    lacking = set(countries.table().filter(pl.col("kind") == "country")["iso3"]) - set(table["iso3"])
    outlying = {"USA", "PRI", "VIR", "GUM", "ASM", "MNP", "UMI"}  # within the customs territory, or its possessions
    told_with_another = {"ALA", "BES", "BLM", "MAF", "GGY", "JEY", "IMN", "BVT", "SGS", "ATA"}
    assert lacking <= outlying | told_with_another
