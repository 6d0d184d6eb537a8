"""What goes wrong on the way: what is worth another try, what an answer that is no data means, how long to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from anomaly.contract.errors import BadRequest, KeyRefused, SourceUnavailable, TryLater

TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
MOST_SHOWN = 200  # letters of a publisher's own words
_WAITS = (  # as Azure's gateway writes them: 03:14:17, 20.09:58:55, 2.12 days, 1 seconds
    (re.compile(r"\b(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})\b"), (86400, 3600, 60, 1)),
    (re.compile(r"\b(\d+(?:\.\d+)?) days?\b"), (86400,)),
    (re.compile(r"\b(\d+(?:\.\d+)?) seconds?\b"), (1,)),
)


class Transient(Exception):
    """An attempt that failed and may go well another time.

    Parameters
    ----------
    says : str
        What came, as a sentence's end, without a key.
    wait_seconds : float or None
        As the publisher said; None where it said nothing.
    """

    def __init__(self, says: str, wait_seconds: float | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.wait_seconds = wait_seconds


def wait_of(headers: Mapping[str, str], body: bytes, now: datetime) -> float | None:
    """How long a publisher asks to wait: Retry-After, else what its sentence says.

    Parameters
    ----------
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        Its beginning.
    now : datetime.datetime
        In UTC, for a Retry-After that is a date.

    Returns
    -------
    float or None
        Seconds, 0 or more; None where nothing is said.

    Examples
    --------
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> wait_of({"retry-after": "7"}, b"", now), wait_of({}, b"replenished in 03:14:17.", now)
    (7.0, 11657.0)
    """
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", said, re.ASCII):
        return float(said)
    if said:
        try:
            date = parsedate_to_datetime(said)
        except ValueError:
            date = None
        if date is not None:
            return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    text = body[:2000].decode("utf-8", "replace")
    for pattern, seconds in _WAITS:
        if match := pattern.search(text):
            return sum(float(part or 0) * size for part, size in zip(match.groups(), seconds, strict=True))
    return None


def sentence_of(body: bytes) -> str:
    """The beginning of an answer that is no data, on one line.

    Parameters
    ----------
    body : bytes
        Text, JSON or HTML.

    Returns
    -------
    str
        At most MOST_SHOWN letters, tags taken out; empty for nothing.
    """
    text = re.sub(r"<[^>]*>", " ", body[:4000].decode("utf-8", "replace"))
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r" +", " ", printable).strip()[:MOST_SHOWN]


def judge(publisher: str, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Exception:
    """What an answer that is neither 200 nor 206 means, for any publisher.

    Parameters
    ----------
    publisher : str
        Its title, for the message.
    status : int
        Of the answer.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        Its beginning.
    now : datetime.datetime
        In UTC.

    Returns
    -------
    Exception
        Transient for what another try may mend; else the error that ends the call.
    """
    came = f"{status} {sentence_of(body)}".strip()
    wait_seconds = wait_of(headers, body, now)
    if status in TRANSIENT:
        return Transient(came, wait_seconds)
    if status == 403 and (b"quota" in body.lower() or headers.get("retry-after", "0").strip() != "0"):
        return Transient(came, wait_seconds)
    if status in (401, 403):
        hint = "look at the key, its subscription, and whether it is switched on; nothing was asked again"
        return KeyRefused(f"{publisher} to take the key", came, hint=hint)
    if status in (404, 410):
        return SourceUnavailable(
            f"an answer of {publisher}", came, hint="it is not there, or has another address by now"
        )
    if status < 500:
        return BadRequest(
            f"{publisher} to understand what was asked", came, hint="a fault of the plan; nothing was kept"
        )
    return SourceUnavailable(f"an answer of {publisher}", came, hint="try another day")


def resume_later(publisher: str, came: str, wait_seconds: float | None, now: datetime) -> TryLater:
    """The error of a fetch that stops for now; what was brought stays.

    Parameters
    ----------
    publisher : str
        Its title.
    came : str
        What it said.
    wait_seconds : float or None
        From now on, where it is known.
    now : datetime.datetime
        In UTC.

    Returns
    -------
    TryLater
        With the time from which the same command goes on.
    """
    later = datetime.fromtimestamp(now.timestamp() + wait_seconds, UTC) if wait_seconds is not None else None
    at = f"after {later:%Y-%m-%d %H:%M} UTC" if later else "later"
    hint = f"run the same command {at}: it goes on where it stopped"
    return TryLater(f"{publisher} to answer now", came, hint=hint)
