"""Kept rows on their way into flows: parts in order, each with the release it is of."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from anomaly.contract.schema import Flows
from anomaly.sources import vintages
from anomaly.store.writer import Writer

BATCH_ROWS = 1_000_000  # most rows of a file in memory; BACI's years peak under 1 GB


PART_ROWS = 500_000  # small files are put together, so that a folder of thousands is not thousands of parts


ORDER = (
    "cmd_code",
    "reporter_iso",
    "partner_iso",
    "flow_code",
    "freq_code",
    "ref_date",
    "source",
    "dataset",
    "classification_code",
    "vintage",
)


@dataclass(slots=True)
class Parts:
    """Kept rows on their way into the table: parts of PART_ROWS and more, each sorted by ORDER.

    Parameters
    ----------
    writer : Writer
        Of the table flows.
    first_file_of : mapping of tuple of str to str
        Content, dataset and vintage → the file that brought them first.
    groups : list of polars.DataFrame
        vintages.groups of every batch that was taken.
    waiting : list of polars.DataFrame
        Batches that are not yet enough for a part.
    """

    writer: Writer
    first_file_of: dict[tuple[str, str, str], str] = field(default_factory=dict)
    groups: list[pl.DataFrame] = field(default_factory=list)
    waiting: list[pl.DataFrame] = field(default_factory=list)

    def add(self, flows: pl.DataFrame, name: str) -> int:
        """Take a batch of a file.

        Parameters
        ----------
        flows : polars.DataFrame
            Rows of one file in the table's columns.
        name : str
            The file's name.

        Returns
        -------
        int
            Rows taken: none of a copy of a file that was read already.
        """
        if flows.is_empty() or self.first_file_of.setdefault(release_of(flows), name) != name:
            return 0
        self.groups.append(vintages.groups(flows))
        self.waiting.append(flows)
        if sum(frame.height for frame in self.waiting) >= PART_ROWS:
            self.flush()
        return flows.height

    def flush(self) -> None:
        """Write what waits as one part; as several where files say one key twice, which is settled at the end."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        joined = pl.concat(waiting)
        is_once = len(waiting) == 1 or joined.select(Flows.primary_key()).hash_rows().n_unique() == joined.height
        for part in [joined] if is_once else waiting:
            self.writer.add(_in_order(part))

    def forget(self, raw_file: str, name: str) -> None:
        """Take out every row of a file that turned out bad after some of it had been taken.

        Parameters
        ----------
        raw_file : str
            First 12 digits of its sha256, as the column raw_file.
        name : str
            The file's name, as it was given to `add`.
        """
        releases = [
            release for release, first in self.first_file_of.items() if release[0] == raw_file and first == name
        ]
        if not releases:
            return
        for release in releases:
            del self.first_file_of[release]
        is_kept = pl.col("raw_file") != raw_file
        self.waiting = [remaining for frame in self.waiting if (remaining := frame.filter(is_kept)).height]
        self.groups = [remaining for frame in self.groups if (remaining := frame.filter(is_kept)).height]
        for part in self.writer.parts():
            before = self.writer.scan(part).collect()
            if (before["raw_file"] == raw_file).any():
                self.writer.replace(part, before.filter(is_kept))


def _in_order(part: pl.DataFrame) -> pl.DataFrame:
    """The rows by ORDER; to see that they came so takes a third of the time of sorting them."""
    falls = pl.lit(value=False)
    for name in reversed([name for name in ORDER if not (part[name] == part[name][0]).all()]):
        row, before = pl.col(name), pl.col(name).shift(1)
        falls = (row < before) | ((row == before) & falls)
    return part.sort(ORDER) if part.select(falls.any()).item() else part


def release_of(flows: pl.DataFrame) -> tuple[str, str, str]:
    """Of which file and release rows are.

    Parameters
    ----------
    flows : polars.DataFrame
        Rows of one file.

    Returns
    -------
    tuple of (str, str, str)
        raw_file, dataset and vintage.
    """
    return flows["raw_file"][0], flows["dataset"][0], flows["vintage"][0]
