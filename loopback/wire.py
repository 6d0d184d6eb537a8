"""What is asked and what is answered, before any of it is bytes on a connection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loopback.facts import Published

JSON, HTML, CSV, XML, TEXT = (
    "application/json; charset=utf-8",
    "text/html; charset=utf-8",
    "text/csv; charset=utf-8",
    "application/xml; charset=utf-8",
    "text/plain; charset=utf-8",
)
KEY_PARAMETERS = ("subscription-key", "key")


@dataclass(frozen=True)
class Request:
    """What a client asks for.

    Parameters
    ----------
    path : str
        Without the query, as sent but for %xx.
    query : tuple of (str, str)
        In the order sent, decoded.
    headers : mapping of str to str
        By name in lower case.
    origin : str
        Scheme, host and port that the client used, for addresses in answers.
    length : int
        Characters of path and query as sent.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    origin: str
    length: int

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter, whatever the case of its name.

        Parameters
        ----------
        name : str
            In lower case.

        Returns
        -------
        str or None
            None where it is not there.
        """
        return next((value for key, value in self.query if key.lower() == name), None)

    @property
    def key(self) -> str | None:
        """The key sent in the header or in the query."""
        header = self.headers.get("ocp-apim-subscription-key")
        return header or next((value for name, value in self.query if name.lower() in KEY_PARAMETERS), None)


@dataclass(frozen=True)
class Answer:
    """What a publisher answers.

    Parameters
    ----------
    body : bytes
        As it is before any packing on the way.
    content_type : str
        Of the body.
    status : int
        Of HTTP.
    headers : mapping of str to str
        Beside type and length.
    is_file : bool
        Whether it is a stored file: with an ETag, sent as it is and never packed on the way.
    takes_ranges : bool
        Whether a part of the file may be asked for.
    """

    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_file: bool = False
    takes_ranges: bool = False

    @property
    def etag(self) -> str:
        """A tag that changes with the content."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'


Handler = Callable[[Request, Published], Answer]


@dataclass(frozen=True)
class Publisher:
    """A publisher that is answered for.

    Parameters
    ----------
    name : str
        As of a source of `anomaly`: ANOMALY_<NAME>_URL is the variable of its address.
    title : str
        What is answered.
    routes : tuple of (str, Handler)
        Regular expression of a whole path, without regard to case → who answers; the first that fits.
    metered : str
        Regular expression of the paths that count against rate and quota; empty: none do.
    too_many : callable
        Seconds to wait → the answer to a client that asks too fast.
    no_quota : callable
        Seconds to wait → the answer to a client that has no calls left.
    forbidden : callable
        The answer to who is turned away, without a time to come back.
    error : callable
        A status of 500 and above → its answer.
    """

    name: str
    title: str
    routes: tuple[tuple[str, Handler], ...]
    metered: str = ""
    too_many: Callable[[int], Answer] = lambda seconds: plain(429, "Too Many Requests", {"Retry-After": str(seconds)})
    no_quota: Callable[[int], Answer] = lambda seconds: plain(403, "Forbidden", {"Retry-After": str(seconds)})
    forbidden: Callable[[], Answer] = lambda: plain(403, "Forbidden")
    error: Callable[[int], Answer] = lambda status: plain(status, f"Error {status}")


def plain(status: int, text: str, headers: Mapping[str, str] | None = None, content_type: str = TEXT) -> Answer:
    """An answer of a few words.

    Parameters
    ----------
    status : int
        Of HTTP.
    text : str
        The body.
    headers : mapping of str to str, optional
        Beside the type.
    content_type : str
        Of the text.

    Returns
    -------
    Answer
        In UTF-8.
    """
    return Answer(text.encode(), content_type, status, headers or {})


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON.

    Parameters
    ----------
    content : object
        What JSON can hold.
    status : int
        Of HTTP.
    headers : mapping of str to str, optional
        Beside the type.

    Returns
    -------
    Answer
        Letters beyond ASCII as they are.
    """
    return Answer(json.dumps(content, ensure_ascii=False).encode(), JSON, status, headers or {})
