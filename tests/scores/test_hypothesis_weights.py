"""How likely a route is before its own rise is looked at, by hand."""

from math import log
from typing import Any

import polars as pl
import pytest

from anomaly.scores.hypothesis_weights import HALVED_LOG, LEAST_WEIGHT, with_weight

FLOOR_USD = 1.0
FELL = {"coalition_to_target_prior_usd": 199}  # with the floor, twice what is left
SHARE = log(2) / (log(2) + HALVED_LOG)
ROUTE: dict[str, Any] = {
    "freq_code": "A", "window_months": 12, "window_end": 2022, "baseline_gap_years": 1, "importer_iso": "RUS",
    "good": "848210", "coalition_to_target_usd": 99, "coalition_to_target_prior_usd": 99,
    "coalition_to_target_baseline_usd": 99,
    "neighbour_code_shift": None, "neighbour_fell_good": None,
}  # fmt: skip


def weights(*changes: dict[str, Any]) -> list[float]:
    kinds = {"neighbour_code_shift": pl.Float64, "neighbour_fell_good": pl.String}
    kinds |= {name: pl.Int64 for name in ROUTE if name.endswith("_usd")}
    rows = pl.DataFrame([{**ROUTE, **change} for change in changes], schema_overrides=kinds)
    return with_weight(rows, FLOOR_USD)["evidence_weight"].to_list()


def test_a_good_whose_direct_trade_stood_has_the_least_weight() -> None:
    assert weights({}) == [LEAST_WEIGHT]


def test_a_fall_of_the_direct_trade_by_half_weighs_about_half() -> None:
    assert weights(FELL) == pytest.approx([SHARE + LEAST_WEIGHT])
    assert pytest.approx(0.5, abs=0.01) == SHARE


def test_a_fall_since_the_baseline_counts_where_it_is_the_larger() -> None:
    since, before = weights({"coalition_to_target_baseline_usd": 10_000}, FELL)
    assert since > before


def test_a_direct_trade_that_is_not_in_the_data_weighs_half() -> None:
    assert weights({"coalition_to_target_usd": None}) == pytest.approx([0.5 + LEAST_WEIGHT])


def test_neither_the_routes_own_value_nor_what_the_hub_bought_more_changes_its_weight() -> None:
    small = {**FELL, "value_usd": 1_000, "coalition_to_hub_usd": 0, "coalition_to_hub_baseline_usd": 0}
    large = {**small, "value_usd": 10**9, "coalition_to_hub_usd": 10**9}
    assert weights(small) == weights(large)


def test_a_new_label_takes_the_fall_of_the_good_that_it_replaces() -> None:
    listed = {"good": "848210", **FELL}
    label = {"good": "848280", "neighbour_code_shift": 0.8, "neighbour_fell_good": "848210"}
    assert weights(listed, label)[1] == pytest.approx(SHARE * 0.8 + LEAST_WEIGHT)


def test_a_neighbour_whose_direct_trade_stood_raises_no_weight() -> None:
    label = {"good": "848280", "neighbour_code_shift": 1.0, "neighbour_fell_good": "848210"}
    assert weights({"good": "848210"}, label) == [LEAST_WEIGHT, LEAST_WEIGHT]
