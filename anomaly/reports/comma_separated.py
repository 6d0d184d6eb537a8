"""How a table is written as CSV, so that a spreadsheet reads every text as text."""

from __future__ import annotations

import io

import polars as pl

from anomaly.reports.base import Findings

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # without it Excel reads UTF-8 as the machine's own code page
BETWEEN = " | "
RUNS_IN_A_SPREADSHEET = r"^[=+\-@\t\r]"


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


def _named(column: str, names: dict[str, str]) -> pl.Expr:
    return (
        pl.col(column).replace_strict(names, default=pl.col(column), return_dtype=pl.String)
        if names
        else pl.col(column)
    )
