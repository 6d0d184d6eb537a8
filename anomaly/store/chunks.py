"""Which parts of a table are read: those that may hold a good, or whole goods at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from anomaly.contract.errors import ContractBroken

Between = tuple[str, str]  # first and last of a sort column, both inside

_PART = re.compile(r"part-\d{5}\.parquet")


def parts_of(table: str, files: Mapping[str, str]) -> list[str]:
    """The table's parts among the files of a version.

    Parameters
    ----------
    table : str
        Name of a table or companion.
    files : mapping of str to str
        Path under the version's folder → sha256.

    Returns
    -------
    list of str
        Paths under the version's folder, in order.
    """
    companion = table.partition(".")[2]
    folder = f"{companion}/" if companion else ""
    return sorted(name for name in files if name.startswith(folder) and _PART.fullmatch(name[len(folder) :]))


def overlapping(parts: list[str], ends: Mapping[str, Sequence[Any]], between: Between) -> list[str]:
    """Parts that may have a row between two values of the sort column, at least one.

    Parameters
    ----------
    parts : list of str
        Names of parts, in order; at least one.
    ends : mapping
        Name of a part → its first and last value; a part that is not in it may have a row.
    between : tuple of str
        First and last value wanted, both inside.

    Returns
    -------
    list of str
        Those of `parts`, in order.
    """
    first, last = between
    parts_between = [name for name in parts if name not in ends or (ends[name][0] <= last and first <= ends[name][1])]
    return parts_between or parts[:1]


def of_whole_goods(
    table: str, parts: Sequence[pl.LazyFrame], rows: int, digits: int | None, columns: Sequence[str] | None
) -> Iterator[pl.DataFrame]:
    """Consecutive rows of whole goods, in order; see Store.chunks.

    Parameters
    ----------
    table : str
        Name for messages.
    parts : sequence of polars.LazyFrame
        The table's parts in order, each with a column `good`.
    rows : int
        About how many at a time; a good with more comes alone.
    digits : int or None
        Goods that share so many first characters stay together.
    columns : sequence of str or None
        What of it is read, `good` among them; None is everything.

    Yields
    ------
    polars.DataFrame
        The next rows.

    Raises
    ------
    ContractBroken
        Where the table is not sorted by good.
    """
    goods = _goods_of(parts, digits)
    if not goods["good"].is_sorted():
        raise ContractBroken(f"table {table} sorted by good", "parts that lie out of order")
    for slices in _cut(goods, rows):
        frames = [_slice(parts[part], table, columns, start, length, first) for part, start, length, first in slices]
        yield frames[0] if len(frames) == 1 else pl.concat(frames)


def _goods_of(parts: Sequence[pl.LazyFrame], digits: int | None) -> pl.DataFrame:
    """A row for each part and good in it, in order: part, start, length, good, and `whole`, one for those kept together."""
    counted = [
        lazy.group_by("good").agg(length=pl.len().cast(pl.Int64)).with_columns(part=pl.lit(number, dtype=pl.Int64))
        for number, lazy in enumerate(parts)
    ]
    together = pl.col("good") if digits is None else pl.col("good").str.slice(0, digits)
    start = pl.col("length").cum_sum().over("part") - pl.col("length")
    goods = pl.concat(counted).collect(engine="streaming").sort("part", "good")
    return goods.select("part", "length", "good", start=start, whole=together.rle_id())


def _cut(goods: pl.DataFrame, rows: int) -> Iterator[list[tuple[int, int, int, str]]]:
    """Chunks as (part, start, length, first good) of each part that they lie in."""
    number, filled, chunk = 0, 0, []
    for size in goods.group_by("whole", maintain_order=True).agg(pl.col("length").sum())["length"]:
        number, filled = (number + 1, size) if filled and filled + size > rows else (number, filled + size)
        chunk.append(number)
    slices = goods.group_by(
        pl.Series("chunk", chunk, dtype=pl.Int64).gather(goods["whole"]), "part", maintain_order=True
    ).agg(pl.col("start").first(), pl.col("length").sum(), pl.col("good").first())
    for slices_of_chunk in slices.partition_by("chunk", maintain_order=True):
        yield slices_of_chunk.drop("chunk").rows()


def _slice(
    lazy: pl.LazyFrame, table: str, columns: Sequence[str] | None, start: int, length: int, first: str
) -> pl.DataFrame:
    chunk = (lazy if columns is None else lazy.select(list(columns))).slice(start, length).collect()
    good = chunk["good"]
    if good[0] != first or not good.is_sorted():
        raise ContractBroken(f"table {table} sorted by good", f"{good[0]} where {first} should begin")
    return chunk
