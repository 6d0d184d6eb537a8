"""With which run cases are compared: the same one until they are others, whatever is begun again or stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.contract.settings import Settings, load
from anomaly.store.store import Store
from pipelines import cases, changes, running
from pipelines.code import code_version
from pipelines.running import Outcome, run_jobs
from tests.reports.findings import findings


def write_flags(data: Path, number: int, settings: Settings | None = None, code: str = "code") -> None:
    """Flags as their job leaves them, so many."""
    scenario = settings or load()
    table = findings(number).flags.sort("flag_id")
    with Store(data).writer(
        "flags", inputs={}, settings=scenario.fingerprint(), scenario=scenario.recorded(), code_version=code
    ) as writer:
        writer.add(table)


def compare(data: Path, scenario: str = "russia-2022") -> Outcome:
    return run_jobs((cases.JOB, changes.JOB), "cases", Path("none"), data, scenario)


def changed(data: Path) -> dict[str, int]:
    return dict(Store(data).read("changes").group_by("change").len().sort("change").iter_rows())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four cases in a first run, six in a second."""
    for number in (4, 6):
        Store(tmp_path).begin_run()
        write_flags(tmp_path, number)
        compare(tmp_path)
    return tmp_path


def test_a_first_run_says_so(tmp_path: Path) -> None:
    write_flags(tmp_path, 4)
    compare(tmp_path)
    assert changed(tmp_path) == {"first run": 4}


def test_the_second_run_is_compared_with_the_first(data: Path) -> None:
    assert changed(data) == {"new": 2, "same": 4}


def test_a_run_that_is_begun_again_is_no_change_however_often(data: Path) -> None:
    version = Store(data).version("changes")
    for _ in range(3):
        assert not compare(data).is_changed
    assert Store(data).version("changes") == version


def test_a_run_that_was_stopped_between_the_two_jobs_compares_with_the_same_run(data: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    for number in (4, 6, 8):
        write_flags(undisturbed, number)
        compare(undisturbed)
    write_flags(data, 8)
    run_jobs((cases.JOB,), "cases", Path("none"), data, "russia-2022")  # the other job never begins
    compare(data)
    assert changed(data) == {"new": 2, "same": 6}
    assert Store(data).version("changes") == Store(undisturbed).version("changes")


def test_a_run_that_makes_the_same_cases_of_other_flags_says_that_nothing_changed(data: Path) -> None:
    write_flags(data, 6, code="other")
    compare(data)
    assert changed(data) == {"same": 6}


def test_made_again_by_other_code_it_compares_with_the_run_that_is_no_longer_kept(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Store(data).read("changes")

    for other in ("other", "another"):
        monkeypatch.setattr(
            running,
            "code_version",
            lambda module, other=other: other if module == "pipelines.changes" else code_version(module),
        )
        assert compare(data).is_changed
    assert Store(data).read("changes").equals(before)


def test_lost_it_is_made_again_as_it_was(data: Path) -> None:
    version = Store(data).version("changes")
    (data / "changes" / "CURRENT.json").unlink()
    compare(data)
    assert Store(data).version("changes") == version


def test_cases_of_another_scenario_are_not_compared_with(data: Path) -> None:
    write_flags(data, 8, load("china-minerals-2023"))
    compare(data, "china-minerals-2023")
    assert changed(data) == {"first run": 8}
