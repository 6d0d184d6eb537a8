"""Eurostat's Comext, slices of the API: what members sell of listed goods, a year a call, for who cannot bring whole months."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from anomaly.contract.errors import DataRejected
from anomaly.contract.periods import months_before
from anomaly.fetch.base import Asking, Call, Cell, Fetched, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.comext_service import LICENCE
from anomaly.fetch.comext_service import SERVICE as COMEXT
from anomaly.fetch.download import keep
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.need import months
from anomaly.fetch.service import Limits

DATASET = "DS-059341"  # by HS subheading; a code of six digits is its most detailed
BASE = f"/eurostat/api/comext/dissemination/sdmx/2.1/data/{DATASET}"
HEADER = b"DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE"
MOST_CODES = 60  # in an address: 7 letters each
RECENT_MONTHS = 24  # are revised
WEEK = timedelta(days=7)
TOO_BIG, QUEUED, NO_RESULTS = b"EXTRACTION_TOO_BIG", b"queued", b"NO_RESULTS"


@dataclass(frozen=True, slots=True)
class Slice:
    """What one address asks for: exports of all members to all partners.

    Parameters
    ----------
    goods : tuple of str
        Codes of six digits.
    first, last : datetime.date
        First days of the first and of the last month.
    """

    goods: tuple[str, ...]
    first: date
    last: date

    @property
    def path(self) -> str:
        """With the key: frequency, reporter, partner, product, flow, indicators; what is empty is all."""
        return f"{BASE}/M...{'+'.join(self.goods)}.2."

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """Its months and the form of the answer."""
        period = (("startPeriod", f"{self.first:%Y-%m}"), ("endPeriod", f"{self.last:%Y-%m}"))
        return (("format", "SDMX-CSV"), *period)

    @property
    def file(self) -> str:
        """Name of its file: months, and a hash of the goods."""
        goods = hashlib.sha256(",".join(self.goods).encode()).hexdigest()[:8]
        return f"{DATASET}_{self.first:%Y%m}-{self.last:%Y%m}_{goods}.csv"


class TooBig(Exception):
    """The API refuses a slice, or would make it ready some time later."""


class NothingThere(Exception):
    """The API has no row of a slice."""


def halves(asked: Slice) -> tuple[Slice, Slice]:
    """A slice in two, by months, and where it is one month by goods.

    Parameters
    ----------
    asked : Slice
        Which is too big.

    Returns
    -------
    tuple of Slice
        Two, which share nothing and are the whole.

    Raises
    ------
    DataRejected
        It is one good in one month, and nothing is left to divide.
    """
    count = (asked.last.year - asked.first.year) * 12 + asked.last.month - asked.first.month + 1
    if count > 1:
        middle = months_before(asked.last, count // 2)
        return Slice(asked.goods, asked.first, middle), Slice(asked.goods, months_before(middle, -1), asked.last)
    if len(asked.goods) > 1:
        half = len(asked.goods) // 2
        return tuple(Slice(goods, asked.first, asked.last) for goods in (asked.goods[:half], asked.goods[half:]))  # type: ignore[return-value]
    hint = "fetch the bulk files: anomaly fetch comext"
    raise DataRejected(f"{asked.goods[0]} in {asked.first:%Y-%m} as one answer of Eurostat's API", "too big", hint=hint)


def plan(asking: Asking) -> Plan:
    """A call a year of listed goods; the years of the last months again after a week.

    Parameters
    ----------
    asking : Asking
        Of its need the goods and months; without goods there is no slice.

    Returns
    -------
    Plan
        Newest years first.
    """
    goods = asking.need.goods
    if not goods:
        return Plan((), says=("the scenario lists no goods, so there is no slice of them: fetch comext",))
    wanted = months(asking.need, asking.since)
    recent = months_before(asking.today, RECENT_MONTHS)
    scope = hashlib.sha256(",".join(goods).encode()).hexdigest()[:8]
    calls, there = [], 0
    for year in sorted({month.year for month in wanted}, reverse=True):
        of_year = [month for month in wanted if month.year == year]
        asked = Slice(goods, of_year[0], of_year[-1])
        name = (
            f"{asked.first:%Y%m}-{asked.last:%Y%m}-{scope}"
            if len(of_year) < 12 and of_year[0].month > 1
            else f"{year}-{scope}"
        )
        cell = asking.held.get(f"{DATASET}/{name}")
        is_settled = of_year[-1] < recent or (cell is not None and cell.looked_at.date() + WEEK > asking.today)
        if cell is not None and is_settled:
            there += 1
            continue
        why = "missing" if cell is None else "recent"
        calls.append(Call(DATASET, str(year), asked.path, asked.params, {name: Release()}, why))
    says = (
        (
            f"{len(goods):,} listed goods alone: what goods whose direct trade stood did is not seen. A call takes half a minute and more",
        )
        if calls
        else ()
    )
    return Plan(tuple(calls), there, says)


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """A year's slice, in as many parts as the API wants.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        Comext's.
    folder : pathlib.Path
        For the files; a part that lies there is not asked for again.

    Returns
    -------
    Fetched
        A file a part. The cell's content is without the day of the last update, which is that of the whole dataset.
    """
    period = dict(call.params)
    goods = tuple(call.path.rpartition("/")[2].split(".")[3].split("+"))
    first, last = (date.fromisoformat(f"{period[name]}-01") for name in ("startPeriod", "endPeriod"))
    parts = [goods[at : at + MOST_CODES] for at in range(0, len(goods), MOST_CODES)]
    files = [path for part in parts for path in _brought(Slice(part, first, last), client, folder)]
    hashed, rows = hashlib.sha256(), 0
    for path in files:
        content = path.read_bytes()
        rows += content.count(b"\n") - 1
        hashed.update(_without_update(content))
    says = () if rows else ("nothing is out",)
    return Fetched(
        tuple(files), {next(iter(call.cells)): Cell(hashed.hexdigest(), Release(rows=rows), client.clock.now())}, says
    )


def _brought(asked: Slice, client: Client, folder: Path) -> Iterator[Path]:
    target = folder / asked.file
    if target.exists():
        yield target
        return
    try:
        answer = client.ask(asked.path, asked.params, _whole)
    except TooBig:
        for half in halves(asked):
            yield from _brought(half, client, folder)
    except NothingThere:
        yield keep(HEADER + b"\r\n", target)  # so that it is known to have been asked for
    else:
        yield keep(answer, target)


def _whole(answer: Answer) -> bytes:
    """The CSV; an answer that promises one for later is too big, and what is no CSV is worth another try."""
    content = answer.content
    if QUEUED in content[:4000] and b"<" in content[:10]:
        raise TooBig
    if not content.startswith(HEADER) or not content.endswith(b"\n"):
        raise Transient(f"no SDMX-CSV, or one without an end: {sentence_of(content)}")
    return content


def _without_update(content: bytes) -> bytes:
    """Without the second column: an update of anything in the dataset changes it everywhere."""
    return b"\n".join(
        b",".join((*fields[:1], *fields[2:])) for line in content.split(b"\n") if (fields := line.split(b","))
    )


def judge(status: int, _headers: Mapping[str, str], body: bytes) -> Exception | None:
    """What this API's refusals mean.

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
        TooBig for a slice that may be divided, NothingThere for an empty one; None for what any publisher's answer means.
    """
    if status == 413 or TOO_BIG in body:
        return TooBig()
    return NothingThere() if status == 404 and NO_RESULTS in body else None


SERVICE = replace(
    COMEXT,
    title="Eurostat's Comext API",
    limits=Limits(least_seconds=1.0, read_seconds=180.0, request_seconds=1200.0, most_bytes=1_000_000_000),
    judge=judge,
)
PUBLISHER = Publisher(service=SERVICE, licence=LICENCE, plan=plan, fetch=fetch, on_request=True, word="comext-slices")
