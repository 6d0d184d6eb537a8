"""Eurostat's Comext, the monthly bulk files: everything that members trade, a 7z a month, told by a listing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from anomaly.fetch.archives import seven_zip
from anomaly.fetch.base import Asking, Call, Cell, Fetched, News, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.comext_listing import months_listed
from anomaly.fetch.comext_service import LICENCE, SERVICE
from anomaly.fetch.download import download
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.need import months

DATASET = "full"  # Eurostat's own word for files that hold everything
FILES = "/eurostat/api/dissemination/files"
FOLDER = "comext/COMEXT_DATA/PRODUCTS"
LAG = timedelta(days=50)  # after the end of a month; only where nobody asked what is out
USUAL_BYTES = 45_000_000  # of a month's file
LEAST_MONTHS = 30  # for the date test of the coalition's sales to hubs
HEADERS = (b"REPORTER,", b"DECLARANT,")


def news(asking: Asking, client: Client) -> News:
    """The months that the listing has.

    Parameters
    ----------
    asking : Asking
        Not looked at: one listing has them all.
    client : Client
        Comext's.

    Returns
    -------
    dict of str to Release
        `full/202402` → size and day; a changed one is a revision.
    """

    def listed(answer: Answer) -> dict[str, Release]:
        releases = months_listed(answer.content.decode("utf-8", "replace"))
        if not releases:
            raise Transient(f"a listing without a month: {sentence_of(answer.content)}")
        return releases

    releases = client.ask(f"{FILES}/", (("sort", "1"), ("dir", FOLDER)), listed)
    return {f"{DATASET}/{month}": release for month, release in releases.items()}


def plan(asking: Asking) -> Plan:
    """A call a month that is out and is not there as it is out: missing months first, newest first.

    Parameters
    ----------
    asking : Asking
        Without news the months up to LAG ago, of USUAL_BYTES each.

    Returns
    -------
    Plan
        With what a person should know of its size.
    """
    wanted = months(asking.need, asking.since)
    releases = _expected(wanted, asking.today) if asking.news is None else asking.news
    missing: list[Call] = []
    revised: list[Call] = []
    there = 0
    for month in reversed(wanted):
        name = f"{month:%Y%m}"
        release, cell = releases.get(f"{DATASET}/{name}"), asking.held.get(f"{DATASET}/{name}")
        if release is None:
            continue
        if cell is not None and release.checksum in ("", cell.release.checksum):
            there += 1
            continue
        calls, why = (missing, "missing") if cell is None else (revised, "revised")
        params = (("file", f"{FOLDER}/full_v2_{name}.7z"),)
        calls.append(Call(DATASET, name, FILES, params, {name: release}, why, size_bytes=release.size_bytes))
    return Plan((*missing, *revised), there, _says(wanted, releases, (*missing, *revised)))


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """A month's archive, read once to its end before it is kept.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        Comext's.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        The archive as published; its cell's content is the table in it.
    """
    target = folder / f"full_v2_{call.period}.7z"
    if target.exists() and target.stat().st_size != call.size_bytes:
        target.unlink()  # of an earlier try, and not what the listing says now
    table = seven_zip(target, HEADERS) if target.exists() else None
    if table is None:
        seen = []
        download(
            client, call.path, target, call.params, lambda path: seen.append(seven_zip(path, HEADERS)), call.size_bytes
        )
        table = seen[-1]
    release = replace(call.cells[call.period], rows=table.rows)
    return Fetched((target,), {call.period: Cell(table.sha256, release, client.clock.now())})


def _expected(wanted: list[date], today: date) -> dict[str, Release]:
    """What may be out, where nobody was asked; a month that is there counts as it is."""
    last = (today - LAG).replace(day=1)
    return {f"{DATASET}/{month:%Y%m}": Release(size_bytes=USUAL_BYTES) for month in wanted if month < last}


def _says(wanted: list[date], releases: News, calls: tuple[Call, ...]) -> tuple[str, ...]:
    says = []
    if calls:
        gigabytes = sum(call.size_bytes or 0 for call in calls) / 1e9
        says.append(
            f"{len(calls):,} months, {gigabytes:.1f} GB as packed; a run unpacks one at a time, 0.4 GB each. "
            "--since brings fewer; comext-slices brings listed goods alone, in a few calls"
        )
    if len(wanted) < LEAST_MONTHS:
        says.append(f"{len(wanted)} months are asked for: the date test of sales to hubs needs {LEAST_MONTHS}")
    absent = [month for month in wanted if f"{DATASET}/{month:%Y%m}" not in releases]
    if absent and len(absent) < len(wanted):
        says.append(f"not out: {_span(absent)}")
    return tuple(says)


def _span(absent: list[date]) -> str:
    shown = ", ".join(f"{month:%Y-%m}" for month in absent[:6])
    return f"{shown} and {len(absent) - 6:,} more" if len(absent) > 6 else shown


PUBLISHER = Publisher(service=SERVICE, licence=LICENCE, plan=plan, fetch=fetch, news=news)
