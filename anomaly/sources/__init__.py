"""The publishers' formats that can be read, in the order in which they are asked whether a file is theirs.

A table of one's own is asked first: a mapping beside a file is what a person said of it, and a folder's name is not.
"""

from __future__ import annotations

from anomaly.contract.errors import DataRejected
from anomaly.sources import baci, comext, comtrade, ecb, table
from anomaly.sources.base import RawFile, Source

SOURCES: tuple[Source, ...] = (table.SOURCE, comtrade.SOURCE, comext.SOURCE, baci.SOURCE, ecb.SOURCE)


def find(raw: RawFile) -> Source:
    """The first source that claims the file. Raises DataRejected, naming the file, where none does."""
    for source in SOURCES:
        if source.claims(raw):
            return source
    known = "; ".join(f"{source.name} ({source.title})" for source in SOURCES)[:600]
    raise DataRejected(
        f"a file of one of these: {known}",
        f"{raw.name}: none of them",
        hint="for a table of your own lay a small TOML beside it (`anomaly map` writes a first one), or take the file out",
    )
