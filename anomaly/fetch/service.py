"""Where and how a publisher is asked: its address, what it allows, where its key goes, what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What a publisher allows, and what is waited for.

    Parameters
    ----------
    least_seconds : float
        Between the begins of two requests.
    calls_a_day : int or None
        None where the publisher names no number.
    request_seconds : float
        For one request with all its attempts; a download of known size has more.
    read_seconds : float
        Without a byte, then the connection is given up.
    attempts : int
        Of one request in all.
    most_wait_seconds : float
        A longer Retry-After ends the fetch with "resume later".
    most_bytes : int
        Of one answer, as unpacked.
    bytes_a_second : float
        What a plan reckons with.
    """

    least_seconds: float = 1.0
    calls_a_day: int | None = None
    request_seconds: float = 600.0
    read_seconds: float = 90.0
    attempts: int = 6
    most_wait_seconds: float = 120.0
    most_bytes: int = 2 * 2**30
    bytes_a_second: float = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Service:
    """A publisher's service on the network.

    Parameters
    ----------
    name : str
        A word of small letters.
    title : str
        For people.
    address : str
        https://…, without a path at its end. ANOMALY_<NAME>_URL takes its place.
    limits : Limits
        As published.
    key_variable : str or None
        Variable of the environment that holds the key; None where there is no key.
    key_header : str or None
        Header that carries it; it then never stands in an address.
    key_param : str or None
        Parameter that carries it where a publisher takes no header; what is kept and said of an address is without it.
    judge : callable or None
        Status, headers in lower case, first bytes of the body → an exception for what only this publisher's answers
        mean, or None for what `faults.judge` says of any.
    """

    name: str
    title: str
    address: str
    limits: Limits = field(default_factory=Limits)
    key_variable: str | None = None
    key_header: str | None = None
    key_param: str | None = None
    judge: Callable[[int, Mapping[str, str], bytes], Exception | None] | None = None
