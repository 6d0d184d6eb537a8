"""What holds for every test: no deadline, what is slow first, and what is dear made once for all workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# A slow or busy machine must pass: how long one example takes says nothing about the code.
settings.register_profile("anomaly", deadline=None)
settings.load_profile("anomaly")

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with what is slow, so that none is left with it alone at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """A folder by its name, filled by the first worker that asks; the others wait for it. Nobody may write there."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        made = shared / f"{name}.made"
        with FileLock(shared / f"{name}.lock"):
            if not made.exists():
                (shared / name).mkdir(exist_ok=True)
                fill(shared / name)
                made.touch()
        return shared / name

    return folder
