"""A publisher on loopback: answers by path and query, faults in the order in which they are to happen, a log of requests."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import py7zr
from pydantic import SecretStr

from anomaly.fetch import run
from anomaly.fetch.base import Need, Publisher
from anomaly.fetch.client import Clock
from tests.fetch.wire import Asked, Reply, Wire, reply

NOW = datetime(2024, 5, 20, 3, 0, tzinfo=UTC)
HTML = "text/html; charset=utf-8"


@dataclass
class Answered:
    """What is sent where nothing goes wrong: a body, its type, and whether a Range is taken."""

    body: bytes
    content_type: str = "application/octet-stream"
    status: int = 200
    takes_ranges: bool = False


@dataclass
class Publishing:
    """A publisher's answers, and what goes wrong before they come.

    faults: status codes, or "html" (a page with 200), "cut" (half of the body), "truncated" (half of it, said to be all)
    """

    answer: Callable[[str, dict[str, str]], Answered]
    faults: list[object] = field(default_factory=list)
    only: str = ""  # faults happen to addresses with this text in them
    asked: list[str] = field(default_factory=list)
    bytes_sent: int = 0

    def handle(self, request: Asked) -> Reply:
        address = request.raw.split(b" ")[1].decode()
        self.asked.append(address)
        right = self.answer(unquote(request.path), request.params)
        fault = self.faults.pop(0) if self.faults and self.only in address else None
        if isinstance(fault, int):
            waits = {"retry_after": "1"} if fault == 503 else {}
            return reply(b"not now", fault, content_type="text/plain", **waits)
        if fault == "html":
            return reply(b"<html><body>down for maintenance</body></html>", content_type=HTML)
        body, status, headers = right.body, right.status, {"etag": '"one"'} if right.takes_ranges else {}
        span = re.match(r"bytes=(\d+)-", request.headers.get("range", ""))
        if span and right.takes_ranges and request.headers.get("if-range") == '"one"':
            headers["content_range"] = f"bytes {span[1]}-{len(body) - 1}/{len(body)}"
            body, status = body[int(span[1]) :], 206
        if fault == "truncated":
            body = body[: len(body) // 2]
        sent = body[: len(body) // 2] if fault == "cut" else body
        self.bytes_sent += len(sent)
        headers["content_length"] = str(len(body))
        return reply(sent, status, content_type=right.content_type, **headers)


@dataclass
class Passing:
    """A clock that runs when somebody sleeps, and a second a look otherwise not at all."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    start: datetime = NOW

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.start + timedelta(seconds=self.at), lambda: self.at, self.sleep)


def serve(server: Wire, publishing: Publishing) -> str:
    """Lets a server answer so; its address."""
    server.answer = publishing.handle
    return server.url


def fetched(
    publisher: Publisher, need: Need, raw: Path, address: str, key: str | None = None, start: datetime = NOW
) -> run.Done:
    """A whole fetch of one publisher, without waiting."""
    secret = SecretStr(key) if key else None
    return run.fetch(publisher, need, raw, secret, clock=Passing(start=start).clock(), address=address)


def need(first: date, last: date, goods: tuple[str, ...] = ("854231",)) -> Need:
    """Some months of some goods."""
    return Need(("DEU", "USA", "GBR"), ("RUS",), ("KAZ",), goods, first, last)


def seven_zip(member: str, content: bytes) -> bytes:
    """A 7z of one member."""
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        archive.writestr(content, member)
    return packed.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
