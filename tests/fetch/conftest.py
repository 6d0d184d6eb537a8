"""A server on this machine that a test lets answer as it likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fetch.wire import Wire, reply, served


@pytest.fixture
def httpserver() -> Iterator[Wire]:
    """Answers 500 until `answer` is set."""
    with served(lambda _asked: reply(b"nobody said what to answer", 500)) as wire:
        yield wire
