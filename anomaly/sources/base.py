"""What a source is: one publisher's file format, read into batches of flows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file as published. `path` is where it lies, `name` its path under the raw folder (always with /)."""

    path: Path
    name: str
    dataset: str | None = None
    vintage: str | None = None
    url: str | None = None
    fetched_at: str | None = None

    def sha256(self) -> str:
        """Content hash of the file, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader may need beside its file.

    usd_per      currency → Polars frame (month Date, usd_per_unit Float64), monthly means; USD itself is not in it
    batch_rows   most rows a batch may have, so that memory stays flat
    """

    usd_per: dict[str, pl.DataFrame] = field(default_factory=dict)
    batch_rows: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a file: rows_in = kept + rejected + deduplicated.

    flows      columns of schema.Flows but is_current and raw_file (the ingest job adds them)
    rejected   columns of schema.Rejected
    doubts     columns of schema.Doubts, or None: what was read, and may not be what it looks like
    """

    flows: pl.DataFrame
    rejected: pl.DataFrame
    rows_in: int
    rows_deduplicated: int = 0
    doubts: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher's format.

    claims   does this file look like ours, from its name and first bytes; never raises
    read     the file's batches, in the file's order; raises DataRejected naming file, row and column
    rates    for a source of exchange rates instead of flows: file → currency → frame as in Context.usd_per
    precedence   lower wins where two sources have the same route
    """

    name: str
    title: str
    publisher: str
    licence: str
    url: str
    claims: Callable[[RawFile], bool]
    read: Callable[[RawFile, Context], Iterator[Batch]]
    precedence: int
    rates: Callable[[RawFile], dict[str, pl.DataFrame]] | None = None


REJECTED_COLUMNS = {
    "source": pl.String,
    "raw_file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "rule": pl.String,
    "reason": pl.String,
    "is_error": pl.Boolean,
}

DOUBT_COLUMNS = {
    "source": pl.String,
    "raw_file": pl.String,
    "rule": pl.String,
    "reporter_iso": pl.String,
    "partner_iso": pl.String,
    "cmd_code": pl.String,
    "says": pl.String,
    "figures": pl.String,
    "todo": pl.String,
}

FLOW_COLUMNS = {
    "source": pl.String,
    "dataset": pl.String,
    "freq_code": pl.String,
    "ref_date": pl.Date,
    "reporter_iso": pl.String,
    "partner_iso": pl.String,
    "flow_code": pl.String,
    "classification_code": pl.String,
    "cmd_code": pl.String,
    "vintage": pl.String,
    "primary_value_usd": pl.Int64,
    "reported_value": pl.Int64,
    "currency": pl.String,
    "net_wgt_g": pl.Int64,
    "is_net_wgt_estimated": pl.Boolean,
    "is_confidential": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A row is taken out where `broken` is true. `column` and `is_error` go into flows.rejected.

    `reason` is a sentence, or an expression that makes one of the row's cells.
    """

    name: str
    column: str
    broken: pl.Expr
    reason: str | pl.Expr
    is_error: bool = True


def split(
    frame: pl.DataFrame, rules: tuple[Rule, ...], source: str, raw_name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide rows by the first rule they break: (kept, rejected).

    `frame` has a column `row` (1 = first row of data) and the columns the rules name. A rule that
    cannot decide (null) does not take the row out: rules say what they mean by null.
    """
    number = pl.coalesce(
        *[pl.when(rule.broken).then(pl.lit(index, dtype=pl.Int16)) for index, rule in enumerate(rules)],
        pl.lit(-1, dtype=pl.Int16),
    )
    marked = frame.with_columns(number.alias("_rule"))
    kept = marked.filter(pl.col("_rule") == -1).drop("_rule")
    parts = [pl.DataFrame(schema=REJECTED_COLUMNS)]
    for index, rule in enumerate(rules):
        broken = marked.filter(pl.col("_rule") == index)
        if broken.height:
            value = (
                pl.col(rule.column).cast(pl.String).str.slice(0, 100) if rule.column else pl.lit(None, dtype=pl.String)
            )
            parts.append(
                broken.select(
                    source=pl.lit(source),
                    raw_file=pl.lit(raw_name),
                    row=pl.col("row").cast(pl.Int64),
                    column=pl.lit(rule.column),
                    value=value,
                    rule=pl.lit(rule.name),
                    reason=pl.lit(rule.reason) if isinstance(rule.reason, str) else rule.reason,
                    is_error=pl.lit(rule.is_error),
                )
            )
    return kept, pl.concat(parts).sort("row")


def doubt(rule: str, says: str, figures: str, todo: str, **place: str | None) -> dict[str, str | None]:
    """A row of flows.doubts, without source and raw_file; `place` is reporter_iso, partner_iso and cmd_code."""
    return {"rule": rule, "says": says, "figures": figures, "todo": todo, **place}


def doubt_rows(doubts: list[dict[str, str | None]], source: str, raw_name: str) -> pl.DataFrame:
    """Columns of schema.Doubts, of what `doubt` made for one file."""
    rows = [{**dict.fromkeys(DOUBT_COLUMNS), **row, "source": source, "raw_file": raw_name} for row in doubts]
    return pl.DataFrame(rows, schema=DOUBT_COLUMNS)
