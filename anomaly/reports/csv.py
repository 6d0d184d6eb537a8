"""flags.csv: one row per flag, for a spreadsheet or a script. Text that a spreadsheet could run is defused."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.contract.schema import Flags
from anomaly.reports.amounts import UNKNOWN
from anomaly.reports.base import Findings, Report
from anomaly.reports.comma_separated import BETWEEN, names, written
from anomaly.reports.words import in_order


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


REPORT = Report(
    name="flags",
    suffix=".csv",
    says="one row per flag, lists joined with a bar, for spreadsheets and scripts",
    render=render,
)
