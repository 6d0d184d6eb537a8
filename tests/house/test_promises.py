"""Promises that no single room can keep: rows that do not disappear, codes that stay text, a quick start, no network."""

from __future__ import annotations

import ast
import csv
import io
import resource
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import pytest_socket
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly.cli.commands import main
from anomaly.contract.errors import ContractBroken
from anomaly.contract.schema import TABLES
from anomaly.contract.settings import load
from anomaly.features import features
from anomaly.reports import xlsx
from anomaly.sources import table
from anomaly.sources.base import Context, RawFile
from anomaly.store.store import Store
from pipelines import bilateral, coverage, families, flows
from pipelines.running import run_jobs
from tests import ROOT
from tests.house.imports import imported, modules
from tests.query_tables import write_store
from tests.reports.findings import findings
from tests.trade import ALL_LINKED, flow, prepared

MAPPING = """
classification = "H6"
flow = "X"
[columns]
reporter = "from"
partner = "to"
period = "year"
code = "hs"
value = "usd"
"""
# Cells by column: those that a row may have, and those that take it out.
GOOD = (("KAZ", "ARM"), ("RUS", "NAM"), ("2021", "2022"), ("010121", "8703.23", "87033219"), ("0.6", "1.5", "1e6"))
BAD = (
    ("", "Qqq", "W00"),
    ("", "?", "XXX"),
    ("", "22", "2022-07"),
    ("", "87032", "cars"),
    ("", "NaN", "inf", "-1", "2e15"),
)


def table_file(folder: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    """A table of one's own with its mapping beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trade.toml").write_text(MAPPING, encoding="utf-8")
    lines = ["from,to,year,hs,usd", *(",".join(row) for row in rows)]
    (folder / "trade.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "trade.csv"


@st.composite
def some_rows(draw: st.DrawFn) -> list[tuple[tuple[str, ...], bool]]:
    """Rows, each with whether it is broken: an amount is that of its key, so that no key has two values."""
    rows = []
    for _ in range(draw(st.integers(1, 25))):
        cells = [draw(st.sampled_from(column)) for column in GOOD]
        cells[4] = GOOD[4][sum(GOOD[at].index(cells[at]) for at in range(4)) % 3]
        broken = draw(st.none() | st.integers(0, 4))
        if broken is not None:
            cells[broken] = draw(st.sampled_from(BAD[broken]))
        rows.append((tuple(cells), broken is not None))
    return rows


@pytest.mark.slow  # seconds
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=some_rows(), batch_rows=st.sampled_from([1, 3, 1000]))
def test_every_row_of_any_table_is_kept_or_taken_out_with_its_number_or_is_a_repeat(
    tmp_path: Path, rows: list[tuple[tuple[str, ...], bool]], batch_rows: int
) -> None:
    raw = RawFile(table_file(tmp_path, [cells for cells, _ in rows]), "own/trade.csv")
    batches = list(table.read(raw, Context(batch_rows=batch_rows)))
    kept = {cells for cells, is_broken in rows if not is_broken}
    assert sum(batch.rows_in for batch in batches) == len(rows)
    assert sum(batch.flows.height for batch in batches) == len(kept)
    assert sum(batch.rows_deduplicated for batch in batches) == sum(not is_broken for _, is_broken in rows) - len(kept)
    numbers = [number for batch in batches for number in batch.rejected["row"]]
    assert numbers == [number for number, (_, is_broken) in enumerate(rows, start=1) if is_broken]


def test_a_code_is_text_in_every_contract() -> None:
    codes = {"good", "cmd_code", "code", "classification_code", "key"}
    code_columns = [
        (name, column.dtype)
        for name, contract in TABLES.items()
        for column_name, column in contract.columns().items()
        if column_name in codes
    ]
    assert (
        len(code_columns) >= len(TABLES) - 11
    )  # of calibrations, contributions, coverage, pairs, profiles, roughness: no goods
    assert {dtype for _, dtype in code_columns} == {pl.String()}


def test_a_leading_zero_goes_from_the_raw_file_to_the_answer_with_its_edition(tmp_path: Path) -> None:
    rows = [("KAZ", "RUS", year, code, "5") for year in ("2021", "2022") for code in ("010121", "100610")]
    table_file(tmp_path / "raw", rows)
    run_jobs(
        (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB),
        "bilateral",
        tmp_path / "raw",
        tmp_path / "data",
        "russia-2022",
    )
    arguments = ["query", "0101.21", "--exporter", "KAZ", "--importer", "RUS", "--period", "2022"]
    result = CliRunner().invoke(main, [*arguments, "--data", str(tmp_path / "data"), "--format", "csv"])
    assert [row["good"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["010121"], result.output
    assert Store(tmp_path / "data").read("coverage")["hs_edition"].unique().sort().to_list() == [
        5,
        6,
    ]  # HS 2017 was in force in 2021


def test_a_route_whose_reporter_told_a_part_of_a_month_is_not_measured_and_is_refused_by_name() -> None:
    rows = [flow(year, coverage, "RUS", 9_000_000) for year in range(2019, 2023) for coverage in ("KAZ", "ARM")]
    sides, coverage, scope = prepared(rows)
    is_partial = (pl.col("reporter_iso") == "KAZ") & (pl.col("ref_date").dt.year() == 2022)
    partial = coverage.with_columns(is_complete=~is_partial)
    table_, refused = features.build(sides, features.plan(partial, scope, ALL_LINKED, load()), load())
    newest = pl.col("window_end").dt.year() == 2022
    assert table_.filter(newest)["exporter_iso"].to_list() == ["ARM"]
    assert refused.filter(newest).select("exporter_iso", "refusal").rows() == [("KAZ", "partial_period")]


def test_a_cell_that_the_workbook_does_not_take_is_an_error_and_not_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "cut", lambda text: text)
    given_ = findings(1)
    long = replace(given_, flags=given_.flags.with_columns(compares=pl.lit("x" * 40_000)))
    with pytest.raises(ContractBroken, match="code -2 from sheet Flags, row 2"):
        xlsx.REPORT.render(long)


def cpu_seconds(limit: float, *arguments: str) -> float:
    """Processor time of one command in a process of its own, of five the first within the limit or else the best.

    Other work on the machine is not in it.
    """
    best = float("inf")
    for _ in range(5):
        if best <= limit:
            break
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = "from anomaly.cli.commands import program; program()"
        subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def test_help_takes_a_third_of_a_second_and_a_question_a_second_and_a_half(tmp_path: Path) -> None:
    write_store(tmp_path)
    assert cpu_seconds(0.3, "--help") <= 0.3
    question = ("query", "8517.12", "--exporter", "KAZ", "--importer", "RUS", "--data", str(tmp_path))
    assert cpu_seconds(1.5, *question) <= 1.5


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_test_that_opens_a_connection_is_stopped() -> None:
    with pytest.raises(pytest_socket.SocketBlockedError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def test_only_the_browser_tests_may_open_sockets_and_only_fetch_imports_what_opens_connections() -> None:
    allowed = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if any(
            isinstance(node, ast.Attribute) and node.attr == "enable_socket"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert allowed <= {"tests/reports/test_browser.py"}
    fetch = {"socket", "ssl", "http", "ftplib", "smtplib", "requests", "httpx", "httpx2", "aiohttp", "urllib3"}
    fetching = {
        module: fetchers
        for module, tree in modules(ROOT).items()
        if (fetchers := {name.split(".")[0] for name in imported(tree)} & fetch | opens_by_urllib(tree))
    }
    assert set(fetching) == {"anomaly.fetch.client"}


def opens_by_urllib(tree: ast.AST) -> set[str]:
    """Modules of urllib that open connections; urllib.parse reads addresses."""
    return {name for name in imported(tree) if name.startswith("urllib") and not name.startswith("urllib.parse")}


def test_a_test_that_may_connect_may_connect_to_this_machine_alone() -> None:
    hosts = {
        ast.unparse(node.args[0])
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "allow_hosts"
    }
    assert hosts == {"['127.0.0.1']"}


LOADS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib.load", "runpy", "code"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}


def ways_to_run_data(tree: ast.AST) -> set[str]:
    """What a file uses that would run code out of data: loaders of objects, and calls of what evaluates text."""
    loaders = {name for name in imported(tree) if any(f"{name}.".startswith(f"{loader}.") for loader in LOADS_CODE)}
    return loaders | {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_TEXT
    }


@pytest.mark.parametrize(
    "line", ["import pickle", "from joblib import load", "def f(x):\n    return eval(x)", "from marshal import loads"]
)
def test_a_way_to_run_code_out_of_data_is_seen(line: str) -> None:
    assert ways_to_run_data(ast.parse(line))


def test_no_code_is_run_out_of_data() -> None:
    ways = {module: used for module, tree in modules(ROOT).items() if (used := ways_to_run_data(tree))}
    assert ways == {}
