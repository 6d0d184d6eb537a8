"""Amounts out of text cells: strict, whole, and with a named rule for every way they can be wrong."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema import MOST_PLAUSIBLE_USD
from anomaly.sources.base import Rule

# what may be read as 0 and says otherwise: digits before an exponent below zero, or hundreds of noughts
_VANISHED = r"^[^eE]*[1-9][^eE]*[eE]-|^[^1-9]{300}.*[1-9]"


def is_filled(cell: pl.Expr) -> pl.Expr:
    """Whether a text cell holds more than blanks.

    Parameters
    ----------
    cell : polars.Expr
        String.

    Returns
    -------
    polars.Expr
        Boolean, never null.
    """
    return cell.is_not_null() & (cell.str.strip_chars() != "")


def to_number(cell: pl.Expr) -> pl.Expr:
    """A text cell such as "12", " 12.5 " or "1.2e6" as a number.

    Parameters
    ----------
    cell : polars.Expr
        String.

    Returns
    -------
    polars.Expr
        Float64; null where the cell is empty, no number, NaN or infinite.
    """
    number = cell.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def vanishes(cell: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Whether a number is so small that it came to 0, which would be known to be nothing: 1e-400.

    Parameters
    ----------
    cell : polars.Expr
        String.
    number : polars.Expr
        The cell's, by `to_number`.

    Returns
    -------
    polars.Expr
        Boolean, never null.
    """
    # only cells that came to 0 are looked at, so that the others cost nothing
    return pl.when(number == 0).then(cell).str.contains(_VANISHED).fill_null(value=False)


def whole(number: pl.Expr, times: float = 1, most: int = MOST_PLAUSIBLE_USD) -> pl.Expr:
    """A number times a factor as a whole one, halves rounded away from zero.

    Parameters
    ----------
    number : polars.Expr
        Float64.
    times : float
        Factor to the unit of the tables: 1000 for kg to grams.
    most : int
        Largest that is believed, after the factor.

    Returns
    -------
    polars.Expr
        Int64; null outside 0 to `most`.

    Examples
    --------
    >>> pl.select(whole(pl.lit(pl.Series([0.5, 1.2345, -1.0])), 1000)).to_series().to_list()
    [500, 1235, None]
    """
    scaled = (number * times).round(0, mode="half_away_from_zero")
    return pl.when(scaled.is_between(0, most) & scaled.is_finite()).then(scaled).cast(pl.Int64, strict=False)


def to_int(cell: pl.Expr, times: float = 1, most: int = MOST_PLAUSIBLE_USD) -> pl.Expr:
    """A decimal text cell times a factor as a whole number, halves rounded away from zero.

    Parameters
    ----------
    cell : polars.Expr
        String.
    times : float
        Factor to the unit of the tables.
    most : int
        Largest that is believed, after the factor.

    Returns
    -------
    polars.Expr
        Int64; null where the cell is empty, not a finite number, or outside 0 to `most`: `number_rules` says which of
        these it was.
    """
    return whole(to_number(cell), times, most)


def number_rules(
    column: str, *, needed: bool, most: float = MOST_PLAUSIBLE_USD, number: pl.Expr | None = None
) -> tuple[Rule, ...]:
    """The rules that a text column of amounts can break: missing, no number, negative, beyond what is plausible.

    Parameters
    ----------
    column : str
        Its name.
    needed : bool
        Whether an empty cell breaks a rule.
    most : float
        Largest that is believed, in the unit of the file.
    number : polars.Expr, optional
        The cell's, where a column has it already: a long file is not parsed again for each rule.

    Returns
    -------
    tuple of Rule
        Missing first, where it is asked.
    """
    cell = pl.col(column)
    number = to_number(cell) if number is None else number
    rules = (
        Rule(
            "not_a_number",
            column,
            (is_filled(cell) & number.is_null()) | vanishes(cell, number),
            "the amount is not a finite number, or too small to be told from nothing",
        ),
        Rule("negative", column, number < 0, "the amount is below zero"),
        Rule("absurd", column, number > most, f"the amount is over {most:.0e}: its unit is wrong"),
    )
    missing = Rule("missing", column, ~is_filled(cell), "there is no amount")
    return (missing, *rules) if needed else rules
