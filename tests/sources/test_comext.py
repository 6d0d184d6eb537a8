"""Comext: three layouts, one meaning; quantities joined, procedures summed, secrets kept, aggregates left out."""

from __future__ import annotations

import contextlib
import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly.contract.errors import DataRejected
from anomaly.sources import comext, ecb
from anomaly.sources.base import Context, RawFile
from anomaly.sources.reading.limits import Limits
from tests import REAL_RAW
from tests.sources.comext_files import (
    API_HEADER,
    CONTEXT,
    OLD_HEADER,
    OLD_ROW,
    api,
    api_row,
    bulk,
    bulk_row,
    judged,
    only_batch,
    read,
    read_bulk,
    seven_zip,
    seven_zip_named,
)

# EU27 exports of the goods in the real extract, January to November, whole millions of EUR, from its README
REAL_SUMS_MEUR = {
    "KG": (70.1, 495.0),
    "AM": (179.4, 701.8),
    "KZ": (1646, 3658),
    "GE": (491, 1073),
    "UZ": (550, 985),
    "BY": (2222, 2688),
    "RU": (30448, 12554),
}


def test_value_weight_and_supplementary_unit_of_a_trade_are_one_flow(tmp_path: Path) -> None:
    rows = (
        api_row(value=1000),
        api_row(indicator="QUANTITY_IN_100KG", value="1772.90"),
        api_row(indicator="SUPPLEMENTARY_QUANTITY", value=3),
    )
    batch = only_batch(tmp_path, "a.csv", api(*rows))
    assert (batch.rows_in, batch.rows_deduplicated) == (3, 2)
    assert batch.flows.row(0, named=True) == {
        "source": "comext",
        "dataset": "DS-045409",
        "freq_code": "M",
        "ref_date": date(2022, 7, 1),
        "reporter_iso": "AUT",
        "partner_iso": "KGZ",
        "flow_code": "X",
        "classification_code": "CN2022",
        "cmd_code": "87032319",
        "vintage": "2023-01-13",
        "primary_value_usd": 1020,
        "reported_value": 1000,
        "currency": "EUR",
        "net_wgt_g": 177_290_000,
        "is_net_wgt_estimated": None,
        "is_confidential": False,
    }


def test_a_packed_answer_reads_as_the_plain_one_does(tmp_path: Path) -> None:
    content = api(api_row(), api_row(product="01012100", flow="1"))
    plain, packed = only_batch(tmp_path, "a.csv", content), only_batch(tmp_path, "a.csv.gz", gzip.compress(content))
    assert plain.flows.equals(packed.flows)
    assert plain.flows["cmd_code"].to_list() == ["87032319", "01012100"]
    assert plain.flows["flow_code"].to_list() == ["X", "M"]


@pytest.mark.parametrize("indicator", ["QUANTITY_IN_100KG", "SUPPLEMENTARY_QUANTITY"])
def test_a_quantity_without_its_value_is_set_aside_and_is_no_error(indicator: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(), api_row(partner="KZ", indicator=indicator, value=2)))
    assert batch.flows.height == 1
    assert judged(batch) == [("quantity_without_value", "indicators", indicator, False)]
    assert batch.rejected["row"].to_list() == [2]


def test_a_weight_of_nought_beside_a_value_is_unknown(tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(), api_row(indicator="QUANTITY_IN_100KG", value=0)))
    assert batch.flows["net_wgt_g"].to_list() == [None]


@pytest.mark.parametrize("partner", ["WORLD", "EXT_EU27_2020", "INT_EU27_2020", "EU27_2020", "EXT_EA21", "EXT_EA20"])
def test_the_world_and_groups_are_set_aside_on_either_side(partner: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(), api_row(partner=partner), api_row(reporter=partner)))
    assert batch.flows.height == 1
    assert judged(batch) == [("aggregate", "partner", partner, False), ("aggregate", "reporter", partner, False)]


@pytest.mark.parametrize("code", ["??", "ZZ", "DEU", "Germany", "", "EXT_EU27_2099"])
def test_an_unknown_country_is_an_error_and_never_a_default(code: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(), api_row(partner=code), api_row(reporter=code)))
    assert batch.flows.height == 1
    assert batch.rejected.select("rule", "column", "is_error").rows() == [
        ("unknown_country", "partner", True),
        ("unknown_country", "reporter", True),
    ]


def test_namibia_qatar_kosovo_and_both_spellings_of_greece_are_countries(tmp_path: Path) -> None:
    rows = [api_row(partner=code) for code in ("NA", "QA", "XK", "XS")]
    rows += [api_row(reporter="GR"), api_row(reporter="EL", partner="AM")]
    flows = only_batch(tmp_path, "a.csv", api(*rows)).flows
    assert flows["partner_iso"].to_list() == ["NAM", "QAT", "XKX", "SRB", "KGZ", "ARM"]
    assert flows["reporter_iso"].to_list() == [*["AUT"] * 4, "GRC", "GRC"]
    assert not flows["is_confidential"].any()


def test_withheld_products_and_partners_are_kept_as_published_and_marked(tmp_path: Path) -> None:
    rows = (
        bulk_row(product="85XXXXXX"),
        bulk_row(product="99RRR100"),
        *(bulk_row(partner=code) for code in ("QX", "QY", "QZ")),
        bulk_row(partner="QA"),
        bulk_row(partner="QP"),
    )
    flows = read_bulk(tmp_path, *rows).flows
    assert flows["cmd_code"].to_list() == ["85XXXXXX", "99RRR100", *["85423190"] * 5]
    assert flows["is_confidential"].to_list() == [True] * 5 + [False] * 2
    assert flows["partner_iso"].to_list()[-2:] == ["QAT", "QP0"]


@pytest.mark.parametrize("code", ["87", "8703", "870323", "TOTAL"])
def test_totals_of_more_detailed_codes_are_set_aside(code: str, tmp_path: Path) -> None:
    assert judged(only_batch(tmp_path, "a.csv", api(api_row(product=code)))) == [
        ("not_detailed", "product", code, False)
    ]


@pytest.mark.parametrize("code", ["8703231", "ABCDEFGH", "87-32319", "870323190"])
def test_a_code_that_is_none_is_not_read(code: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(product=code)))
    assert batch.flows.is_empty()
    assert batch.rejected["rule"][0] in ("bad_code", "not_detailed")


def test_six_digits_are_the_detail_of_the_dataset_of_six_digits(tmp_path: Path) -> None:
    about = {"dataflow": "ESTAT:DS-059341(1.0)", "update": "15/09/26 23:00:00"}
    rows = (
        api_row(product="854231", indicator="VALUE_EUR", value=9, **about),
        api_row(product="854231", indicator="QUANTITY_KG", value=4, **about),
        api_row(product="8542", indicator="VALUE_EUR", value=9, **about),
    )
    batch = only_batch(tmp_path, "a.csv", api(*rows))
    assert batch.flows.select("dataset", "vintage", "cmd_code", "reported_value", "net_wgt_g").rows() == [
        ("DS-059341", "2026-09-15", "854231", 9, 4000)
    ]
    assert batch.rejected["rule"].to_list() == ["not_detailed"]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (api_row(flow="3"), "unknown_flow"),
        (api_row(indicator="PRICE"), "unknown_indicator"),
        (api_row(period="2022-13"), "bad_period"),
        (api_row(value=""), "missing"),
        (api_row(value=-1), "negative"),
        (api_row(value="1e16"), "absurd"),
        (api_row(value="5.1e14"), "absurd"),  # over half the limit in USD
        (api_row(value="nan"), "not_a_number"),
        (api_row(value="1 000"), "not_a_number"),
        (api_row(indicator="QUANTITY_IN_100KG", value="inf"), "not_a_number"),
    ],
)
def test_a_cell_without_a_meaning_takes_its_row_out_with_the_rule_by_name(row: str, rule: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api(api_row(partner="AM"), row))
    assert batch.flows.height == 1
    assert batch.rejected.select("row", "rule", "is_error").rows() == [(2, rule, True)]
    assert set(batch.rejected["column"]) <= set(API_HEADER.split(","))


def test_the_largest_amount_that_is_let_in_has_a_value_in_dollars(tmp_path: Path) -> None:
    assert only_batch(tmp_path, "a.csv", api(api_row(value="4.9e14"))).flows["primary_value_usd"].null_count() == 0
    rows = [bulk_row(procedure=digit, value="4.9e13") for digit in range(10)]
    batch = read_bulk(tmp_path, *rows, bulk_row(partner="AM", value="5.1e13"))
    assert batch.flows["reported_value"].to_list() == [490_000_000_000_000]
    assert batch.flows["primary_value_usd"].null_count() == 0
    assert judged(batch)[0][0] == "absurd"


@pytest.mark.parametrize("read_rows", ["api", "bulk"])
def test_a_row_twice_is_one_flow_and_a_key_with_two_values_refuses_the_file(read_rows: str, tmp_path: Path) -> None:
    def batch_of(value: int, repeated_value: int) -> object:
        if read_rows == "api":
            return only_batch(
                tmp_path, "a.csv", api(api_row(value=value), api_row(partner="AM"), api_row(value=repeated_value))
            )
        return read_bulk(tmp_path, bulk_row(value=value), bulk_row(partner="AM"), bulk_row(value=repeated_value))

    batch = batch_of(5, 5)
    assert (batch.flows.height, batch.rows_deduplicated) == (2, 1)  # type: ignore[attr-defined]
    with pytest.raises(DataRejected, match=r"rows 1, 3 with values 5, 6"):
        batch_of(5, 6)


def test_procedures_of_a_trade_are_added_up_before_the_rate_is_applied(tmp_path: Path) -> None:
    rows = (
        bulk_row(procedure=1, value=1001, kg=5),
        bulk_row(procedure=2, value=1002, kg=7),
        bulk_row(procedure=3, value=1, kg=0),
        bulk_row(procedure=9, value=10, kg=0, flow=1),
    )
    batch = read_bulk(tmp_path, *rows)
    assert batch.rows_deduplicated == 2
    assert batch.flows.select("flow_code", "reported_value", "primary_value_usd", "net_wgt_g").rows() == [
        ("X", 2004, 2164, 12_000),
        ("M", 10, 11, None),
    ]
    assert batch.flows["is_net_wgt_estimated"].to_list() == [None, None]
    assert batch.flows["dataset"].to_list() == ["full", "full"]


def test_trade_within_the_eu_and_beyond_are_both_kept(tmp_path: Path) -> None:
    rows = (bulk_row(), bulk_row(partner="FR", trade_type="I"), bulk_row(partner="XI", trade_type="M"))
    batch = read_bulk(tmp_path, *rows)
    assert batch.flows["partner_iso"].to_list() == ["KAZ", "FRA"]
    assert judged(batch) == [("part_of_country", "PARTNER", "XI", False)]


def test_the_layout_before_2002_means_the_same(tmp_path: Path) -> None:
    rows = [
        OLD_ROW.format(product="99RRR100", flow=1, value=2580, kg=600),
        OLD_ROW.format(product="01011010", flow=2, value=10, kg=1),
    ]
    batch = only_batch(tmp_path, "full200101.7z", seven_zip({"full200101.dat": bulk(*rows, header=OLD_HEADER)}))
    assert batch.flows.select(
        "ref_date", "reporter_iso", "partner_iso", "flow_code", "classification_code", "cmd_code", "is_confidential"
    ).rows() == [
        (date(2001, 1, 1), "FRA", "NLD", "M", "CN2001", "99RRR100", True),
        (date(2001, 1, 1), "FRA", "NLD", "X", "CN2001", "01011010", False),
    ]
    assert batch.flows["net_wgt_g"].to_list() == [600_000, 1000]


@pytest.mark.parametrize("name", ["full_v2_202352.7z", "full199952.7z", "full_partxixu_v2_202402.7z"])
def test_a_years_totals_and_the_split_of_gb_are_refused_by_their_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="take it out of data/raw"):
        read(tmp_path, name, seven_zip({"full.dat": bulk(bulk_row())}))


def test_rows_of_a_year_within_a_month_are_set_aside(tmp_path: Path) -> None:
    batch = read_bulk(tmp_path, bulk_row(), bulk_row(period="202452"))
    assert judged(batch) == [("annual_total", "PERIOD", "202452", False)]


def test_a_month_without_a_rate_refuses_the_file_and_says_which_and_what_to_do(tmp_path: Path) -> None:
    rows = (api_row(), api_row(period="2022-09"), api_row(period="2022-12"))
    with pytest.raises(DataRejected) as caught:
        read(tmp_path, "a.csv", api(*rows))
    assert "none for 2022-09, 2022-12" in str(caught.value)
    assert "data/raw/ecb" in str(caught.value)
    with pytest.raises(DataRejected, match="none for 2022-07"):
        read(tmp_path, "a.csv", api(api_row()), Context())


@pytest.mark.parametrize(
    "members",
    [{}, {"a.dat": bulk(bulk_row()), "b.dat": bulk(bulk_row())}],
    ids=["none", "two"],
)
def test_an_archive_has_exactly_one_member(members: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"full_v2_202402\.7z"):
        read(tmp_path, "full_v2_202402.7z", seven_zip(members))


@pytest.mark.parametrize("member", ["../../evil.dat", "/evil.dat", "a/../../evil.dat", "a/b/full.dat"])
def test_a_members_name_is_never_a_path(member: str, tmp_path: Path) -> None:
    inside = tmp_path / "raw" / "comext"
    inside.mkdir(parents=True)
    with contextlib.suppress(DataRejected):
        read(inside, "full_v2_202402.7z", seven_zip_named(member, bulk(bulk_row())))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["full_v2_202402.7z"]
    assert not Path("evil.dat").exists()
    assert not Path("/evil.dat").exists()


def test_a_bomb_is_stopped_by_the_bytes_that_come_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bulk(*[bulk_row()] * 20_000)
    archive = seven_zip({"full_202402.dat": content})
    assert len(archive) < len(content) / 100
    with pytest.raises(DataRejected, match="at most 50,000 bytes unpacked"):
        read(tmp_path, "full_v2_202402.7z", archive, limits=Limits(50_000))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="one of more than"):
        read(tmp_path, "full_v2_202402.7z", seven_zip({"x": bulk(bulk_row()) + b"9" * 200_000}))


def test_every_cut_of_an_archive_is_refused(tmp_path: Path) -> None:
    archive = seven_zip({"full_202402.dat": bulk(*[bulk_row(value=value, procedure=1) for value in (1, 1, 1)])})
    for length in range(0, len(archive), 3):
        with pytest.raises(DataRejected, match=r"full_v2_202402\.7z"):
            read(tmp_path, "full_v2_202402.7z", archive[:length])


@pytest.mark.slow
@given(place=st.floats(0, 0.999), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_refused_or_changes_nothing(place: float, bit: int, tmp_path: Path) -> None:
    archive = bytearray(seven_zip({"full_202402.dat": bulk(bulk_row(), bulk_row(partner="AM", value=77))}))
    expected = only_batch(tmp_path, "full_v2_202402.7z", bytes(archive)).flows
    archive[int(place * len(archive))] ^= 1 << bit
    try:
        flows = only_batch(tmp_path, "full_v2_202402.7z", bytes(archive)).flows
    except DataRejected:
        return
    assert flows.equals(expected)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bulk(bulk_row())[:-4], "columns"),
        (bulk(bulk_row() + ",1"), "after QUANTITY_SUPPL_UNIT"),
        (bulk(bulk_row(), "DE,KZ"), "row 2, column TRADE_TYPE"),
        (bulk(bulk_row(), bulk_row(partner="K\0")), "row 2, column PARTNER"),
        (bulk(bulk_row(product='"8542319')), "row 1, column PRODUCT_NC"),
        (bulk(bulk_row(partner="Ö")), "row 1, column PARTNER"),
        (bulk(bulk_row()).decode().encode("utf-16"), "UTF-16"),
        (bulk(bulk_row()).replace(b"VALUE_EUR", b"VALUE_XXX"), "no VALUE_EUR"),
        (bulk(bulk_row()).replace(b"PARTNER", b"REPORTER"), "this name twice"),
        (b"<html>not now</html>", "HTML"),
        (b"", "empty|0 bytes"),
    ],
)
def test_a_table_that_is_not_whole_is_refused_with_its_place(data: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=says):
        read(tmp_path, "full_202402.dat", data)


def test_a_short_and_a_long_row_do_not_make_up_for_each_other(tmp_path: Path) -> None:
    rows = (bulk_row(), bulk_row(partner="AM").removesuffix(",0"), bulk_row(partner="GE") + ",0")
    with pytest.raises(DataRejected, match="row 2, column QUANTITY_SUPPL_UNIT"):
        read_bulk(tmp_path, *rows)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<?xml version="1.0"?><S:Fault>EXTRACTION_TOO_BIG</S:Fault>', "HTML or XML"),
        (api(api_row()).replace(b"ESTAT:DS-045409(1.0)", b"ESTAT:nama_10(1.0)"), "column DATAFLOW"),
        (api(api_row(), api_row(partner="AM", dataflow="ESTAT:DS-059341(1.0)")), "column DATAFLOW"),
        (api(api_row(update="2023-01-13")), "column LAST UPDATE"),
        (api(api_row(update="31/13/23")), "column LAST UPDATE"),
    ],
)
def test_an_answer_that_is_not_one_dataset_is_refused(data: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=says):
        read(tmp_path, "a.csv", data)


def test_an_answer_without_rows_is_no_flows(tmp_path: Path) -> None:
    batch = only_batch(tmp_path, "a.csv", api())
    assert (batch.rows_in, batch.flows.height, batch.rejected.height) == (0, 0, 0)


def test_a_bulk_file_is_read_alike_in_small_batches_and_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [bulk_row(partner=partner, procedure=p) for partner in ("KZ", "??", "AM", "GE", "UZ") for p in (1, 2)]
    archive = seven_zip({"x": bulk(*rows)})
    whole = read(tmp_path, "full_v2_202402.7z", archive)
    monkeypatch.setattr("anomaly.sources.reading.archives.BLOCK_BYTES", 100)
    small = read(tmp_path, "full_v2_202402.7z", archive, Context(usd_per=CONTEXT.usd_per, batch_rows=3))
    assert len(small) == 4
    for part in ("flows", "rejected"):
        assert pl.concat(getattr(batch, part) for batch in small).equals(getattr(whole[0], part))
    assert whole[0].rejected["row"].to_list() == [3, 4]


@pytest.mark.slow  # real data
@pytest.mark.parametrize("country", REAL_SUMS_MEUR)
def test_the_real_extract_adds_up_to_its_published_sums(country: str) -> None:
    path = REAL_RAW / "comext" / f"DS-045409_M_EU27_{country}_2020-01_2022-11.csv.gz"
    rates = REAL_RAW / "ecb" / "EXR_M_EUR_SP00_A.csv"
    if not path.exists() or not rates.exists():
        pytest.skip("the real files are not here; ANOMALY_REAL_RAW names their folder")
    context = Context(usd_per=ecb.rates(RawFile(rates, "ecb/rates.csv")))
    batches = list(comext.read(RawFile(path, f"comext/{path.name}"), context))
    flows = pl.concat(batch.flows for batch in batches)
    assert sum(batch.rows_in for batch in batches) == flows.height
    assert flows["dataset"].unique().to_list() == ["DS-045409"]
    assert flows["vintage"].unique().to_list() == ["2023-01-13"]
    eleven_months = flows.filter(pl.col("ref_date").dt.month() <= 11)
    for year, published in zip((2021, 2022), REAL_SUMS_MEUR[country], strict=True):
        of_year = eleven_months.filter(pl.col("ref_date").dt.year() == year)
        assert int(of_year["reported_value"].sum()) / 1e6 == pytest.approx(
            published, abs=0.55 if published > 180 else 0.06
        )
