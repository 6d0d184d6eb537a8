"""What a sheet of flags.xlsx is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `kind` is text, wrapped, or a number format of the workbook; `width` in characters."""

    title: str
    kind: str = "text"
    width: int = 12


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. `total` is how many rows there are, `whole_in` where all of them are when `rows` does not hold them."""

    name: str
    says: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    total: int
    frozen_columns: int = 0
    whole_in: str = "flags.parquet"
