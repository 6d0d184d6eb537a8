"""What holds of every world that is described: its parts are those of its scenario, and what is planted is what is labelled."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from anomaly import world
from anomaly.contract.settings import load
from anomaly.reference import countries, editions, goods
from anomaly.world.description import Description
from anomaly.world.episodes import EVASION, needed_routes
from anomaly.world.trade import simulate

pytestmark = pytest.mark.slow  # each worker makes the worlds

OTHERS = [
    description for description in world.WORLDS if description is not world.WORLDS[0]
]  # the first has a file of its own
ROLES = {"hub": "other"}


@pytest.fixture(scope="module", params=OTHERS, ids=lambda description: description.name)
def description(request: pytest.FixtureRequest) -> Description:
    return request.param


@pytest.fixture(scope="module")
def made(description: Description) -> world.World:
    return world.build(description=description)


def hashes(made: world.World) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in made.files.items()}


def test_the_same_description_and_seed_give_the_same_bytes_and_another_seed_others(description, made):
    assert hashes(world.build(description=description)) == hashes(made)
    assert hashes(world.build(seed=description.seed + 1, description=description)) != hashes(made)


def test_the_parts_are_those_of_the_scenario_of_its_name(description):
    scenario = load(description.name)
    for country in description.countries:
        assert scenario.role_of(country.iso3) == ROLES.get(country.role, country.role), country
    assert description.measures_from == f"{scenario.sanctions_since:%Y-%m}"
    assert description.calendar[0].year <= min(scenario.baseline_years)


def test_goods_under_measures_are_on_the_lists_of_the_scenario_from_the_same_month_on(description):
    lists = pl.concat([goods.goods_list(goods_list.file) for goods_list in load(description.name).goods_lists])
    since = dict(lists.group_by("hs6").agg(pl.col("valid_from").min().dt.strftime("%Y-%m")).iter_rows())
    for good in description.goods:
        codes = {good.code, *(code for code, _ in good.h6)} & set(since)
        assert bool(codes) >= good.is_sanctioned, good
        if good.is_sanctioned:
            assert {since[code] for code in codes} == {good.since or description.measures_from}, good
    assert sum(good.code not in since for good in description.goods) >= 10


def test_what_the_coalition_sells_the_target_falls_in_the_month_of_each_goods_own_measures(description):
    """One route a good is rough: the sum over worlds of several seeds."""
    sells, buys = (
        [description.country_at[iso] for iso in description.of_role(role)] for role in ("coalition", "target")
    )
    direct = np.zeros((len(description.goods), description.months))
    for seed in range(10):
        trade = simulate(description, np.random.default_rng(seed), needed_routes(description))
        is_direct = np.isin(trade.exporter, sells) & np.isin(trade.importer, buys)
        np.add.at(direct, trade.good[is_direct], trade.value[is_direct])
    for position, good in enumerate(description.goods):
        if not good.is_sanctioned:
            continue
        months, start = direct[position], description.month(good.since or description.measures_from)
        just_before, settled = months[start - 3 : start].mean(), months[start + 2 :].mean()
        assert settled < 0.75 * just_before, good
        assert just_before > 0.6 * months[start - 15 : start - 3].mean(), good


def test_countries_and_families_are_those_of_the_reference_tables(description):
    numbers = dict(countries.m49_table().select("m49", "iso3").iter_rows())
    letters = dict(countries.iso2_table().select("iso2", "iso3").iter_rows())
    families = {(row["edition"], row["cmd_code"]): row["good"] for row in editions.family_map({5, 6}).to_dicts()}
    for country in description.countries:
        assert numbers[country.m49] == letters[country.iso2] == country.iso3
    for good in description.goods:
        for edition, code in [(5, good.code), *((6, part) for part, _ in good.h6 or ((good.code, 1.0),))]:
            assert families.get((edition, code), code) == good.good, (edition, code)


def test_every_planted_episode_has_its_label_and_both_kinds_are_there(description, made):
    assert set(made.labels["episode_id"]) == {episode.episode_id for episode in description.episodes}
    by_kind = dict(made.labels.select("kind", "is_evasion").unique().iter_rows())
    assert {kind for kind, is_evasion in by_kind.items() if is_evasion} == set(by_kind) & set(EVASION)
    assert set(by_kind.values()) == {True, False}
    assert (made.labels["start"] <= made.labels["end"]).all()


def test_every_file_says_that_it_is_simulated_and_none_names_another_regime(description, made):
    for name, content in made.files.items():
        assert "SIMULATED" in name or b"SIMULATED" in content, name
    assert description.planted_says.split()[0].encode() in made.files["SIMULATED.md"]
    assert world.WORLDS[0].planted_says.encode() not in made.files["SIMULATED.md"]


def test_a_regime_without_a_world_of_its_own_has_the_first():
    assert world.describe("nobody") is world.WORLDS[0]
