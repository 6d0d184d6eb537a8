"""The publishers' formats that can be read, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

import importlib

from anomaly.errors import DataRejected
from anomaly.sources.base import RawFile, Source


def _landed(*names: str) -> tuple[Source, ...]:
    found = []
    for name in names:
        try:
            module = importlib.import_module(f"anomaly.sources.{name}")
        except ModuleNotFoundError:
            continue
        found.append(module.SOURCE)
    return tuple(found)


SOURCES: tuple[Source, ...] = _landed("comtrade", "comext", "baci", "ecb", "table")


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
