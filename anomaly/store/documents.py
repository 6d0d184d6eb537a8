"""What was published: the hash of each document of the newest report, beside them, so that a change is seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from anomaly.store import commit

RECORD = "DOCUMENTS.json"


def record(run: str, files: Mapping[str, str]) -> bytes:
    """What is kept of a report that is published.

    Parameters
    ----------
    run : str
        Name of its run.
    files : mapping of str to str
        Name of a document → sha256.

    Returns
    -------
    bytes
        JSON.
    """
    return json.dumps({"run": run, "files": dict(sorted(files.items()))}, indent=1).encode() + b"\n"


def faults(folder: Path, run: str) -> list[str]:
    """Documents of a run that are not what was published, and the record itself where it is lost or changed.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the reports.
    run : str
        The newest run, which `latest` points to.

    Returns
    -------
    list of str
        Paths under the folder; empty where all are whole.
    """
    try:
        text = (folder / RECORD).read_bytes()
        written = json.loads(text)
        files: dict[str, str] = dict(written["files"])
        is_as_written = record(written["run"], files) == text and written["run"] == run
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return [RECORD]
    lost = [f"latest/{name}" for name, sha256 in files.items() if not commit.is_whole(folder / run / name, sha256)]
    return lost + ([] if is_as_written else [RECORD])
