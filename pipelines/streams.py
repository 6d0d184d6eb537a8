"""What goes out: letters that any terminal can show, a full disk behind stdout, and the word to stop."""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from types import FrameType

from anomaly.contract.errors import StoreFailure

TERMINATED = 128 + signal.SIGTERM  # what a shell says of a process that ended on it
_PLAIN = {
    **{"→": "->", "←": "<-", "≥": ">=", "≤": "<=", "×": "x", "−": "-", "–": "-", "—": "-", "…": "..."},
    **{"‘": "'", "’": "'", "“": '"', "”": '"', "·": "-", "•": "-", "─": "-", "│": "|"},
}


class Terminated(BaseException):
    """The machine, or who runs it, asked this process to end (SIGTERM)."""


def plain_letters(error: UnicodeError) -> tuple[str, int]:
    """What stands for letters that a terminal's encoding has not: the nearest plain ones, ? for others.

    Parameters
    ----------
    error : UnicodeEncodeError
        Of the text that is written.

    Returns
    -------
    text : str
        ASCII.
    end : int
        Where to go on.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    plain = [_PLAIN.get(letter) or unicodedata.normalize("NFKD", letter)[0] for letter in letters]
    return "".join(letter if letter.isascii() else "?" for letter in plain), error.end


def let_any_terminal_read() -> None:
    """Let stdout and stderr write every text, whatever the terminal's encoding."""
    codecs.register_error("plain", plain_letters)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="plain")


@contextlib.contextmanager
def written_out() -> Iterator[None]:
    """Write out what a block says, and turn a full or broken stdout into an error; who reads no more is none.

    Yields
    ------
    None
        Nothing; the block runs inside.

    Raises
    ------
    StoreFailure
        Where stdout cannot be written.
    BrokenPipeError
        Where nobody reads any more.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        leave_stdout()
        raise StoreFailure(
            "to write to stdout", error.strerror or str(error), hint="make room where the answer goes"
        ) from error


def leave_stdout() -> None:
    """Let what is left for stdout go nowhere, so that Python does not fail over it on the way out."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def as_process(main: Callable[[], object]) -> None:
    """Do all the work of a process whose stdout any terminal can read, and end it with 74 where stdout is full.

    Parameters
    ----------
    main : callable
        It ends the process itself where it can.
    """
    let_any_terminal_read()
    try:
        with written_out():
            main()
    except StoreFailure as error:
        sys.exit(error.exit_code)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Raise Terminated on SIGTERM inside a block, so that it can say how it ended; only in the main thread.

    Yields
    ------
    None
        Nothing; the block runs inside.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Terminated("asked to end (SIGTERM)")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
