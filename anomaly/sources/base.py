"""What a source is: one publisher's file format, read into batches of flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from anomaly.sources.reading.limits import Limits


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file as published.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    name : str
        Its path under the raw folder, always with /; errors and tables name the file by it.
    dataset, vintage : str or None
        What an origin.toml says of the release; None where it is silent, then the reader takes them from the file.
    url : str or None
        Where it was fetched; None where nothing says so.
    fetched_at : str or None
        When, ISO 8601; its first ten letters are the day.
    limits : Limits
        How far it may grow when it is unpacked.
    """

    path: Path
    name: str
    dataset: str | None = None
    vintage: str | None = None
    url: str | None = None
    fetched_at: str | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader may need beside its file.

    Parameters
    ----------
    usd_per : dict of str to polars.DataFrame
        Currency → month (Date, its first day), usd_per_unit (Float64): monthly means. USD itself is not in it.
    batch_rows : int
        Most rows a batch may have, so that memory stays flat.
    """

    usd_per: dict[str, pl.DataFrame] = field(default_factory=dict)
    batch_rows: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a file: rows_in = kept + rejected + deduplicated.

    Parameters
    ----------
    flows : polars.DataFrame
        FLOW_COLUMNS: those of schema.Flows but is_current and raw_file, which the ingest job adds.
    rejected : polars.DataFrame
        Columns of schema.Rejected.
    rows_in : int
        Rows of the file that this part stands for.
    rows_deduplicated : int
        Those folded into a row that is kept: repeats, and parts that were added up.
    doubts : polars.DataFrame or None
        Columns of schema.Doubts: what was read, and may not be what it looks like. None where there is none.
    withheld : polars.DataFrame or None
        WITHHELD_COLUMNS: routes and periods whose value the publisher withholds or does not know. None where there is none.
    """

    flows: pl.DataFrame
    rejected: pl.DataFrame
    rows_in: int
    rows_deduplicated: int = 0
    doubts: pl.DataFrame | None = None
    withheld: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher's format.

    Parameters
    ----------
    name : str
        The word in the column `source` of the tables.
    title, publisher, licence, url : str
        For people: what `anomaly sources` lists.
    claims : callable
        RawFile → whether the file looks like this format, from its name and first bytes; never raises.
    read : callable
        RawFile, Context → the file's batches, in the file's order; raises DataRejected naming file, row and column.
    precedence : int
        The lower one wins where two sources have the same route.
    rates : callable or None
        For a source of exchange rates instead of flows: RawFile → currency → frame as in Context.usd_per.
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

WITHHELD_COLUMNS = {  # of schema.Withheld but raw_file, which the ingest job adds
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
    """A row is taken out where `broken` is true.

    Parameters
    ----------
    name : str
        The word in the column `rule` of flows.rejected.
    column : str
        The column at fault, whose cell is shown; empty where it is the row as a whole.
    broken : polars.Expr
        Boolean over the rows; null does not take the row out.
    reason : str or polars.Expr
        A sentence, or an expression that makes one of the row's cells.
    is_error : bool
        False for rows that are right and not read: totals, parts of totals, notes.
    """

    name: str
    column: str
    broken: pl.Expr
    reason: str | pl.Expr
    is_error: bool = True


def split(
    frame: pl.DataFrame, rules: tuple[Rule, ...], source: str, raw_name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide a file's rows into those that are kept and those that break a rule, each by the first it breaks.

    Parameters
    ----------
    frame : polars.DataFrame
        `row` (1 is the first row of data) and the columns that the rules name.
    rules : tuple of Rule
        In the order in which they are asked. One that cannot decide (null) does not take the row out: rules say
        what they mean by null.
    source : str
        The source's name, for flows.rejected.
    raw_name : str
        RawFile.name, for flows.rejected.

    Returns
    -------
    kept : polars.DataFrame
        The rows that break no rule, columns as in `frame`.
    rejected : polars.DataFrame
        REJECTED_COLUMNS, by row; a value is cut to 100 letters.
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
    """A row of flows.doubts, without source and raw_file.

    Parameters
    ----------
    rule : str
        The kind of doubt, as `anomaly sources --doubts` groups them.
    says : str
        What the figures may be instead of what they look like, as a sentence.
    figures : str
        What shows it: counts, spans, the first cells.
    todo : str
        What to do about it.
    **place : str or None
        reporter_iso, partner_iso and cmd_code, where it is of one route.

    Returns
    -------
    dict of str to (str or None)
        Column → cell.
    """
    return {"rule": rule, "says": says, "figures": figures, "todo": todo, **place}


def doubt_rows(doubts: list[dict[str, str | None]], source: str, raw_name: str) -> pl.DataFrame:
    """The doubts of one file as a table.

    Parameters
    ----------
    doubts : list of dict
        As `doubt` makes them; a place that is not said is null.
    source : str
        The source's name.
    raw_name : str
        RawFile.name.

    Returns
    -------
    polars.DataFrame
        DOUBT_COLUMNS, those of schema.Doubts, in the order given.
    """
    rows = [{**dict.fromkeys(DOUBT_COLUMNS), **row, "source": source, "raw_file": raw_name} for row in doubts]
    return pl.DataFrame(rows, schema=DOUBT_COLUMNS)
