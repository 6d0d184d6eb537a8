"""Which code a job hangs on: what it can reach by imports, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import code

HOUSE = {
    "anomaly/__init__.py": "",
    "anomaly/rooms/__init__.py": '"""A package whose face imports nothing."""\n',
    "anomaly/rooms/entered.py": "x = 1\n",
    "anomaly/rooms/stranger.py": "x = 1\n",
    "anomaly/rooms/facts.csv": "a\n1\n",
    "anomaly/registry/__init__.py": "from anomaly.registry import leaf\nALL = (leaf.ONE,)\n",
    "anomaly/registry/leaf.py": "ONE = 1\n",
    "anomaly/registry/templates/page.html": "<p>",
    "pipelines/__init__.py": "",
    "pipelines/job.py": "",
    "pipelines/one.py": "def build():\n    from anomaly.rooms import entered\n",
    "pipelines/two.py": "from anomaly import registry\n",
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project; what was read of the real one is forgotten before and after."""
    for name, text in HOUSE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def version(job: str) -> str:
    """The hash as another process would read it."""
    for cached in (code._content, code._files, code._data, code._imports):
        cached.cache_clear()
    try:
        return code.code_version(job)
    finally:
        for cached in (code._content, code._files, code._data, code._imports):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("job", "changed", "is_redone"),
    [
        ("pipelines.one", "anomaly/rooms/entered.py", True),
        ("pipelines.one", "anomaly/rooms/facts.csv", True),
        ("pipelines.one", "anomaly/rooms/__init__.py", True),
        ("pipelines.one", "anomaly/rooms/stranger.py", False),
        ("pipelines.one", "anomaly/registry/leaf.py", False),
        ("pipelines.two", "anomaly/registry/leaf.py", True),
        ("pipelines.two", "anomaly/registry/templates/page.html", True),
        ("pipelines.two", "anomaly/rooms/entered.py", False),
        ("pipelines.two", "pipelines/job.py", False),
    ],
)
def test_a_job_is_redone_for_the_code_it_reaches_and_for_no_other(house, job, changed, is_redone):
    before = version(job)
    (house / changed).write_text("x = 2\n", encoding="utf-8")
    assert (version(job) != before) == is_redone
