"""`anomaly cases` and `anomaly diff`: which cases, in what words, on how narrow a screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anomaly.cli.commands import main
from anomaly.contract.settings import load
from anomaly.store.store import Store
from tests.house.test_changes import compare, write_flags
from tests.reports.findings import findings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six cases, of which two are new."""
    root = tmp_path_factory.mktemp("cases")
    for number in (4, 6):
        write_flags(root, number)
        compare(root)
    return root


def asked(data: Path, *words: str, command: str = "cases") -> Result:
    return CliRunner().invoke(main, [command, *words, "--data", str(data)])


def ids(data: Path, *words: str) -> list[str]:
    return [row["case_id"] for row in json.loads(asked(data, *words, "--format", "json").stdout)]


def test_cases_are_told_the_most_pressing_first_and_counted_with_their_windows(data: Path) -> None:
    assert ids(data) == Store(data).read("cases")["case_id"].to_list()
    assert "6 cases, 6 windows" in asked(data).stderr


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        (("--hub", "Kazakhstan"), lambda row: "KAZ" in (row["exporter_iso"], row["importer_iso"])),
        (("--good", "8517"), lambda row: row["good"].startswith("8517")),
        (("--severity", "high"), lambda row: row["severity"] == "high"),
        (("--type", "ghost transit"), lambda row: row["flag_type"] == "ghost_transit"),
        (("--since", "2023"), lambda row: row["window_end"].year >= 2023),
    ],
)
def test_a_filter_leaves_the_cases_it_names(data: Path, words: tuple[str, ...], condition) -> None:
    rows = Store(data).read("cases").to_dicts()
    wanted = [row["case_id"] for row in rows if condition(row)]
    assert ids(data, *words) == wanted
    assert 0 < len(wanted) < len(rows)


def test_new_are_those_that_the_run_before_did_not_have(data: Path) -> None:
    before = findings(4).cases["case_id"]
    assert sorted(ids(data, "--new")) == sorted(set(Store(data).read("cases")["case_id"]) - set(before))


def test_no_line_for_people_is_wider_than_80_columns_and_no_case_is_left_out(data: Path) -> None:
    lines = asked(data).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len([line for line in lines if not line.startswith(" ")]) == 6


def test_a_type_that_there_is_not_is_refused_with_those_that_there_are(data: Path) -> None:
    result = asked(data, "--type", "smuggling")
    assert result.exit_code == 2
    assert "types of the cases: ghost_transit" in result.stderr


def test_the_difference_names_what_changed_and_ends_with_1_only_where_that_is_asked_for(data: Path) -> None:
    result = asked(data, "--exit-code", command="diff")
    assert (result.exit_code, "2 new, 4 same" in result.stderr) == (1, True)
    assert result.stdout.count("  new\n") == 2
    assert asked(data, command="diff").exit_code == 0


def test_beside_another_folder_the_difference_is_that_of_the_two(data: Path, tmp_path: Path) -> None:
    write_flags(tmp_path, 6, load())
    compare(tmp_path)
    result = asked(data, "--against", str(tmp_path), "--exit-code", command="diff")
    assert (result.exit_code, "6 same" in result.stderr) == (0, True)
