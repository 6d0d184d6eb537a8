"""The publishers' formats that can be read, in the order in which they are asked whether a file is theirs.

A table of one's own is asked first: a mapping beside a file is what a person said of it, and a folder's name is not.
"""

from __future__ import annotations

from anomaly.contract.errors import DataRejected
from anomaly.sources import (
    baci,
    census,
    comext,
    comtrade,
    ecb,
    hmrc,
    kazakhstan,
    kyrgyzstan,
    table,
    trade_map,
    wits,
)
from anomaly.sources.base import RawFile, Source

SOURCES: tuple[Source, ...] = (
    table.SOURCE,
    comtrade.SOURCE,
    comext.SOURCE,
    baci.SOURCE,
    census.SOURCE,
    hmrc.SOURCE,
    ecb.SOURCE,
    wits.SOURCE,
    trade_map.SOURCE,
    kazakhstan.SOURCE,
    kyrgyzstan.SOURCE,
)


def find(raw: RawFile) -> Source:
    """Which publisher's format a raw file is in.

    Parameters
    ----------
    raw : RawFile
        Its name and first bytes decide; the first source in SOURCES that claims it is taken.

    Returns
    -------
    Source
        The first that claims the file.

    Raises
    ------
    DataRejected
        Naming the file and the formats there are, where none claims it.
    """
    for source in SOURCES:
        if source.claims(raw):
            return source
    formats = "; ".join(f"{source.name} ({source.title})" for source in SOURCES)[:1500]
    raise DataRejected(
        f"a file of one of these: {formats}",
        f"{raw.name}: none of them",
        hint="for a table of your own lay a small TOML beside it (`anomaly map` writes a first one), or take the file out",
    )
