"""Which files there are under the raw folder: nothing that may hold data is left out without a word."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from anomaly import sources
from anomaly.contract.errors import DataRejected, StoreFailure
from anomaly.sources.own_table.mapping import companions
from anomaly.store.disk import named_failures

# how names of pages beside data begin, and of what a desktop leaves in a folder that it has shown
NOT_DATA = ("readme", "simulated.md", "licence", "license", "thumbs.db", "ehthumbs.db", "desktop.ini", "~$")
REFERENCE = "reference"
LOST_AND_FOUND = "lost+found"  # the file system's own, at the top of a disk


def walk(raw: Path) -> tuple[Path, list[Path]]:
    """The raw folder and the files in it that say something, TOMLs among them.

    Links are followed, to files and to folders.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob; a folder that a glob names is walked.

    Returns
    -------
    root : Path
        The raw folder.
    paths : list of Path
        Sorted by name.

    Raises
    ------
    StoreFailure
        A folder cannot be read, or a link leads nowhere or back to a folder it lies in.
    DataRejected
        A name is not in UTF-8, or what bears it is neither a file nor a folder.
    """
    if raw.is_dir():
        root, files_there = raw, list(_files(raw, raw))
    else:
        named = [raw] if os.path.lexists(raw) else [Path(name) for name in glob.glob(str(raw), recursive=True)]  # noqa: PTH207
        files = [path for entry in named for path in _files(entry, entry if entry.is_dir() else entry.parent)]
        beside = {toml for path in files for toml in path.parent.glob("*.toml")}
        beside |= {toml.parent / name for toml in beside for name in companions(toml) if (toml.parent / name).is_file()}
        root, files_there = _root(files), sorted({*files, *beside})
    counted = (path for path in files_there if _counts(path.relative_to(root)))
    return root, sorted(counted, key=lambda path: name_of(path, root))


def name_of(path: Path, root: Path) -> str:
    """A file's name below the raw folder.

    Parameters
    ----------
    path, root : Path
        The file and the folder.

    Returns
    -------
    str
        Always with /.
    """
    return path.relative_to(root).as_posix()


def _files(entry: Path, root: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """The files at or below a path, but those that never count; `above`: device and number of the folders it lies in."""
    if entry != root and _is_passed_over(entry.relative_to(root)):
        return
    _refuse_name(entry)
    with named_failures(entry, verb="read", hint="let this user read it, mend the link, or take it out"):
        status = entry.stat()
        kind = status.st_mode
        inside = sorted(entry.iterdir()) if stat.S_ISDIR(kind) else []
    if stat.S_ISREG(kind):
        yield entry
    elif stat.S_ISDIR(kind):
        folder = (status.st_dev, status.st_ino)
        if folder in above:
            raise StoreFailure(
                "links that do not lead back", f"{entry}: a folder that it lies in", hint="take the link out"
            )
        for path in inside:
            yield from _files(path, root, (*above, folder))
    else:
        raise DataRejected("files and folders", f"{entry}: a pipe, a socket or a device", hint="take it out")


def _refuse_name(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise DataRejected(
            "names of files in UTF-8", f"{os.fsencode(path.name)!r} in {path.parent}", hint="give it another name"
        ) from error


def _root(files: list[Path]) -> Path:
    """The raw folder that files given by name lie in: above the folder named after a source, else their common one."""
    if not files:
        return Path()
    common = Path(os.path.commonpath([path.parent for path in files]))
    names = {source.name for source in sources.SOURCES}
    above = [folder.parent for folder in (common, *common.parents) if folder.name in names]
    return above[0] if above else common


def _counts(path: Path) -> bool:
    return not _is_passed_over(path) and not path.name.lower().startswith(NOT_DATA)


def _is_passed_over(path: Path) -> bool:
    """Whether a file or folder is hidden, or lies in a folder that holds no flows."""
    is_hidden = any(part.startswith(".") for part in path.parts)
    return is_hidden or path.parts[0] in (REFERENCE, LOST_AND_FOUND)
