"""A scenario with faults ends with 78 before any work, all of its faults named at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from anomaly.contract.errors import SettingsWrong
from anomaly.contract.settings import SCENARIOS, load
from pipelines import flows, run
from pipelines.running import run_jobs
from pipelines.scenario import of_run

SHIPPED = (SCENARIOS / "russia-2022.toml").read_text(encoding="utf-8")


def scenario(folder: Path, top: str = "", section: str = "", change: tuple[str, str] = ("", "")) -> str:
    """The shipped scenario with keys above it, sections below it, and a text in it changed; a key above replaces."""
    text = SHIPPED
    for key in re.findall(r"^(\w+) =", top, re.MULTILINE):
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE)
    if change[0]:
        assert change[0] in text
        text = text.replace(*change, 1)
    path = folder / "mine.toml"
    path.write_text(top + "\n" + text + "\n" + section, encoding="utf-8")
    return str(path)


HUGE = "1" + "0" * 30
TOP = {
    "baseline_years = [2021, 2019, 2020]": "baseline_years",
    "baseline_years = []": "baseline_years",
    "baseline_years = [2021]": "baseline_years",
    "baseline_years = [2019, 2019, 2020]": "baseline_years",
    "baseline_years = [2020, 2021, 2022]": "baseline_years",
    "baseline_years = [2050]": "baseline_years",
    "baseline_years = [99999999]": "baseline_years",
    "window_months = []": "window_months",
    "window_months = [0]": "window_months",
    "window_months = [-3]": "window_months",
    "window_months = [24]": "window_months",
    "window_months = [6, 3]": "window_months",
    f"floor_usd = {HUGE}": "floor_usd",
    f"materiality_usd = {HUGE}": "materiality_usd",
    "extract_floor_usd = -1": "extract_floor_usd",
    "sanctions_since = 0001-01-01": "sanctions_since",
    'name = ""': "name",
}
SECTIONS = {
    "[forest]\nseeds = [-1]": "forest.seeds",
    f"[forest]\nseeds = [{HUGE}]": "forest.seeds",
    "[forest]\nseeds = [1, 1]": "forest.seeds",
    "[forest]\ntrees = 100_000_000": "forest.trees",
    "[thresholds]\nsurge = 1.0": "thresholds",
    "[thresholds]\nsurge_log = nan": "thresholds.surge_log",
    "[thresholds]\nsurge_log = inf": "thresholds.surge_log",
    "[calibration]\nsize_bands_usd = [10, 5]": "calibration.size_bands_usd",
    "[calibration]\nleast_with_room = 1": "calibration.least_with_room",
    "[calibration]\nleast_placebos = 1000\nmost_placebos = 500": "calibration.most_placebos",
    "[publication_lag_months]\nmonthly = { other = -1 }": "publication_lag_months.monthly",
    "[publication_lag_months]\nannual = { comtrade = 3 }": "publication_lag_months.annual",
    "[publication_lag_months]\nannual = { other = 3, eurostat = 3 }": "publication_lag_months.annual",
    "[supply]\nsizes_usd = [5, 3]": "supply.sizes_usd",
    "[supply]\nseed = -1": "supply.seed",
    f"[supply]\nfloor_usd = {HUGE}": "supply.floor_usd",
    '[[goods_lists]]\nfile = "none.csv"\ntitle = "t"\nsource = "s"': "goods_lists.1.file",
    '[[goods_lists]]\nfile = "../../etc/passwd"\ntitle = "t"\nsource = "s"': "goods_lists.1.file",
    '[[goods_lists]]\nfile = "countries.csv"\ntitle = "t"\nsource = "s"': "goods_lists.1.file",
    '[[goods_lists]]\nfile = "chpl.csv"\ntitle = "t"\nsource = "s"\ntier_weights = { "9" = 1.0 }': "goods_lists.1.tier_weights",
    '[[goods_lists]]\nfile = "chpl.csv"\ntitle = "t"\nsource = "s"\ntier_weights = { "1" = nan }': "goods_lists.1.tier_weights",
}
CHANGES = {
    ('countries = ["RUS", "BLR"]', "countries = []"): "targets.countries",
    ('countries = ["RUS", "BLR"]', 'countries = ["RUS", "XQX"]'): "targets.countries",
    ('countries = ["RUS", "BLR"]', 'countries = ["RUS", "DEU"]'): "coalition.countries: DEU is in targets",
    ('countries = ["RUS", "BLR"]', 'countries = ["RUS", "RUS"]'): "targets.countries: RUS twice",
    ('countries = ["RUS", "BLR"]', 'countries = ["W00"]'): "targets.countries",
}


@pytest.mark.parametrize(("top", "key"), TOP.items())
def test_a_setting_out_of_its_range_is_named(tmp_path: Path, top: str, key: str) -> None:
    refused(scenario(tmp_path, top), key)


@pytest.mark.parametrize(("section", "key"), SECTIONS.items())
def test_a_setting_of_a_section_out_of_its_range_is_named(tmp_path: Path, section: str, key: str) -> None:
    refused(scenario(tmp_path, section=section), key)


@pytest.mark.parametrize(("change", "key"), CHANGES.items())
def test_a_country_that_is_none_or_has_two_parts_is_named(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    refused(scenario(tmp_path, change=change), key)


@pytest.mark.parametrize("text", ["x = 1" + "0" * 5000, "x = " + "[" * 5000, "x = " + "{ a = " * 3000])
def test_numbers_of_thousands_of_digits_and_deep_nesting_are_no_scenario(tmp_path: Path, text: str) -> None:
    refused(scenario(tmp_path, text), "TOML")


def refused(path: str, key: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        of_run(path)
    assert caught.value.exit_code == 78
    assert key in str(caught.value)


def test_all_faults_are_named_at_once_whatever_their_kind(tmp_path: Path) -> None:
    faulty = scenario(
        tmp_path,
        f"floor_usd = {HUGE}\nbaseline_years = [2021, 2020]\nwindow_months = [24]\nunknown_key = 1\n",
        "[thresholds]\nsurge = 1.0\n[calibration]\nleast_placebos = 1000\nmost_placebos = 500\n"
        '[[goods_lists]]\nfile = "none.csv"\ntitle = "t"\nsource = "s"\n',
        ('countries = ["RUS", "BLR"]', 'countries = ["RUS", "DEU", "XQX"]'),
    )
    with pytest.raises(SettingsWrong) as caught:
        of_run(faulty)
    keys = ("floor_usd", "baseline_years", "window_months", "unknown_key", "thresholds", "most_placebos", "none.csv")
    message = str(caught.value)
    assert [key for key in (*keys, "DEU is in targets", "XQX") if key not in message] == []
    assert caught.value.count == 9


def test_nothing_is_done_for_a_scenario_with_faults(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    faulty = scenario(tmp_path, section="[thresholds]\nsurge = 1.0\n")
    with pytest.raises(SettingsWrong):
        run_jobs((flows.JOB,), "flows", tmp_path / "raw", tmp_path / "data", faulty)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["run-status.json"]
    assert json.loads((tmp_path / "data" / "run-status.json").read_text())["exit_code"] == 78
    with pytest.raises(SettingsWrong):
        run.demo(tmp_path / "world", tmp_path / "data", faulty)
    assert not (tmp_path / "world").exists()


@pytest.mark.parametrize("name", sorted(file.stem for file in SCENARIOS.glob("*.toml")))
def test_every_shipped_scenario_is_without_fault(name: str) -> None:
    assert of_run(name) == load(name)


@pytest.mark.parametrize("left", [b"", b"{", b"[1]", b'{"world": 5}', b"\xff"])
def test_a_damaged_mark_of_a_simulated_world_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes
) -> None:
    from pipelines import demo

    def write_world(raw: Path, regime: str) -> None:
        (raw / "made.csv").write_text(regime, encoding="utf-8")

    monkeypatch.setattr(demo, "write_world", write_world)
    monkeypatch.setattr(run, "main", lambda *_asked: None)
    (tmp_path / ".world.json").write_bytes(left)
    run.demo(tmp_path, tmp_path / "data", "russia-2022")
    mark = json.loads((tmp_path / ".world.json").read_text())
    assert list(mark["files"]) == ["raw/made.csv"]
