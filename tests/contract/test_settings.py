"""A scenario is one frozen model: unknown keys are errors, all of them at once, and every key is documented."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from anomaly.contract.errors import SettingsWrong
from anomaly.contract.scenario import of_record
from anomaly.contract.settings import SCENARIOS, Calibration, Forest, HubCandidates, Settings, from_record, load
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


@pytest.mark.parametrize("name", sorted(file.stem for file in SCENARIOS.glob("*.toml")))
def test_no_country_has_two_roles_and_every_role_has_its_source(name: str) -> None:
    settings = load(name)
    roles = [
        role
        for role in (settings.targets, settings.coalition, settings.hub_candidates, settings.neighbours)
        if role is not None
    ]
    countries = [country for role in roles for country in role.countries]
    assert len(countries) == len(set(countries))
    assert all(len(role.source) > 20 for role in roles)
    assert settings.name == name


def test_where_everybody_else_is_a_possible_hub_nobody_is_a_placebo() -> None:
    settings = load("china-minerals-2023")
    assert [settings.role_of(country) for country in ("USA", "CHN", "THA", "RUS")] == [
        "target",
        "coalition",
        "other",
        "other",
    ]
    assert load().role_of("THA") == "placebo"


OWN = """
name = "mine"
title = "Made up"
sanctions_since = 2018-03-01
[targets]
countries = ["USA"]
since = 2018-03-01
source = "made up"
[coalition]
countries = ["JPN"]
since = 2018-03-01
source = "made up"
[hub_candidates]
since = 2018-03-01
source = "made up"
"""


def own(tmp_path: Path, before: str = "") -> Settings:
    path = tmp_path / "mine.toml"
    path.write_text(before + OWN, encoding="utf-8")
    return load(str(path))


def test_a_baseline_that_is_not_said_is_the_three_years_before_the_measures(tmp_path: Path) -> None:
    assert own(tmp_path).baseline_years == (2015, 2016, 2017)
    assert own(tmp_path, "baseline_years = [2014, 2016]\n").baseline_years == (2014, 2016)


def test_a_scenario_that_asks_about_listed_goods_needs_a_list(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="goods_lists"):
        own(tmp_path, 'goods_asked = "listed"\n')


def test_the_facts_of_a_scenario_are_those_of_its_regime_or_its_name(tmp_path: Path) -> None:
    assert own(tmp_path).facts_of == "mine"
    assert own(tmp_path, 'regime = "russia-2022"\n').facts_of == "russia-2022"


@pytest.mark.parametrize("name", sorted(file.stem for file in SCENARIOS.glob("*.toml")))
def test_what_a_table_keeps_of_a_scenario_is_read_back_the_same(name: str) -> None:
    settings = load(name)
    kept = json.loads(json.dumps(settings.recorded()))
    assert from_record(kept) == settings
    assert from_record(kept).fingerprint() == settings.fingerprint()
    assert of_record(kept).baseline_years == settings.baseline_years


def test_a_table_of_a_version_with_other_settings_is_refused_with_what_to_do() -> None:
    with pytest.raises(SettingsWrong, match="run again"):
        from_record({**load().recorded(), "a_setting_of_tomorrow": 1})


@pytest.mark.parametrize(
    "key", [*Settings.model_fields, *HubCandidates.model_fields, *Forest.model_fields, *Calibration.model_fields]
)
def test_every_key_is_documented(key: str) -> None:
    assert key in DOCS.read_text(encoding="utf-8")
