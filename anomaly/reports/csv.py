"""flags.csv: one row per flag, for a spreadsheet or a script. Text that a spreadsheet could run is defused."""

from __future__ import annotations

import io
from collections.abc import Callable

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.contract.schema import Flags
from anomaly.reports.amounts import UNKNOWN
from anomaly.reports.base import Findings, Report
from anomaly.reports.words import in_order

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # without it Excel reads UTF-8 as the machine's own code page
BETWEEN = " | "
RUNS_IN_A_SPREADSHEET = r"^[=+\-@\t\r]"


def render(findings: Findings) -> bytes:
    """The flags by priority as CSV, lists joined, names beside the codes.

    Parameters
    ----------
    findings : Findings
        Its flags, goods and countries.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark; the columns of the table flags, then good_name, exporter_name and importer_name.
    """
    table = in_order(findings.flags).select(*[_flat(name) for name in Flags.column_names()], *names(findings))
    return written(table)


def names(findings: Findings) -> list[pl.Expr]:
    """Names for people beside the codes of a route.

    Parameters
    ----------
    findings : Findings
        Its goods and countries.

    Returns
    -------
    list of polars.Expr
        good_name, exporter_name and importer_name over good, exporter_iso and importer_iso.
    """
    return [
        _named("good", findings.goods).alias("good_name"),
        _named("exporter_iso", findings.countries).alias("exporter_name"),
        _named("importer_iso", findings.countries).alias("importer_name"),
    ]


def written(table: pl.DataFrame) -> bytes:
    """A table as CSV that a spreadsheet reads as it is meant.

    Parameters
    ----------
    table : polars.DataFrame
        Without lists.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, texts quoted and defused.
    """
    file = io.BytesIO()
    table.with_columns(defused(pl.col(pl.String))).write_csv(file, quote_style="non_numeric", line_terminator="\n")
    return BYTE_ORDER_MARK + file.getvalue()


def defused(text: pl.Expr) -> pl.Expr:
    """Text with an apostrophe before it where its first character would make a spreadsheet run it.

    Parameters
    ----------
    text : polars.Expr
        String columns.

    Returns
    -------
    polars.Expr
        String, under the same names.

    Examples
    --------
    >>> pl.DataFrame({"name": ["=1+1", "1+1"]}).select(defused(pl.col("name")))["name"].to_list()
    ["'=1+1", '1+1']
    """
    return pl.when(text.str.contains(RUNS_IN_A_SPREADSHEET)).then(pl.lit("'") + text).otherwise(text).name.keep()


def _flat(name: str) -> pl.Expr:
    """A column as it stands in a row: what is a list of structs as one text an item, joined."""
    column = pl.col(name)
    item_text = _ITEM_TEXTS.get(name)
    if item_text is not None:
        return column.list.eval(item_text()).list.join(BETWEEN)
    return column.list.join(BETWEEN) if name in ("caveats", "benign") else column


def _field(name: str) -> pl.Expr:
    return pl.element().struct.field(name)


def _or_unknown(name: str) -> pl.Expr:
    return _field(name).cast(pl.String).fill_null(UNKNOWN)


_ITEM_TEXTS: dict[str, Callable[[], pl.Expr]] = {
    "reasons": lambda: _field("text"),
    "contributions": lambda: pl.format("{} {}", _field("input"), _field("score_drop")),
    "benign_if": lambda: pl.format("{} ({}): {}", *[_field(name) for name in ("explanation", "verdict", "text")]),
    "comparables": lambda: pl.format(
        "{} {} to {}, {} USD after {}: {}",
        *[_field(name) for name in ROUTE],
        *[_or_unknown(name) for name in ("value_usd", "value_prior_year_usd")],
        _field("why"),
    ),
    "sides": lambda: pl.format(
        "{}: exporter {} USD FOB, importer {} USD CIF, re-exports {} USD, weight {} g",
        _field("span"),
        *[
            _or_unknown(name)
            for name in ("export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g")
        ],
    ),
}


def _named(column: str, names: dict[str, str]) -> pl.Expr:
    return (
        pl.col(column).replace_strict(names, default=pl.col(column), return_dtype=pl.String)
        if names
        else pl.col(column)
    )


REPORT = Report(
    name="flags",
    suffix=".csv",
    says="one row per flag, lists joined with a bar, for spreadsheets and scripts",
    render=render,
)
