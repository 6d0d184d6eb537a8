"""Asking a server with the standard library's client, and a world that is small enough to ask all of it."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from anomaly.world import WORLDS
from loopback.facts import Facts, facts_from
from loopback.limits import Limits

SOCKETS = [pytest.mark.allow_hosts(["127.0.0.1"])]
UNMETERED = Limits(calls_a_second={}, calls_a_day={})
FREE, PREMIUM = ({"Ocp-Apim-Subscription-Key": f"loopback-{grade}"} for grade in ("free", "premium"))


@cache
def small_world() -> Facts:
    """The demo's world with a tenth of its routes, its episodes among them."""
    world = WORLDS[0]
    return facts_from(replace(world, routes={block: max(count // 10, 2) for block, count in world.routes.items()}))


@dataclass(frozen=True)
class Got:
    """What came back: status, headers, body as it was before it was packed for the way."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body.decode("utf-8-sig"))


def ask(url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Got:
    """One request over a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=dict(headers or {}))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    is_packed = response.headers.get("Content-Encoding") == "gzip"
    return Got(response.status, response.headers, gzip.decompress(body) if is_packed else body)  # type: ignore[arg-type]
