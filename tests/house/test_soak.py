"""Two nights of the soak, and that it would see a wrong answer, a lost row and a reader that grows."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.soak import Soak, World, growth_bytes, month

OLD, NEW = {"run": "a", "query": "x"}, {"run": "b", "query": "y"}


def faults_of(root: Path, *answered: Mapping[str, object]) -> list[str]:
    soak = Soak(root, random.Random(1), history=[OLD, NEW])
    soak.check_reader([json.dumps({**answer, "rss": 1}) for answer in answered])
    return soak.faults


@pytest.mark.slow
def test_two_nights_of_the_soak_have_no_wrong_answer_and_lose_no_row(tmp_path: Path) -> None:
    soak = month(tmp_path, nights=2, seed=12, every=2, ways_of_night=("killed", "second run"))
    assert soak.faults == []
    assert soak.answers > 0
    assert (len(soak.history), soak.compared) == (2, 1)
    assert {how.partition(":")[0] for how in soak.codes} == {"killed", "second run", "undisturbed"}


def test_answers_of_the_run_before_and_then_of_the_new_one_are_right(tmp_path: Path) -> None:
    assert faults_of(tmp_path, {"exit_code": 69}, OLD, OLD, {"exit_code": 75}, NEW) == []


@pytest.mark.parametrize(
    "answers",
    [
        [{"run": "c", "query": "x"}],  # of no run
        [OLD, NEW, OLD],  # of the run before, after the new one
        [NEW, {"exit_code": 69}],  # nothing, where there was something
        [OLD, {"exit_code": 70}],
    ],
)
def test_a_wrong_answer_is_seen(tmp_path: Path, answers: list[Mapping[str, object]]) -> None:
    assert len(faults_of(tmp_path, *answers)) >= 1


def test_a_lost_row_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path / "raw", random.Random(1))
    world.night()
    rows, dollars = world.sums(is_quarantine=False)
    for lost, count in ((0, 0), (1, 1)):
        held = [rows - lost, dollars]
        sums = json.dumps([{"flows": held, "bilateral": held}, {"flows": ["a", "a"]}])
        monkeypatch.setattr("tests.house.soak.answers_now", lambda _data, sums=sums: {"run": sums, "query": ""})
        soak = Soak(tmp_path, random.Random(1))
        soak._look(world, is_quarantine=False, is_done=True)
        assert len(soak.faults) == count


def test_memory_that_grows_from_answer_to_answer_is_seen() -> None:
    assert growth_bytes([50, 90, *[100] * 200]) == 0
    assert growth_bytes(list(range(1000))) == 500
