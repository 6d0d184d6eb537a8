"""Which files there are under the raw folder: nothing that may hold data is left out without a word."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from anomaly import sources
from anomaly.contract.errors import DataRejected, StoreFailure
from anomaly.sources.own_table.mapping import companions
from anomaly.store.disk import named_failures

# how names of pages beside data begin, and of what a desktop leaves in a folder that it has shown
NOT_DATA = ("readme", "simulated.md", "licence", "license", "thumbs.db", "ehthumbs.db", "desktop.ini", "~$")
REFERENCE = "reference"
LOST_AND_FOUND = "lost+found"  # the file system's own, at the top of a disk
_HINT = "let this user read it, mend the link, or take it out"


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
        named = [raw] if os.path.lexists(raw) else _named(raw)
        files = [path for entry in named for path in _files(entry, entry if entry.is_dir() else entry.parent)]
        folders = {path.parent for path in files}
        beside = {path for folder in folders for path in _inside(folder) if fnmatch.fnmatch(path.name, "*.toml")}
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
    with named_failures(entry, verb="read", hint=_HINT):
        status = entry.stat()
    kind = status.st_mode
    if stat.S_ISREG(kind):
        yield entry
    elif stat.S_ISDIR(kind):
        folder = (status.st_dev, status.st_ino)
        if folder in above:
            raise _leads_back(entry)
        for path in _inside(entry):
            yield from _files(path, root, (*above, folder))
    else:
        raise DataRejected("files and folders", f"{entry}: a pipe, a socket or a device", hint="take it out")


def _inside(folder: Path) -> list[Path]:
    with named_failures(folder, verb="read", hint=_HINT):
        return sorted(folder.iterdir())


def _named(pattern: Path) -> list[Path]:
    """What a glob names; a folder that it leads through and that cannot be read is an error, which `glob` passes over."""
    magic = [at for at, part in enumerate(pattern.parts) if glob.has_magic(part)]
    if not magic:
        return []
    return list(_matching(Path(*pattern.parts[: magic[0]]), pattern.parts[magic[0] :]))


def _matching(folder: Path, parts: Sequence[str], above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """Paths below a folder by the parts of a pattern; `**` is any number of folders, none among them."""
    if not parts:
        yield folder
    elif parts[0] == "**":
        yield from _matching(folder, parts[1:])
        own = _folder(folder)
        if own in above:
            raise _leads_back(folder)
        for path in _entries(folder, "*"):
            if _folder(path) is not None:
                yield from _matching(path, parts, (*above, own) if own else above)
    else:
        for path in _entries(folder, parts[0]):
            if len(parts) == 1 or _folder(path) is not None:
                yield from _matching(path, parts[1:])


def _entries(folder: Path, part: str) -> list[Path]:
    """What a part of a pattern names in a folder; what is hidden only where the part says so."""
    if not glob.has_magic(part):
        return [folder / part] if os.path.lexists(folder / part) else []
    if _folder(folder) is None:
        return []
    return [
        path
        for path in _inside(folder)
        if fnmatch.fnmatchcase(path.name, part)
        and path.name != LOST_AND_FOUND
        and path.name.startswith(".") <= part.startswith(".")
    ]


def _folder(path: Path) -> tuple[int, int] | None:
    """Device and number of a folder; None of a file, and of what is not there."""
    if not os.path.lexists(path):
        return None
    with named_failures(path, verb="read", hint=_HINT):
        status = path.stat()
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _leads_back(entry: Path) -> StoreFailure:
    return StoreFailure("links that do not lead back", f"{entry}: a folder that it lies in", hint="take the link out")


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
