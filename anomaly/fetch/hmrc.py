"""The United Kingdom's overseas trade statistics: a month's exports to the EU and elsewhere, page by page, kept as one zip."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from anomaly.contract.errors import DataRejected
from anomaly.fetch import by_month
from anomaly.fetch.base import Asking, Call, Cell, Fetched, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client, Params
from anomaly.fetch.download import keep
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.service import Limits, Service
from anomaly.sources.hmrc import COUNTRIES, PAGE

DATASET = "OTS"
EXPORTS = (2, 4)  # to the EU, elsewhere
LAG = timedelta(days=45)  # after a month's end
USUAL_BYTES = 30_000_000  # of a month's exports; no figure of the publisher's
MOST_PAGES = 200  # of 30,000 rows and more


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
        params = (("$filter", f"MonthId eq {month:%Y%m}"),)
        return Call(DATASET, name, "/OTS", params, {name: Release()}, why, size_bytes=USUAL_BYTES)

    return by_month.plan(asking, DATASET, LAG, call_of)


def fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """A month's exports, and the publisher's list of countries as it is now.

    Parameters
    ----------
    call : Call
        Of `plan`.
    client : Client
        HMRC's.
    folder : pathlib.Path
        For the zip, and for pages until there is one; a page that lies there is not asked for again.

    Returns
    -------
    Fetched
        A zip of the pages, each as it came.
    """
    pages = {COUNTRIES: list(_pages("/Country", (), client, folder, {}))}
    month = int(call.period.replace("-", ""))
    for flow in EXPORTS:
        params = (("$filter", f"MonthId eq {month} and FlowTypeId eq {flow}"),)
        pages[str(flow)] = list(_pages("/OTS", params, client, folder, {"MonthId": month, "FlowTypeId": flow}))
    target = folder / f"OTS_{call.period}.zip"
    hashed, rows = hashlib.sha256(), 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in pages.items():
            for number, content in enumerate(contents, start=1):
                member = COUNTRIES if name == COUNTRIES else PAGE.format(flow=name, number=number)
                archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
                hashed.update(content)
                rows += 0 if name == COUNTRIES else len(json.loads(content)["value"])
    release = Release(rows=rows, size_bytes=target.stat().st_size)
    cell = Cell(hashed.hexdigest(), release, client.clock.now())
    return Fetched((target,), {call.period: cell}, () if rows else ("nothing is out",))


def _pages(path: str, params: Params, client: Client, folder: Path, asked: Mapping[str, int]) -> Iterator[bytes]:
    """The pages of a chain, from the first to the one that names no next."""

    def whole(answer: Answer) -> bytes:
        _refuse_other_rows(_page_of(answer.content), asked)
        return answer.content

    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        address = client.url(path, params)
        if address in seen:
            raise DataRejected("pages that end", f"a page that leads back to {address}"[:200], hint="try another day")
        seen.add(address)
        kept = folder / f".page-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
        content = kept.read_bytes() if kept.exists() else client.ask(path, params, whole)
        keep(content, kept)
        yield content
        link = _page_of(content).get("@odata.nextLink")
        if not link:
            return
        if not str(link).startswith(f"{client.address}/"):
            raise DataRejected(f"a next page at {client.address}", f"{link}"[:120], hint="nothing was asked there")
        path, params = str(link), ()
    raise DataRejected(f"at most {MOST_PAGES} pages of a month", "more", hint="nothing of them was kept")


def _page_of(content: bytes) -> dict[str, Any]:
    try:
        page = json.loads(content)
        if isinstance(page, dict) and isinstance(page["value"], list):
            return page
    except (ValueError, LookupError, RecursionError):
        pass
    raise Transient(f"no page of rows: {sentence_of(content)}")


def _refuse_other_rows(page: dict[str, Any], asked: Mapping[str, int]) -> None:
    """A next page that has lost the filter would bring everything."""
    for row in page["value"]:
        if not isinstance(row, dict) or any(row.get(name) != number for name, number in asked.items()):
            raise DataRejected(f"rows of {dict(asked)}", f"{row}"[:200], hint="nothing of the month was kept")


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
        Transient for a 403 that is a page: the gate before the service turns callers away at random.
    """
    if status == 403 and b"<" in body[:200]:
        return Transient(f"403 {sentence_of(body)}")
    return None


SERVICE = Service(
    name="hmrc",
    title="HM Revenue & Customs",
    address="https://api.uktradeinfo.com",
    limits=Limits(least_seconds=1.0, attempts=12, most_bytes=200_000_000),
    judge=judge,
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="Open Government Licence v3.0; source: HM Revenue & Customs, uktradeinfo",
    plan=plan,
    fetch=fetch,
)
