"""UN Comtrade's bulk files, for keys with a premium subscription: a reporter's month whole, as tab-separated text in gzip."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anomaly.contract.errors import DataRejected
from anomaly.fetch.base import Asking, Call, Cell, Fetched, News, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.comtrade_answer import envelope_of
from anomaly.fetch.comtrade_releases import MOST_PERIODS, moment, periods_of
from anomaly.fetch.comtrade_service import LICENCE, SERVICE
from anomaly.fetch.download import download
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.fetch.need import months
from anomaly.store.disk import digest

DATASET = "bulk-C-M-HS"
_FILES = re.compile(r"/bulk/v1/file/[0-9]+/[0-9A-Za-z_.-]+", re.ASCII)
_COLUMNS = (b"reportercode", b"partnercode", b"flowcode", b"cmdcode", b"primaryvalue")
_SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
_PIECE = 2**20


def _news(asking: Asking, client: Client) -> News:
    """The files that are out, from the listings of twelve months each."""
    news: dict[str, Release] = {}
    periods = periods_of("M", months(asking.need, asking.since))
    for at in range(0, len(periods), MOST_PERIODS):
        params = (("period", ",".join(periods[at : at + MOST_PERIODS])),)
        for listed in client.ask("/bulk/v1/get/C/M/HS", params, _listed):
            name, release = _release(listed)
            news[name] = release
    return news


def _listed(answer: Answer) -> list[dict[str, Any]]:
    return [row for row in envelope_of(answer.content)["data"] if row.get("isOriginalClassification", True)]


def _release(listed: dict[str, Any]) -> tuple[str, Release]:
    """A file of the listing; what changes with it is its time, and its path is what it is asked for by."""
    path = urlsplit(str(listed.get("fileUrl", ""))).path
    if not _FILES.fullmatch(path):
        hint = "the listing's form changed: nothing was fetched"
        raise DataRejected("files below /bulk/v1/file/", repr(path[:80]), hint=hint)
    time = moment(str(listed.get("timestamp") or listed.get("publicationDate") or "").split("+")[0])
    number, _, unit = str(listed.get("fileSize", "")).partition(" ")
    size = round(float(number) * _SIZES[unit]) if unit in _SIZES and re.fullmatch(r"[0-9.]+", number) else None
    name = f"{DATASET}/{int(listed['reporterCode'])}/{int(listed['period'])}"
    return name, Release(checksum=f"{path}@{time}", released=time, size_bytes=size)


def _plan(asking: Asking) -> Plan:
    if asking.news is None:
        return Plan((), 0, ("which files there are is in a listing, which was not asked for",))
    calls, there = [], 0
    for name, release in sorted(asking.news.items(), key=lambda item: item[0].rpartition("/")[2], reverse=True):
        cell = asking.held.get(name)
        if cell is not None and cell.release.checksum == release.checksum:
            there += 1
            continue
        _, reporter, period = name.split("/")
        path, why = release.checksum.partition("@")[0], "revised" if cell else "missing"
        cells = {name.removeprefix(f"{DATASET}/"): release}
        calls.append(Call(DATASET, f"{period}-{reporter}", path, (), cells, why, size_bytes=release.size_bytes))
    return Plan(tuple(calls), there)


def _fetch(call: Call, client: Client, folder: Path) -> Fetched:
    (name, release), *_ = call.cells.items()
    reporter, period = name.split("/")
    target = folder / f"C_M_{reporter}_{period}.txt.gz"
    most = client.limits.most_bytes
    done = download(client, call.path, target, check=lambda path: _check(path, most), size_bytes=call.size_bytes)
    rows = _check(done.path, most)
    came = Release(release.checksum, release.released, rows, done.path.stat().st_size)
    return Fetched((done.path,), {name: Cell(digest(done.path), came, client.clock.now())})


def _check(path: Path, most_bytes: int) -> int:
    """Rows of a bulk file that is whole; an error that bears its name, and a stream without an end, are worth another try."""
    unpacked, came, lines, header = zlib.decompressobj(wbits=31), 0, 0, b""
    with path.open("rb") as file:
        begin = file.read(_PIECE)
        if not begin.startswith(b"\x1f\x8b"):
            raise Transient(f"no gzip: {sentence_of(begin)}")
        try:
            while begin and not unpacked.eof:
                content = unpacked.decompress(begin, most_bytes - came + 1)
                came += len(content)
                if came > most_bytes:
                    hint = "raise the limit, or fetch by API"
                    raise DataRejected(f"a file that unpacks to at most {most_bytes:,} bytes", "more", hint=hint)
                header = header or content.split(b"\n")[0]
                lines += content.count(b"\n")
                begin = file.read(_PIECE)
        except zlib.error as error:
            raise Transient(f"damaged gzip ({error})") from None
    if not unpacked.eof:
        raise Transient("gzip that is cut off")
    if not set(_COLUMNS) <= set(header.lower().strip().split(b"\t")):
        raise Transient(f"another table: {sentence_of(header)}")
    return lines - 1


PUBLISHER = Publisher(
    service=SERVICE,
    licence=LICENCE,
    plan=_plan,
    fetch=_fetch,
    news=_news,
    needs_key=True,
    on_request=True,
    word="comtrade-bulk",
)
