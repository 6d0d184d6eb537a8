"""BACI: the zip as published, with its traps; fast, flat in memory, and nothing but yearly tables is ever opened."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly.contract.errors import DataRejected
from anomaly.sources import baci
from anomaly.sources.base import Batch, Context, RawFile
from anomaly.sources.reading import archives, lines
from anomaly.sources.reading.limits import Limits

NAME = "BACI_HS17_V202501.zip"
YEAR = "BACI_HS17_Y2022_V202501.csv"
HEADER = "t,i,j,k,v,q"
# the published list's own faults: Namibia's NA is lost, names are UTF-8 read as Latin-1
COUNTRIES = (
    "country_code,country_name,country_iso2,country_iso3\n842,USA,US,USA\n"
    '490,"Other Asia, nes",,S19\n697,"Europe EFTA, nes",,R20\n516,Namibia,,NAM\n'
    "384,CÃ´te d'Ivoire,CI,CIV\n792,TÃ¼rkiye,TR,TUR\n"
)
PRODUCTS = 'code,description\n010121,"Horses: live, pure-bred"\n9999AA,Commodities not specified\n'


def table(*rows: str) -> bytes:
    """A yearly table: LF."""
    return "".join(f"{line}\n" for line in (HEADER, *rows)).encode()


def archive(members: dict[str, bytes]) -> bytes:
    """A zip with the two lists beside the members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(name, content)
        written.writestr("country_codes_V202501.csv", COUNTRIES)
        written.writestr("product_codes_HS17_V202501.csv", PRODUCTS)
    return packed.getvalue()


def read(
    folder: Path, content: bytes, name: str = NAME, batch_rows: int = 2_000_000, limits: Limits | None = None
) -> list[Batch]:
    """The batches of a file with these bytes, each with its rows accounted for."""
    path = folder / name
    path.write_bytes(content)
    raw = RawFile(path, f"baci/{name}", limits=limits or Limits())
    batches = list(baci.read(raw, Context(batch_rows=batch_rows)))
    for batch in batches:
        assert batch.rows_in == batch.flows.height + batch.rejected.height + batch.rows_deduplicated
        assert batch.flows.height <= batch_rows
    return batches


def only_batch(folder: Path, *rows: str) -> Batch:
    """The one batch of a zip with one table of these rows."""
    batches = read(folder, archive({YEAR: table(*rows)}))
    assert len(batches) == 1
    return batches[0]


def test_a_row_is_a_flow_in_whole_dollars_and_grams(tmp_path: Path) -> None:
    flows = only_batch(tmp_path, "2022,276,417,854231,41.207,0.003").flows
    assert flows.row(0, named=True) == {
        "source": "baci",
        "dataset": "BACI_HS17",
        "freq_code": "A",
        "ref_date": date(2022, 1, 1),
        "reporter_iso": "DEU",
        "partner_iso": "KGZ",
        "flow_code": "X",
        "classification_code": "H5",
        "cmd_code": "854231",
        "vintage": "V202501",
        "primary_value_usd": 41_207,
        "reported_value": 41_207,
        "currency": "USD",
        "net_wgt_g": 3_000,
        "is_net_wgt_estimated": None,
        "is_confidential": False,
    }


@pytest.mark.parametrize("weight", ["NA", "           NA", "NA ", "", "0", "   0.000"])
def test_a_weight_that_is_not_known_is_null_however_it_is_padded(weight: str, tmp_path: Path) -> None:
    batch = only_batch(tmp_path, f"2022,842,784,880330,105.9,{weight}", "2022,842,784,880390,      1.5,       2.25")
    assert batch.flows["net_wgt_g"].to_list() == [None, 2_250_000]
    assert batch.flows["primary_value_usd"].to_list() == [105_900, 1_500]


def test_countries_are_known_by_their_number_whatever_the_published_list_lost(tmp_path: Path) -> None:
    numbers = {
        516: "NAM",
        384: "CIV",
        792: "TUR",
        490: "TWN",
        842: "USA",
        251: "FRA",
        757: "CHE",
        579: "NOR",
        699: "IND",
    }
    flows = only_batch(tmp_path, *(f"2022,{number},643,010121,1,1" for number in numbers)).flows
    assert flows["reporter_iso"].to_list() == sorted(numbers.values())


def test_areas_that_are_no_countries_keep_a_code_of_their_own(tmp_path: Path) -> None:
    flows = only_batch(tmp_path, "2022,711,697,010121,1,1").flows
    assert flows.select("reporter_iso", "partner_iso").rows() == [("S11", "R20")]


def test_codes_keep_their_leading_zeros_and_goods_not_specified_their_letters(tmp_path: Path) -> None:
    flows = only_batch(tmp_path, "2022,51,643,9999AA,1,1", "2022,51,643,010121,1,1", "2022,51,643,970600,1,1").flows
    assert flows["cmd_code"].to_list() == ["010121", "970600", "9999AA"]


@pytest.mark.parametrize(
    ("row", "rule", "column", "value", "is_error"),
    [
        ("2021,51,643,010121,1,1", "bad_period", "t", "2021", True),
        (",51,643,010121,1,1", "bad_period", "t", None, True),
        ("2022,999,643,010121,1,1", "unknown_country", "i", "999", True),
        ("2022,51,1234,010121,1,1", "unknown_country", "j", "1234", True),
        ("2022,51,-4,010121,1,1", "unknown_country", "j", "-4", True),
        ("2022,51,RUS,010121,1,1", "unknown_country", "j", "RUS", True),
        ("2022,51,99999999999,010121,1,1", "unknown_country", "j", "99999999999", True),
        ("2022,0,643,010121,1,1", "aggregate", "i", "0", False),
        ("2022,51,97,010121,1,1", "aggregate", "j", "97", False),
        ("2022,51,643,10121,1,1", "bad_code", "k", "10121", True),
        ("2022,51,643,+10121,1,1", "bad_code", "k", "+10121", True),
        ("2022,51,643,-10121,1,1", "bad_code", "k", "-10121", True),
        ("2022,51,643,-00000,1,1", "bad_code", "k", "-00000", True),
        ("2022,51,643,TOTAL,1,1", "bad_code", "k", "TOTAL", True),
        ("2022,51,643,9999ZZ,1,1", "bad_code", "k", "9999ZZ", True),
        ("2022,51,643,010121,NA,1", "not_a_number", "v", "NA", True),
        ("2022,51,643,010121,,1", "not_a_number", "v", None, True),
        ("2022,51,643,010121,inf,1", "not_a_number", "v", "inf", True),
        ("2022,51,643,010121,nan,1", "not_a_number", "v", "nan", True),
        ("2022,51,643,010121,1 000,1", "not_a_number", "v", "1 000", True),
        ("2022,51,643,010121,0,1", "not_positive", "v", "0", True),
        ("2022,51,643,010121,-1,1", "not_positive", "v", "-1", True),
        ("2022,51,643,010121,1e13,1", "absurd", "v", "1e13", True),
        ("2022,51,643,010121,1,many", "not_a_number", "q", "many", True),
        ("2022,51,643,010121,1,nan", "not_a_number", "q", "nan", True),
        ("2022,51,643,010121,1,-1", "negative", "q", "-1", True),
        ("2022,51,643,010121,1,1e12", "absurd", "q", "1e12", True),
    ],
)
def test_a_row_that_cannot_be_is_taken_out_with_its_place_and_its_text(
    row: str, rule: str, column: str, value: str | None, is_error: bool, tmp_path: Path
) -> None:
    batch = only_batch(tmp_path, "2022,51,643,870323,1,1", row, "2022,51,643,870324,1e+05,NA")
    assert batch.flows["primary_value_usd"].to_list() == [1_000, 100_000_000]
    rejected = batch.rejected.row(0, named=True)
    assert (rejected["row"], rejected["rule"], rejected["column"], rejected["value"], rejected["is_error"]) == (
        2,
        rule,
        column,
        value,
        is_error,
    )
    assert rejected["raw_file"] == f"baci/{NAME}"
    assert YEAR in rejected["reason"]


def test_years_are_read_in_order_and_each_batch_is_sorted_by_code_and_route(tmp_path: Path) -> None:
    rows = [f"{{y}},{i},{j},{k},1,1" for i in (842, 51, 276) for j in (643, 398) for k in ("870323", "010121")]
    members = {f"BACI_HS17_Y{y}_V202501.csv": table(*(row.format(y=y) for row in rows)) for y in (2023, 2021, 2022)}
    batches = read(tmp_path, archive(members), batch_rows=5)
    assert [batch.flows["ref_date"][0].year for batch in batches] == [y for y in (2021, 2022, 2023) for _ in range(3)]
    assert [batch.rows_in for batch in batches] == [5, 5, 2] * 3
    for batch in batches:
        assert batch.flows.equals(batch.flows.sort("cmd_code", "reporter_iso", "partner_iso"))


@pytest.mark.parametrize(
    ("name", "classification"),
    [("HS92", "H0"), ("HS96", "H1"), ("HS02", "H2"), ("HS07", "H3"), ("HS12", "H4"), ("HS17", "H5"), ("HS22", "H6")],
)
def test_the_edition_is_in_the_name(name: str, classification: str, tmp_path: Path) -> None:
    content = archive({f"BACI_{name}_Y2023_V202401b.csv": table("2023,51,643,870323,1,1")})
    flows = read(tmp_path, content, f"BACI_{name}_V202401b.zip")[0].flows
    origin = flows.select("classification_code", "dataset", "vintage").row(0)
    assert origin == (classification, f"BACI_{name}", "V202401b")


def test_an_unpacked_table_is_read_as_the_zip_is_and_the_lists_beside_it_hold_no_flows(tmp_path: Path) -> None:
    content = table("2022,51,643,010121,1,1")
    loose = read(tmp_path, content.replace(b"\n", b"\r\n"), YEAR)[0]
    assert loose.flows.equals(only_batch(tmp_path, "2022,51,643,010121,1,1").flows)
    for name, text in (("country_codes_V202501.csv", COUNTRIES), ("product_codes_HS17_V202501.csv", PRODUCTS)):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert baci.claims(RawFile(path, f"baci/{name}"))
        assert [batch.rows_in for batch in read(tmp_path, text.encode(), name)] == [0]


@pytest.mark.parametrize("repeat", ["2022,51,643,010121,1,1", "2022,51,643,010121,2,1"])
@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_a_key_twice_refuses_the_table_even_in_different_batches(repeat: str, batch_rows: int, tmp_path: Path) -> None:
    content = archive({YEAR: table("2022,51,643,010121,1,1", "2022,4,643,010121,1,1", repeat)})
    with pytest.raises(DataRejected, match="010121 from ARM to RUS twice"):
        read(tmp_path, content, batch_rows=batch_rows)


def test_two_releases_or_no_table_in_one_zip_are_refused(tmp_path: Path) -> None:
    rows = table("2022,51,643,010121,1,1")
    with pytest.raises(DataRejected, match="HS17 V202401, HS17 V202501"):
        read(tmp_path, archive({YEAR: rows, "BACI_HS17_Y2021_V202401.csv": rows}))
    with pytest.raises(DataRejected, match="BACI_HS17_Y2022_V202501"):
        read(tmp_path, archive({}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        for value in (1, 2):
            written.writestr(YEAR, table(f"2022,51,643,010121,{value},1"))
    with pytest.raises(DataRejected, match="two members"):
        read(tmp_path, packed.getvalue())


@pytest.mark.parametrize(
    "member",
    [
        f"../{YEAR}",
        f"../../{YEAR}",
        f"/{YEAR}",
        f"a/{YEAR}",
        YEAR.lower(),
        f"{YEAR}/",
        f"{YEAR}\n",
        f"..\\{YEAR}",
        "evil.csv",
    ],
)
def test_members_outside_the_allowed_names_are_never_opened_nor_written(member: str, tmp_path: Path) -> None:
    inside = tmp_path / "raw" / "baci"
    inside.mkdir(parents=True)
    wrong = table("2022,51,643,010121,999,1")
    batches = read(inside, archive({YEAR: table("2022,51,643,010121,1,1"), member: wrong}))
    assert [batch.flows["primary_value_usd"].to_list() for batch in batches] == [[1_000]]
    with pytest.raises(DataRejected):
        read(inside, archive({member: wrong}))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [NAME]


def test_a_bomb_is_stopped_by_the_bytes_that_come_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = table(*["2022,51,643,010121,1,1"] * 50_000)
    packed = archive({YEAR: content})
    assert len(packed) < len(content) / 50
    monkeypatch.setattr(archives, "BLOCK_BYTES", 10_000)
    with pytest.raises(DataRejected, match="at most 100,000 bytes unpacked"):
        read(tmp_path, packed, limits=Limits(100_000))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BLOCK_BYTES", 10_000)
    block_bytes: list[int] = []

    whole = archives.zip_blocks
    monkeypatch.setattr(baci, "zip_blocks", lambda *args: counted_blocks(whole(*args), block_bytes))
    content = table("2022,51,643,010121,1,1") + b"7" * 10_000_000
    with pytest.raises(DataRejected, match="one of more than"):
        read(tmp_path, archive({YEAR: content}))
    assert sum(block_bytes) < lines.LONGEST_LINE_BYTES + 50_000


def counted_blocks(blocks: Iterator[bytes], block_bytes: list[int]) -> Iterator[bytes]:
    """The same blocks, their lengths noted."""
    for block in blocks:
        block_bytes.append(len(block))
        yield block


def test_every_cut_of_an_archive_is_refused(tmp_path: Path) -> None:
    packed = archive({YEAR: table("2022,51,643,010121,1,1")})
    for length in range(0, len(packed), 5):
        with pytest.raises(DataRejected, match=r"BACI_HS17_V202501\.zip"):
            read(tmp_path, packed[:length])


@pytest.mark.slow
@given(place=st.floats(0, 0.999), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_refused_or_changes_nothing(place: float, bit: int, tmp_path: Path) -> None:
    packed = bytearray(archive({YEAR: table("2022,51,643,010121,1,1", "2022,51,643,870323,77,1")}))
    expected = read(tmp_path, bytes(packed))[0].flows
    packed[int(place * len(packed))] ^= 1 << bit
    try:
        batches = read(tmp_path, bytes(packed))
    except DataRejected:
        return
    # names in a zip are not checked by anything: another year makes every row wrong, another edition or release stays
    unnamed = pl.exclude("vintage", "dataset", "classification_code")
    assert batches[0].flows.is_empty() or batches[0].flows.select(unnamed).equals(expected.select(unnamed))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (table("2022,51,643,010121,1,1", "2022,51,643,010121,1"), "row 2, column q"),
        (table("2022,51,643,010121,1,1,9"), "row 1, column after q"),
        (table("2022,51,643,010121,1", "2022,51,643,010122,1,1,1"), "row 1, column q"),
        (table("", "2022,51,643,010121,1,1"), "row 1, column i"),
        (table('2022,51,643,"010121",1,1'), "row 1, column k"),
        (table("2022,51,643,01\x000121,1,1"), "row 1, column k"),
        (table("2022,51,643,Ö10121,1,1"), "row 1, column k"),
        (table("2022,51,643,010121,1,1").replace(b"t,i,j", b"t,i,i"), "column i: this name twice"),
        (table("2022,51,643,010121,1,1").replace(b"k,v,q", b"k,v,w"), "column q"),
        (table("2022,51,643,010121,1,1").decode().encode("utf-16"), "UTF-16"),
        (b"<html></html>", "HTML"),
        (b"", "an empty file"),
    ],
)
def test_a_table_that_is_not_whole_is_refused_with_its_place(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=says):
        read(tmp_path, archive({YEAR: content}))
    with pytest.raises(DataRejected, match=says):
        read(tmp_path, content, YEAR)


CELLS = st.sampled_from(
    ["2022", "51", "643", "276", "010121", "9999AA", "1.5", "NA", "  NA", "", " 7 ", "-3", "x", "1e3"]
)


@pytest.mark.slow
@given(rows=st.lists(st.tuples(*[CELLS] * 6), max_size=12), batch_rows=st.integers(1, 5), block=st.integers(20, 200))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_is_judged_alike_in_whatever_block_and_batch_it_comes(
    rows: list[tuple[str, ...]], batch_rows: int, block: int, tmp_path: Path
) -> None:
    good = [("2022", "51", "643", f"{number:06}", "1", "1") for number in range(4)]
    content = table(*(",".join(row) for row in (*good, *rows)))
    with pytest.MonkeyPatch.context() as patch:
        try:
            whole = read(tmp_path, content, YEAR)
        except DataRejected:
            whole = []
        patch.setattr(archives, "BLOCK_BYTES", block)
        try:
            parts = read(tmp_path, content, YEAR, batch_rows)
        except DataRejected:
            parts = []
    assert bool(whole) == bool(parts)
    if whole:
        key = ["cmd_code", "reporter_iso", "partner_iso"]
        assert sum(batch.rows_in for batch in parts) == len(good) + len(rows)
        assert pl.concat(batch.flows for batch in parts).sort(key).equals(whole[0].flows)
        assert pl.concat(batch.rejected for batch in parts).equals(whole[0].rejected)
