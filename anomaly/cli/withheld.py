"""What is withheld of the routes that a question asks for: the periods, and the words for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from anomaly.bilateral.withheld import DIMENSION
from anomaly.cli.store import named
from anomaly.cli.tables import StoreTables
from anomaly.contract.periods import Window, within
from anomaly.query.held import table
from anomaly.query.question import Question
from anomaly.query.series import withheld_periods
from anomaly.store.store import Store

_FOR_PEOPLE = ("table", "markdown")
_AMOUNT = {"export": "export_value_fob_usd", "import": "import_value_cif_usd"}


def periods(store: Store, question: Question) -> pl.DataFrame:
    """Periods in which a side withholds a value of the routes asked for.

    Parameters
    ----------
    store : Store
        The store that is asked.
    question : Question
        As it was understood.

    Returns
    -------
    polars.DataFrame
        Of series.withheld_periods; empty where the store has no coverage.
    """
    is_asked = pl.lit(value=True) if question.source is None else pl.col("source") == question.source
    where = {"coverage.scope": (pl.col("dimension") == DIMENSION) & is_asked}
    return withheld_periods(table(StoreTables(store, ("coverage.scope",), where), "coverage.scope"), question.where())


def remark(hidden: pl.DataFrame) -> list[str]:
    """A sentence about periods of which a value is withheld; none where there is none.

    Parameters
    ----------
    hidden : polars.DataFrame
        `periods`.

    Returns
    -------
    list of str
        One sentence at most.
    """
    if hidden.is_empty():
        return []
    months = hidden["ref_date"].dt.strftime("%Y-%m")
    sides = " and ".join(sorted({side for text in hidden["withheld"] for side in text.split(" and ")}))
    return [
        f"values of the {sides} side are withheld in {months.n_unique():,} periods from {months.min()!s} to "
        f"{months.max()!s}: what was traded then is not known, and not 0"
    ]


def in_windows(hidden: pl.DataFrame, windows: Sequence[Window]) -> pl.DataFrame:
    """Of these periods those in some windows or in the same months a year before.

    Parameters
    ----------
    hidden : polars.DataFrame
        `periods`.
    windows : sequence of Window
        Asked for.

    Returns
    -------
    polars.DataFrame
        The rows that lie there.
    """
    inside = [
        within(window.in_year(year)) & (pl.col("freq_code") == window.freq_code)
        for window in windows
        for year in (window.year, window.year - 1)
    ]
    return hidden.filter(pl.any_horizontal(inside)) if inside else hidden.clear()


def in_words(rows: pl.DataFrame, currency: str, form: str) -> pl.DataFrame | list[dict[str, Any]]:
    """Rows of a series for people: the word withheld in place of an amount that a side withholds.

    Parameters
    ----------
    rows : polars.DataFrame
        Of query.series, amounts named by the currency.
    currency : str
        Of the amounts.
    form : str
        One of output.FORMATS; for programs the rows stay as they are.

    Returns
    -------
    polars.DataFrame or list of dict
        A row a period.
    """
    if form not in _FOR_PEOPLE or "withheld" not in rows.columns or rows["withheld"].null_count() == rows.height:
        return rows
    listed = rows.to_dicts()
    for row in listed:
        sides = [side for side in (row["withheld"] or "").split(" and ") if side]
        own = ["value_usd"] if any(side in sides for side in _sides_of(row)) else []
        for name in [named(name, currency) for name in (*(_AMOUNT[side] for side in sides), *own)]:
            row[name] = DIMENSION if row[name] is None else row[name]
    return listed


def _sides_of(row: dict[str, Any]) -> tuple[str, ...]:
    """The side a row's value is taken from; either where it has no row."""
    return (row["value_basis"],) if row["value_basis"] in _AMOUNT else tuple(_AMOUNT)
