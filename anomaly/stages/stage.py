"""What a stage is, and how stages are gone through: over the store a portion at a time, or in memory.

A stage names the tables it reads and those it makes; its `build` is a pure function that takes the former in that order,
then the settings, and yields the latter, a portion at a time. A job goes through the stages of its table over the store and
writes what comes. What is computed once more (as of another day, without a publisher, to compare) goes through the same
stages in memory, from whatever tables are at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from anomaly.contract.errors import ContractBroken
from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame, Tables

Portion = dict[str, Frame]
Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Lazy:
    """A table that a stage scans and may be too large to hold.

    Parameters
    ----------
    table : str
        Its name.
    """

    table: str


@dataclass(frozen=True, slots=True)
class Chunks:
    """A table sorted by good that a stage takes a chunk of whole goods at a time.

    Parameters
    ----------
    table : str
        Its name.
    rows : int
        About how many rows a chunk has.
    digits : int
        Goods that share so many first digits stay together.
    columns : tuple of str
        What is read of it.
    """

    table: str
    rows: int
    digits: int
    columns: tuple[str, ...]


Read = str | Lazy | Chunks  # a name alone is the whole table


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the pipeline.

    Parameters
    ----------
    name : str
        What it makes, in a word.
    reads : tuple of str, Lazy or Chunks
        Tables before it, in the order in which `build` takes them.
    makes : tuple of str
        Tables it makes, in the order in which `build` yields them. What is no table of the contract is made on the way
        and not written.
    build : callable
        The tables read, then Settings → iterator of portions, each a frame for every table made.
    """

    name: str
    reads: tuple[Read, ...]
    makes: tuple[str, ...]
    build: Callable[..., Iterator[tuple[Frame, ...]]]


@dataclass(frozen=True, slots=True)
class Held:
    """Tables in memory, and others below them.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame or polars.LazyFrame
        Tables by name.
    below : Tables, optional
        Where those are that `frames` does not name.
    """

    frames: Mapping[str, Frame]
    below: Tables | None = None

    def read(self, table: str) -> pl.DataFrame:
        """All rows of a table.

        Parameters
        ----------
        table : str
            Its name.

        Returns
        -------
        polars.DataFrame
            What is in memory as it is, a lazy table collected, and else what lies below.
        """
        frame = self.frames.get(table)
        if frame is None:
            return self._below(table).read(table)
        return frame if isinstance(frame, pl.DataFrame) else frame.collect(engine="streaming")

    def scan(self, table: str) -> pl.LazyFrame:
        """A table of which not all may be needed.

        Parameters
        ----------
        table : str
            Its name.

        Returns
        -------
        polars.LazyFrame
            The table.
        """
        frame = self.frames.get(table)
        return self._below(table).scan(table) if frame is None else frame.lazy()

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
            What is taken of it.

        Yields
        ------
        polars.DataFrame
            The next chunk; of an empty table in memory one that is empty.
        """
        if table not in self.frames:
            yield from self._below(table).chunks(table, rows, digits, columns)
            return
        frame = self.read(table).select(list(columns))
        together = frame["good"].str.slice(0, digits).rle().struct.field("len").cast(pl.Int64)
        chunk = (together.cum_sum() - 1) // rows
        sizes = pl.DataFrame({"chunk": chunk, "rows": together}).group_by("chunk", maintain_order=True).sum()["rows"]
        begins = 0
        for size in sizes if frame.height else (0,):
            yield frame.slice(begins, size)
            begins += size

    def _below(self, table: str) -> Tables:
        if self.below is None:
            raise ContractBroken(f"a table {table} to go on from", f"only {', '.join(sorted(self.frames))}")
        return self.below


def _nobody(_rows: int) -> None:
    """Is told how far the work is, and does nothing with it."""


def name_of(read: Read) -> str:
    """Name of a table that a stage reads.

    Parameters
    ----------
    read : str, Lazy or Chunks
        One of Stage.reads.

    Returns
    -------
    str
        The table's name.
    """
    return read if isinstance(read, str) else read.table


def sources(stages: Sequence[Stage]) -> tuple[str, ...]:
    """What stages need from outside.

    Parameters
    ----------
    stages : sequence of Stage
        In their order.

    Returns
    -------
    tuple of str
        Tables that they read and none of them makes, companions by the table they lie with, in the order read.
    """
    tables_made = {table for stage in stages for table in stage.makes}
    read = [name_of(read) for stage in stages for read in stage.reads]
    return tuple(dict.fromkeys(table.partition(".")[0] for table in read if table not in tables_made))


def portions(
    stages: Sequence[Stage],
    tables: Tables,
    settings: Settings,
    at_hand: Mapping[str, Frame] | None = None,
    advance: Advance = _nobody,
) -> Iterator[Portion]:
    """Go through stages over a store, a portion at a time.

    Parameters
    ----------
    stages : sequence of Stage
        In their order. What one makes and a later one reads is held in memory; anything else is let go when it was
        yielded.
    tables : Tables
        Where the tables before them are.
    settings : Settings
        The scenario.
    at_hand : mapping of str to frame, optional
        Tables at hand; a stage that makes nothing else is left out.
    advance : callable, optional
        Is told the rows of every chunk that has been worked on.

    Yields
    ------
    dict of str to frame
        Table → a portion of it.
    """
    held = dict(at_hand or {})
    for number, stage in enumerate(stages):
        read_later = {name_of(read) for later in stages[number + 1 :] for read in later.reads}
        if not held.keys() >= set(stage.makes):
            parts: dict[str, list[Frame]] = {name: [] for name in read_later.intersection(stage.makes) - held.keys()}
            for portion in _gone_through(stage, Held(held, tables), settings, advance):
                for name in parts:
                    parts[name].append(portion[name])
                yield portion
                del portion  # let go before the next is made
            held |= {name: _joined(frames) for name, frames in parts.items()}
        held = {name: frame for name, frame in held.items() if name in read_later}


def through(stages: Sequence[Stage], names: Sequence[str], at_hand: Mapping[str, Frame], settings: Settings) -> Held:
    """Make tables in memory from those at hand: every stage between, in order, and no other.

    Parameters
    ----------
    stages : sequence of Stage
        All that there are, in their order.
    names : sequence of str
        Names of the tables to make.
    at_hand : mapping of str to frame
        Tables at hand, by name; these are not made, even where a stage could.
    settings : Settings
        The scenario.

    Returns
    -------
    Held
        The tables wanted.

    Raises
    ------
    ContractBroken
        Where a table is needed that is neither given nor made by a stage.
    """
    needed: list[Stage] = []
    missing = set(names) - at_hand.keys()
    for stage in reversed(stages):
        if missing.intersection(stage.makes):
            needed.insert(0, stage)
            missing -= set(stage.makes)
            missing |= {name_of(read) for read in stage.reads} - at_hand.keys()
    if missing:
        raise ContractBroken(f"tables from which {', '.join(names)} can be made", f"no {', '.join(sorted(missing))}")
    portions_of: dict[str, list[Frame]] = {name: [] for name in names if name not in at_hand}
    for portion in portions(needed, Held({}), settings, at_hand):
        for name in portions_of.keys() & portion.keys():
            portions_of[name].append(portion[name])
    return Held({name: at_hand[name] if name in at_hand else _joined(portions_of[name]) for name in names})


def _gone_through(stage: Stage, tables: Held, settings: Settings, advance: Advance = _nobody) -> Iterator[Portion]:
    inputs = [_read(read, tables, advance) for read in stage.reads]
    return map(partial(_named, stage), stage.build(*inputs, settings))


def _named(stage: Stage, frames: tuple[Frame, ...]) -> Portion:
    return dict(zip(stage.makes, frames, strict=True))


def _read(read: Read, tables: Held, advance: Advance) -> Frame | Iterator[pl.DataFrame]:
    if isinstance(read, str):
        return tables.read(read)
    if isinstance(read, Lazy):
        return tables.scan(read.table)
    return _worked_on(tables.chunks(read.table, read.rows, read.digits, read.columns), advance)


def _worked_on(chunks: Iterator[pl.DataFrame], advance: Advance) -> Iterator[pl.DataFrame]:
    for chunk in chunks:
        yield chunk
        advance(chunk.height)


def _joined(frames: Sequence[Frame]) -> Frame:
    """The portions of a table as one; a lazy table comes in one portion."""
    if len(frames) == 1:
        return frames[0]
    return pl.concat([frame if isinstance(frame, pl.DataFrame) else frame.collect() for frame in frames])
