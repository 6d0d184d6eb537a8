"""Takes the frames of a table, holds them to their contract, and stages them as parts; made by Store.writer."""

from __future__ import annotations

import copy
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.contract.errors import ContractBroken
from anomaly.store.commit import Staging

if TYPE_CHECKING:
    import dataframely as dy

ROW_GROUP_ROWS = 100_000
ZSTD_LEVEL = 1  # higher ones take a fifth more time and, on these tables, no less room
COMPANION_PART_ROWS = 500_000  # companions come in small pieces, which are put together
META = "_table.json"


class Writer:
    """A table and its companions on their way into the store.

    Parameters
    ----------
    table : str
        Name of a table.
    staging : Staging
        Where its files wait for the commit.
    contract : type of dataframely.Schema or None
        Its contract; None is that of schema.TABLES.
    sort : tuple of str
        The key that its rows are sorted by.

    Attributes
    ----------
    is_changed : bool
        After the block: false where the version was current already and nothing was written.
    """

    def __init__(
        self, table: str, staging: Staging, contract: type[dy.Schema] | None, sort: tuple[str, ...] = ()
    ) -> None:
        from anomaly.contract.schema import TABLES

        if contract is None and table not in TABLES:
            raise ContractBroken("a contract for every table", f"none for {table}", hint="add it to schema.TABLES")
        companions = [name for name in TABLES if name.startswith(f"{table}.")]
        self.table = table
        self.staging = staging
        self.is_changed = True
        self._contracts = {table: contract or TABLES[table], **{name: TABLES[name] for name in companions}}
        self._rows: dict[str, dict[str, int]] = {name: {} for name in self._contracts}
        self._waiting: dict[str, list[pl.DataFrame]] = {name: [] for name in companions}
        self._sort = sort
        self._last: Any = None
        self._ends: dict[str, list[Any]] = {}

    def add(self, frame: pl.DataFrame, table: str | None = None) -> None:
        """Append rows; a frame of the table itself becomes a part of its own.

        Keys are unique within a part: parts of whole goods make that hold for the table.

        Parameters
        ----------
        frame : polars.DataFrame
            The columns of the contract, in any order.
        table : str, optional
            A companion, where the rows are not the table's own.

        Raises
        ------
        ContractBroken
            Where rows do not keep the contract, or are not in the order of the key.
        """
        name = table or self.table
        if name not in self._contracts:
            raise ContractBroken(f"{self.table} or a companion of it", name)
        if name == self.table:
            if frame.height:
                self._follows(frame)
                self._part(name, frame)
            return
        self._waiting[name].append(frame)
        if sum(waiting.height for waiting in self._waiting[name]) >= COMPANION_PART_ROWS:
            self._flush(name)

    @property
    def rows(self) -> dict[str, int]:
        """Table or companion → rows in its parts so far."""
        return {name: sum(parts.values()) for name, parts in self._rows.items()}

    def parts(self) -> list[str]:
        """Names of the table's parts so far."""
        return list(self._rows[self.table])

    def scan(self, part: str | None = None) -> pl.LazyFrame:
        """Rows of the table added so far.

        Parameters
        ----------
        part : str, optional
            Only those of this part, a name of `parts`.

        Returns
        -------
        polars.LazyFrame
            Read from the files that wait for the commit.
        """
        names = self.parts() if part is None else [part]
        return pl.scan_parquet([self.staging.path / name for name in names], glob=False)

    def replace(self, part: str, frame: pl.DataFrame) -> None:
        """Write other rows in place of a part's.

        Parameters
        ----------
        part : str
            A name of `parts`.
        frame : polars.DataFrame
            The columns of the contract, in any order.

        Raises
        ------
        ContractBroken
            Where rows do not keep the contract.
        """
        self._part(self.table, frame, part)

    def finish(self, made_from: dict[str, Any], keep: int) -> bool:
        """Write what is left and `_table.json`, and commit.

        Parameters
        ----------
        made_from : dict
            inputs, settings, code_version and sort, as `_table.json` holds them.
        keep : int
            Versions that stay, the current one among them.

        Returns
        -------
        bool
            False where the version was current already and nothing was written.
        """
        for name in self._waiting:
            self._flush(name)
        for name, contract in self._contracts.items():
            if not self._rows[name]:
                self._part(name, contract.create_empty())
        shapes = {
            name: {
                "rows": self.rows[name],
                "schema": {column: str(rule.dtype) for column, rule in contract.columns().items()},
            }
            for name, contract in self._contracts.items()
        }
        companions = {name: shape for name, shape in shapes.items() if name != self.table}
        meta = {"table": self.table, **shapes[self.table], **made_from, "ends": self._ends, "companions": companions}
        self.staging.write(META, json.dumps(meta, indent=1, sort_keys=True).encode() + b"\n")
        return self.staging.commit(keep)

    def _flush(self, name: str) -> None:
        waiting, self._waiting[name] = self._waiting[name], []
        if waiting:
            self._part(name, pl.concat(waiting))

    def _part(self, name: str, frame: pl.DataFrame, part: str | None = None) -> None:
        checked = _checked(frame, self._contracts[name], name)
        companion = name.partition(".")[2]
        file = part or f"{companion}{'/' if companion else ''}part-{len(self._rows[name]):05}.parquet"
        buffer = io.BytesIO()
        checked.rechunk().write_parquet(
            buffer,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            statistics=True,
            row_group_size=ROW_GROUP_ROWS,
        )
        self.staging.write(file, buffer.getvalue())
        self._rows[name][file] = checked.height
        if name == self.table and self._sort and checked.height:
            key = checked[self._sort[0]]
            self._ends[file] = [key[0], key[-1]]

    def _follows(self, frame: pl.DataFrame) -> None:
        if not self._sort:
            return
        key = frame[self._sort[0]]
        if not key.is_sorted() or (self._last is not None and key[0] < self._last):
            raise ContractBroken(f"{self.table} sorted by {', '.join(self._sort)}", f"rows out of order at {key[0]}")
        self._last = key[-1]


def _checked(frame: pl.DataFrame, contract: type[dy.Schema], table: str) -> pl.DataFrame:
    """The frame in the contract's column order. Raises ContractBroken with the rules broken and three examples."""
    types = {name: column.dtype for name, column in contract.columns().items()}
    faults = [f"{name} is missing" for name in types if name not in frame.columns]
    faults += [f"{name} is not in it" for name in frame.columns if name not in types]
    faults += [
        f"{name} is {dtype}, not {types[name]}"
        for name, dtype in frame.schema.items()
        if types.get(name, dtype) != dtype
    ]
    if faults:
        raise ContractBroken(f"the columns of {table}", "; ".join(faults), count=len(faults))
    ordered = frame.select(list(types))
    if _is_once(ordered, contract) and _is_spelt(ordered, contract) and _of_rows(contract).is_valid(ordered):
        return ordered
    _, failure = contract.filter(ordered)
    counts = failure.counts()
    raise ContractBroken(
        f"rows of {table} that keep its contract",
        ", ".join(f"{rule}: {count:,}" for rule, count in sorted(counts.items())),
        count=len(failure),
        examples=failure.invalid().head(3).rows(),
    )


def _is_once(frame: pl.DataFrame, contract: type[dy.Schema]) -> bool:
    """Whether no two rows have the same key: as many hashes as rows is proof, and ten times as fast as comparing."""
    key = contract.primary_key()
    return not key or frame.select(key).hash_rows().n_unique() == frame.height


def _is_spelt(frame: pl.DataFrame, contract: type[dy.Schema]) -> bool:
    """Whether texts are spelt as their patterns say: each distinct text is looked at once, and there are few."""
    patterns = {name: regex for name, rule in contract.columns().items() if (regex := getattr(rule, "regex", None))}
    return all(_distinct(frame[name]).str.contains(regex).all() for name, regex in patterns.items())


def _distinct(texts: pl.Series) -> pl.Series:
    is_same = texts.len() == 0 or texts.eq_missing(texts[0]).all()
    return texts.head(1) if is_same else texts.unique()


def _of_rows(contract: type[dy.Schema]) -> type[dy.Schema]:
    """The contract's other rules, those that look at row by row."""
    columns: dict[str, Any] = {name: copy.copy(column) for name, column in contract.columns().items()}
    for column in columns.values():
        column.primary_key = False
        if hasattr(column, "regex"):
            column.regex = None
    kind: Any = type(contract)
    of_rows: type[dy.Schema] = kind(f"{contract.__name__}OfRows", (contract,), columns)
    return of_rows
