"""What was published: the hash of each document beside them, so that a change is seen, and the tables they show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomaly.contract.errors import StoreFailure
from anomaly.store import commit
from anomaly.store.disk import named_failures

REPORTS = "reports"
RECORD = "DOCUMENTS.json"


@dataclass(frozen=True, slots=True)
class Published:
    """The documents of one run.

    Parameters
    ----------
    run : str
        Name of their folder under the reports.
    files : dict of str to str
        Name of a document → sha256.
    tables : dict of str to str or None
        Table they show → its version; None where a version of the program published them that did not write it down.
    """

    run: str
    files: dict[str, str]
    tables: dict[str, str] | None = None

    def says(self) -> dict[str, Any]:
        """What JSON holds of it."""
        tables = {} if self.tables is None else {"tables": dict(sorted(self.tables.items()))}
        return {"run": self.run, "files": dict(sorted(self.files.items())), **tables}

    def record(self) -> bytes:
        """Content of DOCUMENTS.json."""
        return json.dumps(self.says(), indent=1).encode() + b"\n"


def parsed(says: dict[str, Any]) -> Published:
    """The documents as JSON names them.

    Parameters
    ----------
    says : dict
        As Published.says.

    Returns
    -------
    Published
        Raises ValueError, KeyError or TypeError where that is none of this program's.
    """
    files, tables = dict(says["files"]), says.get("tables")
    if any("/" in name or name.startswith(".") for name in (says["run"], *files)):
        raise ValueError("names that are none of this program's")
    return Published(says["run"], files, None if tables is None else dict(tables))


def published(folder: Path) -> Published | None:
    """The documents that were published last.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the reports.

    Returns
    -------
    Published or None
        None where there are none.

    Raises
    ------
    StoreFailure
        Where their record cannot be read or is not what was written.
    """
    path = folder / RECORD
    with named_failures(path, verb="read"):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        newest = parsed(json.loads(text))
        if newest.record() != text:
            raise ValueError("not what was written")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreFailure(
            f"the record of the documents in {path}", f"{type(error).__name__}: {error}", hint="run again"
        ) from error
    return newest


def linked(folder: Path) -> Published | None:
    """The documents that `latest` points to by itself, as before there were runs.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the reports.

    Returns
    -------
    Published or None
        Without files where their record is lost or of other documents; None where there is no such folder.
    """
    link = folder / "latest"
    if not link.is_dir():
        return None
    name = link.readlink().name if link.is_symlink() else link.name
    try:
        newest = published(folder)
    except StoreFailure:
        newest = None
    return newest if newest is not None and newest.run == name else Published(name, {})


def broken(folder: Path, documents: Published) -> list[str]:
    """Documents that are missing or not what was published.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the reports.
    documents : Published
        What was.

    Returns
    -------
    list of str
        Paths under the folder; empty where all are whole.
    """
    return [
        f"{documents.run}/{name}"
        for name, sha256 in documents.files.items()
        if not commit.is_whole(folder / documents.run / name, sha256)
    ]
