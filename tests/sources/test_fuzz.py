"""A slice of `make fuzz`: changed files end in a sentence or in whole flows."""

import pytest

from tests.sources import fuzz

pytestmark = pytest.mark.slow  # hundreds of files, seconds


def test_changed_files_end_in_a_sentence_or_in_whole_flows() -> None:
    tally = fuzz.run(count=220, seconds=60, seed=7)
    assert tally.faults == []
    assert tally.read > 10
    assert sum(tally.refused.values()) > 50


def test_a_changed_cell_never_alters_another_line_without_a_word() -> None:
    assert fuzz.silent_changes(count=60, seed=7) == []
