"""UN Comtrade's tables of codes: static files with an ETag, asked for again only where they changed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from anomaly.fetch.base import Asking, Call, Cell, Fetched, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.download import keep
from anomaly.fetch.faults import Transient, sentence_of

DATASET = "reference"
NAMES = ("Reporters", "partnerAreas", "HS")
WEEK = timedelta(days=7)  # as Cache-Control says


def calls(asking: Asking) -> list[Call]:
    """The tables that are a week old or not there.

    Parameters
    ----------
    asking : Asking
        What lies there, and the day.

    Returns
    -------
    list of Call
        With the ETag of what lies there.
    """
    wanted = []
    for name in NAMES:
        cell = asking.held.get(f"{DATASET}/{name}")
        if cell is None or cell.looked_at.date() + WEEK <= asking.today:
            path = f"/files/v1/app/reference/{name}.json"
            etag = cell.release.checksum if cell else ""
            why = "recent" if cell else "missing"
            wanted.append(Call(DATASET, name, path, (), {name: Release()}, why, validator=etag, is_reference=True))
    return wanted


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """One table of codes.

    Parameters
    ----------
    call : Call
        Of `calls`.
    client : Client
        Comtrade's.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        As published, a byte order mark too; is_same where the publisher says that nothing changed.
    """
    headers = {"if-none-match": call.validator} if call.validator else {}
    answer = client.ask(call.path, (), _whole, headers)
    if answer.status == 304:
        return Fetched(is_same=True)
    path = keep(answer.content, folder / f"{call.period}.json")
    release = Release(
        answer.headers.get("etag", ""), answer.headers.get("last-modified", ""), rows=len(_results(answer))
    )
    cell = Cell(hashlib.sha256(answer.content).hexdigest(), release, client.clock.now())
    return Fetched((path,), {call.period: cell})


def _whole(answer: Answer) -> Answer:
    if answer.status != 304:
        _results(answer)
    return answer


def _results(answer: Answer) -> list[object]:
    """Its rows; what is no table of codes is worth another try."""
    try:
        results = json.loads(answer.content.decode("utf-8-sig"))["results"]
        if isinstance(results, list) and results:
            return results
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise Transient(f"no table of codes: {sentence_of(answer.content)}")
