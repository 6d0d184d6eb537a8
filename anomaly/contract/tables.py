"""Where tables are read, the store or frames in memory, and what can make one from others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import polars as pl

from anomaly.contract.settings import Settings

Frame = pl.DataFrame | pl.LazyFrame


class Tables(Protocol):
    """Tables by name; a name with a dot is a companion."""

    def read(self, table: str) -> pl.DataFrame:
        """All rows of a table."""

    def scan(self, table: str) -> pl.LazyFrame:
        """A table, lazily."""

    def chunks(self, table: str, rows: int, digits: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Consecutive rows of whole goods, in order, of a table sorted by good."""


# tables wanted, tables at hand, scenario → the tables wanted, made as a run makes them
Make = Callable[[Sequence[str], Mapping[str, Frame], Settings], Tables]
