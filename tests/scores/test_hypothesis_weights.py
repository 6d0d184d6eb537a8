"""How likely a route is before its own rise is looked at, by hand."""

from math import log
from typing import Any

import polars as pl
import pytest

from anomaly.scores.hypothesis_weights import (
    HALVED_LOG,
    LEAST_WEIGHT,
    NEW_LABEL,
    NO_ROOM,
    UNKNOWN_ROOM_LOG,
    UPSTREAM,
    with_weight,
)

FLOOR_USD = 1.0
FELL = {"coalition_to_target_prior_usd": 199}  # with the floor, twice what is left
SHARE = log(2) / (log(2) + HALVED_LOG)
ROUTE: dict[str, Any] = {
    "freq_code": "A", "window_months": 12, "window_end": 2022, "baseline_gap_years": 1, "importer_iso": "RUS",
    "good": "848210", "coalition_to_target_usd": 99, "coalition_to_target_prior_usd": 99,
    "coalition_to_target_baseline_usd": 99,
    "value_prior_year_usd": 999, "value_baseline_usd": 399, "coalition_to_hub_usd": 5_000, "coalition_to_hub_baseline_usd": 5_000,
    "upstream_surge_log": None, "neighbour_code_shift": None, "neighbour_fell_good": None,
}  # fmt: skip


def weights(*changes: dict[str, Any]) -> list[float]:
    kinds = {"upstream_surge_log": pl.Float64, "neighbour_code_shift": pl.Float64, "neighbour_fell_good": pl.String}
    kinds |= {name: pl.Int64 for name in ROUTE if name.endswith("_usd")}
    rows = pl.DataFrame([{**ROUTE, **one} for one in changes], schema_overrides=kinds)
    return with_weight(rows, FLOOR_USD)["evidence_weight"].to_list()


def test_a_good_whose_direct_trade_stood_has_the_least_weight() -> None:
    assert weights({}) == [LEAST_WEIGHT]


def test_a_fall_of_the_direct_trade_by_half_weighs_about_half() -> None:
    assert weights(FELL) == pytest.approx([SHARE * NO_ROOM + LEAST_WEIGHT])
    assert pytest.approx(0.5, abs=0.01) == SHARE


def test_a_fall_since_the_baseline_counts_where_it_is_the_larger() -> None:
    since, before = weights({"coalition_to_target_baseline_usd": 10_000}, FELL)
    assert since > before


def test_a_direct_trade_that_is_not_in_the_data_weighs_half() -> None:
    assert weights({"coalition_to_target_usd": None}) == pytest.approx([0.5 * NO_ROOM + LEAST_WEIGHT])


def test_what_the_coalition_sells_the_hub_more_raises_the_weight_up_to_a_limit() -> None:
    got = weights({**FELL, "upstream_surge_log": 1.0}, {**FELL, "upstream_surge_log": 9.0})
    supply = [NO_ROOM * (1 + UPSTREAM * growth) for growth in (1, 2)]
    assert got == pytest.approx([SHARE * one + LEAST_WEIGHT for one in supply])


@pytest.mark.parametrize(
    ("told", "room_log"),
    [
        ({"coalition_to_hub_usd": 6_000}, log(2)),  # 1,000 more, on a route of 1,000 with the floor
        ({"coalition_to_hub_usd": 6_000, "value_prior_year_usd": 0}, log(3.5)),  # then its baseline is its size
        ({"coalition_to_hub_usd": 10**9}, 3.0),
        ({"coalition_to_hub_usd": 4_000}, 0.0),
        ({"coalition_to_hub_usd": None}, UNKNOWN_ROOM_LOG),
    ],
)
def test_what_the_hub_bought_more_weighs_by_how_far_it_could_carry_the_route(told, room_log) -> None:
    assert weights({**FELL, **told}) == pytest.approx([SHARE * (NO_ROOM + room_log) + LEAST_WEIGHT])


def test_the_routes_own_value_now_does_not_change_its_weight() -> None:
    small, large = weights({**FELL, "value_usd": 1_000}, {**FELL, "value_usd": 10**9})
    assert small == large


def test_a_new_label_takes_the_fall_of_the_good_that_it_replaces() -> None:
    listed = {"good": "848210", **FELL}
    label = {"good": "848280", "neighbour_code_shift": 0.8, "neighbour_fell_good": "848210"}
    assert weights(listed, label)[1] == pytest.approx(SHARE * 0.8 * NEW_LABEL + LEAST_WEIGHT)


def test_a_neighbour_whose_direct_trade_stood_raises_no_weight() -> None:
    label = {"good": "848280", "neighbour_code_shift": 1.0, "neighbour_fell_good": "848210"}
    assert weights({"good": "848210"}, label) == [LEAST_WEIGHT, LEAST_WEIGHT]
