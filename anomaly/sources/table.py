"""Any table of a user's own, with a small TOML beside it that says what its columns mean.

docs/sources/table.md shows the TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.contract.errors import DataRejected
from anomaly.sources.base import FLOW_COLUMNS, Batch, Context, RawFile, Rule, Source, doubt, doubt_rows, split
from anomaly.sources.own_table.cells import is_wide_monthly, with_meaning
from anomaly.sources.own_table.doubts import of_cells, of_end, of_periods, of_rows
from anomaly.sources.own_table.forms import text_frames, whole_frames
from anomaly.sources.own_table.mapping import TableMapping, has_mapping, mapping_of, stem
from anomaly.sources.own_table.periods import is_monthly, is_quarterly, month_of
from anomaly.sources.own_table.rules import rules
from anomaly.sources.own_table.sums import (
    levels,
    months_of_sums,
    not_reported,
    with_editions,
    with_reexports,
    years_of_quarters,
)
from anomaly.sources.reading.batches import AMOUNTS, KEY, added_up, once
from anomaly.sources.reading.numbers import Evidence, Marks, evidence, marks_of
from anomaly.sources.reading.text import refused

_JUDGED = (
    *("row", *(name for name in KEY if name != "classification_code"), *AMOUNTS, "is_confidential"),
    *("period", "partner", "value", "code", "code_level", "classification", "is_restored", "is_national"),
    *("said_edition", "edition_in_force", "fits_said", "fits_in_force"),
)
Doubts = list[dict[str, str | None]]


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
    kept, rejected, rows_in = _judged(raw, mapping, context)
    if kept.is_empty() and (rejected["rule"] == "bad_period").any():
        _refuse_periods_in_names(raw, mapping)
    doubts = of_end(raw.path) + of_cells(kept, rejected, mapping) + of_rows(rows_in)
    flows, aside, row_doubts = _together(kept, raw, mapping)
    rejected = _in_the_files_words(pl.concat([rejected, *aside]).sort("row", maintain_order=True), mapping)
    is_annual = not is_monthly(mapping.period, mapping.columns) and not is_wide_monthly(mapping)
    doubts += row_doubts + of_periods(flows, mapping, is_annual=is_annual)
    vintage = raw.vintage or mapping.vintage or (raw.fetched_at or "undated")[:10]
    flows = flows.with_columns(
        source=pl.lit(SOURCE.name),
        dataset=pl.lit(raw.dataset or mapping.dataset or stem(raw.path)),
        vintage=pl.lit(vintage),
        currency=pl.lit(mapping.currency),
    ).select(*FLOW_COLUMNS)
    yield from _batches(flows, rejected, rows_in, doubt_rows(doubts, SOURCE.name, raw.name), context.batch_rows)


def _judged(raw: RawFile, mapping: TableMapping, context: Context) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The rows that are right one by one, those that are not, and how many there are."""
    marks: dict[str, Marks] = {}
    evidence_of = {"value": Evidence(), "weight": Evidence()}
    kept_parts, rejected_parts, rows_in = [], [], 0
    for part in text_frames(raw, mapping):
        rows_in += part.height
        for role in evidence_of:
            if role not in marks or marks[role] == Marks():
                marks[role] = marks_of(part[role], mapping.decimal, mapping.thousands)
            evidence_of[role] += evidence(part[role])
        kept, rejected = split(with_meaning(part, mapping, marks, context), rules(mapping), SOURCE.name, raw.name)
        kept_parts.append(kept.select(_JUDGED))
        rejected_parts.append(rejected)
    if not (mapping.decimal or mapping.thousands):
        for role, shown in evidence_of.items():
            if marks[role] == Marks() and shown.is_open:
                _refuse_open(raw, mapping, role, shown)
    return pl.concat(kept_parts), pl.concat(rejected_parts), rows_in


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


def _refuse_open(raw: RawFile, mapping: TableMapping, role: str, shown: Evidence) -> None:
    came = (
        f"{shown.example!r}: three digits after every point, in {shown.points:,} cells beside {shown.whole:,} whole numbers; "
        "the point may be the decimal mark or stand between thousands"
    )
    hint = 'say in the mapping [number] thousands = "." (1.033 is 1033) or decimal = "." (it is 1 and 33 thousandths)'
    raise refused(
        raw.name, "numbers that can be read in one way", came, column=mapping.columns.get(role, role), hint=hint
    )


def _together(
    kept: pl.DataFrame, raw: RawFile, mapping: TableMapping
) -> tuple[pl.DataFrame, list[pl.DataFrame], Doubts]:
    """Rows held against each other: one row a key, and what was set aside or is in doubt for it."""
    aside: list[pl.DataFrame] = []

    def sort_out(rows: pl.DataFrame, *row_rules: Rule) -> pl.DataFrame:
        right, out = split(rows, row_rules, SOURCE.name, raw.name)
        aside.append(out)
        return right

    kept, doubts = with_editions(kept, mapping.constants.get("classification", ""))
    kept = sort_out(kept.with_row_index("_place"), not_reported())
    kept = sort_out(kept, *levels(kept, raw.name))
    if is_quarterly(mapping.wide.get("value", mapping.period), mapping.columns):
        if mapping.cumulative:
            raise refused(raw.name, "months that add up from January on", "quarters", hint="take cumulative out")
        kept, rule = years_of_quarters(added_up(kept))
        kept = added_up(sort_out(kept, rule))
    else:
        kept, key_doubts = _row_per_key(kept, raw, mapping)
        doubts += key_doubts
    if mapping.reexports == "added":
        kept = with_reexports(kept)
    if mapping.cumulative:
        kept, sum_rules = months_of_sums(kept)
        kept = sort_out(kept, *sum_rules)
    return kept.sort("row", maintain_order=True), aside, doubts


def _row_per_key(kept: pl.DataFrame, raw: RawFile, mapping: TableMapping) -> tuple[pl.DataFrame, Doubts]:
    """Parts added up where the mapping says so, or where they are national lines; else each key stands once."""
    if mapping.sum_over:
        return added_up(kept), []
    lines, plain = kept.filter("is_national"), kept.filter(~pl.col("is_national"))
    doubts: Doubts = []
    summed = added_up(lines)
    is_repeated = lines.select(*KEY, "code").is_duplicated()
    if is_repeated.any():
        column = _telling_apart(lines.filter(is_repeated), raw, mapping)
        figures = f"{int(is_repeated.sum()):,} rows; {column or 'no other column'} tells them apart"
        doubts.append(
            doubt(
                "lines_added_up",
                "rows of one national line were added up as parts of it",
                figures,
                f'say sum_over = ["{column or "…"}"] if that is right, or pass the totals over',
            )
        )
    try:
        plain = once(plain, KEY, mapping.columns.get("value", "value"), raw.name, "")
    except DataRejected as error:
        raise _with_hint(error, plain, raw, mapping) from error
    table = pl.concat([plain, summed.select(plain.columns)])
    if table.height != kept.select(KEY).n_unique():
        came = f"{table.height:,} of {kept.select(KEY).n_unique():,} keys"
        raise refused(raw.name, "every key of the table once", came, hint="report this as a fault of the reader")
    return table, doubts


def _with_hint(error: DataRejected, rows: pl.DataFrame, raw: RawFile, mapping: TableMapping) -> DataRejected:
    """The error of a key that stands twice, with the column that tells its rows apart and what to write for it."""
    column = _telling_apart(rows.filter(pl.struct(KEY).is_duplicated()), raw, mapping)
    hint = "add up the rows of a key before, or map the column that tells them apart"
    if column:
        values = _values_of(column, raw, mapping)
        if values and all(month_of(value, mapping.month_names) for value in values):
            hint = f'the column {column} has months: say columns.month = "{column}"'
        else:
            hint = (
                f'the column {column} tells them apart ({", ".join(values[:4])}): say sum_over = ["{column}"] if the rows '
                f'are parts, or [pass_over] "{column}" = […] for those that are totals'
            )
    return DataRejected(error.expected, error.came, hint=hint)


def _telling_apart(rows: pl.DataFrame, raw: RawFile, mapping: TableMapping) -> str:
    """The first column of the file, not in the mapping, that differs within the keys of these rows; empty if none.

    Columns of words come before columns of numbers, which differ by chance.
    """
    keys = rows.select("row", *KEY)
    for frame in whole_frames(raw, mapping, every_column=True):
        named = {*mapping.columns.values(), "row", "is_foot"}
        cells = keys.join(frame.with_columns(pl.col("row").cast(keys["row"].dtype)), on="row", how="inner")
        columns = [name for name in frame.columns if name not in named]
        columns.sort(key=lambda name: bool(cells[name].drop_nulls().str.contains(r"^[0-9.,]*$").all()))
        for column in columns:
            if cells.height and cells.group_by(KEY).agg(pl.col(column).n_unique() == pl.len())[column].all():
                return column
    return ""


def _values_of(column: str, raw: RawFile, mapping: TableMapping) -> list[str]:
    frame = next(whole_frames(raw, mapping, every_column=True))
    return [str(value) for value in frame[column].drop_nulls().unique(maintain_order=True).head(12)]


def _batches(
    flows: pl.DataFrame, rejected: pl.DataFrame, rows_in: int, doubts: pl.DataFrame, batch_rows: int
) -> Iterator[Batch]:
    """Batches of at most `batch_rows` flows, at least one; what was set aside comes with the first."""
    for first in range(0, max(flows.height, 1), batch_rows):
        part = flows.slice(first, batch_rows)
        if first:
            yield Batch(part, rejected.clear(), part.height)
        else:
            rows = rows_in - (flows.height - part.height)
            yield Batch(part, rejected, rows, rows - part.height - rejected.height, doubts)


def _in_the_files_words(rejected: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    """Rejected rows with the file's own column names in place of the roles."""
    column = pl.col("column").str.replace(r"^over:", "").str.replace(r"_number$", "").replace(mapping.columns)
    return rejected.with_columns(column=column)


SOURCE = Source(
    name="table",
    title="a table of your own: CSV, Parquet, xlsx, xls, HTML or zip with a small TOML",
    publisher="you",
    licence="as you know",
    url="docs/sources/table.md",
    claims=claims,
    read=read,
    precedence=5,
)
