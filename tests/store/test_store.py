"""The store's promises: whole old or whole new whatever happens, the same bytes for the same content, one writer.

`make test` tries a sample of the numbered points of a commit, `make test-kills` every one of them.
"""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.contract.errors import ContractBroken, Locked, SourceUnavailable, StoreFailure
from anomaly.store import disk
from anomaly.store.store import Store, of_last_run
from tests import ROOT

EVERY_FAULT = bool(os.environ.get("ANOMALY_EVERY_FAULT"))


class Goods(dy.Schema):
    """A small table sorted by good."""

    good = dy.String(primary_key=True)
    year = dy.Int64(primary_key=True)
    value_usd = dy.Int64(min=0)
    share = dy.Float64(nullable=True)


def goods(rows: int, value: int = 1, per_good: int = 3) -> pl.DataFrame:
    """Rows of whole goods in order."""
    number = pl.int_range(rows, eager=True)
    return pl.DataFrame(
        {
            "good": (number // per_good).cast(pl.String).str.zfill(6),
            "year": number % per_good + 2020,
            "value_usd": pl.repeat(value, rows, dtype=pl.Int64, eager=True),
            "share": pl.repeat(None, rows, dtype=pl.Float64, eager=True),
        }
    )


def write(store: Store, *frames: pl.DataFrame, **meta: Any) -> bool:
    with store.writer("bilateral", inputs={"flows": "a"}, settings="s", schema=Goods, **meta) as writer:
        for frame in frames:
            writer.add(frame)
    return writer.is_changed


def content(root: Path) -> dict[str, bytes]:
    """Every committed file."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".lock")
    }


def test_what_is_written_is_read_in_order_and_narrowed(tmp_path):
    store = Store(tmp_path)
    write(store, goods(6), goods(12).tail(6))
    assert store.read("bilateral").equals(goods(12))
    narrow = store.read("bilateral", ["year"], pl.col("good") == "000003")
    assert narrow.equals(pl.DataFrame({"year": [2020, 2021, 2022]}))
    meta = store.meta("bilateral")
    assert (meta["rows"], meta["inputs"], meta["settings"]) == (12, {"flows": "a"}, "s")
    assert meta["schema"] == {"good": "String", "year": "Int64", "value_usd": "Int64", "share": "Float64"}


def test_a_table_that_is_not_there_says_so(tmp_path):
    store = Store(tmp_path / "nowhere")
    assert not store.exists("flows")
    assert not store.exists("flows.rejected")
    with pytest.raises(SourceUnavailable, match="run `make`"):
        store.read("flows")


@pytest.mark.parametrize("name", ["../flows", "flows/x", "", "Flows", "flows.a.b", "/etc"])
def test_a_name_that_is_no_table_touches_no_path(tmp_path, name):
    with pytest.raises(ContractBroken):
        Store(tmp_path).exists(name)


def test_companions_are_committed_with_their_table_and_are_there_when_empty(tmp_path):
    store = Store(tmp_path)
    row = {
        "source": "t",
        "raw_file": "f",
        "row": 1,
        "column": "",
        "value": None,
        "rule": "r",
        "reason": "x",
        "is_error": True,
    }
    with store.writer("flows", inputs={}) as writer:
        writer.add(pl.DataFrame([row], schema_overrides={"value": pl.String}), "flows.rejected")
    assert store.read("flows").is_empty()
    assert store.read("flows.files").is_empty()
    assert store.read("flows.rejected").to_dicts() == [row]
    assert store.meta("flows.rejected")["rows"] == 1
    assert store.version("flows.rejected") == store.version("flows")


def test_a_question_about_a_few_goods_opens_only_the_parts_that_may_hold_them(tmp_path):
    store = Store(tmp_path)
    write(store, goods(12), goods(24).tail(12), goods(36).tail(12), sort=("good",))
    folder = tmp_path / "bilateral" / store.version("bilateral")
    for part in ("part-00000.parquet", "part-00002.parquet"):
        (folder / part).write_bytes(b"cannot be read")
    is_asked_for = pl.col("good").is_in(["000005", "000007"])
    assert store.read("bilateral", ["good"], is_asked_for, ("000005", "000007"))["good"].unique().sort().to_list() == [
        "000005", "000007",
    ]  # fmt: skip
    with pytest.raises(StoreFailure):
        store.read("bilateral", where=is_asked_for)


def test_a_part_whose_first_or_last_good_is_the_one_asked_for_is_opened(tmp_path):
    store = Store(tmp_path)
    write(store, goods(12), goods(24).tail(12), sort=("good",))
    first_part, last_part = (part["good"].unique().sort() for part in (goods(12), goods(24).tail(12)))
    for good in (first_part[0], first_part[-1], last_part[0], last_part[-1]):
        assert store.read("bilateral", where=pl.col("good") == good, between=(good, good)).height > 0


@settings(max_examples=25, deadline=None)
@given(ends=st.tuples(st.integers(-1, 13), st.integers(-1, 13)), parts=st.lists(st.integers(1, 5), max_size=4))
def test_leaving_parts_shut_leaves_no_row_out(tmp_path_factory, ends, parts):
    store, frame = Store(tmp_path_factory.mktemp("shut")), goods(36)
    cuts = [0, *[3 * sum(parts[: at + 1]) for at in range(len(parts))], 36]
    write(store, *[frame[start:end] for start, end in pairwise(cuts)], sort=("good",))
    first_good, last_good = (f"{end:06}" for end in sorted(ends))
    is_asked_for = pl.col("good").is_between(pl.lit(first_good), pl.lit(last_good))
    assert store.read("bilateral", where=is_asked_for, between=(first_good, last_good)).equals(
        frame.filter(is_asked_for)
    )


cells = st.tuples(
    st.text("0123456789AZ+", max_size=4), st.integers(0, 9), st.integers(0, 2**62), st.none() | st.floats(-1e300, 1e300)
)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(cells, max_size=40, unique_by=lambda row: row[:2]), cut=st.integers(0, 40))
def test_any_rows_come_back_as_they_were(tmp_path_factory, rows, cut):
    types = {name: column.dtype for name, column in Goods.columns().items()}
    frame = pl.DataFrame(rows, schema=types, orient="row")
    store = Store(tmp_path_factory.mktemp("round"))
    write(store, frame.head(cut), frame.slice(cut))
    assert store.read("bilateral").equals(frame)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12), rows=st.integers(1, 20), cut=st.integers(0, 100))
def test_chunks_are_whole_goods_in_order_and_together_the_table(tmp_path_factory, sizes, rows, cut):
    frame = pl.concat([goods(size, per_good=size).with_columns(good=pl.lit(f"{n:06}")) for n, size in enumerate(sizes)])
    store = Store(tmp_path_factory.mktemp("chunks"))
    write(store, frame.head(cut), frame.slice(cut), sort=("good",))
    chunks = list(store.chunks("bilateral", rows))
    assert pl.concat(chunks).equals(frame)
    goods_in_order = [good for chunk in chunks for good in chunk["good"].unique()]
    assert len(goods_in_order) == len(set(goods_in_order))
    assert all(chunk.height <= rows or chunk["good"].n_unique() == 1 for chunk in chunks)


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=12),
    rows=st.integers(1, 20),
)
def test_goods_that_share_their_first_digits_stay_in_one_chunk(tmp_path_factory, sizes, rows):
    names = [f"{heading:04}{number:02}" for number, (heading, _) in enumerate(sizes)]
    frame = pl.concat(
        [
            goods(size, per_good=size).with_columns(good=pl.lit(name))
            for name, (_, size) in zip(names, sizes, strict=True)
        ]
    ).sort("good", maintain_order=True)
    store = Store(tmp_path_factory.mktemp("chunks"))
    write(store, frame, sort=("good",))
    chunks = list(store.chunks("bilateral", rows, digits=4))
    assert pl.concat(chunks).equals(frame)
    headings = [heading for chunk in chunks for heading in chunk["good"].str.slice(0, 4).unique()]
    assert len(headings) == len(set(headings))
    assert all(chunk.height <= rows or chunk["good"].str.slice(0, 4).n_unique() == 1 for chunk in chunks)


def test_a_chunk_opens_its_own_parts_only_and_reads_the_columns_that_are_asked_for(tmp_path, monkeypatch):
    store, opened = Store(tmp_path), []
    write(store, *[goods(12)[start : start + 3] for start in range(0, 12, 3)], sort=("good",))
    collect = pl.LazyFrame.collect

    def counting(lazy: pl.LazyFrame, **options: Any) -> pl.DataFrame:
        opened.append(len(re.findall(r"part-\d+", lazy.explain())))
        return collect(lazy, **options)

    monkeypatch.setattr(pl.LazyFrame, "collect", counting)
    chunks = store.chunks("bilateral", 3, columns=["good", "year"])
    first_chunk = next(chunks)
    assert opened[0] == 4  # goods are counted in all of them
    assert first_chunk.equals(goods(3).select("good", "year"))
    opened.clear()
    assert [chunk.height for chunk in chunks] == [3, 3, 3]
    assert max(opened) == 1


def test_a_table_out_of_order_is_refused_by_the_writer_and_by_chunks(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(ContractBroken, match="sorted by good"):
        write(store, goods(6).tail(3), goods(6).head(3), sort=("good",))
    for mixed in ([goods(6).tail(3), goods(6).head(3)], [goods(6).reverse()]):
        write(store, *mixed)
        with pytest.raises(ContractBroken, match="sorted by good"):
            list(store.chunks("bilateral", 3))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (goods(3).drop("share"), "share is missing"),
        (goods(3).with_columns(more=1), "more is not in it"),
        (goods(3).cast({"year": pl.Int32}), "year is Int32, not Int64"),
        (goods(3, value=-1), "value_usd|min"),
        (goods(3).with_columns(share=pl.lit(float("nan"))), "share"),
        (goods(3).with_columns(share=pl.lit(float("inf"))), "share"),
        (pl.concat([goods(3), goods(3)]), "primary_key"),
        (goods(3).with_columns(good=pl.lit(None, dtype=pl.String)), "good|nullability"),
    ],
)
def test_a_frame_that_breaks_its_contract_is_refused_and_nothing_changes(tmp_path, broken, named):
    store = Store(tmp_path)
    write(store, goods(6))
    before = content(tmp_path)
    with pytest.raises(ContractBroken) as caught:
        write(store, goods(9), broken)
    assert all(part in str(caught.value) for part in named.split("|"))
    assert content(tmp_path) == before


class Spelt(dy.Schema):
    """A text with a pattern, which may be unknown."""

    flow_code = dy.String(nullable=True, regex="^[MX]$")


@pytest.mark.parametrize("texts", [["M", "X", "x"], ["Y", "Y"], [None, "Y", None], ["", None]])
def test_one_text_that_is_not_spelt_as_its_pattern_says_is_refused_wherever_it_stands(tmp_path, texts):
    with Store(tmp_path).writer("flows", inputs={}, schema=Spelt) as writer:
        writer.add(pl.DataFrame({"flow_code": ["M", None, "X", "M"]}))
        with pytest.raises(ContractBroken, match=r"flow_code\|regex: 1|flow_code\|regex: 2"):
            writer.add(pl.DataFrame({"flow_code": texts}))


def test_unchanged_content_keeps_its_version_and_writes_nothing(tmp_path):
    store = Store(tmp_path)
    assert write(store, goods(6))
    before = {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file() and ".lock" not in path.name
    }
    assert not write(store, goods(6))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert write(store, goods(6, value=2))


def in_a_process(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


WRITE = """
import sys
from pathlib import Path
from anomaly.store.store import Store
from tests.store.test_store import goods, write
store = Store(Path(sys.argv[1]))
print(write(store, goods(300_000, int(sys.argv[2]))))
"""
PUBLISH = """
import sys
from pathlib import Path
from anomaly.store.store import Store
store = Store(Path(sys.argv[1]))
store.publish("run" + sys.argv[2], {"a.html": b"page" * 1000, "b.csv": sys.argv[2].encode()})
store.end_run([])
"""


@pytest.mark.slow
def test_the_same_content_is_the_same_bytes_with_one_two_and_four_threads(tmp_path):
    contents = []
    for threads in ("1", "2", "4"):
        done = in_a_process(WRITE, tmp_path / threads, 7, POLARS_MAX_THREADS=threads)
        assert done.returncode == 0, done.stderr
        contents.append(content(tmp_path / threads))
    assert contents[0] == contents[1] == contents[2]


def points(tmp_path: Path) -> int:
    """How many numbered points a commit over an older one has."""
    store = Store(tmp_path / "counted")
    for value in (1, 2, 3):
        with store.writer("bilateral", inputs={"flows": "a"}, settings="s", schema=Goods) as writer:
            writer.add(goods(300, value))
    return writer.staging.faults.reached


def test_a_commit_has_more_than_twenty_numbered_points(tmp_path):
    assert points(tmp_path) >= 20


def sampled(last: int, step: int) -> list[int]:
    return list(range(1, last + 1)) if EVERY_FAULT else list(range(1, last + 1, step))


POINTS = 21  # of the commit that WRITE makes; checked by the kill tests themselves


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the folder looks like after two and after three commits that nothing disturbed."""
    root, states = tmp_path_factory.mktemp("undisturbed"), []
    for value in (1, 2, 3):
        assert in_a_process(WRITE, root, value).returncode == 0
        states.append(content(root))
    return states


@pytest.fixture
def two_versions(tmp_path, undisturbed):
    """A folder after two commits."""
    for name, data in undisturbed[1].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("point", sampled(POINTS, 6))
def test_killed_at_any_point_a_reader_sees_a_whole_version_and_a_rerun_ends_as_if_nothing_happened(
    two_versions, undisturbed, point
):
    done = in_a_process(WRITE, two_versions, 3, ANOMALY_FAIL_AT=f"bilateral:{point}:kill")
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = Store(two_versions)
    assert store.verify("bilateral") == []
    assert store.read("bilateral")["value_usd"].unique().to_list() in ([2], [3])
    started = time.monotonic()
    done = in_a_process(WRITE, two_versions, 3)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 60
    assert content(two_versions) == undisturbed[2]


@pytest.mark.slow
def test_there_is_no_point_beyond_those_that_are_tried(two_versions):
    done = in_a_process(WRITE, two_versions, 3, ANOMALY_FAIL_AT=f"bilateral:{POINTS + 1}:kill")
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EROFS"])
@pytest.mark.parametrize("point", sampled(POINTS, 6))
def test_a_disk_fault_at_any_point_leaves_a_whole_version_and_no_temporary_files(
    two_versions, undisturbed, point, fault, monkeypatch
):
    store = Store(two_versions)
    monkeypatch.setenv(disk.FAIL_AT, f"bilateral:{point}:{fault}")
    if point > POINTS - 2:  # only removing an old version fails there: the commit stands
        assert write(store, goods(300_000, 3))
    else:
        with pytest.raises(StoreFailure, match=os.strerror(getattr(errno, fault))) as caught:
            write(store, goods(300_000, 3))
        assert caught.value.exit_code == 74
        assert str(two_versions) in str(caught.value)
    assert store.verify("bilateral") == []
    assert not list(two_versions.rglob("*.new")) + list(two_versions.rglob(".staging"))
    monkeypatch.delenv(disk.FAIL_AT)
    write(store, goods(300_000, 3))
    assert content(two_versions) == undisturbed[2]


def test_files_are_on_the_disk_before_the_pointer_and_the_pointer_before_the_end(tmp_path, monkeypatch):
    done, sync, move, rename = [], os.fsync, Path.replace, Path.rename

    def synced(number: int) -> None:
        done.append(f"sync {os.fstat(number).st_ino}")
        sync(number)

    def moved(path: Path, target: Path) -> Path:
        done.append(f"move {path.stat().st_ino}")
        return move(path, target)

    def renamed(path: Path, target: Path) -> Path:
        done.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved)
    monkeypatch.setattr(Path, "rename", renamed)
    store = Store(tmp_path)
    write(store, goods(3))
    folder = tmp_path / "bilateral"
    version = folder / store.version("bilateral")
    pointer, own = (folder / "CURRENT.json").stat().st_ino, folder.stat().st_ino
    files = {f"sync {path.stat().st_ino}" for path in (version, *version.iterdir())}
    assert files <= set(done[: done.index("rename")])
    assert done[done.index("rename") :] == [
        "rename",
        f"sync {own}",
        f"sync {pointer}",
        f"move {pointer}",
        f"sync {own}",
    ]


def test_a_full_disk_is_seen_before_writing_and_names_path_and_bytes(tmp_path, monkeypatch):
    store = Store(tmp_path)
    write(store, goods(6))
    before = content(tmp_path)
    monkeypatch.setattr("anomaly.store.disk.shutil.disk_usage", lambda _path: SimpleNamespace(free=9))
    with pytest.raises(StoreFailure, match=r"part-00000\.parquet \([\d,]+ bytes\)"):
        write(store, goods(6, 2))
    monkeypatch.undo()
    assert content(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_an_error_of_the_disk(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreFailure, match="let this user write"):
        write(Store(tmp_path / "data"), goods(3))


def test_a_reader_that_has_begun_stays_with_its_version(tmp_path):
    store = Store(tmp_path)
    write(store, goods(6, 1))
    begun = store.scan("bilateral")
    write(store, goods(6, 2))
    assert begun.collect()["value_usd"].unique().to_list() == [1]
    assert store.read("bilateral")["value_usd"].unique().to_list() == [2]


@pytest.mark.slow
def test_readers_beside_a_writer_see_whole_versions_only(tmp_path):
    store, states, stop = Store(tmp_path), set(), threading.Event()
    write(store, goods(3000, 0), goods(6000, 0).tail(3000))

    def reader() -> None:
        while not stop.is_set():
            frame = Store(tmp_path).read("bilateral")
            states.add((frame.height, *frame["value_usd"].unique().to_list()))

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(reader) for _ in range(2)]
        try:
            for value in range(1, 25):
                write(store, goods(3000, value), goods(6000, value).tail(3000))
        finally:
            stop.set()
        for reading in readers:
            reading.result()
    assert len(states) > 1
    assert states <= {(6000, value) for value in range(25)}


def test_only_the_newest_versions_are_kept_and_never_less_than_the_current_one(tmp_path):
    for keep, left in ((2, 2), (1, 1), (0, 1)):
        store = Store(tmp_path / str(keep), keep=keep)
        for value in range(4):
            write(store, goods(3, value))
        folders = {path.name for path in (tmp_path / str(keep) / "bilateral").iterdir() if path.is_dir()}
        assert len(folders) == left
        assert store.version("bilateral") in folders


def test_going_back_to_kept_content_is_its_old_version_again(tmp_path):
    store = Store(tmp_path)
    write(store, goods(3, 1))
    first_version = store.version("bilateral")
    write(store, goods(3, 2))
    assert write(store, goods(3, 1))
    assert store.version("bilateral") == first_version
    assert store.verify("bilateral") == []


def test_one_flipped_bit_is_named_and_the_next_write_mends_it(tmp_path):
    store = Store(tmp_path)
    write(store, goods(3000), goods(6000).tail(3000))
    folder = tmp_path / "bilateral" / store.version("bilateral")
    victim = folder / "part-00001.parquet"
    data = bytearray(victim.read_bytes())
    for place in (0, len(data) // 2, len(data) - 1):
        flipped = bytearray(data)
        flipped[place] ^= 1
        victim.write_bytes(flipped)
        assert store.verify("bilateral") == [f"bilateral/{folder.name}/part-00001.parquet"]
    (folder / "part-00000.parquet").unlink()
    assert len(store.verify("bilateral")) == 2
    assert not store.is_complete("bilateral")
    write(store, goods(3000), goods(6000).tail(3000))
    assert store.verify("bilateral") == []


def test_a_broken_part_or_pointer_is_a_store_failure(tmp_path):
    store = Store(tmp_path)
    write(store, goods(3000))
    (tmp_path / "bilateral" / store.version("bilateral") / "part-00000.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(StoreFailure, match="anomaly verify"):
        store.read("bilateral")
    for pointer in (b"{", b'{"version": "../../x", "files": {}, "previous": []}', b"[]"):
        (tmp_path / "bilateral" / "CURRENT.json").write_bytes(pointer)
        with pytest.raises(StoreFailure, match=r"CURRENT\.json"):
            store.exists("bilateral")


HOLD = """
import sys, time
from pathlib import Path
from anomaly.store.store import Store
with Store(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_within_a_second_and_the_lock_is_free_after_kill_9(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(Locked, match=f"process {holder.pid}") as caught:
            write(Store(tmp_path), goods(3))
        assert time.monotonic() - started < 1
        assert caught.value.exit_code == 75
    finally:
        holder.kill()
        holder.wait()
        holder.communicate()
    write(Store(tmp_path), goods(3))
    assert Store(tmp_path).read("bilateral").height == 3


def test_the_lock_may_be_taken_again_inside(tmp_path):
    store = Store(tmp_path)
    with store.lock(), store.lock():
        write(store, goods(3))
    with Store(tmp_path).lock():
        pass


def test_documents_of_a_run_are_published_whole_and_latest_points_at_them_when_the_run_ends(tmp_path):
    store, latest = Store(tmp_path), tmp_path / "reports" / "latest"
    assert store.published() is None
    store.publish("one", {"report.html": b"1"})
    assert not latest.exists()
    store.end_run([])
    assert (latest / "report.html").read_bytes() == b"1"
    store.publish("two", {"report.html": b"2", "flags.csv": b"x"})
    assert (latest / "report.html").read_bytes() == b"1"
    store.end_run([])
    assert (latest / "report.html").read_bytes() == b"2"
    assert latest.resolve() == (tmp_path / "reports" / "two").resolve()
    assert (tmp_path / "reports" / "one" / "report.html").read_bytes() == b"1"
    for run, name in (("../x", "a"), ("a", "../x"), ("latest/..", "a"), ("a", ".hidden")):
        with pytest.raises(ContractBroken):
            store.publish(run, {name: b""})


@pytest.mark.slow
@pytest.mark.parametrize("point", sampled(17, 5))
def test_killed_while_publishing_the_latest_report_is_whole(tmp_path, point):
    assert in_a_process(PUBLISH, tmp_path, 1).returncode == 0
    done = in_a_process(PUBLISH, tmp_path, 2, ANOMALY_FAIL_AT=f"reports:{point}:kill")
    assert done.returncode == -signal.SIGKILL
    whole = {"a.html": b"page" * 1000, "b.csv": b"1"}
    assert content((tmp_path / "reports" / "latest").resolve()) == whole
    assert of_last_run(tmp_path).broken_documents() == []
    assert in_a_process(PUBLISH, tmp_path, 2).returncode == 0
    assert content((tmp_path / "reports" / "latest").resolve()) == {**whole, "b.csv": b"2"}
    assert not (tmp_path / "reports" / ".staging").exists()


@pytest.mark.skipif(not EVERY_FAULT, reason="minutes: make test-kills")
def test_killed_at_two_hundred_random_moments_every_reader_sees_a_whole_version(tmp_path):
    import random

    dice = random.Random(22)
    assert in_a_process(WRITE, tmp_path, 0).returncode == 0
    store = Store(tmp_path)
    for value in range(1, 201):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), str(value)], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(dice.uniform(0.3, 2.5))
        child.kill()
        child.wait()
        assert store.verify("bilateral") == []
        frame = store.read("bilateral")
        assert (frame.height, frame["value_usd"].n_unique()) == (300_000, 1)


def test_the_status_file_is_replaced_whole(tmp_path):
    store = Store(tmp_path / "data")
    for code in (0, 74):
        store.write_status({"exit_code": code})
    assert json.loads((tmp_path / "data" / "run-status.json").read_text()) == {"exit_code": 74}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["run-status.json"]


def test_a_query_loads_none_of_what_only_writing_needs(tmp_path):
    write(Store(tmp_path), goods(1))
    done = in_a_process(
        """
        import sys
        from pathlib import Path
        from anomaly.store.store import Store
        store = Store(Path(sys.argv[1]))
        assert store.exists("bilateral") and store.read("bilateral").height == 1
        store.meta("bilateral"), list(store.chunks("bilateral")), store.verify("bilateral")
        heavy = {"dataframely", "pydantic", "filelock", "pyarrow", "pandas", "sklearn", "numpy", "rich"}
        print(sorted(heavy & set(sys.modules)))
        """,
        tmp_path,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_reader_that_two_commits_overtake_reads_again(tmp_path, monkeypatch):
    store, scan = Store(tmp_path), Store.scan
    write(store, goods(3, 1))

    def overtaken(self: Store, table: str, between: tuple[str, str] | None) -> pl.LazyFrame:
        monkeypatch.setattr(Store, "scan", scan)
        lazy = scan(self, table, between)
        for value in (2, 3):
            write(Store(tmp_path), goods(3, value))
        return lazy

    monkeypatch.setattr(Store, "scan", overtaken)
    assert store.read("bilateral")["value_usd"].unique().to_list() == [3]


def test_so_does_one_that_is_overtaken_before_it_knows_which_parts_to_open(tmp_path, monkeypatch):
    store = Store(tmp_path)
    write(store, goods(3, 1), goods(6, 1).tail(3), sort=("good",))
    old = store._current("bilateral")
    for value in (2, 3):
        write(store, goods(3, value), goods(6, value).tail(3), sort=("good",))
    pointers = iter([old, old])
    newest = store._current("bilateral")
    monkeypatch.setattr(Store, "_current", lambda *_: next(pointers, newest))
    assert store.read("bilateral", between=("000000", "000000"))["value_usd"].unique().to_list() == [3]
