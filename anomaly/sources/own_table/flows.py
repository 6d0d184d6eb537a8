"""Rows of text with a role each, of any form, as the flows of one file: judged one by one, then held against each other.

A table of one's own brings its mapping as a TOML; a publisher's workbook or export whose layout is known brings one that
its reader made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from anomaly.contract.errors import DataRejected
from anomaly.sources.base import FLOW_COLUMNS, WITHHELD_COLUMNS, Batch, Context, RawFile, Rule, doubt, doubt_rows, split
from anomaly.sources.own_table.cells import frequency_of, with_meaning
from anomaly.sources.own_table.doubts import of_cells, of_end, of_hidden, of_mapping, of_periods, of_rows
from anomaly.sources.own_table.hidden import hidden_routes, not_whole, without_figure
from anomaly.sources.own_table.mapping import TableMapping, stem
from anomaly.sources.own_table.periods import month_of
from anomaly.sources.own_table.rules import rules
from anomaly.sources.own_table.sums import (
    gaps,
    levels,
    not_reported,
    periods_of_sums,
    with_editions,
    with_reexports,
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
TellApart = Callable[[pl.DataFrame], tuple[str, list[str]]]  # repeated rows → the column that tells them apart, values


@dataclass(frozen=True, slots=True)
class Judged:
    """The rows of a file, each judged by itself.

    Parameters
    ----------
    kept : polars.DataFrame
        Those that broke no rule, with their meaning.
    rejected : polars.DataFrame
        REJECTED_COLUMNS; columns are roles.
    hidden : polars.DataFrame
        hidden.HIDDEN of rows whose value is withheld or not known, and that are right otherwise.
    rows_in : int
        How many there are.
    """

    kept: pl.DataFrame
    rejected: pl.DataFrame
    hidden: pl.DataFrame
    rows_in: int


def judged(parts: Iterable[pl.DataFrame], raw: RawFile, mapping: TableMapping, context: Context, source: str) -> Judged:
    """The rows that are right one by one, those that are not, and how many there are.

    Parameters
    ----------
    parts : iterable of polars.DataFrame
        Text columns named by their role, `row` and `is_foot`, as own_table.forms.text_frames gives them.
    raw : RawFile
        Its name, for errors.
    mapping : TableMapping
        What the cells mean.
    context : Context
        usd_per of the mapping's currency.
    source : str
        The source's name.

    Returns
    -------
    Judged
        In the file's order.

    Raises
    ------
    DataRejected
        Where numbers can be read in two ways.
    """
    marks: dict[str, Marks] = {}
    evidence_of = {"value": Evidence(), "weight": Evidence()}
    kept_parts, rejected_parts, hidden_parts, rows_in = [], [], [], 0
    for part in parts:
        rows_in += part.height
        for role in evidence_of:
            if role not in marks or marks[role] == Marks():
                marks[role] = marks_of(part[role], mapping.decimal, mapping.thousands)
            evidence_of[role] += evidence(part[role])
        meant = with_meaning(part, mapping, marks, context)
        kept, rejected = split(meant, rules(mapping), source, raw.name)
        hidden_parts.append(hidden_routes(meant))
        kept_parts.append(kept.select(_JUDGED))
        rejected_parts.append(rejected)
    if not (mapping.decimal or mapping.thousands):
        for role, shown in evidence_of.items():
            if marks[role] == Marks() and shown.is_open:
                _refuse_open(raw, mapping, role, shown)
    return Judged(pl.concat(kept_parts), pl.concat(rejected_parts), pl.concat(hidden_parts), rows_in)


def flows_of(
    rows: Judged,
    raw: RawFile,
    mapping: TableMapping,
    context: Context,
    source: str,
    telling_apart: TellApart = lambda _: ("", []),
    of_form: Sequence[dict[str, str | None]] = (),
) -> Iterator[Batch]:
    """The flows of a file whose rows were judged one by one: held against each other, each key once.

    Parameters
    ----------
    rows : Judged
        Of the whole file.
    raw : RawFile
        Its dataset and vintage go before the mapping's.
    mapping : TableMapping
        What is added up, and how the periods are meant.
    context : Context
        batch_rows.
    source : str
        The source's name.
    telling_apart : callable
        Which column tells rows of one key apart, for the error; without it none is named.
    of_form : sequence of dict
        Doubts that every file of this form leaves, as base.doubt makes them.

    Yields
    ------
    Batch
        In the file's order; what was set aside and what is in doubt comes with the first.

    Raises
    ------
    DataRejected
        Where one key is said twice, differently.
    """
    doubts = [
        *of_form,
        *of_end(raw.path),
        *of_cells(rows.kept, mapping),
        *of_hidden(rows.hidden),
        *of_mapping(rows.rejected, mapping),
        *of_rows(rows.rows_in),
    ]
    flows, hidden, aside, row_doubts = _together(rows, raw, mapping, source, telling_apart)
    rejected = _in_the_files_words(pl.concat([rows.rejected, *aside]).sort("row", maintain_order=True), mapping)
    doubts += row_doubts + of_periods(flows, mapping, frequency_of(mapping))
    vintage = raw.vintage or mapping.vintage or (raw.fetched_at or "undated")[:10]
    release = {
        "source": pl.lit(source),
        "dataset": pl.lit(raw.dataset or mapping.dataset or stem(raw.path)),
        "vintage": pl.lit(vintage),
    }
    flows = flows.with_columns(**release, currency=pl.lit(mapping.currency)).select(*FLOW_COLUMNS)
    first = Batch(
        flows, rejected, rows.rows_in, 0, doubt_rows(doubts, source, raw.name),
        hidden.with_columns(**release).select(*WITHHELD_COLUMNS),
    )  # fmt: skip
    yield from _batches(first, context.batch_rows)


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
    rows: Judged, raw: RawFile, mapping: TableMapping, source: str, telling_apart: TellApart
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame], Doubts]:
    """Rows held against each other: one row a key, keys without a figure, and what was set aside or is in doubt for it."""
    aside: list[pl.DataFrame] = []

    def sort_out(frame: pl.DataFrame, *row_rules: Rule) -> pl.DataFrame:
        right, out = split(frame, row_rules, source, raw.name)
        aside.append(out)
        return right

    word = mapping.constants.get("classification", "")
    both = pl.concat([rows.kept.with_row_index("_kept"), rows.hidden], how="diagonal")
    both, doubts = with_editions(both, word)
    kept, hidden = both.filter(pl.col("_kept").is_not_null()).drop("_kept"), both.filter(pl.col("_kept").is_null())
    kept = sort_out(kept.with_row_index("_place"), not_reported())
    kept = sort_out(kept, *levels(kept, raw.name))
    kept = sort_out(kept, not_whole(kept, rows.hidden))
    hidden = without_figure(hidden, kept, is_reexport_added=mapping.reexports == "added")
    kept, key_doubts = _row_per_key(kept, raw, mapping, source, telling_apart)
    doubts += key_doubts
    if mapping.reexports == "added":
        kept = with_reexports(kept)
    if mapping.cumulative:
        periods, sum_rules = periods_of_sums(kept, mapping.year_begins)
        kept = sort_out(periods, *sum_rules)
        hidden = pl.concat([hidden, gaps(periods)]).unique(maintain_order=True)
    return kept.sort("row", maintain_order=True), hidden, aside, doubts


def _row_per_key(
    kept: pl.DataFrame, raw: RawFile, mapping: TableMapping, source: str, telling_apart: TellApart
) -> tuple[pl.DataFrame, Doubts]:
    """Parts added up where the mapping says so, or where they are national lines; else each key stands once."""
    if mapping.sum_over:
        return added_up(kept), []
    lines, plain = kept.filter("is_national"), kept.filter(~pl.col("is_national"))
    doubts: Doubts = []
    summed = added_up(lines)
    is_repeated = lines.select(*KEY, "code").is_duplicated()
    if is_repeated.any():
        column, _ = telling_apart(lines.filter(is_repeated))
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
        repeated = plain.filter(pl.struct(KEY).is_duplicated())
        column, values = telling_apart(repeated)
        raise _with_hint(error, column, values, mapping, is_own=source == "table") from error
    table = pl.concat([plain, summed.select(plain.columns)])
    if table.height != kept.select(KEY).n_unique():
        came = f"{table.height:,} of {kept.select(KEY).n_unique():,} keys"
        raise refused(raw.name, "every key of the table once", came, hint="report this as a fault of the reader")
    return table, doubts


def _with_hint(
    error: DataRejected, column: str, values: list[str], mapping: TableMapping, *, is_own: bool
) -> DataRejected:
    """The error of a key that stands twice, with the column that tells its rows apart and what to write for it."""
    hint = "add up the rows of a key before, or map the column that tells them apart"
    if not is_own:
        hint = (
            "the publisher says one flow twice: save it again with one of them, such as gross exports or exports alone"
        )
    if column and values and all(month_of(value, mapping.month_names) for value in values):
        hint = f'the column {column} has months: say columns.month = "{column}"'
    elif column:
        hint = (
            f'the column {column} tells them apart ({", ".join(values[:4])}): say sum_over = ["{column}"] if the rows '
            f'are parts, or [pass_over] "{column}" = […] for those that are totals'
        )
    return DataRejected(error.expected, error.came, hint=hint)


def _batches(whole: Batch, batch_rows: int) -> Iterator[Batch]:
    """A file in batches of at most `batch_rows` flows, at least one; what has no flow comes with the first."""
    flows, rejected = whole.flows, whole.rejected
    for first in range(0, max(flows.height, 1), batch_rows):
        part = flows.slice(first, batch_rows)
        if first:
            yield Batch(part, rejected.clear(), part.height)
        else:
            rows = whole.rows_in - (flows.height - part.height)
            folded = rows - part.height - rejected.height
            yield replace(whole, flows=part, rows_in=rows, rows_deduplicated=folded)


def _in_the_files_words(rejected: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    """Rejected rows with the file's own column names in place of the roles."""
    column = pl.col("column").str.replace(r"^over:", "").str.replace(r"_number$", "").replace(mapping.columns)
    return rejected.with_columns(column=column)
