"""Dated measures say on whose trade of which goods they bear, so that none is named beside another's."""

from datetime import date

import polars as pl

from anomaly.reference import countries, policy_events, statements

EVENTS = policy_events.read_all()


def test_measures_are_in_order_of_time_and_have_a_source_and_words_for_their_goods() -> None:
    assert EVENTS["date"].is_sorted()
    for column in ("date", "title", "effect", "leg", "goods_named", "source", "exporters", "importers"):
        assert EVENTS[column].null_count() == 0, column


def test_measures_have_an_effect_and_a_leg_of_those_there_are() -> None:
    assert set(EVENTS["effect"]) == set(policy_events.EFFECTS)
    assert set(EVENTS["leg"]) == set(policy_events.BEARS_ON)


def test_measures_name_known_countries() -> None:
    codes = {*countries.table().filter(pl.col("kind") == "country")["iso3"], *statements.GROUPS}
    named = {*EVENTS["exporters"].explode().drop_nulls(), *EVENTS["importers"].explode().drop_nulls()}
    assert {"KAZ", "GEO", "TUR", "EU27"} <= named <= codes


def test_a_regime_has_its_own_measures_and_no_others() -> None:
    china, russia = (policy_events.of(name) for name in ("china-minerals-2023", "russia-2022"))
    assert china.height + russia.height == EVENTS.height
    assert china["exporters"][0].to_list() == ["CHN"]
    assert china["date"].min() == date(2023, 8, 1)
    assert policy_events.of("nobody").is_empty()


def test_the_kazakh_ban_that_was_denied_the_same_evening_is_no_measure() -> None:
    assert EVENTS.filter(pl.col("date").is_between(date(2023, 10, 1), date(2023, 10, 31))).is_empty()


def test_a_ban_of_transit_through_the_target_bears_on_no_route_to_the_target() -> None:
    transit = EVENTS.filter(effect="less transit")
    assert transit.height >= 3
    assert "hub to target" not in set(transit["leg"])


def test_georgias_ban_of_large_cars_leaves_small_petrol_cars_out() -> None:
    (row,) = EVENTS.filter(date=date(2023, 9, 26), effect="fewer re-exports").to_dicts()
    assert row["exporters"] == ["GEO"]
    assert "870323" in row["goods"]
    assert "870322" not in row["goods"]
