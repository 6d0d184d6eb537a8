"""The count of mutants: who was seen, who was not, and who was none."""

from __future__ import annotations

import json

import pytest

from tests import ROOT
from tests.house import mutants

SOURCE = "def edition(year: int | None = None) -> int:\n    return (year or 2022) - 5\n"
IN_A_TYPE, IN_A_LINE = (1, 22), (2, 26)


def line(outcome: str | None, worker: str = "normal", at: tuple[int, int] = IN_A_LINE, diff: str = "") -> str:
    result = None if outcome is None and worker == "normal" else {"test_outcome": outcome, "worker_outcome": worker}
    return json.dumps([{"mutations": [{"start_pos": at}]}, result and {**result, "diff": diff}])


def test_mutants_are_seen_or_survive_or_were_not_tried_and_what_is_skipped_or_a_type_is_none():
    dump = [
        *[line("killed")] * 3,
        line("survived", diff="b"),
        line("survived", diff="a"),
        line("incompetent", "exception"),
        line(None),
        line(None, "skipped"),
        line("survived", at=IN_A_TYPE),
        "",
    ]
    result = mutants.tally(dump, mutants.where_types_stand(SOURCE))
    assert (result.killed, result.survived, result.untried) == (3, ("a", "b"), 2)
    assert result.share == pytest.approx(0.6)


def test_where_nothing_was_tried_nothing_is_promised():
    assert mutants.tally([line(None)]).share == 0.0


def test_the_lines_shown_of_a_survivor_are_those_that_changed():
    diff = "--- mutation diff ---\n--- aedition.py\n+++ bedition.py\n@@ -2 +2 @@\n same\n-    x < 1\n+    x <= 1\n"
    assert list(mutants.lines_of(diff)) == ["@@ -2 +2 @@", "-    x < 1", "+    x <= 1"]


def test_the_tests_of_every_module_are_there():
    for module, tests in mutants.SUITES.items():
        if (ROOT / "anomaly" / f"{module}.py").exists():
            assert [name for name in tests if not (ROOT / name).exists()] == [], module


def test_a_module_that_no_tests_are_named_for_is_refused_by_its_name(capsys):
    assert mutants.main("cosmic-ray", "reports/html") == 2
    assert "no tests are named for reports/html" in capsys.readouterr().err
