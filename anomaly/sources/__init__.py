"""The publishers' formats that can be read, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from anomaly.contract.errors import DataRejected
from anomaly.sources import baci, comext, comtrade, ecb, table
from anomaly.sources.base import RawFile, Source

SOURCES: tuple[Source, ...] = (comtrade.SOURCE, comext.SOURCE, baci.SOURCE, ecb.SOURCE, table.SOURCE)


def find(raw: RawFile) -> Source:
    """The first source that claims the file. Raises DataRejected, naming the file, where none does."""
    for source in SOURCES:
        if source.claims(raw):
            return source
    known = "; ".join(f"{source.name} ({source.title})" for source in SOURCES)
    raise DataRejected(
        f"a file of one of these: {known}",
        f"{raw.name}: none of them",
        hint="lay a small TOML beside a table of your own (docs/sources/table.md), or take the file out",
    )
