"""The one door to the tables: read, scan, chunks, and writing that commits whole or not at all.

    DATA/<table>/<version>/part-00000.parquet …       the table
    DATA/<table>/<version>/<companion>/part-….parquet  `flows.rejected` is companion `rejected` of `flows`
    DATA/<table>/<version>/_table.json                 rows, schema, sort key, where each part begins and ends in it,
                                                       inputs, settings, the scenario, code version; no clock
    DATA/<table>/CURRENT.json                          see commit.py
    DATA/reports/<run>/…, DATA/reports/latest          what `publish` writes

What only writing needs (the contracts, the lock) is imported there: a query starts in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.contract.errors import ContractBroken, SourceUnavailable, StoreFailure
from anomaly.store import chunks, commit, documents
from anomaly.store.chunks import Between
from anomaly.store.commit import Staging
from anomaly.store.disk import Faults, named_failures, point_link, write_over
from anomaly.store.lock import Lock
from anomaly.store.writer import META, Writer

if TYPE_CHECKING:
    import dataframely as dy

REPORTS = "reports"

_TABLE = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)?")
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_FILE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}")


class Store:
    """The tables under one folder.

    Parameters
    ----------
    root : pathlib.Path
        The folder; need not be there before the first table is written.
    keep : int
        Versions of a table that stay, the current one among them.
    """

    def __init__(self, root: Path, *, keep: int = 2) -> None:
        self.root = Path(root)
        self.keep = max(keep, 1)
        self._lock = Lock(self.root)
        self._seen_whole: set[Path] = set()

    def exists(self, table: str) -> bool:
        """Whether a version of the table was committed.

        Parameters
        ----------
        table : str
            Name of a table or companion, as in schema.TABLES.

        Returns
        -------
        bool
            False where the folder itself is not there, too.

        Raises
        ------
        StoreFailure
            Where the pointer to the version is lost or damaged.
        """
        folder = self._folder(table)
        committed = commit.current(folder)
        if committed is None and commit.is_lost(folder):
            raise StoreFailure(
                f"the pointer {folder / commit.POINTER}",
                "versions of the table without it",
                hint="run again: the table is made again",
            )
        return committed is not None and bool(chunks.parts_of(table, committed.files))

    def version(self, table: str) -> str:
        """The current version: a hash of the table's content and of what it was made from.

        Parameters
        ----------
        table : str
            Name of a table or companion.

        Returns
        -------
        str
            32 hexadecimal digits.

        Raises
        ------
        SourceUnavailable
            Where there is no such table; so for every method below that reads one.
        """
        return self._current(table).version

    def meta(self, table: str) -> dict[str, Any]:
        """What `_table.json` says: rows, schema, sort key, inputs, settings and code version.

        Parameters
        ----------
        table : str
            Name of a table or companion; a companion has its own rows and schema beside the rest.

        Returns
        -------
        dict
            As written by Writer.finish.
        """
        meta = self._meta(table, self._current(table))
        companions = meta.pop("companions")
        return meta | companions[table] if "." in table else meta

    def scan(self, table: str, between: Between | None = None) -> pl.LazyFrame:
        """The current version, lazily. What is resolved here stays what is read, whatever is committed meanwhile.

        Parameters
        ----------
        table : str
            Name of a table or companion.
        between : tuple of str, optional
            First and last value of the table's sort column, both inside: parts without a row between them are left
            out. Rows are not looked at.

        Returns
        -------
        polars.LazyFrame
            The table's rows in their order.
        """
        committed = self._current(table)
        folder = self._folder(table) / committed.version
        parts = chunks.parts_of(table, committed.files)
        if between is not None and len(parts) > 1:
            parts = chunks.overlapping(parts, self._meta(table, committed).get("ends", {}), between)
        self._refuse_damage(table, committed, parts)
        return pl.scan_parquet([folder / name for name in parts], glob=False)

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: pl.Expr | None = None,
        between: Between | None = None,
    ) -> pl.DataFrame:
        """Rows of a table, in its order.

        Parameters
        ----------
        table : str
            Name of a table or companion.
        columns : sequence of str, optional
            Columns wanted; all where not said.
        where : polars.Expr, optional
            Which rows; all where not said.
        between : tuple of str, optional
            As for `scan`, for the `where` of a few goods in a table sorted by good: most parts then stay shut, however
            many there are.

        Returns
        -------
        polars.DataFrame
            The rows where `where` holds.

        Raises
        ------
        SourceUnavailable
            Where there is no table.
        StoreFailure
            Where its files are not what was written.
        """
        before = self.version(table)
        try:
            lazy = self.scan(table, between)
            lazy = lazy if where is None else lazy.filter(where)
            lazy = lazy if columns is None else lazy.select(list(columns))
            return lazy.collect()
        except (OSError, StoreFailure, pl.exceptions.ComputeError) as error:
            if self.version(table) != before:  # two commits went by and took the version's files away
                return self.read(table, columns, where, between)
            if isinstance(error, StoreFailure) or not (isinstance(error, OSError) or "parquet" in str(error).lower()):
                raise
            raise StoreFailure(
                f"table {table} as it was written", str(error)[:200], hint="`anomaly verify` names the broken files"
            ) from error

    def chunks(
        self, table: str, rows: int = 500_000, digits: int | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Consecutive rows of whole goods, in order, of a table sorted by good.

        Memory is that of one chunk, time that of its own parts, however many there are.

        Parameters
        ----------
        table : str
            Name of a table.
        rows : int
            About how many at a time; a good with more comes alone.
        digits : int, optional
            Goods that share so many first characters stay together: 4 for whole headings.
        columns : sequence of str, optional
            What of it is read, `good` among them; all where not said.

        Yields
        ------
        polars.DataFrame
            The next rows.

        Raises
        ------
        ContractBroken
            Where the table is not sorted by good.
        """
        committed = self._current(table)
        folder = self._folder(table) / committed.version
        names = chunks.parts_of(table, committed.files)
        self._refuse_damage(table, committed, names)
        parts = [pl.scan_parquet(folder / name, glob=False) for name in names]
        yield from chunks.of_whole_goods(table, parts, rows, digits, columns)

    def is_complete(self, table: str) -> bool:
        """Whether every file of the current version is what was committed; each is read.

        Parameters
        ----------
        table : str
            Name of a table.

        Returns
        -------
        bool
            False where one is missing or damaged.
        """
        return not commit.broken(self._folder(table))

    def verify(self, table: str) -> list[str]:
        """Files of a table that are missing or not what was committed.

        Parameters
        ----------
        table : str
            Name of a table; its companions are looked at with it.

        Returns
        -------
        list of str
            Paths under the root; empty where all are whole.
        """
        name = table.partition(".")[0]
        return [f"{name}/{file}" for file in commit.faults(self._folder(table))]

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the store for writing while a block runs; may be taken again inside. See Lock.held."""
        return self._lock.held()

    @contextlib.contextmanager
    def writer(
        self,
        table: str,
        *,
        inputs: Mapping[str, str],
        settings: str | None = None,
        schema: type[dy.Schema] | None = None,
        code_version: str | None = None,
        sort: Sequence[str] = (),
        scenario: Mapping[str, Any] | None = None,
    ) -> Iterator[Writer]:
        """Write a table and its companions; on leaving the block all of it is committed, on an error none.

        The same content from the same inputs, settings and code is the same version, and nothing is written.

        Parameters
        ----------
        table : str
            Name of a table.
        inputs : mapping of str to str
            What it is made from: table or raw file → version or sha256.
        settings : str, optional
            Fingerprint of the settings used.
        schema : type of dataframely.Schema, optional
            Its contract, where that is not schema.TABLES[table].
        code_version : str, optional
            Of the job that makes it.
        sort : sequence of str
            The key that its rows are sorted by, over all parts; the first column is checked.
        scenario : mapping, optional
            Every setting of the scenario that makes it, for questions; None where it hangs on no scenario.

        Yields
        ------
        Writer
            Takes the rows; its `is_changed` is right after the block.

        Raises
        ------
        ContractBroken
            Where rows do not keep the contract or the order.
        Locked
            Where another process holds the store.
        StoreFailure
            Where the disk refuses.
        """
        made_from: dict[str, Any] = {
            "inputs": dict(inputs),
            "settings": settings,
            "code_version": code_version,
            "sort": list(sort),
            "scenario": None if scenario is None else dict(scenario),
        }
        with self.lock():
            writer = Writer(table, Staging(self._folder(table), Faults(table)), schema, tuple(sort))
            try:
                writer.staging.begin()
                yield writer
                writer.is_changed = writer.finish(made_from, self.keep)
            except BaseException:
                writer.staging.clear()
                raise

    def publish(self, run: str, files: Mapping[str, bytes]) -> Path:
        """Put the documents of a run into `reports/<run>` and let `reports/latest` point there.

        Parameters
        ----------
        run : str
            Name of the run.
        files : mapping of str to bytes
            Name of a document → its content.

        Returns
        -------
        pathlib.Path
            The folder of the run.

        Raises
        ------
        ContractBroken
            Where a name is not plain.
        Locked, StoreFailure
            As for `writer`.
        """
        if not _RUN.fullmatch(run) or not all(_FILE.fullmatch(name) for name in files):
            raise ContractBroken("plain names for a run and its files", f"{run!r} with {sorted(files)}")
        folder, faults = self.root / REPORTS, Faults(REPORTS)
        with self.lock():
            staging = Staging(folder, faults)
            try:
                staging.begin()
                for name, content in sorted(files.items()):
                    staging.write(name, content)
                written = documents.record(run, staging.files)
                staging.settle(run)
            except BaseException:
                staging.clear()
                raise
            write_over(folder / documents.RECORD, written, faults)
            point_link(folder / "latest", run, faults)
        return folder / run

    def latest_run(self) -> str | None:
        """Name of the run that `reports/latest` points to, where it is there."""
        link = self.root / REPORTS / "latest"
        return link.readlink().name if link.is_symlink() and link.is_dir() else None

    def broken_documents(self) -> list[str]:
        """Documents of the newest report that are missing or not what was published; paths under the root."""
        latest = self.latest_run()
        return [] if latest is None else [f"{REPORTS}/{name}" for name in documents.faults(self.root / REPORTS, latest)]

    def sweep(self, name: str) -> None:
        """Remove what a killed writer left over.

        Parameters
        ----------
        name : str
            A table, or REPORTS.
        """
        with self.lock():
            Staging(self.root / REPORTS if name == REPORTS else self._folder(name), Faults("")).sweep()

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Put `run-status.json` in place: how the last run to end has ended.

        Parameters
        ----------
        status : mapping
            What JSON can hold.
        """
        path = self.root / "run-status.json"
        with named_failures(path):
            self.root.mkdir(parents=True, exist_ok=True)
        write_over(path, json.dumps(status, indent=1, ensure_ascii=False).encode() + b"\n", Faults("status"))

    def _folder(self, table: str) -> Path:
        if not _TABLE.fullmatch(table):
            raise ContractBroken("the name of a table", repr(table[:40]))
        return self.root / table.partition(".")[0]

    def _meta(self, table: str, committed: commit.Current) -> dict[str, Any]:
        self._refuse_damage(table, committed, [META])
        path = self._folder(table) / committed.version / META
        with named_failures(path, verb="read"):
            meta: dict[str, Any] = json.loads(path.read_bytes())
        return meta

    def _refuse_damage(self, table: str, committed: commit.Current, names: Sequence[str]) -> None:
        """Refuse files that are not what was committed, before a number of them is believed; each is read once."""
        folder = self._folder(table) / committed.version
        for path, sha256 in ((folder / name, committed.files[name]) for name in names):
            if path in self._seen_whole:
                continue
            if not commit.is_whole(path, sha256):
                raise StoreFailure(
                    f"table {table} as it was written",
                    f"{path}: missing or damaged",
                    hint="run again from the raw files; `anomaly verify` names all that is damaged",
                )
            self._seen_whole.add(path)

    def _current(self, table: str) -> commit.Current:
        committed = commit.current(self._folder(table))
        if committed is None or not chunks.parts_of(table, committed.files):
            raise SourceUnavailable(
                f"a table {table}", f"none under {self.root}", hint="run `make`, or name another folder with --data"
            )
        return committed
