"""A scenario is one frozen model: unknown keys are errors, all of them at once, and every key is documented."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from anomaly.contract.errors import SettingsWrong
from anomaly.contract.settings import SCENARIOS, Calibration, Forest, Settings, load
from tests import ROOT

DOCS = ROOT / "docs" / "settings.md"


def scenario(tmp_path: Path, change: str = "") -> str:
    path = tmp_path / "mine.toml"
    path.write_text(change + (SCENARIOS / "russia-2022.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return str(path)


def test_a_scenario_of_ones_own_is_read(tmp_path: Path) -> None:
    assert load(scenario(tmp_path, "materiality_usd = 5\n")).materiality_usd == 5


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as caught:
        load(scenario(tmp_path, 'floor = 1\nmateriality_usd = "much"\nrejected_share_limit = 2\n'))
    assert caught.value.exit_code == 78
    assert caught.value.count == 3
    for key in ("floor", "materiality_usd", "rejected_share_limit"):
        assert key in str(caught.value)


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(SettingsWrong, match="russia-2022"):
        load("russia-2021")


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="line 1"):
        load(scenario(tmp_path, "name = = 3\n"))


def test_settings_cannot_be_changed_after_they_are_read() -> None:
    with pytest.raises(ValidationError):
        load().materiality_usd = 1


def test_another_setting_has_another_fingerprint() -> None:
    assert load().fingerprint() == load().fingerprint()
    assert load().fingerprint() != load(materiality_usd=2_000_000).fingerprint()


def test_no_country_has_two_roles() -> None:
    told = load()
    roles = [told.targets, told.coalition, told.hub_candidates, told.neighbours]
    countries = [country for role in roles for country in role.countries]
    assert len(countries) == len(set(countries))


@pytest.mark.parametrize("key", [*Settings.model_fields, *Forest.model_fields, *Calibration.model_fields])
def test_every_key_is_documented(key: str) -> None:
    assert key in DOCS.read_text(encoding="utf-8")
