"""UN Comtrade: the three formats say the same, nothing is counted twice, and nothing broken gets in."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.sources import comtrade, comtrade_json
from anomaly.sources.base import Batch, Context, RawFile
from tests import REAL_RAW
from tests.sources.comtrade_files import API_ROW, Row, answer, bulk, row, web_export
from tests.trade import codes_of

EXPORT = "TradeData_2_26_2025_14_50_13.csv"


def read(folder: Path, name: str, content: bytes, **about: Any) -> Batch:
    """The one batch of a file with these bytes."""
    path = folder / name
    path.write_bytes(content)
    batches = list(comtrade.read(RawFile(path, f"comtrade/{name}", **about), Context()))
    assert len(batches) == 1
    return batches[0]


def judged(folder: Path, *rows: Row) -> list[tuple[str, bool]]:
    """Rule and is_error of every row taken out of an API answer."""
    batch = read(folder, "answer.json", answer(rows))
    return list(batch.rejected.select("rule", "is_error").iter_rows())


def test_the_three_formats_of_one_trade_are_one_row_of_flows(tmp_path: Path) -> None:
    rows = [row(), row(partnerCode=398, partnerISO="KAZ", partnerDesc="Kazakhstan", primaryValue=7.5)]
    files = {
        EXPORT: web_export(rows),
        "x.json.gz": gzip.compress(answer(rows)),
        "x.json": answer(rows),
        "x.txt.gz": bulk(rows),
    }
    frames = [read(tmp_path, name, content, dataset="d", vintage="v").flows for name, content in files.items()]
    assert frames[0].rows(named=True)[0] == {
        "source": "comtrade",
        "dataset": "d",
        "freq_code": "A",
        "ref_date": date(2022, 1, 1),
        "reporter_iso": "ARM",
        "partner_iso": "RUS",
        "flow_code": "X",
        "classification_code": "H6",
        "cmd_code": "870323",
        "vintage": "v",
        "primary_value_usd": 1000,
        "reported_value": 1000,
        "currency": "USD",
        "net_wgt_g": 1_200_500,
        "is_net_wgt_estimated": False,
        "is_confidential": False,
    }
    assert frames[0]["primary_value_usd"].to_list() == [1000, 8]
    for frame in frames[1:]:
        assert frame.equals(frames[0])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_a_web_export_is_read_in_either_of_its_encodings(tmp_path: Path, encoding: str) -> None:
    rows = [row(reporterCode=792, reporterISO="TUR", reporterDesc="Türkiye"), row(reporterCode=384, reporterISO="CIV")]
    assert read(tmp_path, EXPORT, web_export(rows, encoding)).flows["reporter_iso"].to_list() == ["TUR", "CIV"]


def test_a_web_export_of_another_encoding_is_refused(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-32"):
        with pytest.raises(DataRejected, match=EXPORT):
            read(tmp_path, EXPORT, web_export([row()], encoding))


def test_the_vintage_is_told_or_dated_by_the_name_or_by_the_fetching(tmp_path: Path) -> None:
    def vintage(name: str, content: bytes, **about: Any) -> str:
        return str(read(tmp_path, name, content, **about).flows["vintage"][0])

    export = web_export([row()])
    assert vintage(EXPORT, export) == "2025-02-26"
    assert vintage(EXPORT, export, vintage="2025-03") == "2025-03"
    assert vintage("a.json", answer([row()]), fetched_at="2024-12-01T10:00:00Z") == "2024-12-01"
    assert vintage("a.json", answer([row()])) == "undated"


def test_the_dataset_is_told_or_the_name_without_its_endings(tmp_path: Path) -> None:
    packed = gzip.compress(answer([row()]))
    assert read(tmp_path, "KAZ_X_2022.json.gz", packed).flows["dataset"][0] == "KAZ_X_2022"
    assert read(tmp_path, "KAZ_X_2022.json.gz", packed, dataset="hubs").flows["dataset"][0] == "hubs"


def test_months_and_years_begin_on_their_first_day_whatever_the_month_column_says(tmp_path: Path) -> None:
    monthly = row(freqCode="M", period="202207", refMonth=7, refPeriodId=20220701)
    flows = read(tmp_path, "a.json", answer([row(), monthly])).flows
    assert flows["ref_date"].to_list() == [date(2022, 1, 1), date(2022, 7, 1)]
    assert flows["freq_code"].to_list() == ["A", "M"]


@pytest.mark.parametrize(
    ("changes", "rule", "is_error"),
    [
        ({"motCode": 3200}, "breakdown", False),
        ({"customsCode": "C01"}, "breakdown", False),
        ({"partner2Code": 276}, "breakdown", False),
        ({"mosCode": "2"}, "breakdown", False),
        ({"partnerCode": 0, "partnerISO": "W00"}, "aggregate", False),
        ({"partnerCode": 97, "partnerISO": "EUR"}, "aggregate", False),
        ({"reporterCode": 97, "reporterISO": "EUR"}, "aggregate", False),
        ({"cmdCode": "TOTAL"}, "not_six_digits", False),
        ({"cmdCode": "87"}, "not_six_digits", False),
        ({"cmdCode": "8703"}, "not_six_digits", False),
        ({"cmdCode": "9999AA"}, "bad_code", True),
        ({"flowCode": "DX"}, "flow_not_used", False),
        ({"flowCode": "MIP"}, "flow_not_used", False),
        ({"typeCode": "S"}, "services", False),
        ({"classificationCode": "S4"}, "other_classification", False),
        ({"flowCode": "ZZ"}, "unknown_flow", True),
        ({"flowCode": None}, "unknown_flow", True),
        ({"customsCode": "C99"}, "unknown_customs", True),
        ({"motCode": 3250}, "unknown_transport", True),
        ({"motCode": None}, "unknown_transport", True),
        ({"mosCode": "9"}, "unknown_supply", True),
        ({"partner2Code": "x"}, "unknown_country", True),
        ({"partnerCode": 999, "partnerISO": "ZQX"}, "unknown_country", True),
        ({"reporterCode": None, "reporterISO": None}, "unknown_country", True),
        ({"typeCode": "Q"}, "unknown_type", True),
        ({"freqCode": "Q"}, "unknown_frequency", True),
        ({"classificationCode": "CN"}, "unknown_edition", True),
        ({"cmdCode": " "}, "missing_code", True),
        ({"period": "202213", "freqCode": "M"}, "bad_period", True),
        ({"period": "202207"}, "bad_period", True),
        ({"period": "22"}, "bad_period", True),
        ({"primaryValue": None}, "missing", True),
        ({"primaryValue": "about 5"}, "not_a_number", True),
        ({"primaryValue": float("nan")}, "not_a_number", True),
        ({"primaryValue": float("inf")}, "not_a_number", True),
        ({"primaryValue": -1}, "negative", True),
        ({"primaryValue": 2e15}, "absurd", True),
        ({"netWgt": -5}, "negative", True),
    ],
)
def test_a_row_that_is_not_trade_between_two_countries_is_taken_out_by_name(
    tmp_path: Path, changes: Row, rule: str, is_error: bool
) -> None:
    assert judged(tmp_path, row(cmdCode="870324"), row(**changes)) == [(rule, is_error)]


def test_rows_that_are_aggregates_of_the_publisher_are_kept(tmp_path: Path) -> None:
    assert judged(tmp_path, row(isReported=False, isAggregate=True), row(mosCode="-1 ", cmdCode="010121")) == []


def test_a_rejected_row_has_its_place_its_cell_and_its_reason(tmp_path: Path) -> None:
    rows = [row(), row(cmdCode="870324", motCode=1000)]
    batch = read(tmp_path, EXPORT, web_export(rows))
    assert batch.rejected.to_dicts() == [
        {
            "source": "comtrade",
            "raw_file": f"comtrade/{EXPORT}",
            "row": 2,
            "column": "motcode",
            "value": "1000",
            "rule": "breakdown",
            "reason": "part of a total that is a row of its own",
            "is_error": False,
        }
    ]
    assert (batch.rows_in, batch.flows.height, batch.rows_deduplicated) == (2, 1, 0)


def test_a_total_with_its_breakdown_is_counted_once(tmp_path: Path) -> None:
    parts = [row(motCode=mot, primaryValue=value) for mot, value in ((1000, 300.0), (3200, 600.0), (9900, 100.0))]
    parts += [row(customsCode="C01", primaryValue=1000.0), row(partner2Code=276, primaryValue=900.0)]
    batch = read(tmp_path, "a.txt.gz", bulk([*parts, row(primaryValue=1000.0)]))
    assert batch.flows["primary_value_usd"].sum() == 1000
    assert batch.rejected.height == 5


def test_countries_are_told_by_their_number_and_by_the_text_where_there_is_none(tmp_path: Path) -> None:
    iso3_of = {842: "USA", 840: "USA", 251: "FRA", 757: "CHE", 579: "NOR", 699: "IND", 490: "TWN", 158: "TWN"}
    rows = [
        row(reporterCode=code, reporterISO="?", cmdCode=hs6)
        for code, hs6 in zip(iso3_of, codes_of("87", 8), strict=True)
    ]
    rows.append(row(reporterCode=None, reporterISO="S19", cmdCode="870390"))
    rows.append(row(reporterCode="051", reporterISO=None, cmdCode="870380"))
    flows = read(tmp_path, "a.json", answer(rows)).flows
    assert flows["reporter_iso"].to_list() == [*iso3_of.values(), "TWN", "ARM"]


def test_taiwan_told_by_two_codes_is_one_country_with_both_values(tmp_path: Path) -> None:
    rows = [row(partnerCode=490, partnerISO="S19"), row(partnerCode=158, partnerISO="TWN", primaryValue=5.0)]
    batch = read(tmp_path, "a.json", answer(rows))
    assert batch.flows.select("partner_iso", "primary_value_usd", "reported_value").rows() == [("TWN", 1005, 1005)]
    assert batch.rows_deduplicated == 1


def test_areas_not_elsewhere_specified_stay_apart_from_countries(tmp_path: Path) -> None:
    batch = read(tmp_path, "a.json", answer([row(partnerCode=899, partnerISO="_X ")]))
    assert batch.rejected.height == 0
    assert batch.flows["partner_iso"][0] not in ("RUS", "ARM")


def test_a_weight_of_nothing_beside_a_value_is_unknown(tmp_path: Path) -> None:
    rows = [
        row(netWgt=0.0, isNetWgtEstimated=True),
        row(netWgt=None, cmdCode="870324"),
        row(netWgt=0.0, primaryValue=0.0, cmdCode="870331"),
        row(netWgt=0.0004, cmdCode="870332", isNetWgtEstimated=True),
    ]
    flows = read(tmp_path, "a.json", answer(rows)).flows
    assert flows["net_wgt_g"].to_list() == [None, None, 0, 0]
    assert flows["is_net_wgt_estimated"].to_list() == [None, None, False, True]


def test_the_edition_loses_the_blanks_old_rows_carry(tmp_path: Path) -> None:
    flows = read(tmp_path, "a.json", answer([row(classificationCode="H5 ")])).flows
    assert flows["classification_code"].to_list() == ["H5"]


def test_an_exact_repeat_is_folded_and_counted(tmp_path: Path) -> None:
    batch = read(tmp_path, "a.json", answer([row(), row(cmdCode="870324"), row()]))
    assert (batch.rows_in, batch.flows.height, batch.rows_deduplicated) == (3, 2, 1)


@pytest.mark.parametrize("change", [{"primaryValue": 1001.0}, {"netWgt": 7.0}, {"netWgt": None}])
def test_one_key_with_two_answers_is_refused_with_file_rows_and_key(tmp_path: Path, change: Row) -> None:
    with pytest.raises(DataRejected) as caught:
        read(tmp_path, "a.json", answer([row(cmdCode="010121"), row(), row(**change)]))
    for part in ("comtrade/a.json", "rows 2, 3", "1,000", "2022-01-01", "ARM", "RUS", "870323"):
        assert part in str(caught.value)


def test_column_names_are_taken_in_any_case_and_unknown_ones_passed_over(tmp_path: Path) -> None:
    shouted = {key.upper(): value for key, value in row().items()} | {"newIn2027": [1, 2]}
    assert read(tmp_path, "a.json", answer([shouted])).flows.height == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (answer([row()], error="Invalid parameter value"), "Invalid parameter value"),
        (
            answer([], count=-1, error="", errorObject=[{"ErrorMessage": "The field partnerCode is invalid"}]),
            "The field partnerCode is invalid",
        ),
        (answer([row()], count=2), "1 rows"),
        (answer([], data={}), "`data`"),
        (answer([row()], count=None), "`count`"),
        (answer([row()])[:-30], "cut or broken"),
        (answer([row(), "x"]), "row 2"),  # type: ignore[list-item]
        (b'{"statusCode": 403, "message": "Out of call volume quota."}', "Out of call volume quota."),
        (b"<!DOCTYPE html><html><body>Service unavailable</body></html>", "HTML"),
        (b"", "0 bytes"),
        (answer([{key: value for key, value in API_ROW.items() if key != "motCode"}]), "motcode"),
    ],
)
def test_an_answer_that_is_no_answer_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(DataRejected) as caught:
        read(tmp_path, "a.json", data)
    assert says in str(caught.value)
    assert "comtrade/a.json" in str(caught.value)


def test_an_empty_answer_is_a_file_without_rows(tmp_path: Path) -> None:
    batch = read(tmp_path, "a.json", answer([]))
    assert (batch.rows_in, batch.flows.height, batch.rejected.height) == (0, 0, 0)


def test_an_answer_as_long_as_the_limit_is_refused_as_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comtrade_json, "ROW_LIMITS", (3, 5))
    rows = [row(cmdCode=code) for code in codes_of("87", 6)]
    assert read(tmp_path, "a.json", answer(rows[:4])).flows.height == 4
    for cut in (3, 5, 6):
        with pytest.raises(DataRejected, match="cuts an answer"):
            read(tmp_path, "a.json", answer(rows[:cut]))


def test_a_preview_of_five_hundred_rows_is_refused_as_cut(tmp_path: Path) -> None:
    rows = [row(cmdCode=code) for code in codes_of("84", 500)]
    whole = "https://comtradeapi.un.org/data/v1/get/C/A/HS"
    assert read(tmp_path, "a.json", answer(rows), url=whole).flows.height == 500
    for url in ("https://comtradeapi.un.org/public/v1/preview/C/A/HS", None):  # a saved answer does not say its url
        with pytest.raises(DataRejected, match="cuts an answer"):
            read(tmp_path, "a.json", answer(rows), url=url)


def test_a_bulk_file_that_is_cut_or_no_gzip_is_refused(tmp_path: Path) -> None:
    whole = bulk([row(cmdCode=code) for code in codes_of("87", 50)])
    for bad in (whole[:-4], whole[: len(whole) // 2], answer([row()]), b"\x1f\x8b"):
        with pytest.raises(DataRejected, match="gzip"):
            read(tmp_path, "C_A_51.txt.gz", bad)


def test_a_cut_web_export_is_refused_with_the_row(tmp_path: Path) -> None:
    whole = web_export([row(), row(cmdCode="870324")])
    with pytest.raises(DataRejected, match="row 2"):
        read(tmp_path, EXPORT, whole[:-60])


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="column primaryvalue"):
        read(tmp_path, EXPORT, web_export([row()]).replace(b"primaryValue", b"tradeValue"))


def test_files_are_known_by_folder_name_or_first_bytes(tmp_path: Path) -> None:
    files = {"export.csv": web_export([row()]), "a.json": answer([row()]), "b.txt.gz": bulk([row()])}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert comtrade.claims(RawFile(tmp_path / name, f"other/{name}"))
    for name, content in {
        "t.csv": b"a,b\n1,2\n",
        "t.json": b"{}",
        "t.gz": b"\x1f\x8bxx",
        "n.csv": b"\xff\xfe\0",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert not comtrade.claims(RawFile(tmp_path / name, f"other/{name}"))
        assert comtrade.claims(RawFile(tmp_path / name, f"comtrade/{name}"))


# From the published file, and from the sums its README gives.
REAL_EXPORTS_TO_RUSSIA_USD = {
    ("ARM", "870323"): (1_087_497, 127_950_897, 185_702_354),
    ("ARM", "870324"): (2_303_898, 74_946_587, 105_865_608),
    ("KAZ", "870324"): (199_180, 24_587_372, 20_712_823),
    ("KAZ", "847989"): (1_110_148, 17_574_318, 6_713_573),
    ("TUR", "853710"): (9_942_754, 28_974_974, 60_458_870),
    ("DEU", "870323"): (398_192_473, 96_482_641, 24_134_549),
}


def real(name: str) -> Batch:
    path = REAL_RAW / "comtrade" / name
    if not path.is_file():
        pytest.skip("the real files are not here; ANOMALY_REAL_RAW names their folder")
    (batch,) = comtrade.read(RawFile(path, f"comtrade/{name}"), Context())
    return batch


def test_the_real_web_export_gives_the_known_sums_to_the_dollar() -> None:
    batch = real(EXPORT)
    assert (batch.rows_in, batch.flows.height) == (9508, 9508)
    assert batch.flows["vintage"].unique().to_list() == ["2025-02-26"]
    for (reporter, code), values in REAL_EXPORTS_TO_RUSSIA_USD.items():
        of_route = (pl.col("reporter_iso") == reporter) & (pl.col("cmd_code") == code)
        years = batch.flows.filter(of_route, pl.col("ref_date").dt.year().is_between(2021, 2023)).sort("ref_date")
        assert tuple(years["primary_value_usd"]) == values


@pytest.mark.parametrize(
    ("name", "rows"),
    [("partners_X_to_UZB_2017_2024.json.gz", 19_135), ("UZB_M_from_partners_2017_2024.json.gz", 17_313)],
)
def test_the_real_answers_are_read_whole(name: str, rows: int) -> None:
    batch = real(name)
    assert (batch.rows_in, batch.flows.height, batch.rejected.height) == (rows, rows, 0)
