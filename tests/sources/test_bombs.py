"""Bombs: a small file that unpacks to a large one is stopped by the bytes that come out, before it fills the memory."""

from __future__ import annotations

import gzip
import io
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import py7zr
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.sources import find
from anomaly.sources.base import Context, RawFile
from anomaly.sources.reading.limits import FREE_BYTES, Limits
from tests import ROOT
from tests.sources.test_forms import TOML, plain
from tests.sources.test_ingest import table

GROWN = 3 * FREE_BYTES  # a thousand times what it is packed


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def seven_zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        archive.writestr(content, "full_202402.dat")
    return packed.getvalue()


BOMBS = {
    "own/mine.csv.gz": lambda zeros: gzip.compress(zeros),
    "own/mine.zip": lambda zeros: zipped({"mine.csv": zeros}),
    "own/mine.xlsx": lambda zeros: zipped({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": zeros}),
    "comtrade/answer.json.gz": lambda zeros: gzip.compress(zeros),
    "comext/answer.csv.gz": lambda zeros: gzip.compress(zeros),
    "comext/full_v2_202402.7z": seven_zipped,
    "baci/BACI_HS17_V202501.zip": lambda zeros: zipped({"BACI_HS17_Y2022_V202501.csv": zeros}),
}


@pytest.mark.slow  # seconds in all
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_any_form_is_stopped_by_its_ratio(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.toml").write_text(TOML, encoding="utf-8")
    path = tmp_path / Path(name).name
    row = b"2022,51,643,870323,1,1\n"
    path.write_bytes(BOMBS[name](b"t,i,j,k,v,q\n" + row * (GROWN // len(row))))
    raw = RawFile(path, name)
    with pytest.raises(DataRejected, match=r"came .* bytes for each packed one") as caught:
        list(find(raw).read(raw, Context()))
    assert caught.value.exit_code == 65
    assert "unpacked_ratio_limit" in str(caught.value)


def test_a_table_that_packs_well_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TOML, encoding="utf-8")
    path = tmp_path / "mine.csv.gz"
    path.write_bytes(gzip.compress(plain((("KAZ", "RUS", "2022-07", "851713", 5),) * 50_000)))
    raw = RawFile(path, "own/mine.csv.gz")
    assert sum(batch.flows.height for batch in find(raw).read(raw, Context())) == 1


def test_a_limit_of_the_scenario_is_what_stops_a_file(tmp_path: Path) -> None:
    from anomaly.contract.settings import SCENARIOS
    from pipelines import flows
    from pipelines.running import run_jobs

    path = table(tmp_path / "raw", [f"KAZ,RUS,{year},851713,5" for year in range(1900, 2022)] * 1000)
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    scenario = tmp_path / "mine.toml"
    text = (SCENARIOS / "russia-2022.toml").read_text(encoding="utf-8")
    scenario.write_text("unpacked_bytes_limit = 1_048_576\n" + text, encoding="utf-8")
    with pytest.raises(DataRejected, match="at most 1,048,576 bytes unpacked"):
        run_jobs((flows.JOB,), "flows", tmp_path / "raw", tmp_path / "data", str(scenario))


@pytest.mark.parametrize(("written", "packed", "is_stopped"), [(999, 1, False), (1001, 1000, True), (1000, 1, False)])
def test_the_limits_are_of_bytes_that_came_out_and_small_files_are_free(
    written: int, packed: int, is_stopped: bool
) -> None:
    assert bool(Limits(1000, 2).fault(written, packed)) is is_stopped


@pytest.mark.slow
def test_three_gigabytes_of_zeros_take_little_memory_and_end_with_65(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    with gzip.open(tmp_path / "raw" / "mine.csv.gz", "wb", compresslevel=1) as file:
        for _ in range(3 * 2**30 // 2**24):
            file.write(bytes(2**24))
    (tmp_path / "raw" / "mine.toml").write_text(TOML, encoding="utf-8")
    limit = 2 * 2**30

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    command = [
        sys.executable,
        "-m",
        "pipelines",
        "flows",
        "--raw",
        str(tmp_path / "raw"),
        "--data",
        str(tmp_path / "d"),
    ]
    ended = subprocess.run(command, cwd=ROOT, preexec_fn=bounded, capture_output=True, text=True, check=False)
    assert ended.returncode == 65, ended.stderr
    assert "bytes for each packed one" in ended.stderr.partition("came")[2]
