"""What every registered source promises, whatever its publisher."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import AnomalyError, DataRejected
from anomaly.contract.schema import Flows, Rejected
from anomaly.sources import SOURCES, find
from anomaly.sources.base import FLOW_COLUMNS, REJECTED_COLUMNS, Batch, Context, RawFile, Source
from tests.sources.comtrade_files import answer, row
from tests.sources.member_files import census_answer, ots, ots_zip
from tests.sources.publishers_files import BILATERAL, KAZAKHSTAN, KYRGYZSTAN, WITS_BULK, page, workbook

MONTHS = [date(year, month, 1) for year in (2021, 2022) for month in range(1, 13)]
RATE = pl.DataFrame({"month": MONTHS, "usd_per_unit": [1.1] * len(MONTHS)})
CONTEXT = Context(usd_per={"EUR": RATE, "GBP": RATE})


def comtrade_sample(folder: Path) -> RawFile:
    rows = [row(), row(cmdCode="870324"), row(motCode=3200), row(flowCode="?"), row()]
    path = folder / "ARM_X_2022.json"
    path.write_bytes(answer(rows))
    return RawFile(path, f"comtrade/{path.name}")


def comext_sample(folder: Path) -> RawFile:
    header = "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE"
    cells: tuple[str, ...] = (
        "AT,KG,87032319,2,VALUE_IN_EUROS,2022-03,1500",
        "AT,KG,87032319,2,QUANTITY_IN_100KG,2022-03,2.5",
    )
    cells += ("AT,QZ,85XXXXXX,2,VALUE_IN_EUROS,2022-03,7", "AT,WORLD,87032319,2,VALUE_IN_EUROS,2022-03,9000")
    lines = [header, *(f"ESTAT:DS-045409(1.0),15/01/23,M,{line}" for line in cells)]
    path = folder / "DS-045409_M_AT_KG.csv.gz"
    path.write_bytes(gzip.compress("".join(f"{line}\r\n" for line in lines).encode()))
    return RawFile(path, f"comext/{path.name}")


def baci_sample(folder: Path) -> RawFile:
    members = {
        "BACI_HS17_Y2022_V202501.csv": "t,i,j,k,v,q\n2022,51,643,870323,1.500,0.3\n2022,516,643,010121,2.25,     NA\n",
        "country_codes_V202501.csv": (
            "country_code,country_name,country_iso2,country_iso3\n"
            "51,Armenia,AM,ARM\n516,Namibia,,NAM\n643,Russian Federation,RU,RUS\n"
        ),
        "product_codes_HS17_V202501.csv": "code,description\n010121,Horses\n870323,Vehicles\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    path = folder / "BACI_HS17_V202501.zip"
    path.write_bytes(packed.getvalue())
    return RawFile(path, f"baci/{path.name}")


def ecb_sample(folder: Path) -> RawFile:
    header = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"
    lines = [
        header,
        *(f"EXR.M.{code}.EUR.SP00.A,M,{code},EUR,SP00,A,2022-0{m},1.1" for code in ("USD", "GBP") for m in (1, 2)),
    ]
    path = folder / "EXR_M_EUR_SP00_A.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return RawFile(path, f"ecb/{path.name}")


def table_sample(folder: Path) -> RawFile:
    toml = 'period = "%Y"\nflow = "X"\nclassification = "H6"\n[columns]\n'
    toml += "".join(f'{name} = "{name}"\n' for name in ("reporter", "partner", "period", "code", "value"))
    (folder / "mine.toml").write_text(toml, encoding="utf-8")
    lines = (
        "reporter,partner,period,code,value",
        "ARM,RUS,2022,870323,1.5",
        "ARM,RUS,2022,TOTAL,7",
        "ARM,?,2022,870323,1",
    )
    path = folder / "mine.csv"
    path.write_text("\n".join((*lines, lines[1])) + "\n", encoding="utf-8")
    return RawFile(path, f"own/{path.name}")


def census_sample(folder: Path) -> RawFile:
    path = folder / "census_exports_hs6_2022-03.json"
    rows = (
        ("870323", "4635", "KYRGYZSTAN", "1500"),
        ("870323", "0003", "EUROPEAN UNION", "9000"),
        ("870323", "9999", "NOWHERE", "1"),
    )
    path.write_bytes(census_answer(*rows, time="2022-03"))
    return RawFile(path, f"census/{path.name}")


def hmrc_sample(folder: Path) -> RawFile:
    rows = [ots(), ots(PortId=2), ots(CommodityId=-990, PortId=-1), ots(CountryId=8)]
    path = folder / "OTS_2022-03.zip"
    path.write_bytes(ots_zip(rows))
    return RawFile(path, f"hmrc/{path.name}")


def wits_sample(folder: Path) -> RawFile:
    path = folder / "DataJobID-1_1_mine.csv"
    path.write_text(WITS_BULK, encoding="utf-8")
    return RawFile(path, f"wits/{path.name}")


def trade_map_sample(folder: Path) -> RawFile:
    path = folder / "Trade_Map_-_Bilateral_trade_between_Kazakhstan_and_Russian_Federation.xls"
    path.write_bytes(page((), BILATERAL))
    return RawFile(path, f"trade_map/{path.name}")


def kazakhstan_sample(folder: Path) -> RawFile:
    path = folder / "trade_2025.xlsx"
    path.write_bytes(workbook({"6 знаков ТН ВЭД": KAZAKHSTAN}))
    return RawFile(path, f"kazakhstan/{path.name}")


def kyrgyzstan_sample(folder: Path) -> RawFile:
    path = folder / "trade_2023.xlsx"
    path.write_bytes(workbook({"таб.3-Импорт (4зн) ": KYRGYZSTAN}))
    return RawFile(path, f"kyrgyzstan/{path.name}")


SAMPLES: dict[str, Callable[[Path], RawFile]] = {
    "comtrade": comtrade_sample,
    "comext": comext_sample,
    "baci": baci_sample,
    "census": census_sample,
    "hmrc": hmrc_sample,
    "ecb": ecb_sample,
    "table": table_sample,
    "wits": wits_sample,
    "trade_map": trade_map_sample,
    "kazakhstan": kazakhstan_sample,
    "kyrgyzstan": kyrgyzstan_sample,
}
WITH_FLOWS = [source for source in SOURCES if source.rates is None]
WITH_RATES = [source for source in SOURCES if source.rates is not None]


def by_name(source: Source) -> str:
    return source.name


def batches(source: Source, raw: RawFile, batch_rows: int = 2_000_000) -> list[Batch]:
    return list(source.read(raw, Context(usd_per=CONTEXT.usd_per, batch_rows=batch_rows)))


def test_the_sources_are_registered_once_in_the_order_in_which_they_are_asked() -> None:
    assert [source.name for source in SOURCES] == [
        "table",
        "comtrade",
        "comext",
        "baci",
        "census",
        "hmrc",
        "ecb",
        "wits",
        "trade_map",
        "kazakhstan",
        "kyrgyzstan",
    ]
    assert len({source.precedence for source in WITH_FLOWS}) == len(WITH_FLOWS)


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_a_source_says_who_publishes_it_and_under_which_licence(source: Source) -> None:
    assert all((source.title, source.publisher, source.licence, source.url))


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_a_source_finds_its_own_file_and_only_its_own(source: Source, tmp_path: Path) -> None:
    raw = SAMPLES[source.name](tmp_path)
    assert find(raw) is source
    assert [claimant.name for claimant in SOURCES if claimant.claims(raw)] == [source.name]


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
@pytest.mark.parametrize("suffix", [".csv", ".json", ".gz", ".7z", ".zip", ".parquet", ".pdf", ""])
def test_claiming_never_raises(source: Source, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"file{suffix}"
    assert source.claims(RawFile(path, path.name)) in (True, False)
    for content in (b"", b"\x1f\x8b", b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"\xff\xfe\x00", b"{", b"a,b\n1,2\n"):
        path.write_bytes(content)
        assert source.claims(RawFile(path, path.name)) in (True, False)


def test_a_file_of_no_source_is_refused_by_name_with_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataRejected) as caught:
        find(RawFile(path, "own/notes.csv"))
    assert "own/notes.csv" in str(caught.value)
    assert all(source.name in str(caught.value) for source in SOURCES)


@pytest.mark.parametrize("source", WITH_FLOWS, ids=by_name)
def test_batches_keep_the_contract_of_flows(source: Source, tmp_path: Path) -> None:
    read = batches(source, SAMPLES[source.name](tmp_path))
    assert sum(batch.flows.height for batch in read) > 0
    for batch in read:
        assert dict(batch.flows.schema) == FLOW_COLUMNS
        assert dict(batch.rejected.schema) == REJECTED_COLUMNS
    flows = pl.concat(batch.flows for batch in read)
    whole = flows.with_columns(is_current=pl.lit(value=True), raw_file=pl.lit("0" * 12))
    Flows.validate(whole)
    Rejected.validate(pl.concat(batch.rejected for batch in read))
    assert flows["source"].unique().to_list() == [source.name]


@pytest.mark.parametrize("source", WITH_FLOWS, ids=by_name)
@pytest.mark.parametrize("batch_rows", [1, 2, 3, 2_000_000])
def test_no_row_disappears_however_small_the_batches(source: Source, batch_rows: int, tmp_path: Path) -> None:
    raw = SAMPLES[source.name](tmp_path)
    read, whole = batches(source, raw, batch_rows), batches(source, raw)
    for batch in read:
        assert batch.rows_in == batch.flows.height + batch.rejected.height + batch.rows_deduplicated
        assert batch.rows_deduplicated >= 0
    assert sum(batch.rows_in for batch in read) == sum(batch.rows_in for batch in whole)
    key = Flows.primary_key()
    flows = pl.concat(batch.flows for batch in read).sort(key)
    assert flows.equals(pl.concat(batch.flows for batch in whole).sort(key))


@pytest.mark.parametrize("source", WITH_FLOWS, ids=by_name)
def test_rejected_rows_name_their_file_and_row(source: Source, tmp_path: Path) -> None:
    raw = SAMPLES[source.name](tmp_path)
    for batch in batches(source, raw):
        assert batch.rejected["raw_file"].is_in([raw.name]).all()
        assert (batch.rejected["row"] >= 1).all()
        assert (batch.rejected["reason"].str.len_chars() > 0).all()


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
@pytest.mark.parametrize("breakage", ["empty", "html", "cut", "nul"])
def test_a_broken_file_is_refused_by_its_name(source: Source, breakage: str, tmp_path: Path) -> None:
    raw = SAMPLES[source.name](tmp_path)
    good = raw.path.read_bytes()
    broken = {
        "empty": b"",
        "html": b"<!DOCTYPE html><html><body>Try again later</body></html>",
        "cut": good[: len(good) - 12],
        "nul": good[:20] + b"\0" + good[20:],
    }
    raw.path.write_bytes(broken[breakage])
    with pytest.raises(AnomalyError) as caught:
        _ = source.rates(raw) if source.rates else batches(source, raw)
    assert caught.value.exit_code == DataRejected.exit_code
    assert raw.name in str(caught.value)


@pytest.mark.parametrize("source", WITH_RATES, ids=by_name)
def test_rates_are_one_finite_number_a_month(source: Source, tmp_path: Path) -> None:
    assert source.rates is not None
    rates = source.rates(SAMPLES[source.name](tmp_path))
    assert rates
    for currency, frame in rates.items():
        assert len(currency) == 3
        assert dict(frame.schema) == {"month": pl.Date, "usd_per_unit": pl.Float64}
        assert frame["month"].is_unique().all()
        assert (frame["usd_per_unit"] > 0).all()
