"""CEPII's BACI: a zip a release, of the edition in force when the baseline begins, so that nothing breaks in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from anomaly.contract.errors import SourceUnavailable
from anomaly.fetch.archives import Contained, zipped
from anomaly.fetch.base import Asking, Call, Cell, Fetched, News, Plan, Publisher, Release
from anomaly.fetch.client import Client
from anomaly.fetch.download import download
from anomaly.fetch.service import Limits, Service
from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.baci import EDITIONS, YEAR_MEMBER

PAGE = ("/CEPII/en/bdd_modele/bdd_modele_item.asp", (("id", "37"),))
FOLDER = "/DATA_DOWNLOAD/baci/data"
RELEASE = (1, 31)  # month and day by which a year's release is out, where the page does not say
BACK = 4  # years of older releases that are tried where the newest is not there
USUAL_BYTES = 700_000_000  # eight years; no figure of the publisher's
HEADERS = (b"t,i,j,k,v,q",)
_NAMED = re.compile(r"BACI_(HS\d\d)_(V\d{6}[a-z]?)\.zip", re.ASCII)


def news(asking: Asking, client: Client) -> News:
    """The releases that the page of the database links to.

    Parameters
    ----------
    asking : Asking
        Its first year gives the edition.
    client : Client
        CEPII's.

    Returns
    -------
    dict of str to Release
        `BACI_HS17/V202501` → its name; empty where the page is not there or names none, and then the calendar is asked.
    """
    try:
        names = client.ask(*PAGE, lambda answer: set(_NAMED.findall(answer.content.decode("utf-8", "replace"))))
    except SourceUnavailable:
        return {}
    dataset = dataset_of(asking.need.first)
    return {
        f"{dataset}/{vintage}": Release(vintage, vintage) for edition, vintage in names if f"BACI_{edition}" == dataset
    }


def dataset_of(first: date) -> str:
    """The dataset whose codes are those of the first year asked about.

    Parameters
    ----------
    first : datetime.date
        Of the need.

    Returns
    -------
    str
        Such as BACI_HS17.
    """
    number = max(number for number, start in enumerate(EDITION_STARTS) if start <= first.year or number == 0)
    return "BACI_" + next(name for name, edition in EDITIONS.items() if edition == f"H{number}")


def plan(asking: Asking) -> Plan:
    """The newest release, unless it is there.

    Parameters
    ----------
    asking : Asking
        What lies there, what is out, the day.

    Returns
    -------
    Plan
        At most one call.
    """
    dataset = dataset_of(asking.need.first)
    listed = [key.partition("/")[2] for key in asking.news or {}]
    vintage = max(listed) if listed else next(_by_calendar(asking.today))
    held = sorted(key.partition("/")[2] for key in asking.held if key.startswith(f"{dataset}/"))
    if held and held[-1] >= vintage:
        return Plan((), there=1)
    call = Call(
        dataset, vintage, f"{FOLDER}/{dataset}_{vintage}.zip", (), {vintage: Release(vintage, vintage)}, "revised" if held else "missing",
        size_bytes=USUAL_BYTES, validator=held[-1] if held else "",
    )  # fmt: skip
    says = f"a zip of all years, about {USUAL_BYTES / 1e9:.1f} GB: annual, so it carries no month's test"
    return Plan((call,), 0, (says,))


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """The zip of a release, or of the newest before it where it is not out yet.

    Parameters
    ----------
    call : Call
        Of `plan`; its validator is the release that lies there.
    client : Client
        CEPII's.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        The zip as published; its name says which release it is.

    Raises
    ------
    SourceUnavailable
        None of the releases that may be out is there.
    """
    tried = (call.period, *(vintage for vintage in _by_calendar(client.clock.now().date()) if vintage < call.period))
    for vintage in tried:
        if vintage <= call.validator:
            return Fetched(is_same=True, says=(f"{call.period} is not out; {call.validator} is the newest",))
        try:
            path, tables = _brought(folder / f"{call.dataset}_{vintage}.zip", client, call.size_bytes)
        except SourceUnavailable:
            if vintage == tried[-1]:
                raise
            continue
        release = Release(vintage, vintage, tables.rows, path.stat().st_size)
        says = () if vintage == call.period else (f"{call.period} is not out; {vintage} is the newest",)
        return Fetched((path,), {vintage: Cell(tables.sha256, release, client.clock.now())}, says)
    raise AssertionError("there is always a release to try")


def _brought(target: Path, client: Client, size_bytes: int | None) -> tuple[Path, Contained]:
    """A zip and what it holds, read once to its end."""
    seen: list[Contained] = []

    def check(path: Path) -> None:
        seen.append(zipped(path, YEAR_MEMBER, HEADERS))

    download(client, f"{FOLDER}/{target.name}", target, (), check, size_bytes)
    return target, seen[-1] if seen else zipped(target, YEAR_MEMBER, HEADERS)


def _by_calendar(today: date) -> Iterator[str]:
    newest = today.year if (today.month, today.day) >= RELEASE else today.year - 1
    return (f"V{year}01" for year in range(newest, newest - 1 - BACK, -1))


SERVICE = Service(
    name="baci",
    title="CEPII's BACI",
    address="https://www.cepii.fr",
    limits=Limits(least_seconds=2.0, most_bytes=8 * 2**30),
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="Etalab Open Licence 2.0; cite Gaulier and Zignago (2010), BACI",
    plan=plan,
    fetch=fetch,
    news=news,
)
