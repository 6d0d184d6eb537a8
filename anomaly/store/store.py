"""The one door to the tables: read, scan, chunks, and writing that commits whole or not at all.

    DATA/<table>/<version>/part-00000.parquet …       the table
    DATA/<table>/<version>/<companion>/part-….parquet  `flows.rejected` is companion `rejected` of `flows`
    DATA/<table>/<version>/_table.json                 rows, schema, sort key, where each part begins and ends in it,
                                                       inputs, settings, the scenario, code version; no clock
    DATA/<table>/CURRENT.json                          see versions.py
    DATA/reports/<run>/…, DATA/reports/latest          what `publish` writes

What only writing needs (the contracts, the lock) is imported there: a query starts in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.contract.errors import ContractBroken, Locked, SourceUnavailable, StoreFailure
from anomaly.store import commit
from anomaly.store.commit import Faults, Staging
from anomaly.store.writer import META, Writer

if TYPE_CHECKING:
    import dataframely as dy

LOCK_SECONDS = 0.5  # a second run is refused within a second
REPORTS = "reports"
Between = tuple[str, str]  # first and last of a sort column, both inside

_TABLE = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)?")
_PART = re.compile(r"part-\d{5}\.parquet")
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_FILE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}")


class Store:
    """The tables under one folder. `keep` versions of a table stay, the current one among them."""

    def __init__(self, root: Path, *, keep: int = 2) -> None:
        self.root = Path(root)
        self.keep = max(keep, 1)
        self._lock: Any = None

    def exists(self, table: str) -> bool:
        """Whether a version of the table was committed."""
        now = commit.current(self._folder(table))
        return now is not None and bool(_parts(table, now.files))

    def version(self, table: str) -> str:
        """The current version: a hash of the table's content and of what it was made from."""
        return self._current(table).version

    def meta(self, table: str) -> dict[str, Any]:
        """What `_table.json` says; for a companion its own rows and schema beside the rest."""
        told = _told(self._folder(table) / self._current(table).version)
        companions = told.pop("companions")
        return told | companions[table] if "." in table else told

    def scan(self, table: str, between: Between | None = None) -> pl.LazyFrame:
        """The current version, lazily. What is resolved here stays what is read, whatever is committed meanwhile.

        `between` leaves out parts without a row between these two of the table's sort column; rows are not looked at.
        """
        now = self._current(table)
        folder = self._folder(table) / now.version
        parts = _parts(table, now.files)
        if between is not None and len(parts) > 1:
            parts = _overlapping(parts, _told(folder).get("ends", {}), between)
        return pl.scan_parquet([folder / name for name in parts], glob=False)

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: pl.Expr | None = None,
        between: Between | None = None,
    ) -> pl.DataFrame:
        """The rows where `where` holds, in the table's order. Raises SourceUnavailable where there is no table.

        `between`, as for `scan`, is for the `where` of a few goods in a table sorted by good: most parts then stay
        shut, however many there are.
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
        """Consecutive rows of whole goods, in order, about `rows` at a time, of a table sorted by good.

        A good with more rows than that comes alone. Goods that share their first `digits` characters stay together.
        Memory is that of one chunk, time that of its own parts, however many there are. Raises ContractBroken where
        the table is not sorted by good.
        """
        now = self._current(table)
        folder = self._folder(table) / now.version
        parts = [pl.scan_parquet(folder / name, glob=False) for name in _parts(table, now.files)]
        goods = _goods_of(parts, digits)
        if not goods["good"].is_sorted():
            raise ContractBroken(f"table {table} sorted by good", "parts that lie out of order")
        for slices in _cut(goods, rows):
            frames = [
                _slice(parts[part], table, columns, start, length, first) for part, start, length, first in slices
            ]
            yield frames[0] if len(frames) == 1 else pl.concat(frames)

    def is_complete(self, table: str) -> bool:
        """Whether every file of the current version is there; `verify` also reads them."""
        folder, now = self._folder(table), self._current(table)
        return all((folder / now.version / name).is_file() for name in now.files)

    def verify(self, table: str) -> list[str]:
        """Paths under the root of files that are missing or not what was committed; empty where all are whole."""
        name = table.partition(".")[0]
        return [f"{name}/{file}" for file in commit.broken(self._folder(table))]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for writing; may be taken again inside. Raises Locked where another process holds it.

        The operating system frees it when the holder ends, however it ends.
        """
        import filelock

        path, holder = self.root / ".lock", self.root / ".lock-holder"
        with commit.spoken(path, verb="lock"):
            self.root.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = filelock.FileLock(path, timeout=LOCK_SECONDS, fallback_to_soft=False)
            try:
                self._lock.acquire()
            except filelock.Timeout as error:
                raise Locked(
                    f"to be alone in {self.root}", f"held by {_holder(holder)}", hint="wait for it to end, or stop it"
                ) from error
        try:
            with contextlib.suppress(OSError):
                holder.write_text(f"{os.getpid()}\n", encoding="ascii")
            yield
        finally:
            self._lock.release()

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

        inputs    what it is made from: table or raw file → version or sha256
        settings  fingerprint of the settings used
        schema    its contract, where that is not schema.TABLES[table]
        sort      the key that its rows are sorted by, over all parts; the first column is checked
        scenario  every setting of the scenario that makes it, for questions; None where it hangs on no scenario

        The same content from the same inputs, settings and code is the same version, and nothing is written.
        """
        told: dict[str, Any] = {
            "inputs": dict(inputs),
            "settings": settings,
            "code_version": code_version,
            "sort": list(sort),
        }
        told["scenario"] = None if scenario is None else dict(scenario)
        with self.lock():
            writer = Writer(table, Staging(self._folder(table), Faults(table)), schema, tuple(sort))
            try:
                writer.staging.begin()
                yield writer
                writer.is_changed = writer.finish(told, self.keep)
            except BaseException:
                writer.staging.clear()
                raise

    def publish(self, run: str, files: Mapping[str, bytes]) -> Path:
        """Put the documents of a run into `reports/<run>` and let `reports/latest` point there; returns the folder."""
        if not _RUN.fullmatch(run) or not all(_FILE.fullmatch(name) for name in files):
            raise ContractBroken("plain names for a run and its files", f"{run!r} with {sorted(files)}")
        folder, faults = self.root / REPORTS, Faults(REPORTS)
        with self.lock():
            staging = Staging(folder, faults)
            try:
                staging.begin()
                for name, data in sorted(files.items()):
                    staging.write(name, data)
                staging.settle(run)
            except BaseException:
                staging.clear()
                raise
            commit.point_link(folder / "latest", run, faults)
        return folder / run

    def latest_run(self) -> str | None:
        """Name of the run that `reports/latest` points to, where it is there."""
        link = self.root / REPORTS / "latest"
        return link.readlink().name if link.is_symlink() and link.is_dir() else None

    def sweep(self, name: str) -> None:
        """Remove what a killed writer of a table, or of the reports, left over."""
        with self.lock():
            Staging(self.root / REPORTS if name == REPORTS else self._folder(name), Faults("")).sweep()

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Put `run-status.json` in place: how the last run to end has ended."""
        path = self.root / "run-status.json"
        with commit.spoken(path):
            self.root.mkdir(parents=True, exist_ok=True)
        commit.write_over(path, json.dumps(status, indent=1, ensure_ascii=False).encode() + b"\n", Faults("status"))

    def _folder(self, table: str) -> Path:
        if not _TABLE.fullmatch(table):
            raise ContractBroken("the name of a table", repr(table[:40]))
        return self.root / table.partition(".")[0]

    def _current(self, table: str) -> commit.Current:
        now = commit.current(self._folder(table))
        if now is None or not _parts(table, now.files):
            raise SourceUnavailable(
                f"a table {table}", f"none under {self.root}", hint="run `make`, or name another folder with --data"
            )
        return now


def _parts(table: str, files: Mapping[str, str]) -> list[str]:
    """The table's files among those of a version, in order."""
    companion = table.partition(".")[2]
    folder = f"{companion}/" if companion else ""
    return sorted(name for name in files if name.startswith(folder) and _PART.fullmatch(name[len(folder) :]))


def _told(version: Path) -> dict[str, Any]:
    path = version / META
    with commit.spoken(path, verb="read"):
        told: dict[str, Any] = json.loads(path.read_bytes())
    return told


def _overlapping(parts: list[str], ends: Mapping[str, Sequence[Any]], between: Between) -> list[str]:
    """Parts that may have a row between the two, at least one; a part that does not say its ends may."""
    first, last = between
    kept = [name for name in parts if name not in ends or (ends[name][0] <= last and first <= ends[name][1])]
    return kept or parts[:1]


def _goods_of(parts: Sequence[pl.LazyFrame], digits: int | None) -> pl.DataFrame:
    """A row for each part and good in it, in order: part, start, length, good, and `whole`, one for those kept together."""
    counted = [
        lazy.group_by("good").agg(length=pl.len().cast(pl.Int64)).with_columns(part=pl.lit(number, dtype=pl.Int64))
        for number, lazy in enumerate(parts)
    ]
    together = pl.col("good") if digits is None else pl.col("good").str.slice(0, digits)
    start = pl.col("length").cum_sum().over("part") - pl.col("length")
    goods = pl.concat(counted).collect(engine="streaming").sort("part", "good")
    return goods.select("part", "length", "good", start=start, whole=together.rle_id())


def _cut(goods: pl.DataFrame, rows: int) -> Iterator[list[tuple[int, int, int, str]]]:
    """Chunks as (part, start, length, first good) of each part that they lie in."""
    number, filled, chunk = 0, 0, []
    for size in goods.group_by("whole", maintain_order=True).agg(pl.col("length").sum())["length"]:
        number, filled = (number + 1, size) if filled and filled + size > rows else (number, filled + size)
        chunk.append(number)
    slices = goods.group_by(
        pl.Series("chunk", chunk, dtype=pl.Int64).gather(goods["whole"]), "part", maintain_order=True
    ).agg(pl.col("start").first(), pl.col("length").sum(), pl.col("good").first())
    for one in slices.partition_by("chunk", maintain_order=True):
        yield one.drop("chunk").rows()


def _slice(
    lazy: pl.LazyFrame, table: str, columns: Sequence[str] | None, start: int, length: int, first: str
) -> pl.DataFrame:
    chunk = (lazy if columns is None else lazy.select(list(columns))).slice(start, length).collect()
    good = chunk["good"]
    if good[0] != first or not good.is_sorted():
        raise ContractBroken(f"table {table} sorted by good", f"{good[0]} where {first} should begin")
    return chunk


def _holder(path: Path) -> str:
    try:
        return f"process {int(path.read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "another process"
