"""One writer at a time: a lock on the folder of the tables that the operating system frees, however its holder ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anomaly.contract.errors import Locked
from anomaly.store.disk import named_failures

LOCK_SECONDS = 0.5  # a second run is refused within a second


class Lock:
    """The lock of a folder; may be taken again by whoever holds it.

    Parameters
    ----------
    root : pathlib.Path
        The folder; made when the lock is taken first.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file_lock: Any = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock while the block runs.

        Yields
        ------
        None
            Nothing.

        Raises
        ------
        Locked
            Where another process holds it.
        """
        import filelock

        path, holder = self._root / ".lock", self._root / ".lock-holder"
        with named_failures(path, verb="lock"):
            self._root.mkdir(parents=True, exist_ok=True)
            if self._file_lock is None:
                self._file_lock = filelock.FileLock(path, timeout=LOCK_SECONDS, fallback_to_soft=False)
            try:
                self._file_lock.acquire()
            except filelock.Timeout as error:
                raise Locked(
                    f"to be alone in {self._root}", f"held by {_holder(holder)}", hint="wait for it to end, or stop it"
                ) from error
        try:
            with contextlib.suppress(OSError):
                holder.write_text(f"{os.getpid()}\n", encoding="ascii")
            yield
        finally:
            self._file_lock.release()


def _holder(path: Path) -> str:
    try:
        return f"process {int(path.read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "another process"
