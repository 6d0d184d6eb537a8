"""The log of runs, on stderr: a plain line for a person, or a line of JSON for a program (`--log-format json`).

Everything a run says goes through one chain: the id of the run and the job, the level, the time, secrets taken out, and
then the form. The log is no result: no table holds an id or a time of it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from anomaly.contract.errors import BadRequest

if TYPE_CHECKING:
    from structlog.typing import Processor

FORMATS = PLAIN, JSON = ("plain", "json")
VARIABLE = "ANOMALY_LOG"
REDACTED = "[redacted]"
_NAMES = r"(?:subscription|api)[-_]?key|token|password|passwd|secret|authorization"
_SECRET = re.compile(_NAMES, re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(rf"((?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)(?:bearer\s+)?[^\s&\"',;]+", re.IGNORECASE)

_log_format: ContextVar[str] = ContextVar("log_format")
_run_id: ContextVar[str] = ContextVar("run_id")


@contextlib.contextmanager
def of_run(log_format: str | None = None) -> Iterator[str]:
    """Yield the id of a run, which all that is said inside bears; inside another run it is that one's.

    Parameters
    ----------
    log_format : str or None, optional
        `plain` or `json`; None: as the variable ANOMALY_LOG says.

    Yields
    ------
    str
        The run's id.

    Raises
    ------
    BadRequest
        The format is none of these.
    """
    chosen = log_format or os.environ.get(VARIABLE) or PLAIN
    if chosen not in FORMATS:
        raise BadRequest(f"{' or '.join(FORMATS)} as the form of the log", repr(chosen[:40]), hint=f"see {VARIABLE}")
    if outer := _run_id.get(""):
        yield outer
        return
    form, run_id = _log_format.set(chosen), _run_id.set(os.urandom(6).hex())
    try:
        yield _run_id.get()
    finally:
        _log_format.reset(form)
        _run_id.reset(run_id)


def say(message: str, level: str = "info", **facts: Any) -> None:
    """Say one thing on stderr.

    Parameters
    ----------
    message : str
        The sentence for a person; all that the plain form shows.
    level : str, optional
        `info`, `warning` or `error`.
    **facts : Any
        What a program may read beside it, such as job, rows and seconds; `exception`, a traceback, is shown to people
        too.
    """
    import structlog

    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr), _chain(), wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    getattr(logger, level)(message, **facts)


def is_plain() -> bool:
    """Whether a person reads the log: a bar of progress may stand beside it."""
    return _log_format.get(PLAIN) == PLAIN


@functools.cache
def _chain() -> tuple[Processor, ...]:
    from structlog import processors

    return (
        _with_run,
        processors.add_log_level,
        processors.TimeStamper(fmt="iso", utc=True, key="time"),
        processors.EventRenamer("message"),
        without_secrets,
        _rendered,
    )


def _with_run(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if run_id := _run_id.get(""):
        event["run_id"] = run_id
    return event


def without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what must not be read in a log: the value of a key that is a secret's, and what follows one in a text.

    Parameters
    ----------
    _logger, _method : Any
        Unused; structlog hands them to every processor.
    event : mutable mapping of str to Any
        What is said, by key; it is changed in place.

    Returns
    -------
    mutable mapping of str to Any
        The same mapping.
    """
    for name, value in event.items():
        if _SECRET.search(name):
            event[name] = REDACTED
        elif isinstance(value, str):
            event[name] = _SECRET_IN_TEXT.sub(rf"\1{REDACTED}", value)
    return event


def _rendered(logger: Any, method: str, event: MutableMapping[str, Any]) -> str | bytes:
    if is_plain():
        return "\n".join(str(event[name]) for name in ("exception", "message") if name in event)
    from structlog.processors import JSONRenderer

    return JSONRenderer(sort_keys=True, ensure_ascii=False)(logger, method, event)
