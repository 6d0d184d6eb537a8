"""The server: one port on 127.0.0.1 for all publishers, told apart by their paths, with limits, faults, a log and a day."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from re import IGNORECASE, fullmatch
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from loopback import sending
from loopback.facts import Facts, Published, facts_of, published
from loopback.faults import Faults
from loopback.limits import Limits, Meter
from loopback.publishers import PUBLISHERS
from loopback.stored import handed_out
from loopback.wire import KEY_PARAMETERS, Answer, Publisher, Request, as_json, plain

HOST = "127.0.0.1"
CONTROL = "/-/"


@dataclass
class Outage:
    """Days on which a publisher answers nothing but 503.

    Parameters
    ----------
    publisher : str
        Its name.
    first, last : datetime.date
        Both within.
    """

    publisher: str
    first: date
    last: date


@dataclass
class Loopback:
    """A server that runs: its address, its day, its faults, and what it was asked.

    Parameters
    ----------
    facts : Facts
        Of the world that it answers from.
    limits : Limits
        What is allowed.
    faults : Faults
        What goes wrong.
    outages : sequence of Outage
        Days on which a publisher is away.
    published : Published
        What is out on its day.
    meter : Meter
        Counts calls.
    log : list of dict
        One entry a request: publisher, path, query without a key, key (none, free, premium or wrong), status, fault, rows
        of bytes sent. In the order in which they were answered.
    stopping : threading.Event
        Set when the server stops, so that what hangs ends.
    url : str
        Once it runs.
    """

    facts: Facts
    limits: Limits
    faults: Faults
    outages: Sequence[Outage]
    published: Published
    meter: Meter
    log: list[dict[str, Any]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def turn_to(self, today: date | None) -> None:
        """Make it another day: what is out changes, and quotas begin anew.

        Parameters
        ----------
        today : datetime.date or None
            None: the day of the world's files, with all releases out.
        """
        self.published = published(self.facts, self.limits, today)
        self.meter.new_day()

    def counts(self) -> dict[str, int]:
        """Requests so far by path, sorted."""
        return dict(sorted(Counter(entry["path"] for entry in list(self.log)).items()))

    def variables(self) -> dict[str, str]:
        """Variables of the environment that lead a client here."""
        return {f"ANOMALY_{publisher.name.upper()}_URL": self.url for publisher in PUBLISHERS}

    def answer(self, request: Request) -> tuple[Publisher | None, Answer, str | None]:
        """What a request gets.

        Parameters
        ----------
        request : Request
            As it came.

        Returns
        -------
        publisher : Publisher or None
            Whose path it is.
        answer : Answer
            Before a fault of the connection.
        fault : str or None
            What goes wrong.
        """
        match = next(
            (
                (publisher, handler)
                for publisher in PUBLISHERS
                for pattern, handler in publisher.routes
                if fullmatch(pattern, request.path, IGNORECASE)
            ),
            None,
        )
        if match is None:
            return None, as_json({"statusCode": 404, "message": "Resource not found"}, 404), None
        publisher, handler = match
        fault = self.faults.of(address_of(request))
        if any(
            out.publisher == publisher.name and out.first <= self.published.today <= out.last for out in self.outages
        ):
            return publisher, publisher.error(503), "outage"
        if fault in ("500", "502", "503", "504"):
            return publisher, publisher.error(int(fault)), fault
        if fault == "429":
            return publisher, publisher.too_many(1), fault
        if fault == "403":
            return publisher, publisher.forbidden(), fault
        if fault == "quota":
            return publisher, publisher.no_quota(11_657), fault
        if publisher.metered and fullmatch(publisher.metered, request.path, IGNORECASE):
            if seconds := self.meter.too_fast(publisher.name, request.key or ""):
                return publisher, publisher.too_many(seconds), fault
            if seconds := self.meter.used_up(publisher.name, request.key or ""):
                return publisher, publisher.no_quota(seconds), fault
        try:
            answer = handler(request, self.published)
        except Exception:
            traceback.print_exc()
            return (
                publisher,
                plain(500, "the loopback server itself failed; it says why where it was started"),
                "failed",
            )
        return publisher, handed_out(answer, request) if answer.is_file else answer, fault

    def control(self, request: Request) -> Answer:
        """What a test or a script asks of the server itself: `/-/log`, `/-/today?date=2023-05-01`.

        Parameters
        ----------
        request : Request
            Its path begins with CONTROL.

        Returns
        -------
        Answer
            The log, or the day.
        """
        if request.path == f"{CONTROL}log":
            return as_json({"counts": self.counts(), "requests": list(self.log)})
        if request.path == f"{CONTROL}today":
            day = request.parameter("date")
            if day is not None:
                self.turn_to(date.fromisoformat(day) if day else None)
            return as_json({"today": self.published.today.isoformat()})
        return plain(404, "there is /-/log and /-/today?date=2023-05-01")


def address_of(request: Request) -> str:
    """Path and query of a request without a key, as faults and the log see it.

    Parameters
    ----------
    request : Request
        As it came.

    Returns
    -------
    str
        Parameters decoded, in their order.
    """
    kept = [f"{name}={value}" for name, value in request.query if name.lower() not in KEY_PARAMETERS]
    return request.path + ("?" + "&".join(kept) if kept else "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "loopback", ""
    loopback: Loopback

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_OPTIONS(self) -> None:
        sending.send(self, as_json({"statusCode": 404, "message": "Resource not found"}, 404), None, None)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            unquote(parts.path),
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.loopback.url,
            len(self.path),
        )
        if request.path.startswith(CONTROL):
            sending.send(self, self.loopback.control(request), None, None)
            return
        publisher, answer, fault = self.loopback.answer(request)
        self.loopback.log.append(self._entry(request, publisher, answer, fault))
        sending.send(self, answer, fault, self.loopback.stopping)

    def _entry(
        self, request: Request, publisher: Publisher | None, answer: Answer, fault: str | None
    ) -> dict[str, Any]:
        key = self.loopback.limits.keys.get(request.key, "wrong") if request.key else "none"
        path, _, query = address_of(request).partition("?")
        return {
            "publisher": publisher.name if publisher else None,
            "path": path,
            "query": query,
            "key": key,
            "status": answer.status,
            "fault": fault,
            "bytes": len(answer.body),
        }

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the log is `Loopback.log`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours; anything else is said."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(
    facts: Facts | None = None,
    limits: Limits | None = None,
    faults: Sequence[str] = (),
    outages: Sequence[Outage] = (),
    today: date | None = None,
    port: int = 0,
) -> Iterator[Loopback]:
    """The publishers on a port of 127.0.0.1, for as long as the context lasts.

    Parameters
    ----------
    facts : Facts, optional
        By default of the demo's world.
    limits : Limits, optional
        What is allowed; by default as published.
    faults : sequence of str
        What goes wrong (`faults.parsed`).
    outages : sequence of Outage
        Days on which a publisher is away.
    today : datetime.date, optional
        The day; by default that of the world's files, with all releases out.
    port : int
        0: any that is free.

    Yields
    ------
    Loopback
        Which runs in threads of its own.
    """
    facts, limits = facts or facts_of(), limits or Limits()
    loopback = Loopback(facts, limits, Faults(faults), outages, published(facts, limits, today), Meter(limits))
    handler = type("Handler", (_Handler,), {"loopback": loopback})
    server = _Server((HOST, port), handler)
    loopback.url = f"http://{HOST}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
