"""What goes out and what stops a run: full disks, terminals of few letters, the word to end."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anomaly.contract.errors import StoreFailure
from anomaly.sources import comext_bulk
from anomaly.store.store import Store
from pipelines.streams import plain_letters
from tests import ROOT
from tests.sources import comext_files
from tests.sources.test_ingest import ingest, table

ROW = "KAZ,RUS,2022,851713,5"
ANOMALY = ("-c", "from anomaly.cli.commands import program; program()")
PIPELINES = ("-m", "pipelines")


def ended(*command: str, out_path: str | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    out = open(out_path, "wb") if out_path else subprocess.PIPE  # noqa: SIM115, PTH123
    try:
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, check=False,
            env={**os.environ, **environment},
        )  # fmt: skip
    finally:
        if out_path:
            out.close()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "command", [("scenarios",), ("indicators", "--format", "csv"), ("--help",), ("query", "--help")]
)
def test_a_full_disk_behind_stdout_ends_with_74_and_no_traceback(command: tuple[str, ...]) -> None:
    run = ended(*ANOMALY, *command, out_path="/dev/full")
    assert (run.returncode, b"Traceback" in run.stderr) == (74, False)


def test_a_full_disk_behind_stdout_is_said_in_a_sentence() -> None:
    assert b"to write to stdout" in ended(*ANOMALY, "scenarios", out_path="/dev/full").stderr


@pytest.mark.parametrize(("encoding", "shown"), [("latin-1", "Türkiye -> ? >= 5")])
def test_a_terminal_of_few_letters_gets_plain_ones(encoding: str, shown: str) -> None:
    say = "from anomaly.cli import commands, output\ncommands.main = lambda: output.line('Türkiye → 中 ≥ 5')\ncommands.program()"
    run = ended("-c", say, PYTHONIOENCODING=encoding)
    assert (run.returncode, run.stderr, run.stdout.decode(encoding).strip()) == (0, b"", shown)


def test_letters_that_a_terminal_has_not_become_their_nearest_plain_ones() -> None:
    def shown(text: str) -> str:
        return plain_letters(UnicodeEncodeError("ascii", text, 0, len(text), "not there"))[0]

    assert [shown(text) for text in ("→", "≥", "é", "Å", "…", "中")] == ["->", ">=", "e", "A", "...", "?"]


def test_a_run_that_is_asked_to_end_says_so_in_its_status(tmp_path: Path) -> None:
    table(tmp_path / "raw", [ROW])
    ingest(tmp_path)
    before = (tmp_path / "data" / "run-status.json").read_bytes()
    held = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from pipelines import flows, run\n"
        "from pipelines.running import exit_code_of\n"
        "flows.raw_folder.find = lambda *_: (Path(sys.argv[1], 'reading').touch(), time.sleep(60))\n"
        "root = Path(sys.argv[1])\n"
        "sys.exit(exit_code_of(lambda: run.main(root / 'raw', root / 'data', 'russia-2022', 'flows')))\n"
    )
    (tmp_path / "raw" / "trade.csv").write_text(f"from,to,year,hs,usd\n{ROW}0\n", encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-c", held, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not (tmp_path / "reading").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    status = json.loads((tmp_path / "data" / "run-status.json").read_bytes())
    assert (tmp_path / "data" / "run-status.json").read_bytes() != before
    assert (process.returncode, status["status"], status["exit_code"]) == (143, "failed", 143)
    assert b"asked to end" in stderr
    assert Store(tmp_path / "data").read("flows")["primary_value_usd"].to_list() == [5]


def test_a_full_folder_of_temporary_files_is_named_with_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_error: object) -> None:
            pass

        def write(self, _block: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(comext_bulk, "temporary_file", Full)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "raw" / "comext").mkdir(parents=True)
    packed = comext_files.seven_zip({"full_202402.dat": comext_files.bulk(comext_files.bulk_row())})
    (tmp_path / "raw" / "comext" / "full_v2_202402.7z").write_bytes(packed)
    with pytest.raises(StoreFailure, match=r"No space left on device: /.* \(\d+ bytes\)") as caught:
        ingest(tmp_path)
    assert (caught.value.exit_code, "full_v2_202402.7z" in str(caught.value)) == (74, True)


def test_a_run_whose_stdout_is_full_ends_with_74() -> None:
    code = "import sys\nfrom pipelines.running import exit_code_of\nsys.exit(exit_code_of(lambda: print('report')))\n"
    run = ended("-c", code, out_path="/dev/full")
    assert (run.returncode, b"Traceback" in run.stderr, b"to write to stdout" in run.stderr) == (74, False, True)
