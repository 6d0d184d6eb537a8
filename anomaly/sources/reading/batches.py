"""The end of reading, alike for every source whose rows must be looked at together: each key once, then in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from anomaly.sources.base import FLOW_COLUMNS, Batch
from anomaly.sources.reading.text import refused

AMOUNTS = ("primary_value_usd", "reported_value", "net_wgt_g", "is_net_wgt_estimated")
KEY = ("freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "classification_code", "cmd_code")


def once(kept: pl.DataFrame, key: Sequence[str], value: str, name: str, hint: str) -> pl.DataFrame:
    """Every key once: rows that repeat another exactly are folded into the first of them.

    Parameters
    ----------
    kept : polars.DataFrame
        `row`, the key and AMOUNTS.
    key : sequence of str
        Columns that name a row.
    value : str
        The file's own column of values, for the error.
    name : str
        RawFile.name, for the error.
    hint : str
        What to do about rows that differ.

    Returns
    -------
    polars.DataFrame
        The first row of each key, in their order.

    Raises
    ------
    DataRejected
        Naming file, rows, values and key, where the rows of one key differ: then one of them is a part of the other and
        neither a sum nor a choice would be right.
    """
    if kept.select(key).hash_rows().n_unique() == kept.height:
        return kept
    first_of_each = kept.unique([*key, *AMOUNTS], keep="first", maintain_order=True)
    clash = first_of_each.filter(pl.struct(key).is_duplicated())
    if clash.is_empty():
        return first_of_each
    first = clash.row(0, named=True)
    rows = clash.filter(pl.all_horizontal(pl.col(column).eq_missing(pl.lit(first[column])) for column in key))
    raise refused(
        name,
        "one row per period, reporter, partner, flow, edition and code",
        f"rows {', '.join(str(row) for row in rows['row'])} with values "
        f"{', '.join(f'{amount:,}' for amount in rows['reported_value'])} for the key "
        f"{', '.join(str(first[column]) for column in key)}; {clash.height:,} such rows in all",
        row=first["row"],
        column=value,
        hint=hint,
    )


def added_up(flows: pl.DataFrame) -> pl.DataFrame:
    """Rows of one key added up, in the order of their first.

    For rows that are parts of one whole, such as codes that name one country in two ways (Taiwan is 158 and 490): all
    of them are trade, none holds another.

    Parameters
    ----------
    flows : polars.DataFrame
        KEY and AMOUNTS; other columns are taken from the first row of a key.

    Returns
    -------
    polars.DataFrame
        A row a key; grams are null where those of one of its rows are.
    """
    if flows.select(KEY).hash_rows().n_unique() == flows.height:
        return flows
    sums = (
        pl.col("primary_value_usd").sum(),
        pl.col("reported_value").sum(),
        pl.when(pl.col("net_wgt_g").null_count() == 0).then(pl.col("net_wgt_g").sum()),
        pl.col("is_net_wgt_estimated").any(),
    )
    descriptive = [pl.col(column).first() for column in flows.columns if column not in (*KEY, *AMOUNTS)]
    return flows.group_by(KEY, maintain_order=True).agg(*sums, *descriptive)


def in_batches(flows: pl.DataFrame, rejected: pl.DataFrame, rows_in: int, batch_rows: int) -> Iterator[Batch]:
    """A file's flows in batches of at most some rows of the file.

    Parameters
    ----------
    flows : polars.DataFrame
        FLOW_COLUMNS and `row`, 1 to rows_in.
    rejected : polars.DataFrame
        REJECTED_COLUMNS, among them `row`.
    rows_in : int
        Rows of the whole file; those in neither frame were folded into others.
    batch_rows : int
        Most rows of the file in a batch.

    Yields
    ------
    Batch
        At least one, in the file's order.
    """
    for first in range(0, max(rows_in, 1), batch_rows):
        in_part = pl.col("row").is_between(first + 1, first + batch_rows)
        part_flows, part_rejected = flows.filter(in_part), rejected.filter(in_part)
        part_rows = min(batch_rows, rows_in - first)
        yield Batch(
            flows=part_flows.select(*FLOW_COLUMNS),
            rejected=part_rejected,
            rows_in=part_rows,
            rows_deduplicated=part_rows - part_flows.height - part_rejected.height,
        )
