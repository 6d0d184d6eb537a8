"""The European Central Bank's reference rates: three series of monthly means since 1999, in one small file."""

from __future__ import annotations

from pathlib import Path

from anomaly.fetch.archives import believed
from anomaly.fetch.base import Asking, Call, Cell, Fetched, Plan, Publisher, Release
from anomaly.fetch.client import Client
from anomaly.fetch.download import download
from anomaly.fetch.faults import Transient
from anomaly.fetch.service import Limits, Service
from anomaly.sources import ecb
from anomaly.sources.base import RawFile
from anomaly.store.disk import digest

DATASET, PERIOD, CELL = "EXR", "all", "monthly"
PATH = "/service/data/EXR/M.USD+GBP+JPY.EUR.SP00.A"
PARAMS = (("startPeriod", "1999-01"), ("format", "csvdata"))
FILE = "EXR_M_EUR_SP00_A.csv"
USUAL_BYTES = 400_000


def plan(asking: Asking) -> Plan:
    """One call, unless today's is there.

    Parameters
    ----------
    asking : Asking
        What lies there, and the day; the years of the scenario are not looked at: files of other years need rates too.

    Returns
    -------
    Plan
        At most one call.
    """
    cell = asking.held.get(f"{DATASET}/{CELL}")
    if cell is not None and cell.looked_at.date() >= asking.today:
        return Plan((), there=1)
    why = "missing" if cell is None else "recent"
    return Plan((Call(DATASET, PERIOD, PATH, PARAMS, {CELL: Release()}, why, size_bytes=USUAL_BYTES),))


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """The series, read as a run reads them before they are kept.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        The ECB's.
    folder : pathlib.Path
        For the file.

    Returns
    -------
    Fetched
        The CSV as published.
    """
    target = folder / FILE
    download(client, call.path, target, call.params, _check, call.size_bytes)
    rows = target.read_bytes().count(b"\n") - 1
    cell = Cell(digest(target), Release(rows=rows, size_bytes=target.stat().st_size), client.clock.now())
    return Fetched((target,), {CELL: cell})


def _check(path: Path) -> None:
    with path.open("rb") as file:
        begin = file.read(300).lstrip(b"\xef\xbb\xbf")
        file.seek(-1, 2)
        last = file.read(1)
    if not begin.startswith(b"KEY,") or last != b"\n":
        raise Transient(f"no series of rates: it begins {begin[:40]!r} and ends {last!r}")
    believed(lambda: ecb.rates(RawFile(path, FILE)))


SERVICE = Service(
    name="ecb",
    title="the European Central Bank",
    address="https://data-api.ecb.europa.eu",
    limits=Limits(least_seconds=1.0, most_bytes=50_000_000),
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="free of charge; source: European Central Bank",
    plan=plan,
    fetch=fetch,
)
