"""What a publisher allows one client: rows, calls a second, calls a day. Every figure can be set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

FREE, PREMIUM = "free", "premium"


@dataclass(frozen=True)
class Limits:
    """What is allowed.

    Parameters
    ----------
    keys : mapping of str to str
        Key → free or premium. These are made up, and open nothing anywhere else.
    preview_rows, key_rows : int
        Rows of UN Comtrade without and with a key: an answer is cut there and does not say so.
    periods : int
        Of one call of UN Comtrade with a key.
    url_characters : int
        Of a whole address at UN Comtrade.
    slice_rows : int
        Of one answer of Eurostat's API.
    page_rows : int
        Of one page of HMRC.
    forbidden_of : int
        Of so many requests HMRC's gate turns one away, whatever it asks; 0: none.
    calls_a_second, calls_a_day : mapping of str to float, mapping of str to int
        By publisher; one that is not named has no limit.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: {"loopback-free": FREE, "loopback-premium": PREMIUM})
    preview_rows: int = 500
    key_rows: int = 100_000
    periods: int = 12
    url_characters: int = 4096
    slice_rows: int = 5_000_000
    page_rows: int = 30_000
    forbidden_of: int = 0
    calls_a_second: Mapping[str, float] = field(default_factory=lambda: {"comtrade": 1.0, "hmrc": 1.0})
    calls_a_day: Mapping[str, int] = field(default_factory=lambda: {"comtrade": 500})


class Meter:
    """Counts the calls of each client, by publisher and key.

    Parameters
    ----------
    limits : Limits
        What is allowed.
    clock : callable
        Seconds that only grow.
    now : callable
        The time of day, for when a quota begins anew.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits, self._clock, self._now = limits, clock, now
        self._lock = threading.Lock()
        self._next: dict[tuple[str, str], float] = {}
        self._calls: dict[tuple[str, str], int] = {}

    def too_fast(self, publisher: str, key: str) -> int:
        """Seconds that a client must wait before this call; the call counts only where it is let through.

        Parameters
        ----------
        publisher : str
            Its name.
        key : str
            Of the client; empty without one.

        Returns
        -------
        int
            Whole seconds, 0 where the call is let through.
        """
        per_second = self._limits.calls_a_second.get(publisher)
        if not per_second:
            return 0
        with self._lock:
            now, ready = self._clock(), self._next.get((publisher, key), 0.0)
            if now < ready:
                return max(1, round(ready - now))
            self._next[(publisher, key)] = now + 1 / per_second
            return 0

    def used_up(self, publisher: str, key: str) -> int:
        """Seconds until a client has calls again; the call counts only where there is one left.

        Parameters
        ----------
        publisher : str
            Its name.
        key : str
            Of the client; empty without one, which has no quota.

        Returns
        -------
        int
            Whole seconds, 0 where the call is let through.
        """
        most = self._limits.calls_a_day.get(publisher)
        if most is None or not key:
            return 0
        with self._lock:
            if self._calls.get((publisher, key), 0) >= most:
                now = self._now()
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
                return max(1, round((midnight - now).total_seconds()))
            self._calls[(publisher, key)] = self._calls.get((publisher, key), 0) + 1
            return 0

    def new_day(self) -> None:
        """Begin every quota anew."""
        with self._lock:
            self._calls.clear()
