"""What lies in data/raw after a fetch that was killed, had no room, or met another: whole releases, and nothing lost."""

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from anomaly.contract.errors import DataRejected
from anomaly.fetch import raw_store
from anomaly.fetch.base import Call, Cell, Fetched, Release
from anomaly.store.disk import FAIL_AT, digest
from anomaly.store.lock import Lock
from pipelines.origin import origin_of
from tests import ROOT
from tests.fetch.comtrade_service import Comtrade, trade
from tests.fetch.wire import Reply, served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
MONTHS, REPORTERS, PARTNERS = ("202501", "202502", "202503"), (276, 398, 417, 842), (112, 643, 156, 792)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def child(address: str, raw: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fetch.child", address, str(raw)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def content(raw: Path) -> list[str]:
    """Every row that lies there, and that each file is what its origin.toml says."""
    rows = []
    for path in sorted(raw.glob("comtrade/C-*/*/[0-9]*/*.json.gz")):
        assert digest(path) == origin_of(path.parent / "origin.toml", path.name)["sha256"][path.name]
        rows += [json.dumps(row) for row in json.loads(gzip.decompress(path.read_bytes()))["data"]]
    return sorted(rows)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 12, 2))
def test_a_fetch_killed_at_any_request_goes_on_and_ends_the_same(tmp_path, at):
    service = Comtrade(trade(REPORTERS, MONTHS, PARTNERS))
    process: list[subprocess.Popen[str]] = []
    asked: list[str] = []

    def answer(request):
        asked.append(request.path)
        if len(asked) == at and process:
            process[0].kill()
            return Reply(b"")
        return service.answer(request)

    with served(answer) as wire:
        process.append(child(wire.url, tmp_path))
        process[0].communicate(timeout=60)
        partial = content(tmp_path)
        process.clear()
        ended = child(wire.url, tmp_path)
        says = ended.communicate(timeout=60)[1]
    assert ended.returncode == 0, says
    assert set(partial) <= set(content(tmp_path))
    assert content(tmp_path) == sorted(json.dumps(row) for row in service.rows)
    assert list(tmp_path.glob("*/*/*/.part-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "how"), [(1, "kill"), (2, "kill"), (3, "kill"), (1, "ENOSPC"), (2, "EIO"), (1, "EROFS")]
)
def test_a_disk_that_fails_leaves_what_was_there(tmp_path, point, how):
    service = Comtrade(trade(REPORTERS, MONTHS, PARTNERS))
    with served(service.answer) as wire:
        first = child(wire.url, tmp_path, **{FAIL_AT: f"fetch:{point}:{how}"})
        says = first.communicate(timeout=60)[1]
        assert first.returncode == (-9 if how == "kill" else 74), says
        assert how == "kill" or str(tmp_path) in says
        assert content(tmp_path) == []
        second = child(wire.url, tmp_path)
        says = second.communicate(timeout=60)[1]
    assert second.returncode == 0, says
    assert content(tmp_path) == sorted(json.dumps(row) for row in service.rows)


def test_a_second_fetch_is_refused_within_a_second(tmp_path):
    with Lock(tmp_path).held():
        process = child("http://127.0.0.1:1", tmp_path)
        said_at = time.monotonic()
        says = process.communicate(timeout=60)[1]
    assert process.returncode == 75
    assert f"process {os.getpid()}" in says
    assert time.monotonic() - said_at < 30  # most of it is the start of the process


def call(**parts) -> Call:
    return Call(**{"dataset": "d", "period": "2025", "path": "/x", "params": (), "cells": {"a": Release()}, **parts})


def brought(raw: Path, text: bytes, *, sha256: str, now: datetime = NOW, rows: int = 1) -> Path | None:
    folder = raw_store.begin(raw, "s", call(), now)
    (folder / "f.csv").write_bytes(text)
    cells = {"a": Cell(sha256, Release("c1", "2026-01-01", rows), now)}
    fetched = Fetched((folder / "f.csv",), cells)
    return raw_store.commit(raw, "s", call(), fetched, "https://example.org/x", "CC", now, raw_store.held(raw, "s"))


def test_a_release_says_where_it_is_from(tmp_path):
    release = brought(tmp_path, b"1", sha256="x")
    assert release is not None
    assert release.name == f"2026-11-20T090000Z-{digest(release / 'f.csv')[:8]}"
    assert origin_of(release / "origin.toml", "f.csv") == {
        "url": "https://example.org/x", "licence": "CC", "released": "2026-01-01", "checksum": "c1",
        "fetched_at": "2026-11-20 09:00:00+00:00", "sha256": {"f.csv": digest(release / "f.csv")},
    }  # fmt: skip


def test_the_same_content_writes_nothing_but_that_it_was_looked_at(tmp_path):
    brought(tmp_path, b"1", sha256="x")
    later = NOW.replace(day=21)
    assert brought(tmp_path, b"1 and other clock", sha256="x", now=later) is None
    assert len(list(tmp_path.glob("s/d/2025/*"))) == 1
    assert raw_store.held(tmp_path, "s")["d/a"].looked_at == later


def test_a_revision_lies_beside_what_it_revises_and_sorts_after_it(tmp_path):
    releases = [brought(tmp_path, b"1", sha256="x"), brought(tmp_path, b"2", sha256="y", now=NOW.replace(hour=10))]
    assert sorted(tmp_path.glob("s/d/2025/*")) == releases
    assert raw_store.held(tmp_path, "s")["d/a"].sha256 == "y"


def test_unfinished_work_of_a_day_ago_is_thrown_away(tmp_path):
    folder = raw_store.begin(tmp_path, "s", call(), NOW)
    (folder / "whole.csv").write_text("1")
    assert (raw_store.begin(tmp_path, "s", call(), NOW.replace(hour=20)) / "whole.csv").exists()
    assert not (raw_store.begin(tmp_path, "s", call(), NOW.replace(day=22)) / "whole.csv").exists()


def test_old_unfinished_work_of_another_plan_is_swept(tmp_path):
    old, young = (
        raw_store.begin(tmp_path, "s", call(path=path), now) for path, now in (("/o", NOW), ("/y", NOW.replace(day=21)))
    )
    raw_store.sweep(tmp_path, "s", NOW.replace(day=22, hour=8))
    assert (old.exists(), young.exists()) == (False, True)


def test_a_damaged_note_is_as_if_nothing_lay_there(tmp_path):
    release = brought(tmp_path, b"1", sha256="x")
    assert release is not None
    (release / raw_store.FETCHED).write_text('{"cells": {"a": [1]}}')
    assert raw_store.held(tmp_path, "s") == {}


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\0b"])
def test_a_name_that_is_no_folders_is_refused(tmp_path, name):
    with pytest.raises(DataRejected):
        raw_store.begin(tmp_path, "s", call(period=name), NOW)
    assert list(tmp_path.iterdir()) == []
