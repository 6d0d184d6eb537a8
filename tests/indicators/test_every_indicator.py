"""Each indicator against a value computed by hand, and every one of the registry against its contract."""

from datetime import date
from math import exp, log

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.contract.schema import Features
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import Indicator, change, price_surge, usd
from tests.indicators.frame import FLOOR_USD, PLAIN, frame

NAMED_BY_THEIR_SUBJECT = ("new_route", "no_capacity", "size_effect", "neighbour_code_shift")
BY_NAME = {indicator.name: indicator for indicator in INDICATORS}
amounts = st.none() | st.integers(min_value=0, max_value=10**13)


def value(name: str, **changes: object) -> float | None:
    return frame(**changes).select(BY_NAME[name].expr(FLOOR_USD).cast(pl.Float64)).item()


# Elsewhere it sells 31 for 16 million, on the scale of the route's own million; others' sales to the importer rose by more than its others.
EVERYBODYS = log(31 / 16) + 0.2
BY_HAND = {
    "surge_log": log(10.1 / 2.1),
    "unexplained_rise_log": (log(10.1 / 1.1) + log(10.1 / 1.6)) / 2 - EVERYBODYS,
    "volume_surge_log": log(
        (50 * 100_000 + 100_000) / 2_100_000
    ),  # 50 t at 100,000 USD a tonne, the year before's price
    "record_excess_log": log(10.1 / 1.6),
    "baseline_excess_log": log(10.1 / 1.1),
    "size_effect": 1.5,
    "level_shift_log": 0.9,
    "excess_usd": 10_000_000 - round(1_100_000 * exp(EVERYBODYS) - 100_000),
    "new_route": 0.0,
    "no_capacity": 0.75,
    "upstream_surge_log": log(9.1 / 3.1),
    "direct_drop_log": -log(20.1 / 90.1),
    "replacement_share": 9 / 60,
    "route_through_usd": 6_500_000.0,
    "lead_lag_corr": 0.7,
    "destination_shift_pp": 100 * (10 / 40 - 2 / 20),
    "share_shift_pp": 100 * (10 / 40 - 2 / 100),
    "unit_value_gap_log": log(4),
    "hub_markup_log": log(200 / 80),
    "mirror_gap_shift_log": log(9.1 / 2.1) - log(2.6 / 2.5),
    "neighbour_code_shift": 0.75,
}


def test_every_registered_indicator_has_a_value_computed_by_hand() -> None:
    assert list(BY_HAND) == [indicator.name for indicator in INDICATORS]


@pytest.mark.parametrize("name", BY_HAND)
def test_the_indicator_has_its_hand_computed_value(name: str) -> None:
    assert value(name) == pytest.approx(BY_HAND[name], rel=1e-12)


def test_a_route_that_fell_has_a_negative_surge_and_no_suspicious_side() -> None:
    assert value("surge_log", value_usd=0) == pytest.approx(log(0.1 / 2.1))


def test_growth_from_nothing_is_finite_and_large() -> None:
    assert value("surge_log", value_prior_year_usd=0) == pytest.approx(log(101))


def price(**changes: object) -> float | None:
    return frame(**changes).select(price_surge(FLOOR_USD)).item()


def test_the_price_part_of_a_surge_is_its_value_beside_its_value_at_the_old_price() -> None:
    assert price() == pytest.approx(log(10.1 / 5.1))


def test_what_comes_from_nothing_is_all_volume() -> None:
    assert price(value_prior_year_usd=0, unit_value_prior_usd_per_kg=None) == 0.0


@pytest.mark.parametrize("unknown", ["unit_value_usd_per_kg", "unit_value_prior_usd_per_kg", "value_prior_year_usd"])
def test_the_price_part_is_unknown_without_both_prices(unknown: str) -> None:
    assert price(**{unknown: None}) is None


def test_a_year_before_below_the_floor_has_no_price() -> None:
    assert price(value_prior_year_usd=99_999) is None


def test_growth_against_an_unknown_year_is_unknown() -> None:
    assert value("surge_log", value_prior_year_usd=None) is None


def test_a_route_is_new_only_where_nothing_before_is_known_to_be_nothing() -> None:
    assert value("new_route", baseline_is_nothing=True) == 1.0
    assert value("new_route", baseline_is_nothing=None) is None


def test_who_sells_more_of_a_good_than_is_usual_makes_it() -> None:
    assert value("no_capacity", revealed_advantage=3.0) == 0.0
    assert value("no_capacity", revealed_advantage=0.0) == 1.0


NOTHING_KNOWN = dict.fromkeys(
    ("elsewhere_usd", "exporter_growth_baseline_log", "good_importer_rise_log", "exporter_importer_rise_log")
)


def test_where_nothing_is_known_of_everybody_the_excess_is_all_above_the_baseline() -> None:
    assert value("excess_usd", **NOTHING_KNOWN) == 9_000_000
    assert value("unexplained_rise_log", **NOTHING_KNOWN) == pytest.approx((log(10.1 / 1.1) + log(10.1 / 1.6)) / 2)


def test_what_fell_elsewhere_makes_no_rise_of_a_route() -> None:
    fell = {"elsewhere_usd": 1_000_000, **dict.fromkeys([*NOTHING_KNOWN][1:], -2.0)}
    assert value("excess_usd", **fell) == 9_000_000
    assert value("excess_usd", value_usd=1_000_000, **fell) == 0


@pytest.mark.parametrize(
    ("of_the_good", "of_the_pair", "taken"), [(0.9, 0.4, 0.9), (0.4, 0.9, 0.9), (None, 0.4, 0.4), (0.4, -1.0, 0.4)]
)
def test_of_the_goods_other_sellers_and_the_exporters_other_goods_only_what_rose_more_is_taken_off(
    of_the_good: float | None, of_the_pair: float, taken: float
) -> None:
    peers = {"good_importer_rise_log": of_the_good, "exporter_importer_rise_log": of_the_pair}
    unexplained_rise_log = value("unexplained_rise_log", **{**NOTHING_KNOWN, **peers})
    assert unexplained_rise_log == pytest.approx((log(10.1 / 1.1) + log(10.1 / 1.6)) / 2 - taken)


def test_the_reason_of_an_excess_says_what_everybodys_rise_was_read_from() -> None:
    row = {**frame(exporter_importer_rise_log=None, exporter_importer_peers=7).row(0, named=True), "excess_usd": 7e6}
    text = BY_NAME["excess_usd"].reason({**row, "importer_iso": "RUS", "importer_name": "Russia"})
    assert text == (
        "7.0 million USD is more than the 2.5 million USD that it would have come to with the rise that is everybody's, read "
        "from 5 others that sold it to Russia (count for +22 %), 7 other goods it sold there (too few to say) and its sales "
        "elsewhere (count for +94 %)."
    )


def test_nothing_is_replaced_where_the_direct_trade_did_not_fall() -> None:
    assert value("replacement_share", coalition_to_target_usd=80_000_000) == 0.0


def test_a_route_replaces_at_most_everything() -> None:
    assert value("replacement_share", value_usd=900_000_000) == 1.0


def test_what_went_through_is_never_more_than_came_in() -> None:
    assert value("route_through_usd", coalition_to_hub_usd=2_600_000) == 100_000.0


def test_what_went_through_is_unknown_where_a_leg_is() -> None:
    assert value("route_through_usd", coalition_to_hub_baseline_usd=None) is None


def test_a_mirror_gap_at_its_normal_level_is_no_shift() -> None:
    usual_legs = {"leg_exported_usd": 2_500_000, "leg_imported_usd": 2_400_000}
    assert value("mirror_gap_shift_log", **usual_legs) == pytest.approx(0.0)


@pytest.mark.parametrize(("arrived", "shift"), [(2_240_000, 0.0), (2_200_000, log(2.6 / 2.3) - log(2.6 / 2.6))])
def test_a_gap_that_freight_and_insurance_explain_is_no_shift(arrived: int, shift: float) -> None:
    legs = {
        "leg_exported_usd": 2_500_000,
        "leg_exported_baseline_usd": 2_500_000,
        "leg_imported_baseline_usd": 2_500_000,
    }
    assert value("mirror_gap_shift_log", leg_imported_usd=arrived, **legs) == pytest.approx(shift)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_every_indicator_says_what_it_is(indicator: Indicator) -> None:
    assert indicator.says
    assert indicator.source
    assert indicator.name.endswith((f"_{indicator.unit}", *NAMED_BY_THEIR_SUBJECT))
    assert indicator.unit in {"log", "usd", "pp", "share", "flag", "fence", "corr"}
    assert indicator.name not in Features.column_names()


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
@settings(deadline=None)
@given(data=st.data())
def test_every_indicator_is_finite_or_unknown_for_any_amounts(indicator: Indicator, data: st.DataObject) -> None:
    changes = {name: data.draw(amounts) for name in PLAIN if name.endswith("_usd")}
    measured = value(indicator.name, **changes)
    assert measured is None or (measured == measured and abs(measured) != float("inf"))


@pytest.mark.parametrize(
    "indicator", [indicator for indicator in INDICATORS if indicator.forest], ids=lambda indicator: indicator.name
)
def test_the_forest_sees_nothing_where_a_route_and_its_surroundings_stand_still(indicator: Indicator) -> None:
    still: dict[str, float] = {name: 5_000_000 for name in PLAIN if name.endswith("_usd")}
    still |= {name: 0.0 for name in PLAIN if name.startswith("exporter_growth") or name.endswith("_rise_log")}
    measured = frame(**still).with_columns(
        registered.expr(FLOOR_USD).cast(pl.Float64).alias(registered.name) for registered in INDICATORS
    )
    assert indicator.forest is not None
    assert measured.select(indicator.forest(FLOOR_USD)).item() == pytest.approx(0.0)


def seen_by_the_forest(name: str, **changes: object) -> float:
    measured = frame(**changes).with_columns(
        indicator.expr(FLOOR_USD).cast(pl.Float64).alias(indicator.name) for indicator in INDICATORS
    )
    see = BY_NAME[name].forest
    assert see is not None
    return float(measured.select(see(FLOOR_USD)).item())


RISES_OF_THE_FOREST = ["unexplained_rise_log", "record_excess_log", "baseline_excess_log"]


@pytest.mark.parametrize("name", RISES_OF_THE_FOREST)
def test_the_forest_is_blind_to_what_all_routes_of_a_good_share(name: str) -> None:
    fell, rose = {"coalition_to_target_usd": 0}, {"coalition_to_target_usd": 10**9}
    assert seen_by_the_forest(name, **fell) == seen_by_the_forest(name, **rose) > 0


@pytest.mark.parametrize("name", RISES_OF_THE_FOREST)
def test_a_boom_of_all_that_the_exporter_sells_is_taken_off_what_the_forest_sees(name: str) -> None:
    grown = {"elsewhere_usd": None, "exporter_growth_baseline_log": 1.0}
    alone = {"elsewhere_usd": None, "exporter_growth_baseline_log": None}
    taken = seen_by_the_forest(name, **alone) - seen_by_the_forest(name, **grown)
    assert taken == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gap", "rise", "counted"),
    [(2.0, 0.3, 0.3), (0.3, 2.0, 0.3), (-1.0, 2.0, 0.0), (1.0, -0.1, 0.0), (None, 2.0, 0.0), (1.0, None, 0.0)],
)
def test_a_gap_counts_up_to_the_rise_and_a_rise_up_to_the_gap(
    gap: float | None, rise: float | None, counted: float
) -> None:
    see = BY_NAME["mirror_gap_shift_log"].forest
    assert see is not None
    route = pl.DataFrame(
        {"mirror_gap_shift_log": [gap], "surge_log": [rise]},
        schema_overrides=dict.fromkeys(("mirror_gap_shift_log", "surge_log"), pl.Float64),
    )
    assert route.select(see(FLOOR_USD)).item() == counted


def test_others_who_buy_next_to_nothing_take_little_off_a_large_route() -> None:
    grown = {"exporter_growth_baseline_log": None, "elsewhere_baseline_usd": 50_000, "elsewhere_usd": 1_000_000}
    alone = {**grown, "elsewhere_usd": None}
    taken = seen_by_the_forest("record_excess_log", **alone) - seen_by_the_forest("record_excess_log", **grown)
    assert taken == pytest.approx(
        log((1_000_000 + 1_000_000) / (1_000_000 + 50_000))
    )  # beside its baseline of a million


def test_without_baseline_years_a_record_is_held_against_the_year_before() -> None:
    no_baseline = {"value_baseline_usd": None, "value_baseline_max_usd": None}
    assert value("record_excess_log", **no_baseline) is None
    assert value("record_excess_log", **no_baseline, baseline_years="no baseline") == pytest.approx(log(10.1 / 2.1))
    assert value("unexplained_rise_log", **no_baseline) is None
    unexplained_rise_log = value("unexplained_rise_log", **no_baseline, **NOTHING_KNOWN, baseline_years="no baseline")
    assert unexplained_rise_log == pytest.approx(log(10.1 / 2.1))


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_every_reason_is_a_sentence_with_a_number(indicator: Indicator) -> None:
    row = {
        **frame().row(0, named=True),
        **BY_HAND,
        "good": "851713",
        "break_month": date(2022, 7, 1),
        "lead_lag_months": 2,
        "neighbour_fell_good": "851762",
        "neighbour_fell_usd": 6_000_000,
        "exporter_name": "Kazakhstan",
        "importer_name": "Russia",
        "baseline_years": "2019-2021",
        "coalition_to_hub_compared": "2022 with 2021, comtrade",
        "coalition_to_target_compared": "2022 with 2021, comtrade",
    }
    text = indicator.reason(row)
    assert text.endswith(".")
    assert any(character.isdigit() for character in text)


def test_amounts_and_changes_are_written_for_people() -> None:
    assert usd(178_200_000) == "178.2 million USD"
    assert usd(None) == "an unknown amount"
    assert change(178, 37) == "+381 %"
    assert change(56, 100) == "−44 %"
    assert change(5, 0) == "from nothing"
