"""What was fetched, in data/raw: releases that appear whole or not at all, and what of a plan lies there already.

```
<source>/<dataset>/<period>/<date>T<time>Z-<sha8>/<files> origin.toml .fetched.json     a release
<source>/<dataset>/<period>/.part-<hash>/                                              unfinished work on a call
<source>/<dataset>/.looked.json                                                        cells found unchanged later
<source>/.news.json                                                                    what was out when it was asked last
<source>/.calls.json                                                                   how many were made on a day
```

Names that begin with a dot are passed over by whoever reads raw files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from anomaly.contract.errors import DataRejected
from anomaly.fetch.base import Call, Cell, Fetched, Release
from anomaly.fetch.download import HINT
from anomaly.store.disk import Faults, digest, named_failures, sync_folder, write_over

REFERENCE = "reference"
FETCHED, LOOKED, CALLS, NEWS = ".fetched.json", ".looked.json", ".calls.json", ".news.json"
BEGAN = ".began"
STALE = timedelta(hours=24)  # unfinished work that is older is of another release, perhaps
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,")


def held(raw: Path, source: str) -> dict[str, Cell]:
    """What lies there of a publisher.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder; it need not be there.
    source : str
        The publisher's name.

    Returns
    -------
    dict of str to Cell
        `<dataset>/<cell>` → the newest that is known of it.
    """
    cells: dict[str, Cell] = {}
    for root in (raw / source, raw / REFERENCE / source):
        for path in sorted([*root.glob(f"*/*/*/{FETCHED}"), *root.glob(f"*/{LOOKED}")]):
            dataset = path.relative_to(root).parts[0]
            for name, cell in _read_cells(path).items():
                key = f"{dataset}/{name}"
                if key not in cells or cells[key].looked_at <= cell.looked_at:
                    cells[key] = cell
    return cells


def sweep(raw: Path, source: str, now: datetime) -> None:
    """Throw unfinished work away that is too old to be gone on with.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder, under a lock.
    source : str
        The publisher's name.
    now : datetime.datetime
        In UTC.
    """
    for root in (raw / source, raw / REFERENCE / source):
        for folder in root.glob("*/*/.part-*"):
            if not _is_fresh(folder, now):
                shutil.rmtree(folder, ignore_errors=True)


def keep_news(raw: Path, source: str, news: Mapping[str, Release], now: datetime) -> None:
    """Keep what is out, for plans that ask nobody.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.
    news : mapping of str to Release
        Of all that the scenario asks about.
    now : datetime.datetime
        In UTC.

    Raises
    ------
    StoreFailure
        The disk refuses.
    """
    rows = {name: [said.checksum, said.released, said.rows, said.size_bytes] for name, said in sorted(news.items())}
    path = raw / source / NEWS
    with named_failures(path, hint=HINT):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_over(path, json.dumps({"asked_at": now.isoformat(), "news": rows}).encode(), Faults("news"))


def last_news(raw: Path, source: str) -> tuple[dict[str, Release] | None, str]:
    """What was out when it was asked last.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.

    Returns
    -------
    news : dict of str to Release or None
        None where nobody was asked yet, or the note is damaged.
    day : str
        When that was; empty where nobody was.
    """
    note = _json(raw / source / NEWS)
    try:
        return {name: Release(*said) for name, said in note["news"].items()}, f"{_time(note['asked_at']):%Y-%m-%d}"
    except (KeyError, ValueError, TypeError, AttributeError):
        return None, ""


def begin(raw: Path, source: str, call: Call, now: datetime) -> Path:
    """The folder of unfinished work on a call, with what an earlier try left in it.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.
    call : Call
        What is asked.
    now : datetime.datetime
        Work that began more than STALE before is thrown away.

    Returns
    -------
    pathlib.Path
        It is there.

    Raises
    ------
    StoreFailure
        The disk refuses.
    """
    asked = json.dumps([call.path, call.params, sorted(call.cells)])
    folder = _place(raw, source, call) / f".part-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    with named_failures(folder, hint=HINT):
        if folder.is_dir() and not _is_fresh(folder, now):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / BEGAN).is_file():
            (folder / BEGAN).write_text(now.isoformat(), encoding="ascii")
    return folder


def _is_fresh(folder: Path, now: datetime) -> bool:
    """Whether unfinished work can be gone on with: it says when it began, and that is not long ago."""
    try:
        return _time((folder / BEGAN).read_text(encoding="ascii")) + STALE >= now
    except (OSError, ValueError):
        return False


def commit(
    raw: Path,
    source: str,
    call: Call,
    fetched: Fetched,
    url: str,
    licence: str,
    now: datetime,
    there: Mapping[str, Cell],
) -> Path | None:
    """Give what a call brought its place; what says nothing new is not kept.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.
    call : Call
        What was asked.
    fetched : Fetched
        Its files lie in the folder that `begin` gave.
    url : str
        Of the call, without a key.
    licence : str
        The publisher's.
    now : datetime.datetime
        In UTC.
    there : mapping of str to Cell
        As `held` gave it.

    Returns
    -------
    pathlib.Path or None
        The release's folder; None where every cell has the content that lies there, or none has a row and none had: then
        it is kept that they were looked at.

    Raises
    ------
    StoreFailure
        The disk refuses; the folder of unfinished work stays.
    """
    place = _place(raw, source, call)
    work = begin(raw, source, call, now)
    before = {name: there[key] for name in call.cells if (key := f"{call.dataset}/{name}") in there}
    cells = {name: replace(cell, looked_at=now) for name, cell in before.items()} if fetched.is_same else fetched.cells
    is_same = all(name in before and before[name].sha256 == cell.sha256 for name, cell in cells.items())
    is_nothing = all(cell.release.rows == 0 and name not in before for name, cell in cells.items())
    if is_same or is_nothing:
        _look(place.parent / LOOKED, cells)
        shutil.rmtree(work, ignore_errors=True)
        return None
    digests = {path.name: digest(path) for path in sorted(fetched.files)}
    sha256 = (
        hashlib.sha256("".join(digests.values()).encode()).hexdigest()
        if len(digests) > 1
        else next(iter(digests.values()))
    )
    released = max((cell.release.released for cell in fetched.cells.values()), default="")
    checksums = [cell.release.checksum for _, cell in sorted(fetched.cells.items()) if cell.release.checksum]
    checksum = checksums[0] if len(checksums) == 1 else (_hashed(checksums) if checksums else "")
    with named_failures(work, hint=HINT):
        origin = _origin(url, licence, now, digests, released, checksum)
        write_over(work / "origin.toml", origin.encode(), Faults("fetch"))
        write_over(work / FETCHED, _written(fetched.cells), Faults("fetch"))
        for path in work.iterdir():
            if path.name not in {*digests, "origin.toml", FETCHED}:
                path.unlink()
        sync_folder(work)
        release = place / f"{now:%Y-%m-%dT%H%M%SZ}-{sha256[:8]}"
        work.rename(release)
        sync_folder(place)
    return release


def calls_on(raw: Path, source: str, now: datetime) -> int:
    """How many requests went to a publisher today.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.
    now : datetime.datetime
        Its day counts, in UTC.

    Returns
    -------
    int
        0 where nothing is known.
    """
    counted = _json(raw / source / CALLS)
    number = counted.get(f"{now:%Y-%m-%d}", 0)
    return number if isinstance(number, int) else 0


def count_call(raw: Path, source: str, now: datetime) -> None:
    """Count one more request.

    Parameters
    ----------
    raw : pathlib.Path
        The raw folder.
    source : str
        The publisher's name.
    now : datetime.datetime
        Its day counts, in UTC.

    Raises
    ------
    StoreFailure
        The disk refuses.
    """
    path = raw / source / CALLS
    with named_failures(path, hint=HINT):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps({f"{now:%Y-%m-%d}": calls_on(raw, source, now) + 1}), encoding="ascii")
        temporary.replace(path)


def _place(raw: Path, source: str, call: Call) -> Path:
    for part in (source, call.dataset, call.period):
        if not part or part.startswith(".") or not set(part) <= _LETTERS:
            raise DataRejected("a name that a folder can have", repr(part[:60]), hint="a fault of the plan")
    root = raw / REFERENCE if call.is_reference else raw
    return root / source / call.dataset / call.period


def _origin(url: str, licence: str, now: datetime, digests: Mapping[str, str], released: str, checksum: str) -> str:
    text = {"url": url, "licence": licence, "released": released, "checksum": checksum}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in text.items() if value]
    lines += [f"fetched_at = {now:%Y-%m-%dT%H:%M:%SZ}", "", "[sha256]"]
    return "\n".join([*lines, *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in digests.items())]) + "\n"


def _look(path: Path, cells: Mapping[str, Cell]) -> None:
    """Keep that cells were looked at, beside what was looked at before."""
    with named_failures(path, hint=HINT):
        write_over(path, _written({**_read_cells(path), **cells}), Faults("fetch"))


def _written(cells: Mapping[str, Cell]) -> bytes:
    rows = {
        name: [cell.sha256, cell.looked_at.isoformat(), cell.release.checksum, cell.release.released, cell.release.rows]
        for name, cell in sorted(cells.items())
    }
    return json.dumps({"cells": rows}, ensure_ascii=False).encode()


def _read_cells(path: Path) -> dict[str, Cell]:
    """Those of a file; none where it is damaged, and all of it is fetched again."""
    try:
        rows = _json(path)["cells"]
        return {
            str(name): Cell(str(sha256), Release(str(checksum), str(released), rows_there), _time(looked_at))
            for name, (sha256, looked_at, checksum, released, rows_there) in rows.items()
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _hashed(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
