"""The one door to the tables: read, scan, chunks, and writing that commits whole or not at all.

    DATA/<table>/<version>/part-00000.parquet …       the table
    DATA/<table>/<version>/<companion>/part-….parquet  `flows.rejected` is companion `rejected` of `flows`
    DATA/<table>/<version>/_table.json                 rows, schema, sort key, where each part begins and ends in it,
                                                       inputs, settings, the scenario, code version; no clock
    DATA/<table>/CURRENT.json                          see commit.py
    DATA/reports/<run>/…, DATA/reports/DOCUMENTS.json  what `publish` writes
    DATA/runs/latest/RUN.json                          all of it that one run left; see runs.py

The jobs of a run read what was made so far (`Store(root)`), whoever asks a question what the run that ended last has left
(`of_last_run(root)`): all of it from one run, whatever is committed meanwhile.

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

from anomaly.contract.errors import ContractBroken, SourceUnavailable, StoreFailure, TryLater
from anomaly.store import chunks, commit, documents, runs
from anomaly.store.chunks import Between
from anomaly.store.commit import Staging
from anomaly.store.disk import Faults, named_failures, write_over
from anomaly.store.documents import REPORTS, Published
from anomaly.store.lock import Lock
from anomaly.store.writer import META, Writer

if TYPE_CHECKING:
    import dataframely as dy

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
        Versions of a table that stay, the current one among them; those of the two last runs stay in any case.
    ended : EndedRun, optional
        What is read is of this run alone; where it is not said, what was committed last.
    """

    def __init__(self, root: Path, *, keep: int = 2, ended: runs.EndedRun | None = None) -> None:
        self.root = Path(root)
        self.keep = max(keep, 1)
        self.ended = ended
        self._lock = Lock(self.root)
        self._seen_whole: set[Path] = set()

    @property
    def is_unfinished(self) -> bool:
        """Whether runs began here and none has ended: nothing is to be read."""
        return self.ended is not None and self.ended.is_empty

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
        committed = self._committed(table)
        return committed is not None and bool(chunks.parts_of(table, committed.files))

    def is_there(self, table: str) -> bool:
        """Whether the table can be asked for.

        Parameters
        ----------
        table : str
            Name of a table or companion.

        Returns
        -------
        bool
            False, too, where its pointer is lost or damaged.
        """
        with contextlib.suppress(StoreFailure):
            return self.exists(table)
        return False

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
            self._refuse_overtaken(table)
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
        name, folder = table.partition(".")[0], self._folder(table)
        files = commit.faults(folder)
        if self.ended is not None:
            read = self.ended.tables.get(name)
            if read is not None:
                lost = [] if (folder / commit.POINTER).exists() else [commit.POINTER]
                files = list(dict.fromkeys([*commit.broken_of(folder, read), *lost, *files]))
            elif commit.is_lost(folder):
                files = []  # of a run under way, or stopped before it was committed: nobody has seen it
        return [f"{name}/{file}" for file in files]

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
            writer = Writer(table, self._staging(table), schema, tuple(sort))
            try:
                writer.staging.begin()
                yield writer
                writer.is_changed = writer.finish(made_from, self.keep)
            except BaseException:
                writer.staging.clear()
                raise

    def publish(self, run: str, files: Mapping[str, bytes], tables: Mapping[str, str] | None = None) -> Path:
        """Put the documents of a run into `reports/<run>`; readers see them when the run ends.

        Parameters
        ----------
        run : str
            Name of the run.
        files : mapping of str to bytes
            Name of a document → its content.
        tables : mapping of str to str, optional
            Table that they show → its version.

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
                written = Published(run, staging.files, None if tables is None else dict(tables)).record()
                staging.settle(run)
            except BaseException:
                staging.clear()
                raise
            write_over(folder / documents.RECORD, written, faults)
        return folder / run

    def published(self) -> Published | None:
        """The documents of the run that is read; StoreFailure where their record is damaged."""
        return documents.published(self.root / REPORTS) if self.ended is None else self.ended.published

    def broken_documents(self) -> list[str]:
        """Documents of the run that is read that are missing or not what was published; paths under the root."""
        names: dict[str, None] = {}
        try:
            newest = documents.published(self.root / REPORTS)
        except StoreFailure:
            newest, names = None, {f"{REPORTS}/{documents.RECORD}": None}
        read = newest if self.ended is None else self.ended.published
        if self.ended is not None and read is not None and read.files and newest is None:
            names = {f"{REPORTS}/{documents.RECORD}": None}
        for published in (read, newest):
            if published is not None:
                names |= {f"{REPORTS}/{name}": None for name in documents.broken(self.root / REPORTS, published)}
        return list(names)

    def shown(self) -> runs.EndedRun | None:
        """What readers see; None where no run ever began here, StoreFailure where its record is damaged."""
        return runs.latest(self.root)

    def begin_run(self) -> None:
        """Let readers stay with what they see now until `end_run`; to be called before the first table is written.

        In a folder of a version without runs that is what its tables' pointers say; in a new one it is nothing.
        """
        with self.lock():
            try:
                has_runs = runs.latest(self.root) is not None
            except StoreFailure:
                return  # a damaged record is replaced when the run ends
            if not has_runs:
                runs.end(self.root, runs.standing(self.root)[0])

    def end_run(self, tables: Sequence[str]) -> bool:
        """Let readers see what was made so far: these tables and the newest documents, all at once.

        Parameters
        ----------
        tables : sequence of str
            Names of tables that were made of each other.

        Returns
        -------
        bool
            False where readers see just that already.

        Raises
        ------
        Locked, StoreFailure
            As for `writer`; readers then see the run before.
        """
        with self.lock():
            made = {table: self._current(table) for table in tables}
            is_new = runs.end(self.root, runs.EndedRun(made, documents.published(self.root / REPORTS)))
            if is_new:
                for table in tables:
                    self.sweep(table)
        return is_new

    def sweep(self, name: str) -> None:
        """Remove what a killed writer left over, and versions that nobody reads.

        Parameters
        ----------
        name : str
            A table, or REPORTS.
        """
        with self.lock():
            (Staging(self.root / REPORTS, Faults("")) if name == REPORTS else self._staging(name, Faults(""))).sweep()

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

    def _staging(self, table: str, faults: Faults | None = None) -> Staging:
        folder = self._folder(table)
        return Staging(folder, faults or Faults(table), runs.kept(self.root, folder.name))

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
                self._refuse_overtaken(table)
                raise StoreFailure(
                    f"table {table} as it was written",
                    f"{path}: missing or damaged",
                    hint="run again from the raw files; `anomaly verify` names all that is damaged",
                )
            self._seen_whole.add(path)

    def _refuse_overtaken(self, table: str) -> None:
        """Refuse to go on with a run whose files are being removed, rather than read on in another one."""
        if self.ended is not None and self.ended.tables[table.partition(".")[0]].version not in self._kept(table):
            raise TryLater(
                "tables of one run",
                f"two runs have ended since this question was asked: the {table} that it reads is gone",
                hint="ask again",
            )

    def _kept(self, table: str) -> frozenset[str]:
        folder = self._folder(table)
        newest = commit.current(folder)
        committed = frozenset() if newest is None else frozenset({newest.version, *newest.previous})
        return committed | runs.kept(self.root, folder.name)

    def _committed(self, table: str) -> commit.Current | None:
        folder = self._folder(table)
        return commit.current_or_lost(folder) if self.ended is None else self.ended.tables.get(folder.name)

    def _current(self, table: str) -> commit.Current:
        committed = commit.current(self._folder(table)) if self.ended is None else self._committed(table)
        if committed is None or not chunks.parts_of(table, committed.files):
            raise SourceUnavailable(
                f"a table {table}", f"none under {self.root}", hint="run `make`, or name another folder with --data"
            )
        return committed


def of_last_run(root: Path) -> Store:
    """The tables and documents that the run that ended last has left: one run's, however long they are read.

    Parameters
    ----------
    root : pathlib.Path
        The folder.

    Returns
    -------
    Store
        For reading. Without tables where no run has ended yet; in a folder of a version that had no runs, the tables as
        they stand.

    Raises
    ------
    StoreFailure
        Where the record of the run, or in a folder without runs the pointer of a table, is lost or damaged.
    """
    ended = runs.latest(root)
    if ended is None:
        ended, failures = runs.standing(root)
        if failures:
            raise failures[0]
    return Store(root, ended=ended)
