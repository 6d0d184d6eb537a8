"""Which raw files there are, and what lies beside them: folders and origin.toml say dataset, vintage and origin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anomaly.contract.errors import AnomalyError, DataRejected, SourceUnavailable, TryLater
from anomaly.sources.base import RawFile
from anomaly.sources.own_table.mapping import companions
from anomaly.store.disk import digest, named_failures
from pipelines.origin import ORIGIN, origin_of
from pipelines.raw_walk import name_of as _name
from pipelines.raw_walk import walk
from pipelines.seen import AS_OF, by

DEEP = 5  # parts of <source>/<dataset>/<period>/<vintage>/<file>


@dataclass(frozen=True, slots=True)
class DescribedFile:
    """A raw file, and what its origin.toml says of its content.

    Parameters
    ----------
    raw : RawFile
        The file, with what its place and its origin.toml say of it.
    published_sha256 : str or None
        As origin.toml says it was published; None where it says none.
    fault : DataRejected or None
        Why its origin.toml cannot be used; None where it can, or there is none.
    """

    raw: RawFile
    published_sha256: str | None
    fault: DataRejected | None = None


def find(raw: Path, hashed: Mapping[str, str] | None = None) -> list[DescribedFile]:
    """The data files under a folder, one file, or what a glob names.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob.
    hashed : mapping of str to str or None, optional
        As `inputs` gave it: a file that came later is left to the next run. None: all that are there now.

    Returns
    -------
    list of Found
        Sorted by name.

    Raises
    ------
    SourceUnavailable
        There are none.
    StoreFailure
        A folder cannot be read, or a link leads nowhere.
    """
    root, paths = walk(raw)
    if hashed is not None:
        paths = [path for path in paths if f"raw/{_name(path, root)}" in hashed]
    beside = {path.parent / name for path in paths if path.suffix.lower() == ".toml" for name in companions(path)}
    data_files = [path for path in paths if path.suffix.lower() != ".toml" and path not in beside]
    if not data_files:
        hint = "put publishers' files under data/raw/<source>/, or say RAW=<folder, file or glob>"
        raise SourceUnavailable("raw files of a publisher", f"none at {raw}", hint=hint)
    return [_described(path, root) for path in data_files]


def inputs(raw: Path, as_of: date | None = None) -> dict[str, str]:
    """The sha256 of every raw file, and of every TOML that says something about one; each is read once.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob.
    as_of : datetime.date or None, optional
        Only files that came by that day (`seen.by`).

    Returns
    -------
    mapping of str to str
        `raw/` and the name below the raw folder → sha256 in hexadecimal digits; and AS_OF → the day, where there is one.

    Raises
    ------
    StoreFailure
        A folder or a file cannot be read, or a link leads nowhere.
    DataRejected
        A name is not in UTF-8, or what bears it is neither a file nor a folder.
    """
    root, paths = walk(raw)
    if as_of is None:
        return {f"raw/{_name(path, root)}": _sha256(path) for path in paths}
    return {
        AS_OF: as_of.isoformat(),
        **{f"raw/{_name(path, root)}": _sha256(path) for path in by(paths, root, as_of)[0]},
    }


def _sha256(path: Path) -> str:
    with named_failures(path, verb="read", hint="let this user read it, look at the disk, or take it out"):
        return digest(path)


@contextlib.contextmanager
def unchanged(raw: Path, hashed: Mapping[str, str]) -> Iterator[list[str]]:
    """Refuse what was read in a block where a raw file is no longer what was hashed: its rows would bear another hash.

    A file that changed while it was read looks damaged, so an error of the block gives way to this one.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob.
    hashed : mapping of str to str
        As `inputs` gave it before.

    Yields
    ------
    list of str
        Filled when the block ends: names of files that came meanwhile, which only the next run reads.

    Raises
    ------
    TryLater
        Files changed or went away, or a TOML came; all of them are named.
    """
    later: list[str] = []
    try:
        yield later
    except (AnomalyError, OSError) as error:
        _refuse_changes(raw, hashed, error)
        raise
    later += _refuse_changes(raw, hashed)


def _refuse_changes(raw: Path, hashed: Mapping[str, str], error: Exception | None = None) -> list[str]:
    """Names of the files that came meanwhile, where nothing else changed."""
    try:
        hashed_now = inputs(raw, date.fromisoformat(hashed[AS_OF]) if AS_OF in hashed else None)
    except (AnomalyError, OSError):
        if error is not None:
            return []  # the disk fails: the first error says so
        raise
    changes = [f"{name} changed" for name in hashed if name in hashed_now and hashed_now[name] != hashed[name]]
    changes += [f"{name} went away" for name in hashed if name not in hashed_now]
    later = [name for name in hashed_now if name not in hashed]
    changes += [f"{name} came" for name in later if name.endswith(".toml")]  # it may say what another file means
    if changes:
        raise TryLater(
            "raw files that stay as they are while they are read",
            f"{len(changes):,} that did not",
            examples=changes,
            hint="run again when all of them are there; nothing was committed",
        ) from error
    return later


def _described(path: Path, root: Path) -> DescribedFile:
    name = _name(path, root)
    parts = name.split("/")
    is_deep = len(parts) >= DEEP
    try:
        origin = origin_of(path.parent / ORIGIN, name)
    except DataRejected as fault:
        return DescribedFile(RawFile(path, name), None, fault)
    sha256 = origin.get("sha256")
    raw = RawFile(
        path,
        name,
        dataset=origin.get("dataset") or (parts[1] if is_deep else None),
        vintage=origin.get("vintage") or (parts[3] if is_deep else None),
        url=origin.get("url"),
        fetched_at=origin.get("fetched_at"),
    )
    return DescribedFile(raw, sha256.get(path.name) if isinstance(sha256, dict) else sha256)
