"""The store's tables as questions take them: each is read when a question first looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from anomaly.query.held import COLUMNS
from anomaly.store.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class StoreTables(Mapping[str, pl.DataFrame]):
    """Tables of a store by name, the columns that questions need: what a question does not look at is never read.

    Parameters
    ----------
    store : Store
        The store that is asked.
    names : tuple of str
        Tables that may be looked at, each a key of query.held.COLUMNS.
    where : mapping of str to polars.Expr
        Rows to keep of a table; all of one that is not named.
    between : tuple of str, optional
        As for Store.read, of the tables named in where.
    missing : set of str
        Grows: those of `names` that a question looked for and the store does not hold.
    """

    store: Store
    names: tuple[str, ...]
    where: Mapping[str, pl.Expr]
    between: tuple[str, str] | None = None
    missing: set[str] = field(default_factory=set)
    _frames: dict[str, pl.DataFrame] = field(default_factory=dict, init=False)

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Rows of a table, read once."""
        if name not in self._frames:
            if name not in self:
                raise KeyError(name)
            between = self.between if name in self.where else None
            self._frames[name] = self.store.read(name, list(COLUMNS[name]), self.where.get(name), between)
        return self._frames[name]

    def __contains__(self, name: object) -> bool:
        """Whether the store holds a table that may be looked at."""
        if name not in self.names:
            return False
        is_held = self.store.exists(str(name))
        if not is_held:
            self.missing.add(str(name))
        return is_held

    def __iter__(self) -> Iterator[str]:
        """Names of the tables that the store holds."""
        return (name for name in self.names if self.store.exists(name))

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)
