"""Which raw files there were on a day: those that say when they came, and came by then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from anomaly.contract.errors import DataRejected
from pipelines.origin import ORIGIN, origin_of
from pipelines.raw_walk import walk

AS_OF = "as_of"  # beside the files among a job's inputs
DATES = ("fetched_at", "vintage")


def by(paths: Iterable[Path], root: Path, as_of: date) -> tuple[list[Path], list[Path]]:
    """The files that had come by a day, and those of which nobody can say.

    A file is dated by its folder: `fetched_at` and `vintage` of the origin.toml beside it, and the date that a folder of the
    form `<source>/<dataset>/<period>/<date>…/` begins with. The latest of them counts.

    Parameters
    ----------
    paths : iterable of Path
        Files under the raw folder.
    root : Path
        The raw folder.
    as_of : datetime.date
        The day; what came on it is seen.

    Returns
    -------
    seen : list of Path
        In their order.
    undated : list of Path
        Those that no date is known of; they are not seen.
    """
    seen, undated = [], []
    came_on: dict[Path, date | None] = {}
    for path in paths:
        if path.parent not in came_on:
            came_on[path.parent] = _came_on(path.parent, root)
        day = came_on[path.parent]
        if day is None:
            undated.append(path)
        elif day <= as_of:
            seen.append(path)
    return seen, undated


def undated(raw: Path, as_of: date) -> list[str]:
    """Names of the raw files that a run as of a day leaves out because they do not say when they came.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob.
    as_of : datetime.date
        The day.

    Returns
    -------
    list of str
        Below the raw folder.
    """
    root, paths = walk(raw)
    return [path.relative_to(root).as_posix() for path in by(paths, root, as_of)[1] if path.suffix.lower() != ".toml"]


def _came_on(folder: Path, root: Path) -> date | None:
    parts = folder.relative_to(root).parts
    texts: list[Any] = [parts[3]] if len(parts) > 3 else []
    with contextlib.suppress(DataRejected):  # whoever reads the file says what is wrong with it
        origin = origin_of(folder / ORIGIN, folder.name)
        texts += [origin[key] for key in DATES if key in origin]
    return max((day for text in texts if (day := _day(str(text)))), default=None)


def _day(text: str) -> date | None:
    """The date that a text begins with; None for a version such as V202501."""
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text[:10])
    return None
