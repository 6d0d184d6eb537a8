"""The US Census Bureau's exports: a call a month, all subheadings and countries, as an array of arrays of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from anomaly.contract.errors import BadRequest, KeyRefused
from anomaly.fetch import by_month
from anomaly.fetch.base import Asking, Call, Cell, Fetched, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.download import keep
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.service import Limits, Service
from anomaly.sources.census import COLUMNS
from anomaly.store.disk import digest

DATASET = "exports_hs6"
PATH = "/data/timeseries/intltrade/exports/hs"
LAG = timedelta(days=36)  # after a month's end; the bureau's calendar has 33 to 38
USUAL_BYTES = 16_000_000  # of a month: some 250,000 rows; no figure of the publisher's
NO_KEY = (b"Invalid Key", b"Missing Key", b"valid <em>key</em>")


def plan(asking: Asking) -> Plan:
    """A call a month, as `by_month.plan` has it.

    Parameters
    ----------
    asking : Asking
        Its need's months, as far as LAG lets them be out.

    Returns
    -------
    Plan
        Missing months first, newest first.
    """

    def call_of(month: date, why: str) -> Call:
        name = f"{month:%Y-%m}"
        params = (("get", ",".join(COLUMNS)), ("COMM_LVL", "HS6"), ("SUMMARY_LVL", "DET"), ("time", name))
        return Call(DATASET, name, PATH, params, {name: Release()}, why, size_bytes=USUAL_BYTES)

    says = () if asking.has_key else ("every query needs a key, free at the Census Bureau, in CENSUS_API_KEY",)
    return by_month.plan(asking, DATASET, LAG, call_of, says)


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """A month's exports.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        The Census Bureau's, with its key.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        The JSON as published; an empty one where the month has no rows yet (204).
    """
    try:
        content = client.ask(call.path, call.params, _whole)
    except NothingOut:
        content = b"[]\n"
    rows = max(0, len(json.loads(content)) - 1)
    target = keep(content, folder / f"census_exports_hs6_{call.period}.json")
    cell = Cell(digest(target), Release(rows=rows, size_bytes=len(content)), client.clock.now())
    return Fetched((target,), {call.period: cell}, () if rows else ("nothing is out",))


class NothingOut(Exception):
    """The month has no rows yet."""


def _whole(answer: Answer) -> bytes:
    """Names first, every row as long as they are; a page about the key is no data, though it comes with 200."""
    content = answer.content
    if b"<" in content[:200]:
        if any(words in content for words in NO_KEY):
            hint = "look at the key in CENSUS_API_KEY; nothing was asked again"
            raise KeyRefused("the US Census Bureau to take the key", "a page that says it is no valid one", hint=hint)
        raise Transient(f"a page in place of data: {sentence_of(content)}")
    try:
        table = json.loads(content)
        widths = {len(row) for row in table}
        names = table[0]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise Transient(f"JSON that is cut or broken ({error})"[:200]) from None
    if len(widths) != 1 or not set(COLUMNS) <= set(names):
        raise Transient(f"no table of exports: {sentence_of(content)}")
    return content


def judge(status: int, _headers: Mapping[str, str], body: bytes) -> Exception | None:
    """What this publisher's refusals mean.

    Parameters
    ----------
    status : int
        Of the answer.
    _headers : mapping of str to str
        Not needed.
    body : bytes
        Its beginning.

    Returns
    -------
    Exception or None
        NothingOut for 204; BadRequest for a 400 in plain words, which says what it did not understand.
    """
    if status == 204:
        return NothingOut()
    if status == 400:
        hint = "a fault of the plan, or the publisher renamed a variable; nothing was kept"
        return BadRequest("the US Census Bureau to understand what was asked", sentence_of(body), hint=hint)
    return None


SERVICE = Service(
    name="census",
    title="the US Census Bureau",
    address="https://api.census.gov",
    limits=Limits(least_seconds=1.0, read_seconds=180.0, calls_a_day=500, most_bytes=500_000_000),
    key_variable="CENSUS_API_KEY",
    key_param="key",
    judge=judge,
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="public domain (US Census Bureau); state the source",
    plan=plan,
    fetch=fetch,
    needs_key=True,
)
