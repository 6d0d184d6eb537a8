"""A server on a real socket of this machine that answers with exactly the bytes a test says, and ends as it says."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from anomaly.fetch.client import Clock

CLOSE, RESET, HANG = "close", "reset", "hang"


@dataclass
class Asked:
    """A request as it came."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    at: float


@dataclass
class Reply:
    """Bytes that go out, and how the connection ends."""

    content: bytes
    end: str = CLOSE


@dataclass
class Wire:
    """The server: `answer` is asked for each request."""

    answer: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def reply(body: bytes = b"", status: int = 200, end: str = CLOSE, **headers: str) -> Reply:
    """An answer with its length; names of headers with _ for -."""
    named = {"content-length": str(len(body)), "connection": "close"}
    named |= {name.replace("_", "-"): text for name, text in headers.items()}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {text}" for name, text in named.items() if text != "")]
    return Reply("\r\n".join([*lines, "", ""]).encode() + body, end)


def as_json(content: object, status: int = 200, **headers: str) -> Reply:
    """An answer of a JSON service, packed."""
    body = gzip.compress(json.dumps(content).encode(), mtime=0)
    return reply(body, status, content_type="application/json; charset=utf-8", content_encoding="gzip", **headers)


def chunked(chunks: list[bytes], *, is_whole: bool = True, **headers: Any) -> Reply:
    """An answer in chunks; one that is not whole lacks its end."""
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return reply(body + (b"0\r\n\r\n" if is_whole else b""), content_length="", transfer_encoding="chunked", **headers)


@contextlib.contextmanager
def served(answer: Callable[[Asked], Reply]) -> Iterator[Wire]:
    """Serve while the block runs."""
    wire = Wire(answer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.port = listener.getsockname()[1]
        threading.Thread(target=_serve, args=(listener, wire), daemon=True).start()
        yield wire


def _serve(listener: socket.socket, wire: Wire) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_one, args=(connection, wire), daemon=True).start()


def _one(connection: socket.socket, wire: Wire) -> None:
    with connection, contextlib.suppress(OSError):
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = connection.recv(65536)
            if not piece:
                return
            raw += piece
        first, *lines = raw.split(b"\r\n\r\n")[0].decode().split("\r\n")
        target = urlsplit(first.split(" ")[1])
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        asked = Asked(target.path, dict(parse_qsl(target.query)), headers, raw, time.monotonic())
        wire.asked.append(asked)
        answered = wire.answer(asked)
        connection.sendall(answered.content)
        if answered.end == HANG:
            time.sleep(5)
        if answered.end == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass
class Hand:
    """A clock whose hand moves only where somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    begin: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def clock(self) -> Clock:
        return Clock(lambda: self.begin + timedelta(seconds=self.seconds), lambda: self.seconds, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
