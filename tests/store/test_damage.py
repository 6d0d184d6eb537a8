"""Damage on the disk: whatever is changed or lost is named and never answered from, and the next run mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anomaly.cli.commands import main
from anomaly.contract.errors import StoreFailure
from anomaly.contract.schema import TABLES
from anomaly.store import commit
from anomaly.store.store import Store
from pipelines.job import Job, Run
from pipelines.running import run_jobs
from tests.sources.test_ingest import ingest, table

ROWS = ["KAZ,RUS,2022,851713,5", "KGZ,RUS,2022,851713,7"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    table(tmp_path / "raw", ROWS)
    ingest(tmp_path)
    return tmp_path / "data"


def verify(data: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["verify", "--data", str(data), *options])


def pointer(data: Path) -> Path:
    return data / "flows" / commit.POINTER


def part(data: Path) -> Path:
    return next((data / "flows").glob("*/part-00000.parquet"))


def flip(path: Path, at: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(bytes(content))


def test_what_is_whole_is_said_to_be_whole(data: Path) -> None:
    result = verify(data)
    assert (result.exit_code, result.output.count("nothing")) == (0, 3)  # the table, the raw files, the run


def test_a_change_of_any_byte_of_a_pointer_is_named(data: Path) -> None:
    whole = pointer(data).read_bytes()
    missed = []
    for at in range(len(whole)):
        pointer(data).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        if Store(data).verify("flows") != ["flows/CURRENT.json"]:
            missed.append((at, whole[at - 5 : at + 5]))
    assert missed == []
    pointer(data).write_bytes(whole + b" ")
    result = verify(data)
    assert (result.exit_code, "flows/CURRENT.json" in result.output) == (74, True)


def test_a_table_whose_pointer_is_lost_is_named_and_is_not_taken_for_one_that_was_never_made(data: Path) -> None:
    pointer(data).unlink()
    assert Store(data).verify("flows") == ["flows/CURRENT.json"]
    result = verify(data)
    assert (result.exit_code, "flows/CURRENT.json" in result.output) == (74, True)
    with pytest.raises(StoreFailure, match=r"flows/CURRENT\.json"):
        Store(data).exists("flows")
    ingest(data.parent)
    assert verify(data).exit_code == 0


def test_a_table_that_is_gone_with_its_folder_is_named_where_others_are_made_of_it(data: Path) -> None:
    store = Store(data)
    with store.writer("rollups", inputs={"flows": store.version("flows")}) as writer:
        writer.add(TABLES["rollups"].create_empty())
    shutil.rmtree(data / "flows")
    result = verify(data)
    assert (result.exit_code, "flows/CURRENT.json" in result.output) == (74, True)
    shutil.rmtree(data / "runs")  # a folder of a version without runs
    result = verify(data)
    assert (result.exit_code, "flows: it is gone" in result.output) == (74, True)


@pytest.mark.parametrize("name", ["trade.csv", "trade.toml"])
@pytest.mark.parametrize("change", [lambda path: flip(path, 10), Path.unlink])
def test_a_raw_file_that_is_not_the_one_that_was_read_is_named(
    data: Path, name: str, change: Callable[[Path], None]
) -> None:
    change(data.parent / "raw" / name)
    result = verify(data)
    assert (result.exit_code, f"raw/{name}" in result.output) == (74, True)
    assert verify(data, "--raw", str(data.parent / "nowhere")).exit_code == 74


def test_a_raw_file_that_came_since_is_no_damage(data: Path) -> None:
    table(data.parent / "raw", ["KGZ,BLR,2022,851713,7"], "more.csv")
    assert verify(data).exit_code == 0


READS: dict[str, Callable[[Store], object]] = {
    "read": lambda store: store.read("flows"),
    "scan": lambda store: store.scan("flows").collect(),
    "between": lambda store: store.read("flows", between=("851713", "851713")),
    "chunks": lambda store: list(store.chunks("flows")),
}


@pytest.mark.parametrize("way", READS)
def test_no_answer_comes_from_a_damaged_part_whichever_way_it_is_read(data: Path, way: str) -> None:
    path = part(data)
    for at in range(0, path.stat().st_size, 97):
        flip(path, at)
        with pytest.raises(StoreFailure, match=r"part-00000\.parquet: missing or damaged") as caught:
            READS[way](Store(data))
        assert caught.value.exit_code == 74
        flip(path, at)
    path.unlink()
    with pytest.raises(StoreFailure, match=r"part-00000\.parquet: missing or damaged"):
        READS[way](Store(data))


def test_what_is_kept_beside_a_table_is_not_believed_where_it_is_damaged(data: Path) -> None:
    meta = next((data / "flows").glob("*/_table.json"))
    meta.write_bytes(meta.read_bytes().replace(b'"rows": 2', b'"rows": 3'))
    with pytest.raises(StoreFailure, match=r"_table\.json"):
        Store(data).meta("flows")


def test_a_question_about_a_damaged_table_ends_with_74_and_its_name(data: Path) -> None:
    flip(part(data), 200)
    result = CliRunner().invoke(main, ["sources", "--doubts", "--data", str(data)])
    assert result.exit_code == 0  # of another table
    doubts = next((data / "flows").glob("*/doubts/part-00000.parquet"))
    flip(doubts, 100)
    result = CliRunner().invoke(main, ["sources", "--doubts", "--data", str(data)])
    assert (result.exit_code, "doubts/part-00000.parquet" in result.output) == (74, True)


def test_a_run_does_not_call_a_damaged_table_no_change_and_mends_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(part(data), 200)
    ingest(data.parent)
    assert "flows: no change" not in capsys.readouterr().err
    assert Store(data).read("flows")["primary_value_usd"].to_list() == [5, 7]


def published(root: Path) -> str:
    """How a run of a job that publishes two documents went."""

    def build(run: Run) -> None:
        run.publish({"report.html": b"<p>", "manifest.json": b"{}"})

    job = Job("report", "two documents", build, reads=("flows",), publishes=True)
    return str(run_jobs((job,), "report", root / "raw", root / "data", "russia-2022").steps[0]["status"])


LOSSES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "changed": lambda path: flip(path, 0),
    "grown": lambda path: path.write_bytes(path.read_bytes() + b" "),
}


@pytest.mark.parametrize("name", ["latest/report.html", "latest/manifest.json", "DOCUMENTS.json"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_document_that_is_gone_or_changed_is_named_and_made_again(data: Path, name: str, loss: str) -> None:
    assert [published(data.parent), published(data.parent)] == ["done", "no change"]
    path = data / "reports" / name
    whole = path.read_bytes()
    LOSSES[loss](path)
    result = verify(data)
    assert (result.exit_code, Path(name).name in result.output) == (74, True)
    assert published(data.parent) == "done"
    assert (path.read_bytes(), verify(data).exit_code) == (whole, 0)
