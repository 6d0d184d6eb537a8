"""What a job is, and what its work is given; `running` runs it.

A job of a table is about twenty lines:

    def build(run: Run) -> None:
        frame = rollups.build(run.read("flags"), run.read("features"), run.settings.targets.countries)
        with run.writer() as writer:
            writer.add(frame)

    JOB = Job("rollups", "per good and per hub", build, reads=("flags", "features"))

Companions go into the writer of their table: `writer.add(frame, "features.refused")`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly.contract.settings import Settings
from anomaly.store.store import Store
from anomaly.store.writer import Writer
from pipelines import log

if TYPE_CHECKING:
    import dataframely as dy
    import polars as pl

DONE_BUT_LOOK = 3  # done; files were set aside or publishers failed, and somebody should look

Advance = Callable[[int], None]

_bar: ContextVar[tuple[Any, Any]] = ContextVar(
    "bar", default=(None, None)
)  # rich's bars, and which of them is the job's


@contextlib.contextmanager
def at_work(name: str) -> Iterator[None]:
    """Show on a terminal that a job is at work, and for how long; elsewhere nothing.

    Parameters
    ----------
    name : str
        Of the job.

    Yields
    ------
    None
        Nothing; the block runs inside.
    """
    if not sys.stderr.isatty() or not log.is_plain():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        shown = _bar.set((bars, bars.add_task(name, total=None)))
        try:
            yield
        finally:
            _bar.reset(shown)


@dataclass(frozen=True, slots=True)
class Job:
    """One table's job, or the reports'.

    name       of the job, and of its table
    says       what it makes, for a person
    build      does the work; called only where something changed
    reads      tables it reads; their versions are its inputs
    settings   names of the settings it uses; None: all of them
    inputs     raw, day → name → sha256 of what it reads beside tables
    publishes  it writes documents by Run.publish instead of a table
    in_run     `run` does it too
    remembers  store → name → version of what it reads of a run before

    Parameters
    ----------
    name : str
        Of the job, and of its table.
    says : str
        What it makes, for a person.
    build : callable
        Does the work; called only where something changed.
    reads : tuple of str
        Tables it reads; their versions are its inputs.
    settings : tuple of str or None
        Names of the settings it uses; None: all of them.
    inputs : callable or None
        The raw folder, and the last day of which files are seen (None: all) → name → sha256 of what it reads beside tables.
    publishes : bool
        It writes documents by Run.publish instead of a table.
    in_run : bool
        `run` does it too.
    remembers : callable or None
        The store → name → version of what it reads of a run before.
    """

    name: str
    says: str
    build: Callable[[Run], None]
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] | None = None
    inputs: Callable[[Path, date | None], dict[str, str]] | None = None
    publishes: bool = False
    in_run: bool = True
    remembers: Callable[[Store], dict[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """Everything a job's result hangs on. Two runs with the same one give the same bytes.

    Parameters
    ----------
    inputs : mapping of str to str
        Table or raw file → its version or sha256.
    settings : str
        Hash of the settings the job uses.
    code_version : str
        As code.code_version.
    """

    inputs: dict[str, str]
    settings: str
    code_version: str

    @property
    def run(self) -> str:
        """A name for the result, 16 hexadecimal digits."""
        text = json.dumps([self.inputs, self.settings, self.code_version], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Run:
    """What a job's `build` gets.

    Parameters
    ----------
    store : Store
        The tables.
    settings : Settings
        The scenario.
    raw : Path
        A folder, a file or a glob.
    job : Job
        The job that runs.
    stamp : Stamp
        What its result hangs on.
    is_quarantine : bool
        A file that cannot be read is set aside whole; otherwise it ends the run.
    set_aside : list of str
        Names of the files that were, filled by `build`.
    """

    store: Store
    settings: Settings
    raw: Path
    job: Job
    stamp: Stamp
    is_quarantine: bool = False
    set_aside: list[str] = field(default_factory=list)

    def read(self, table: str, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of a table, as Store.read.

        Parameters
        ----------
        table : str
            Its name, such as `coverage.scope`.
        columns : sequence of str or None, optional
            Those wanted; None: all.
        where : polars.Expr or None, optional
            A condition on the rows; None: all.

        Returns
        -------
        polars.DataFrame
            In the order of the table.
        """
        return self.store.read(table, columns, where)

    def writer(
        self, table: str | None = None, *, schema: type[dy.Schema] | None = None, sort: Sequence[str] = ()
    ) -> contextlib.AbstractContextManager[Writer]:
        """The job's table to write, as Store.writer: it bears the job's inputs, settings and code.

        Parameters
        ----------
        table : str or None, optional
            Its name; None: the job's.
        schema : Schema or None, optional
            Its contract, where that is not schema.TABLES'.
        sort : sequence of str, optional
            Key by which the rows are sorted over all parts.

        Returns
        -------
        context manager of Writer
            The table is committed when it is left without an error.
        """
        return self.store.writer(
            table or self.job.name,
            inputs=self.stamp.inputs,
            settings=self.stamp.settings,
            code_version=self.stamp.code_version,
            schema=schema,
            sort=sort,
            scenario=self.settings.recorded() if self.job.settings is None else None,
        )

    def publish(self, files: Mapping[str, bytes]) -> Path:
        """The job's documents into `reports/<run>`, as Store.publish.

        Parameters
        ----------
        files : mapping of str to bytes
            Name → content.

        Returns
        -------
        Path
            The folder they are in.
        """
        tables = {table: self.stamp.inputs[table] for table in self.job.reads}
        return self.store.publish(self.stamp.run, files, tables)

    def say(self, line: str, **facts: Any) -> None:
        """A line in the log of the run, with what a program may read beside it.

        Parameters
        ----------
        line : str
            For a person; the job's name is put before it.
        **facts : Any
            What a program may read, as in `log.say`.
        """
        log.say(f"{self.job.name}: {line}", job=self.job.name, **facts)

    @contextlib.contextmanager
    def progress(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """Let the job's bar count something, where there is one.

        Parameters
        ----------
        text : str
            What is counted.
        total : int or None, optional
            Steps in all; None where that is not known.

        Yields
        ------
        callable
            `advance(steps)`, to be called as the work goes on.
        """
        bars, task = _bar.get()
        if bars is None:
            yield lambda _steps: None
            return
        bars.reset(task, description=f"{self.job.name}: {text}", total=total)
        yield lambda steps: bars.advance(task, steps)
        bars.reset(task, description=self.job.name, total=None)
