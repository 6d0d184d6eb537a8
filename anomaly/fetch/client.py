"""One publisher asked over HTTP: its pace kept, its waits obeyed, its key in one place, an answer whole or no answer.

The only module that opens connections. One request at a time: a publisher's rate is kept by waiting, not by counting
threads. Nothing that a library says is let through, so that no address, header or key gets into a log.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from anomaly.contract.errors import KeyRefused, SettingsWrong, SourceUnavailable
from anomaly.fetch.faults import Transient, judge, resume_later
from anomaly.fetch.service import Service
from anomaly.fetch.unpacked import Unpacker

if TYPE_CHECKING:
    from httpx2 import Response as Response
    from pydantic import SecretStr

T = TypeVar("T")
Params = Sequence[tuple[str, str]]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_BACKOFF_SECONDS = (1.0, 60.0)  # first and longest wait where a publisher names none; doubled, with jitter
_ERROR_BYTES = 64 * 1024  # read of an answer that is no data
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the fetch sees it, so that a test need not wait.

    Parameters
    ----------
    now : callable
        → datetime in UTC.
    monotonic : callable
        → seconds that never go back.
    sleep : callable
        Seconds → None.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, whole.

    Parameters
    ----------
    status : int
        200, or 304 where a condition was asked.
    url : str
        What was asked, without a key.
    headers : mapping of str to str
        Names in lower case.
    content : bytes
        Unpacked.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes


def address_of(service: Service, environment: Mapping[str, str] | None = None) -> str:
    """Where a publisher is asked: its own address, or that of ANOMALY_<NAME>_URL.

    Parameters
    ----------
    service : Service
        Its name and address.
    environment : mapping of str to str, optional
        The process's own where it is not said.

    Returns
    -------
    str
        Without a / at its end.

    Raises
    ------
    SettingsWrong
        It is not https, nor http on this machine.
    """
    variable = f"ANOMALY_{service.name.upper()}_URL"
    address = (os.environ if environment is None else environment).get(variable) or service.address
    return _checked(address, variable).rstrip("/")


def _checked(address: str, name: str) -> str:
    parts = urlsplit(address)
    is_here = parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
        raise SettingsWrong(
            f"an https address in {name}, or http on this machine",
            repr(address[:100]),
            hint="a key would be readable on the way",
        )
    return address


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom this machine trusts; read once, as it takes a fifth of a second."""
    import httpx2

    return httpx2.create_ssl_context()


class Client:
    """Asks one publisher; what it brings is whole, or an error says what came.

    Parameters
    ----------
    service : Service
        Its limits, judge and where its key goes.
    key : SecretStr or None, optional
        Sent to the publisher's own host alone.
    clock : Clock, optional
        The machine's own where it is not said.
    address : str, optional
        As `address_of` where it is not said.
    counted : callable, optional
        Called before each request that goes out; may refuse it by an AnomalyError.
    run_seconds : float, optional
        From now; after them the fetch stops, to be resumed.
    """

    def __init__(
        self,
        service: Service,
        key: SecretStr | None = None,
        clock: Clock | None = None,
        address: str | None = None,
        counted: Callable[[], None] = lambda: None,
        run_seconds: float = 12 * 3600.0,
    ) -> None:
        import httpx2

        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self.service, self.limits = service, service.limits
        self.clock = clock or Clock()
        self.address = address_of(service) if address is None else _checked(address, "address").rstrip("/")
        self.requests = 0
        self.bytes_read = 0
        self._key, self._counted = key, counted
        self._run_ends = self.clock.monotonic() + run_seconds
        self._next = self.clock.monotonic()
        timeout = httpx2.Timeout(self.limits.read_seconds, connect=30.0)
        is_here = urlsplit(self.address).hostname in _LOOPBACK
        self._http = httpx2.Client(
            verify=_certificates(), timeout=timeout, trust_env=not is_here, headers={"user-agent": "anomaly"}
        )

    def __enter__(self) -> Client:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    @property
    def has_key(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    def url(self, path: str, params: Params = ()) -> str:
        """The address of a request as it may be kept and said: without a key.

        Parameters
        ----------
        path : str
            Below the publisher's address, or an address on its host.
        params : sequence of (str, str), optional
            In order.

        Returns
        -------
        str
            As it is sent, but for a key.
        """
        import httpx2

        base = httpx2.URL(urljoin(self.address + "/", path) if "://" in path else self.address + path)
        return str(base.copy_merge_params(list(params)) if params else base)

    def ask(
        self, path: str, params: Params, parse: Callable[[Answer], T], headers: Mapping[str, str] | None = None
    ) -> T:
        """Ask for something small enough for memory.

        Parameters
        ----------
        path : str
            Below the publisher's address.
        params : sequence of (str, str)
            Without a key.
        parse : callable
            Answer → what is made of it. Transient from it means: what came is not whole, ask again.
        headers : mapping of str to str, optional
            Further ones, such as If-None-Match.

        Returns
        -------
        Any
            What `parse` makes.

        Raises
        ------
        AnomalyError
            SourceUnavailable after all attempts, TryLater where the wait is too long, and what `judge` makes of a refusal.
        """
        deadline = self.clock.monotonic() + self.limits.request_seconds

        def once() -> T:
            with self.response(path, params, {"accept-encoding": "gzip", **(headers or {})}) as response:
                content = self._content(response, deadline)
                headers_came = {name: self.without_key(text) for name, text in response.headers.items()}
                return parse(Answer(response.status_code, self.url(path, params), headers_came, content))

        return self.attempts(once, deadline)

    def attempts(self, once: Callable[[], T], deadline: float, progress: Callable[[], int] = lambda: 0) -> T:
        """Try until it goes well, the attempts are used up, or the time is.

        Parameters
        ----------
        once : callable
            One attempt; Transient means another one.
        deadline : float
            Of the clock's monotonic seconds.
        progress : callable, optional
            → what is there so far; an attempt that got further does not count.

        Returns
        -------
        Any
            What `once` gives.

        Raises
        ------
        SourceUnavailable
            No attempt went well.
        TryLater
            The publisher asks for a longer wait than is waited here, or the run's time is over.
        """
        failed, there = 0, progress()
        title = self.service.title
        while True:
            try:
                return once()
            except Transient as fault:
                says, asked = self.without_key(fault.says), fault.wait_seconds
            failed, there = (0 if progress() > there else failed) + 1, progress()
            first, longest = _BACKOFF_SECONDS
            jitter = 0.5 + random.random() / 2  # noqa: S311 - no secret
            wait = asked if asked is not None else min(longest, first * 2 ** (failed - 1)) * jitter
            now = self.clock.monotonic()
            if wait > self.limits.most_wait_seconds or now + wait > self._run_ends:
                raise resume_later(title, says, wait, self.clock.now())
            if failed >= self.limits.attempts or now + wait > deadline:
                hint = "run the same command again: what was brought stays"
                raise SourceUnavailable(f"a whole answer of {title}", says, count=failed, hint=hint)
            self.clock.sleep(wait)

    @contextlib.contextmanager
    def response(self, path: str, params: Params, headers: Mapping[str, str]) -> Iterator[Response]:
        """One request, its answer's body not yet read; what is no data is raised.

        Parameters
        ----------
        path : str
            Below the publisher's address, or an address on its host.
        params : sequence of (str, str)
            Without a key.
        headers : mapping of str to str
            Without a key.

        Yields
        ------
        Response
            With status 200, 206 or 304.

        Raises
        ------
        Transient
            Worth another try.
        AnomalyError
            Not worth one.
        """
        import httpx2

        self._keep_pace()
        url, key_headers, key_params = self.url(path, params), self._key_headers(), self._key_params()
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                is_own = urlsplit(url).netloc == urlsplit(self.address).netloc
                request = self._http.build_request("GET", url, headers={**headers, **(key_headers if is_own else {})})
                if is_own and key_params:
                    request.url = request.url.copy_merge_params(key_params)
                sent = self._http.send(request, stream=True)
                try:
                    if sent.status_code in _REDIRECTS and "location" in sent.headers:
                        url = _checked(urljoin(url, sent.headers["location"]), "the address it points to")
                        continue
                    if sent.status_code not in (200, 206, 304):
                        raise self._refusal(sent)
                    yield sent
                    return
                finally:
                    sent.close()
            raise SourceUnavailable(f"an answer of {self.service.title}", "it points on and on", hint="try another day")
        except httpx2.TimeoutException as error:
            raise Transient(f"no byte in time ({type(error).__name__})") from None
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise Transient(f"a broken connection ({type(error).__name__}: {str(error)[:120]})") from None
        except httpx2.InvalidURL as error:
            raise SourceUnavailable("an address", self.without_key(str(error)), hint="look at the address") from None

    def chunks(self, response: Response, deadline: float) -> Iterator[bytes]:
        """The body as it is sent, until the deadline.

        Parameters
        ----------
        response : Response
            As `response` yields it.
        deadline : float
            Of the clock's monotonic seconds.

        Yields
        ------
        bytes
            Still packed where it came packed.

        Raises
        ------
        Transient
            The time is over. Fewer bytes than were announced are a broken connection.
        """
        came = 0
        for chunk in response.iter_raw():
            came += len(chunk)
            self.bytes_read += len(chunk)
            if self.clock.monotonic() > min(deadline, self._run_ends):
                raise Transient(f"only {came:,} bytes in the time for one request")
            yield chunk

    def without_key(self, text: str) -> str:
        """A text that may be said.

        Parameters
        ----------
        text : str
            Of anyone, a publisher too.

        Returns
        -------
        str
            Without the key.
        """
        return text.replace(self._key.get_secret_value(), REDACTED) if self._key is not None else text

    def _content(self, response: Response, deadline: float) -> bytes:
        unpacker = Unpacker(response.headers.get("content-encoding", ""), self.limits.most_bytes)
        parts = [unpacker.add(chunk) for chunk in self.chunks(response, deadline)]
        unpacker.end()
        content = b"".join(parts)
        return content.replace(self._key.get_secret_value().encode(), REDACTED.encode()) if self._key else content

    def _refusal(self, response: Response) -> Exception:
        headers = dict(response.headers)
        body = bytearray()
        with contextlib.suppress(Exception):  # an error's body that breaks off says as much as it says
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _ERROR_BYTES:
                    break
        said = self.without_key(bytes(body).decode("utf-8", "replace")).encode()
        own = self.service.judge(response.status_code, headers, said) if self.service.judge else None
        return own or judge(self.service.title, response.status_code, headers, said, self.clock.now())

    def _keep_pace(self) -> None:
        now = self.clock.monotonic()
        if now > self._run_ends:
            raise resume_later(self.service.title, "the time of the run is over", None, self.clock.now())
        if now < self._next:
            self.clock.sleep(self._next - now)
        self._counted()
        self.requests += 1
        self._next = self.clock.monotonic() + self.limits.least_seconds

    def _key_headers(self) -> dict[str, str]:
        header = self.service.key_header
        return {header: self._key.get_secret_value()} if header and self._key is not None else {}

    def _key_params(self) -> dict[str, str]:
        name = self.service.key_param
        return {name: self._key.get_secret_value()} if name and self._key is not None else {}


def key_of(service: Service, text: str | None, environment: Mapping[str, str] | None = None) -> SecretStr | None:
    """The key of a publisher: of a file, else of the environment.

    Parameters
    ----------
    service : Service
        Names its variable.
    text : str or None
        The content of a file that was named; None where none was.
    environment : mapping of str to str, optional
        The process's own where it is not said.

    Returns
    -------
    SecretStr or None
        None where there is none.

    Raises
    ------
    KeyRefused
        It is no key: empty in a file that was named, or with blanks or letters that no header carries.
    """
    from pydantic import SecretStr

    if service.key_variable is None:
        return None
    key = text if text is not None else (os.environ if environment is None else environment).get(service.key_variable)
    if key is None or (text is None and not key.strip()):
        return None
    stripped = key.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable() or " " in stripped or len(stripped) < 8:
        where = f"the key file of {service.name}" if text is not None else service.key_variable
        raise KeyRefused(
            f"a key of {service.title} in {where}", f"{len(stripped)} letters that are none", hint="copy it again"
        )
    return SecretStr(stripped)
