"""The forms a table of one's own comes in, all brought to frames of text columns named by their role."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import RawFile
from anomaly.sources.own_table.faults import ROLES
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.own_table.parquet import parquet_frames
from anomaly.sources.own_table.periods import pattern_of
from anomaly.sources.reading.archives import zip_blocks, zip_members
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.tables import text_csv_batches
from anomaly.sources.reading.text import Text, decoded, read_bytes, refused
from anomaly.sources.reading.workbooks import is_workbook, page_as_csv, sheet_as_csv

PART_ROWS = 500_000  # rows held as text at a time
_ANY_TABLE = re.compile(r"[^/]*\.(csv|tsv|txt)", re.IGNORECASE)


def text_frames(raw: RawFile, mapping: TableMapping) -> Iterator[pl.DataFrame]:
    """A table of one's own, in any form, as frames of text columns named by their role.

    Parameters
    ----------
    raw : RawFile
        CSV, workbook, Parquet, HTML or zip.
    mapping : TableMapping
        Which column has which role; a wide table becomes a long one.

    Yields
    ------
    polars.DataFrame
        `row`, `is_foot` (Boolean), all ROLES (null where the table has no such column, constants filled in) and
        `over:` columns for what the mapping passes over; blanks at the ends are taken off.

    Raises
    ------
    DataRejected
        Where the file is not whole or lacks a column that the mapping names.
    """
    frames = whole_frames(raw, mapping)
    for frame in frames if not mapping.foot_rows else _with_foot(frames, mapping.foot_rows):
        marked = frame if "is_foot" in frame.columns else frame.with_columns(is_foot=pl.lit(value=False))
        for part in _tall(marked, raw, mapping) if mapping.wide else (marked,):
            yield _by_role(part, mapping)


def whole_frames(raw: RawFile, mapping: TableMapping, *, every_column: bool = False) -> Iterator[pl.DataFrame]:
    """The file's columns as text, under their own names.

    Parameters
    ----------
    raw : RawFile
        CSV, workbook, Parquet, HTML or zip.
    mapping : TableMapping
        The columns it names must be there.
    every_column : bool
        Give those as well that it does not name.

    Returns
    -------
    iterator of polars.DataFrame
        `row` (Int64, 1 is the first row of data) and the columns; at most PART_ROWS rows each.

    Raises
    ------
    DataRejected
        Where the file is not whole or lacks a column that the mapping names.
    """
    named = mapping.named()
    if raw.path.suffix.lower() == ".parquet":
        every_column = every_column or bool(mapping.wide)
        return parquet_frames(
            raw.path, raw.name, named, mapping.columns.get("code", ""), PART_ROWS, every_column=every_column
        )
    text, separator = text_of(raw, mapping.encoding, mapping.separator, mapping.sheet)
    columns = () if every_column or mapping.wide else named
    layout = Layout(
        separator=separator, required=named, columns=columns, header_line=mapping.header_row, is_loose=True,
        trailing_separator=True,
    )  # fmt: skip
    return text_csv_batches(text, raw.name, layout, PART_ROWS)


def text_of(raw: RawFile, encoding: str, separator: str, sheet: str) -> tuple[Text, str]:
    """The table as one text: of CSV, a workbook, a page, a zip with one CSV.

    Parameters
    ----------
    raw : RawFile
        Its suffix says the form.
    encoding : str
        What the text of CSV or HTML is written in.
    separator : str
        As the mapping says; a comma, its default, gives way to tabs where the name says tsv.
    sheet : str
        Of a workbook; empty where only one has something in it.

    Returns
    -------
    text : Text
        CSV, whatever the form.
    separator : str
        What separates its cells.

    Raises
    ------
    DataRejected
        Where the file is damaged, is empty, or holds no table or several.
    """
    suffix = raw.path.suffix.lower()
    if suffix == ".zip":
        content = _unzipped(raw)
        separator = "\t" if separator == "," and raw.path.name.lower().endswith(".tsv.zip") else separator
    else:
        content = read_bytes(raw.path, raw.name, raw.limits, gzipped=suffix == ".gz")
    if suffix in (".xlsx", ".xls") and is_workbook(content):
        return Text(sheet_as_csv(raw.path, raw.name, sheet, raw.limits), "utf-8"), ","
    text = decoded(content, raw.name, (encoding,))
    if suffix in (".xls", ".html", ".htm") and text.content.lstrip()[:1] == b"<":
        return Text(page_as_csv(text.content.decode(), raw.name), "utf-8"), ","
    is_tabbed = ".tsv" in raw.path.name.lower() or (suffix == ".xls" and b"\t" in text.content[:4096])
    return text, "\t" if separator == "," and is_tabbed else separator


def _unzipped(raw: RawFile) -> bytes:
    if not zipfile.is_zipfile(raw.path):
        raise refused(raw.name, "a zip archive", "a file that is none")
    members = [member for member in zip_members(raw.path, raw.name, _ANY_TABLE) if not member.startswith(".")]
    if len(members) != 1:
        came = f"{len(members)}: {', '.join(members)[:300]}" if members else "none"
        raise refused(raw.name, "one CSV in the zip", came, hint="unpack it and lay a mapping beside each table")
    return b"".join(zip_blocks(raw.path, raw.name, members[0], raw.limits))


def _with_foot(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The last rows of the file marked as its foot."""
    table = pl.concat(frames)
    yield table.with_columns(is_foot=pl.int_range(pl.len()) >= pl.len() - rows)


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
