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
        """All rows of a table.

        Parameters
        ----------
        table : str
            Its name.

        Returns
        -------
        polars.DataFrame
            In the table's order.
        """

    def scan(self, table: str) -> pl.LazyFrame:
        """A table of which not all may be read.

        Parameters
        ----------
        table : str
            Its name.

        Returns
        -------
        polars.LazyFrame
            The table.
        """

    def chunks(self, table: str, rows: int, digits: int, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Consecutive rows of whole goods, in order, of a table sorted by good.

        Parameters
        ----------
        table : str
            Its name.
        rows : int
            About how many rows a chunk has.
        digits : int
            Goods that share so many first digits stay together.
        columns : sequence of str
            What is read of it.

        Yields
        ------
        polars.DataFrame
            The next chunk.
        """


# tables wanted, tables at hand, scenario → the tables wanted, made as a run makes them
Make = Callable[[Sequence[str], Mapping[str, Frame], Settings], Tables]
