"""What a sheet of flags.xlsx is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet.

    Parameters
    ----------
    title : str
        Its header.
    kind : str
        text, wrapped, or a number format of the workbook (xlsx.NUMBER_FORMATS).
    width : int
        In characters.
    """

    title: str
    kind: str = "text"
    width: int = 12


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table on a sheet of its own.

    Parameters
    ----------
    name : str
        Of the sheet, at most 31 characters.
    says : str
        What is on it, a sentence for the first sheet.
    columns : tuple of Column
        From left to right.
    rows : sequence of sequence
        Plain values, one a column, None where unknown.
    total : int
        How many rows there are, on the sheet or not.
    frozen_columns : int
        How many stay where they are when one scrolls.
    whole_in : str
        Where all rows are when `rows` does not hold them.
    """

    name: str
    says: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    total: int
    frozen_columns: int = 0
    whole_in: str = "flags.parquet"
