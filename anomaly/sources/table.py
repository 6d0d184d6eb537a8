"""Any table of a user's own, with a small TOML beside it that says what its columns mean.

docs/sources/table.md shows the TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.own_table.flows import flows_of, judged
from anomaly.sources.own_table.forms import text_frames, whole_frames
from anomaly.sources.own_table.mapping import TableMapping, has_mapping, mapping_of
from anomaly.sources.reading.batches import KEY
from anomaly.sources.reading.text import refused

NAME = "table"


def claims(raw: RawFile) -> bool:
    """Whether a TOML beside the file speaks for it.

    Parameters
    ----------
    raw : RawFile
        Its path; the TOML is not read through here.

    Returns
    -------
    bool
        As own_table.mapping.has_mapping says.
    """
    return has_mapping(raw.path)


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The flows of a table of one's own.

    Parameters
    ----------
    raw : RawFile
        The table; its mapping lies beside it.
    context : Context
        usd_per of the mapping's currency, and batch_rows.

    Yields
    ------
    Batch
        In the file's order; what was set aside and what is in doubt comes with the first.

    Raises
    ------
    SettingsWrong
        For a mapping with faults.
    DataRejected
        Where the file is not whole, lacks a column that the mapping names, or says one key twice, differently.
    """
    mapping = mapping_of(raw)
    rows = judged(text_frames(raw, mapping), raw, mapping, context, NAME)
    if rows.kept.is_empty() and (rows.rejected["rule"] == "bad_period").any():
        _refuse_periods_in_names(raw, mapping)
    yield from flows_of(rows, raw, mapping, context, NAME, lambda repeated: _telling_apart(repeated, raw, mapping))


def _refuse_periods_in_names(raw: RawFile, mapping: TableMapping) -> None:
    """Refuse a wide table that was mapped as a long one, with the key that says so."""
    if mapping.wide:
        return
    names = next(whole_frames(raw, mapping, every_column=True)).columns
    formats: dict[str, list[str]] = {}
    for name in names:
        text = re.sub(r"(?:19|20)[0-9]{2}", "%Y", name.replace("%", ""), count=1)
        text = re.sub(r"(?<=%Y[-_/.M ])(?:0[1-9]|1[0-2])(?![0-9])", "%m", text)
        if "%Y" in text:
            formats.setdefault(text, []).append(name)
    text, columns = max(formats.items(), key=lambda item: len(item[1]), default=("", []))
    if len(columns) > 1:
        came = f"columns {', '.join(columns[:4])}: the periods are in the names of {len(columns)} columns"
        hint = f'say [wide] value = "{text}" in place of columns.period and columns.value'
        raise refused(raw.name, "a column of periods", came, row=0, column=columns[0], hint=hint)


def _telling_apart(repeated: pl.DataFrame, raw: RawFile, mapping: TableMapping) -> tuple[str, list[str]]:
    """The first column of the file, not in the mapping, that differs within the keys of these rows, and its first values.

    Columns of words come before columns of numbers, which differ by chance. Empty where there is none.
    """
    keys = repeated.select("row", *KEY)
    for frame in whole_frames(raw, mapping, every_column=True):
        named = {*mapping.columns.values(), "row", "is_foot"}
        cells = keys.join(frame.with_columns(pl.col("row").cast(keys["row"].dtype)), on="row", how="inner")
        columns = [name for name in frame.columns if name not in named]
        columns.sort(key=lambda name: bool(cells[name].drop_nulls().str.contains(r"^[0-9.,]*$").all()))
        for column in columns:
            if cells.height and cells.group_by(KEY).agg(pl.col(column).n_unique() == pl.len())[column].all():
                values = frame[column].drop_nulls().unique(maintain_order=True).head(12)
                return column, [str(value) for value in values]
    return "", []


SOURCE = Source(
    name=NAME,
    title="a table of your own: CSV, Parquet, xlsx, xls, HTML or zip with a small TOML",
    publisher="you",
    licence="as you know",
    url="docs/sources/table.md",
    claims=claims,
    read=read,
    precedence=5,
)
