"""Text tables are read whole or refused with their place."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.contract.errors import DataRejected
from anomaly.sources.base import split
from anomaly.sources.reading import tables
from anomaly.sources.reading import text as strict
from anomaly.sources.reading.amounts import number_rules, to_int
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.limits import Limits

LAYOUT = Layout()


def read(content: bytes, layout: Layout = LAYOUT, encodings: tuple[str, ...] = ("utf-8",)) -> pl.DataFrame:
    return tables.read_text_csv(strict.decoded(content, "raw/file.csv", encodings), "raw/file.csv", layout)


def test_every_cell_is_text_and_na_stays_na() -> None:
    frame = read(b"code,iso\r\n010121,NA\r\n,null\r\n")
    assert frame.to_dicts() == [
        {"row": 1, "code": "010121", "iso": "NA"},
        {"row": 2, "code": None, "iso": "null"},
    ]


def test_commas_and_line_ends_inside_quotes_belong_to_the_cell() -> None:
    frame = read(b'a,b\n"x, ""y""\nz",1\n2,"3"\n')
    assert frame["a"].to_list() == ['x, "y"\nz', "2"]
    assert frame["row"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty file"),
        (b"\r\n\r\n", "empty file"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b'{"statusCode": 401}', "JSON"),
        (b"a,b\n1,2\n3\n", "row 2, column b"),
        (b"a,b\n1,2\n3,4\n5", "row 3, column b"),
        (b"a,b\n1,2,3\n", "row 1, column after b"),
        (b"a,a\n1,2\n", "the header row (row 0), column a"),
        (b'a,b\n1,"2\n3,4\n', "row 1"),
        (b'a,b\n1,2\n3,"4\n', "quote"),
        (b"a,b\n1,\x00\n", "NUL"),
        (b'a,b\n1,2\nx"y,1\nz"w,2\n3,4\n', "row 2: a stray quote"),
        (b'a,b\n1,2\n3,4\n"x"y,1\n2,3\n', "row 3: a stray quote"),
        (b'a,b\nx",1\n"z,2\n', "row 1: a stray quote"),
        ("a,b\n1,2\n".encode("utf-32"), "NUL"),
        ("a,b\n1,2\n".encode("utf-16-le"), "NUL"),
        ("a,b\n1,2\n3,Türkiye\n".encode("cp1252"), "row 2, column number 2: byte fc"),
        (b"a,b\r1,2\r", "CR alone"),
    ],
)
def test_what_is_not_a_whole_table_is_refused_with_its_place(content: bytes, says: str) -> None:
    with pytest.raises(DataRejected) as caught:
        read(content)
    assert "raw/file.csv" in str(caught.value)
    assert says in str(caught.value)


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(DataRejected, match=r"no column value; there are code, worth"):
        read(b"code,worth\n1,2\n", Layout(required=("code", "value")))


def test_declared_encodings_are_tried_in_order_and_the_one_that_fits_is_told() -> None:
    latin, utf8 = "Côte".encode("cp1252"), b"\xef\xbb\xbf" + "Côte".encode()
    assert strict.decoded(latin, "f", ("utf-8", "cp1252")) == strict.Text("Côte".encode(), "cp1252")
    assert strict.decoded(utf8, "f", ("utf-8", "cp1252")) == strict.Text("Côte".encode(), "utf-8")


def test_one_separator_more_is_taken_only_where_it_is_allowed_and_empty() -> None:
    content = b"a,b\r\n1,2,\r\n3,4,\r\n"
    trailing = Layout(trailing_separator=True)
    assert read(content, trailing).rows() == [(1, "1", "2"), (2, "3", "4")]
    assert read(b"a,b\n1,2\n", trailing).rows() == [(1, "1", "2")]
    for bad, layout in ((content, LAYOUT), (b"a,b\n1,2,\n3,4,5\n", trailing), (b"a,b\n1,2,\n3,4\n", trailing)):
        with pytest.raises(DataRejected, match="row"):
            read(bad, layout)


def test_without_quotes_in_the_format_a_quote_is_a_letter() -> None:
    frame = read(b'a\tb\n5" pipe\t1\n', Layout(separator="\t", quote=None))
    assert frame["a"].to_list() == ['5" pipe']


def test_batches_are_the_table_cut_between_rows() -> None:
    content = b"a,b\n" + b"".join(b'"x\n%d",%d\n' % (number, number) for number in range(10))
    text = strict.Text(content, "utf-8")
    parts = list(tables.text_csv_batches(text, "f", LAYOUT, batch_rows=4))
    assert [part.height for part in parts] == [4, 4, 2]
    assert pl.concat(parts).equals(read(content))


def test_records_longer_than_a_block_are_counted_right(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a,b\n" + b"".join(b'"long, %d\n,",%d\n' % (number, number) for number in range(50))
    whole = read(content)
    monkeypatch.setattr(tables, "_BLOCK_BYTES", 7)
    assert read(content).equals(whole)
    assert whole.height == 50


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert read(b"a,b\n").columns == ["row", "a", "b"]
    assert read(b"a,b").height == 0


def test_gzip_is_known_by_its_bytes_and_taken_whole(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    file = tmp_path / "f.gz"
    file.write_bytes(packed)
    assert strict.read_bytes(file, "f.gz", Limits(), gzipped=True).count(b"\n") == 1001
    cut = bytes([*packed[:-9], packed[-9] ^ 1, *packed[-8:]])
    for bad in (packed[:-5], cut, packed[:12], b'{"error": "quota"}', b""):
        file.write_bytes(bad)
        with pytest.raises(DataRejected, match=r"f\.gz"):
            strict.read_bytes(file, "f.gz", Limits(), gzipped=True)


def test_a_file_that_is_too_large_is_stopped_packed_or_not(tmp_path: Path) -> None:
    for content in (gzip.compress(b"0" * 1001), b"0" * 1001):
        (tmp_path / "f.gz").write_bytes(content)
        with pytest.raises(DataRejected, match="1,000 bytes"):
            strict.read_bytes(tmp_path / "f.gz", "f.gz", Limits(1000))


def test_amounts_round_half_away_from_zero_and_are_null_where_they_are_no_amount() -> None:
    cells = ["0.5", "1.5", "2.5", " 7 ", "1e3", "", None, "x", "NaN", "inf", "-1", "2e15", "1_000", "1,000"]
    amounts = pl.DataFrame({"v": cells}, schema={"v": pl.String}).select(to_int(pl.col("v")))["v"].to_list()
    assert amounts == [1, 2, 3, 7, 1000] + [None] * 9


def test_every_way_an_amount_can_be_wrong_has_its_rule() -> None:
    cells = ["1", "", None, "x", "NaN", "inf", "-1", "2e15", "0"]
    frame = pl.DataFrame({"v": cells}, schema={"v": pl.String}).with_row_index("row", offset=1)
    kept, rejected = split(frame, number_rules("v", needed=True), "test", "f")
    assert kept["v"].to_list() == ["1", "0"]
    rules = ["missing", "missing", "not_a_number", "not_a_number", "not_a_number", "negative", "absurd"]
    assert rejected["rule"].to_list() == rules
    assert rejected["is_error"].all()


CELLS = st.text(st.sampled_from('ab,;"\n\r é=0.'), max_size=6)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), columns=st.integers(2, 4), block=st.sampled_from([5, 64, 2**24]))
def test_what_a_csv_writer_writes_is_read_back_and_refused_with_one_cell_less(
    data: st.DataObject, columns: int, block: int
) -> None:
    rows = data.draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=1, max_size=6))
    names = [f"c{number}" for number in range(columns)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_BLOCK_BYTES", block)
        frame = read(written([names, *rows]))
        assert [[cell or "" for cell in row[1:]] for row in frame.iter_rows()] == rows
        short = data.draw(st.integers(0, len(rows) - 1))
        shortened = [row[:-1] if number == short else row for number, row in enumerate(rows)]
        with pytest.raises(DataRejected, match=f"row {short + 1}"):
            read(written([names, *shortened]))


def written(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()
