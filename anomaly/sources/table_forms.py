"""The forms a table of one's own comes in, all brought to frames of text columns named by their role."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import RawFile
from anomaly.sources.reading.archives import zip_blocks, zip_members
from anomaly.sources.reading.text import (
    MOST_UNPACKED_BYTES,
    Layout,
    Text,
    decoded,
    read_bytes,
    refused,
    text_csv_batches,
)
from anomaly.sources.reading.workbooks import is_workbook, page_as_csv, sheet_as_csv
from anomaly.sources.table_faults import ROLES
from anomaly.sources.table_mapping import TableMapping
from anomaly.sources.table_periods import pattern_of

PART_ROWS = 500_000  # rows held as text at a time
_ANY_TABLE = re.compile(r"[^/]*\.(csv|tsv|txt)", re.IGNORECASE)


def text_frames(raw: RawFile, mapping: TableMapping) -> Iterator[pl.DataFrame]:
    """The file as frames of stripped text columns: all ROLES, `over:` and `sum:` columns, `row` and `is_foot`.

    Raises DataRejected where the file is not whole or lacks a column that the mapping names.
    """
    frames = whole_frames(raw, mapping)
    for frame in frames if not mapping.foot_rows else _with_foot(frames, mapping.foot_rows):
        marked = frame if "is_foot" in frame.columns else frame.with_columns(is_foot=pl.lit(value=False))
        for part in _tall(marked, raw, mapping) if mapping.wide else (marked,):
            yield _by_role(part, mapping)


def whole_frames(raw: RawFile, mapping: TableMapping, *, every_column: bool = False) -> Iterator[pl.DataFrame]:
    """The file's columns as text, under their own names, and `row`; those the mapping names, or every one."""
    named = mapping.named()
    if raw.path.suffix.lower() == ".parquet":
        return _parquet_frames(raw, mapping, named, every_column=every_column or bool(mapping.wide))
    text, separator = text_of(raw, mapping.encoding, mapping.separator, mapping.sheet)
    columns = () if every_column or mapping.wide else named
    layout = Layout(
        separator=separator, required=named, columns=columns, header_line=mapping.header_row, is_loose=True,
        trailing_separator=True,
    )  # fmt: skip
    return text_csv_batches(text, raw.name, layout, PART_ROWS)


def text_of(raw: RawFile, encoding: str, separator: str, sheet: str) -> tuple[Text, str]:
    """The table as one text, and what separates its cells: of CSV, a workbook, a page, a zip with one CSV."""
    suffix = raw.path.suffix.lower()
    if suffix == ".zip":
        data = _unzipped(raw)
        separator = "\t" if separator == "," and raw.path.name.lower().endswith(".tsv.zip") else separator
    else:
        data = read_bytes(raw.path, raw.name, gzipped=suffix == ".gz")
    if suffix in (".xlsx", ".xls") and is_workbook(data):
        return Text(sheet_as_csv(raw.path, raw.name, sheet), "utf-8"), ","
    text = decoded(data, raw.name, (encoding,))
    if suffix in (".xls", ".html", ".htm") and text.data.lstrip()[:1] == b"<":
        return Text(page_as_csv(text.data.decode(), raw.name), "utf-8"), ","
    is_tabbed = ".tsv" in raw.path.name.lower() or (suffix == ".xls" and b"\t" in text.data[:4096])
    return text, "\t" if separator == "," and is_tabbed else separator


def _unzipped(raw: RawFile) -> bytes:
    if not zipfile.is_zipfile(raw.path):
        raise refused(raw.name, "a zip archive", "a file that is none")
    members = [member for member in zip_members(raw.path, raw.name, _ANY_TABLE) if not member.startswith(".")]
    if len(members) != 1:
        came = f"{len(members)}: {', '.join(members)[:300]}" if members else "none"
        raise refused(raw.name, "one CSV in the zip", came, hint="unpack it and lay a mapping beside each table")
    return b"".join(zip_blocks(raw.path, raw.name, members[0], MOST_UNPACKED_BYTES))


def _parquet_frames(
    raw: RawFile, mapping: TableMapping, named: tuple[str, ...], *, every_column: bool
) -> Iterator[pl.DataFrame]:
    try:
        lazy = pl.scan_parquet(raw.path)
        types = lazy.collect_schema()
        rows = int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise refused(raw.name, "a whole Parquet file", f"{error}"[:200]) from error
    for column in named:
        if column not in types:
            raise refused(raw.name, f"the columns {', '.join(named)}", f"there are {', '.join(types)}", column=column)
    code = mapping.columns["code"]
    if types[code] != pl.String:
        came = f"{types[code]}, whose leading zeros are lost"
        raise refused(raw.name, "commodity codes as text", came, column=code, hint="write the codes as text")
    wanted = [
        name for name, kind in types.items()
        if (every_column or name in named) and not (kind.is_nested() or kind in (pl.Binary, pl.Object))
    ]  # fmt: skip
    for column in named:
        if column not in wanted:
            raise refused(raw.name, "cells of text or numbers", f"{types[column]}", column=column)
    for first in range(0, max(rows, 1), PART_ROWS):
        try:
            part = lazy.select(wanted).slice(first, PART_ROWS).collect()
        except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
            raise refused(raw.name, "a whole Parquet file", f"{error}"[:200]) from error
        numbers = [name for name in wanted if types[name].is_float()]
        # a number that came as one: its point is no mark between thousands
        texts = part.with_columns(pl.all().cast(pl.String)).with_columns(
            pl.col(numbers).str.replace(r"^(-?[0-9]{1,3}\.[0-9]{3})$", "${1}0")
        )
        yield texts.with_row_index("row", offset=first + 1).cast({"row": pl.Int64})


def _with_foot(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The last rows of the file marked as its foot."""
    whole = pl.concat(frames)
    yield whole.with_columns(is_foot=pl.int_range(pl.len()) >= pl.len() - rows)


def _tall(frame: pl.DataFrame, raw: RawFile, mapping: TableMapping) -> Iterator[pl.DataFrame]:
    """A wide table's rows, once for each period in the names of its columns: `period`, `value`, `weight`."""
    columns = {role: _columns_of(frame, text) for role, text in mapping.wide.items()}
    if not columns["value"]:
        came = f"there are {', '.join(frame.columns)[:400]}"
        raise refused(raw.name, f"columns named {mapping.wide['value']}", came, row=0)
    weights = {_parts_of(column, mapping.wide["weight"]): column for column in columns.get("weight", [])}
    for column in columns["value"]:
        weight = weights.get(_parts_of(column, mapping.wide["value"]))
        yield frame.with_columns(
            pl.lit(column).alias("wide:period"),
            pl.col(column).alias("wide:value"),
            (pl.col(weight) if weight else pl.lit(None, dtype=pl.String)).alias("wide:weight"),
        )


def _columns_of(frame: pl.DataFrame, text: str) -> list[str]:
    pattern = pattern_of(text)
    return [column for column in frame.columns if pattern.fullmatch(column)]


def _parts_of(column: str, text: str) -> tuple[tuple[str, str], ...]:
    """The year, month and so on in a column's name."""
    match = pattern_of(text).fullmatch(column)
    return tuple(sorted(match.groupdict().items())) if match else ()


def _by_role(frame: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    columns = dict(mapping.columns)
    columns |= {"period": "wide:period", "value": "wide:value"} if mapping.wide else {}
    if "weight" in mapping.wide:
        columns["weight"] = "wide:weight"
    cells = [
        pl.col(columns[role]).str.strip_chars().alias(role)
        if role in columns
        else pl.lit(mapping.constants.get(role), dtype=pl.String).alias(role)
        for role in ROLES
    ]
    over = [pl.col(column).str.strip_chars().alias(f"over:{column}") for column in mapping.passed_over]
    return frame.select("row", "is_foot", *cells, *over)
