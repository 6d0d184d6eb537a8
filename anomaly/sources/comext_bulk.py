"""Eurostat's monthly Comext bulk files: one 7z with one plain CSV of all members' trade, in the layout of today or of 2001."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from anomaly.sources.base import FLOW_COLUMNS, Batch, Context, RawFile, Rule, split
from anomaly.sources.comext_rules import (
    KEY,
    MOST_PLAUSIBLE_EUR,
    MOST_PLAUSIBLE_G,
    NAME,
    in_the_files_words,
    rules,
    with_meaning,
)
from anomaly.sources.reading.amounts import number_rules, to_number, whole
from anomaly.sources.reading.archives import file_blocks, temporary_file, unpack_7z
from anomaly.sources.reading.batches import AMOUNTS, added_up, in_batches, once
from anomaly.sources.reading.dollars import in_usd
from anomaly.sources.reading.lines import plain_lines, read_lines
from anomaly.sources.reading.text import lacks_line_end, refused

MOST_PROCEDURES = 10  # rows of one key, by a digit; they are added up
DATASET = "full"  # Eurostat's own word for the files that hold everything
_ANNUAL = re.compile(r"full(_v2)?_?\d{4}52\.(7z|dat)", re.ASCII | re.IGNORECASE)
_PARTS = re.compile(r"full_partxixu.*", re.ASCII | re.IGNORECASE)
_CLASSES = ("trade_type", "procedure")


_SHARED = {"trade_type": "TRADE_TYPE", "product": "PRODUCT_NC", "flow": "FLOW", "period": "PERIOD"}
# the file's column of each role, today and before 2002
LAYOUTS = (
    {
        **_SHARED,
        "reporter": "REPORTER",
        "partner": "PARTNER",
        "procedure": "STAT_PROCEDURE",
        "value": "VALUE_EUR",
        "weight": "QUANTITY_KG",
    },
    {
        **_SHARED,
        "reporter": "DECLARANT_ISO",
        "partner": "PARTNER_ISO",
        "procedure": "STAT_REGIME",
        "value": "VALUE_IN_EUROS",
        "weight": "QUANTITY_IN_KG",
    },
)


def read_bulk(raw: RawFile, context: Context) -> Iterator[Batch]:
    """A month's flows of all members, statistical procedures added up.

    Parameters
    ----------
    raw : RawFile
        A 7z with one table, or that table unpacked (dat).
    context : Context
        usd_per["EUR"] and batch_rows.

    Yields
    ------
    Batch
        In the file's order.

    Raises
    ------
    DataRejected
        As comext.read says; also for a year's totals (YYYY52) and the split of GB into XI and XU.
    """
    _refuse_other_files(raw)
    if raw.path.suffix.lower() != ".7z":
        with raw.path.open("rb") as stream:
            yield from _read_table(file_blocks(stream), raw, context)
        if lacks_line_end(raw.path):
            raise refused(raw.name, "a line end at the end", "none: the file may be cut", hint="fetch the 7z again")
        return
    with temporary_file() as unpacked:
        unpack_7z(raw.path, raw.name, unpacked, raw.limits)
        yield from _read_table(file_blocks(unpacked), raw, context)


def _refuse_other_files(raw: RawFile) -> None:
    expected = "a monthly file such as full_v2_202402.7z"
    if _ANNUAL.fullmatch(raw.path.name):
        hint = "take it out of data/raw: the twelve monthly files hold the same trade"
        raise refused(raw.name, expected, "a year's totals (YYYY52)", hint=hint)
    if _PARTS.fullmatch(raw.path.name):
        hint = "take it out of data/raw: the monthly file holds GB as a whole"
        raise refused(raw.name, expected, "the split of GB into XI and XU", hint=hint)


def _read_table(blocks: Iterator[bytes], raw: RawFile, context: Context) -> Iterator[Batch]:
    kept_parts, rejected_parts, rows_in = [], [], 0
    for lines in plain_lines(blocks, raw.name, ("PRODUCT_NC",)):
        names = _names_of(lines.columns, raw.name)
        text = read_lines(lines, {column: pl.String() for column in names.values()}, raw.name)
        rows_in += text.height
        kept, rejected = split(
            _with_amounts(text.rename({name: role for role, name in names.items()})), _rules(), NAME, raw.name
        )
        kept_parts.append(_compact(kept))
        rejected_parts.append(in_the_files_words(rejected, names))
    kept = pl.concat(kept_parts)
    kept_parts.clear()
    hint = "the file holds a breakdown that its columns do not name; fetch it again"
    flows = added_up(once(kept, (*KEY, *_CLASSES), names["value"], raw.name, hint))
    del kept
    # published weights are rounded; nought beside a value is a weight that is not known
    is_nothing = (pl.col("net_wgt_g") == 0) & (pl.col("reported_value") > 0)
    flows = in_usd(flows.drop("primary_value_usd"), context, raw.name, "EUR", "period").with_columns(
        net_wgt_g=pl.when(~is_nothing.fill_null(value=False)).then("net_wgt_g"),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
        source=pl.lit(NAME),
        dataset=pl.lit(raw.dataset or DATASET),
        vintage=pl.lit(raw.vintage or (raw.fetched_at or "undated")[:10]),
        currency=pl.lit("EUR"),
    )
    for batch in in_batches(flows, pl.concat(rejected_parts), rows_in, context.batch_rows):
        yield replace(batch, flows=batch.flows.cast(FLOW_COLUMNS))  # type: ignore[arg-type]


def _names_of(columns: tuple[str, ...], name: str) -> dict[str, str]:
    for layout in LAYOUTS:
        if set(layout.values()) <= set(columns):
            return layout
    missing = [column for column in LAYOUTS[0].values() if column not in columns]
    came = f"no {', '.join(missing)}; there are {', '.join(columns)[:400]}"
    raise refused(name, "the columns of a Comext bulk file", came, row=0, column=missing[0])


def _with_amounts(text: pl.DataFrame) -> pl.DataFrame:
    numbers = {f"{column}_number": to_number(pl.col(column)) for column in ("value", "weight")}
    stripped = text.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(**numbers)
    return with_meaning(stripped).with_columns(
        reported_value=whole(pl.col("value_number")),
        net_wgt_g=whole(pl.col("weight_number"), 1000, most=MOST_PLAUSIBLE_G),
    )


def _rules() -> tuple[Rule, ...]:
    is_procedure = pl.col("procedure").str.contains(r"^[0-9]$").fill_null(value=False)
    return (
        *rules(8),
        Rule("unknown_procedure", "procedure", ~is_procedure, "not a statistical procedure, one digit"),
        *number_rules("value", needed=True, most=MOST_PLAUSIBLE_EUR / MOST_PROCEDURES, number=pl.col("value_number")),
        *number_rules("weight", needed=False, most=MOST_PLAUSIBLE_G / 1000, number=pl.col("weight_number")),
    )


def _compact(kept: pl.DataFrame) -> pl.DataFrame:
    """Texts as numbers of a shared list, 4 bytes for 16: a month is 4.9 M rows and all of it is summed at once."""
    nothing = {
        "primary_value_usd": pl.lit(None, dtype=pl.Int64),
        "is_net_wgt_estimated": pl.lit(None, dtype=pl.Boolean),
    }
    rows = kept.with_columns(**nothing).select("row", *KEY, *_CLASSES, *AMOUNTS, "is_confidential")
    return rows.with_columns(pl.col(pl.String).cast(pl.Categorical))
