"""The UN Statistics Division's workbook that leads from HS 2022 to HS 2017, asked for again where it changed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from anomaly.fetch.archives import believed
from anomaly.fetch.base import Asking, Call, Cell, Fetched, Plan, Publisher, Release
from anomaly.fetch.client import Client
from anomaly.fetch.download import download
from anomaly.fetch.service import Limits, Service
from anomaly.reference import editions
from anomaly.sources import correlation
from anomaly.store.disk import digest

DATASET, CHANGE = "correlation", "HS2022-HS2017"
FILE = "HS2022toHS2017ConversionAndCorrelationTables.xlsx"
PATH = f"/unsd/classifications/Econ/tables/{FILE}"
QUARTER = timedelta(days=90)  # it has hardly ever changed
USUAL_BYTES = 600_000


def plan(asking: Asking) -> Plan:
    """One call, unless the workbook is there and was looked at in the last quarter.

    Parameters
    ----------
    asking : Asking
        What lies there, and the day.

    Returns
    -------
    Plan
        At most one call.
    """
    cell = asking.held.get(f"{DATASET}/{CHANGE}")
    if cell is not None and cell.looked_at.date() + QUARTER > asking.today:
        return Plan((), there=1)
    why = "missing" if cell is None else "recent"
    cells = {CHANGE: Release()}
    return Plan((Call(DATASET, CHANGE, PATH, (), cells, why, size_bytes=USUAL_BYTES, is_reference=True),))


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """The workbook, read as a run reads it before it is kept.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        UNSD's.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        The workbook as published.
    """
    target = folder / FILE
    download(client, call.path, target, (), lambda path: believed(lambda: _check(path)), call.size_bytes)
    rows = correlation.as_csv(target, FILE).count(b"\n") - 1
    release = Release(rows=rows, size_bytes=target.stat().st_size)
    return Fetched((target,), {CHANGE: Cell(digest(target), release, client.clock.now())})


def _check(path: Path) -> None:
    editions.edition_links(correlation.as_csv(path, FILE))


SERVICE = Service(
    name="unsd",
    title="the UN Statistics Division",
    address="https://unstats.un.org",
    limits=Limits(least_seconds=2.0, most_bytes=50_000_000),
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="UNSD's terms of use; source: United Nations Statistics Division",
    plan=plan,
    fetch=fetch,
)
