"""A file brought to the disk: piece by piece beside its name, taken up where it broke off, given its name when it is whole."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anomaly.contract.errors import DataRejected
from anomaly.fetch.client import Client, Params
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.store.disk import SPARE_BYTES, Faults, named_failures, sync_folder, write_over

if TYPE_CHECKING:
    from anomaly.fetch.client import Response

PART = ".part"  # hidden by a dot in front too: whoever reads raw files passes it over
_VALIDATORS = ("etag", "last-modified")
HINT = "make room on the disk, or let this user write there, and run the same command again: what was brought stays"


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came whole.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    url : str
        Without a key.
    headers : mapping of str to str
        Of the last answer, names in lower case.
    """

    path: Path
    url: str
    headers: Mapping[str, str]


def download(
    client: Client,
    path: str,
    target: Path,
    params: Params = (),
    check: Callable[[Path], object] | None = None,
    size_bytes: int | None = None,
) -> Downloaded:
    """Bring a file, in as many attempts as it takes.

    What is there of an earlier try, of another process too, is gone on with, where the server says by a validator that it is
    the same file still; otherwise it begins anew.

    Parameters
    ----------
    client : Client
        Of its publisher.
    path : str
        Below the publisher's address, or an address on its host.
    target : pathlib.Path
        The file's own name, in a folder that is there. A file that has it is whole and not asked for again.
    params : sequence of (str, str), optional
        Without a key.
    check : callable, optional
        Raises Transient where what came is not what it should be: it is thrown away and asked for again.
    size_bytes : int, optional
        Expected; gives a large file its time.

    Returns
    -------
    Downloaded
        The file has its name, and the disk has it.

    Raises
    ------
    AnomalyError
        As `Client.get`; StoreFailure where the disk refuses.
    """
    if target.exists():
        return Downloaded(target, client.url(path, params), {})
    part = target.with_name(f".{target.name}{PART}")
    seconds = client.limits.request_seconds + (size_bytes or 0) / (client.limits.bytes_a_second / 20)
    deadline = client.clock.monotonic() + seconds

    def once() -> Mapping[str, str]:
        begun, validator = _begun(part)
        headers = {"accept-encoding": "identity"}
        if begun:
            headers |= {"range": f"bytes={begun}-", "if-range": validator}
        with client.response(path, params, headers) as response:
            _append(client, response, part, begun, deadline)
            came = dict(response.headers)
        try:
            if check is not None:
                check(part)
        except Transient:
            _forget(part)
            raise
        return came

    with named_failures(target, verb="write", hint=HINT):
        came = client.attempts(once, deadline, lambda: _begun(part)[0])
        part.replace(target)
        _meta(part).unlink(missing_ok=True)
        sync_folder(target.parent)
    return Downloaded(target, client.url(path, params), came)


def keep(content: bytes, target: Path) -> Path:
    """Write what came into memory under its name, in one step.

    Parameters
    ----------
    content : bytes
        Whole and checked.
    target : pathlib.Path
        In a folder that is there.

    Returns
    -------
    pathlib.Path
        The target.

    Raises
    ------
    StoreFailure
        The disk refuses.
    """
    with named_failures(target, len(content), hint=HINT):
        write_over(target, content, Faults("fetch"))
    return target


def _append(client: Client, response: Response, part: Path, begun: int, deadline: float) -> None:
    """Write a body to the disk, behind what is there where the server goes on from there."""
    _refuse_page(response)
    headers, mode = response.headers, "wb"
    if response.status_code == 206:
        span = re.match(r"bytes (\d+)-", headers.get("content-range", ""))
        if span is None or int(span[1]) != begun:
            _forget(part)
            raise Transient(f"bytes from another place than {begun:,}")
        mode = "ab"
    else:
        begun = 0
        _forget(part)
    announced = headers.get("content-length", "")
    size = begun + int(announced) if announced.isdigit() else 0
    most = client.limits.most_bytes
    if size > most:
        raise _too_large(most, f"{size:,}")
    if shutil.disk_usage(part.parent).free < size - begun + SPARE_BYTES:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} for {size - begun:,} bytes")
    if mode == "wb" and (validator := _validator(headers)):
        _meta(part).write_text(json.dumps({"validator": validator}), encoding="utf-8")
    faults = Faults("fetch")
    with part.open(mode) as file:
        for chunk in client.chunks(response, deadline):
            begun += len(chunk)
            if begun > most:
                raise _too_large(most, "more")
            file.write(chunk)
            faults.point()
        file.flush()
        os.fsync(file.fileno())


def _too_large(most: int, came: str) -> DataRejected:
    return DataRejected(f"a file of at most {most:,} bytes", came, hint="nothing of it was kept")


def _refuse_page(response: Response) -> None:
    """A page for people in place of a file."""
    if "text/html" in response.headers.get("content-type", ""):
        begin = next(response.iter_raw(), b"")
        raise Transient(f"a page in place of a file: {sentence_of(begin)}")


def _validator(headers: Mapping[str, str]) -> str:
    """What says that a file is the same still; a weak ETag does not."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")


def _meta(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _begun(part: Path) -> tuple[int, str]:
    """How many bytes are there that may be gone on with, and the validator they came with."""
    try:
        validator = json.loads(_meta(part).read_text(encoding="utf-8"))["validator"]
        return part.stat().st_size, str(validator)
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _meta(part).unlink(missing_ok=True)
