"""Parquet that people bring, as frames of text: a flipped bit is an error here, where Polars ends the whole program.

PyArrow reads it, which checks lengths, offsets, checksums where there are any, and every letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.sources.reading.text import refused

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_frames(
    path: Path, name: str, named: tuple[str, ...], code: str, rows: int, *, every_column: bool
) -> Iterator[pl.DataFrame]:
    """The columns of a Parquet file as text.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    name : str
        RawFile.name, for errors.
    named : tuple of str
        Columns that must be there, of text, numbers, dates or truth.
    code : str
        The one of the commodity codes, which must be text; empty where one code stands for the whole table.
    rows : int
        Most of a frame.
    every_column : bool
        Give those as well that are not named.

    Yields
    ------
    polars.DataFrame
        `row` (Int64, 1 is the first) and the columns; at least one frame, perhaps without rows.

    Raises
    ------
    DataRejected
        Where the file is damaged, lacks a column, or has one of another kind.
    """
    import pyarrow as pa  # 0.2 s, and only for Parquet
    from pyarrow import parquet

    damage = (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError)
    with path.open("rb") as stream:
        try:
            file = parquet.ParquetFile(stream, page_checksum_verification=True)
            types = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
            is_once = len(types) == len(file.schema_arrow.names)
        except damage as error:
            raise _damaged(name, error) from error
        if not is_once:
            raise refused(name, "a name per column", f"a name twice: {', '.join(file.schema_arrow.names)}"[:300])
        columns = _columns(types, name, named, code, every_column=every_column)
        batches = file.iter_batches(rows, columns=columns)
        first = 1
        while True:
            try:
                batch = next(batches, None)
                if batch is not None:
                    batch.validate(full=True)
            except damage as error:
                raise _damaged(name, error) from error
            if batch is not None and not batch.num_rows:
                continue
            if batch is None and first > 1:
                return
            yield _as_text(batch, columns, first)
            if batch is None:
                return
            first += batch.num_rows


def _damaged(name: str, error: BaseException) -> Exception:
    return refused(name, "a whole Parquet file", f"{error}"[:200])


def _columns(
    types: dict[str, pa.DataType], name: str, named: tuple[str, ...], code: str, *, every_column: bool
) -> list[str]:
    from pyarrow import types as kinds

    for column in named:
        if column not in types:
            raise refused(name, f"the columns {', '.join(named)}", f"there are {', '.join(types)}"[:400], column=column)
        if not _is_plain(types[column]):
            raise refused(name, "cells of text or numbers", f"{types[column]}"[:200], column=column)
    kind = types.get(code)
    if kind is not None and kinds.is_dictionary(kind):
        kind = kind.value_type
    if kind is not None and not _is_text(kind):
        came = f"{kind}, whose leading zeros are lost"
        raise refused(name, "commodity codes as text", came, column=code, hint="write the codes as text")
    return [column for column, kind in types.items() if (every_column or column in named) and _is_plain(kind)]


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _is_plain(kind: pa.DataType) -> bool:
    """Whether cells of a kind are text, numbers, dates or truth, so that they have one spelling as text."""
    from pyarrow import types as kinds

    if kinds.is_dictionary(kind):
        return _is_text(kind.value_type)
    is_moment = kinds.is_date(kind) or (kinds.is_timestamp(kind) and kind.tz is None)
    is_number = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)
    return bool(_is_text(kind) or is_number or is_moment or kinds.is_boolean(kind) or kinds.is_null(kind))


def _as_text(batch: Any, columns: list[str], first: int) -> pl.DataFrame:
    """A batch as text, numbered from its first row; an empty frame where there is none."""
    import pyarrow as pa

    if batch is None:
        return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)})
    # by place: a schema out of a damaged file may hold what Polars does not survive
    plain = pa.RecordBatch.from_arrays(batch.columns, names=columns)
    frame = pl.DataFrame(pl.from_arrow(plain))
    numbers = [name for name, kind in frame.schema.items() if kind.is_float()]
    # a number that came as one: its point is no mark between thousands
    texts = frame.with_columns(pl.all().cast(pl.String)).with_columns(
        pl.col(numbers).str.replace(r"^(-?[0-9]{1,3}\.[0-9]{3})$", "${1}0")
    )
    return texts.with_row_index("row", offset=first).cast({"row": pl.Int64})
