"""Where the tables as of a day lie: in a folder of their own beside those of today, so that neither is taken for the other."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from pathlib import Path

_NAME = re.compile(r"(.*)-as-of-(\d{4}-\d{2}-\d{2})")


def folder(data: Path, as_of: date | None) -> Path:
    """The folder of the tables as of a day.

    Parameters
    ----------
    data : pathlib.Path
        Folder of today's tables.
    as_of : datetime.date or None
        The day; None: today.

    Returns
    -------
    pathlib.Path
        It need not be there.
    """
    return data if as_of is None else data.resolve().with_name(f"{data.resolve().name}-as-of-{as_of.isoformat()}")


def folders(data: Path) -> list[Path]:
    """All folders of the tables as of a day that lie beside those of today.

    Parameters
    ----------
    data : pathlib.Path
        Folder of today's tables.

    Returns
    -------
    list of pathlib.Path
        Sorted by day.
    """
    place, name = data.resolve().parent, data.resolve().name
    beside = sorted(place.iterdir()) if place.is_dir() else []
    return [path for path in beside if path.is_dir() and (named := _NAME.fullmatch(path.name)) and named[1] == name]


def day_of(data: Path) -> date | None:
    """The day as of which a folder's tables are, by its name.

    Parameters
    ----------
    data : pathlib.Path
        The folder.

    Returns
    -------
    datetime.date or None
        None where it is a folder of today's tables.
    """
    named = _NAME.fullmatch(data.resolve().name)
    with contextlib.suppress(ValueError):
        return date.fromisoformat(named[2]) if named else None
    return None
