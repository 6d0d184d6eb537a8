"""How likely a route is before its own rise is looked at, by hand."""

from typing import Any

import polars as pl
import pytest

from anomaly.weights import HALVED_LOG, LEAST_WEIGHT, with_weight

FLOOR_USD = 1.0
ROUTE: dict[str, Any] = {
    "freq_code": "A", "window_months": 12, "window_end": 2022, "baseline_gap_years": 1, "importer_iso": "RUS",
    "good": "848210", "coalition_to_target_usd": 99, "coalition_to_target_baseline_usd": 99, "direct_drop_log": 0.0,
    "upstream_surge_log": None, "neighbour_code_shift": None, "neighbour_fell_good": None,
}  # fmt: skip


def weights(*changes: dict[str, Any]) -> list[float]:
    kinds = {"upstream_surge_log": pl.Float64, "neighbour_code_shift": pl.Float64, "neighbour_fell_good": pl.String}
    kinds |= dict.fromkeys(("coalition_to_target_usd", "direct_drop_log"), pl.Float64)
    rows = pl.DataFrame([{**ROUTE, **one} for one in changes], schema_overrides=kinds)
    return with_weight(rows, FLOOR_USD)["evidence_weight"].to_list()


def test_a_good_whose_direct_trade_stood_has_the_least_weight() -> None:
    assert weights({}) == [LEAST_WEIGHT]


def test_a_fall_of_the_direct_trade_by_half_weighs_half() -> None:
    assert weights({"direct_drop_log": HALVED_LOG}) == pytest.approx([0.5 + LEAST_WEIGHT])


def test_a_fall_since_the_baseline_counts_where_it_is_the_larger() -> None:
    since, before = weights({"coalition_to_target_baseline_usd": 10_000}, {"direct_drop_log": 0.1})
    assert since > before


def test_a_direct_trade_that_is_not_in_the_data_weighs_half() -> None:
    assert weights({"coalition_to_target_usd": None, "direct_drop_log": None}) == pytest.approx([0.5 + LEAST_WEIGHT])


def test_what_the_coalition_sells_the_hub_more_raises_the_weight_up_to_a_limit() -> None:
    fell = {"direct_drop_log": HALVED_LOG}
    got = weights({**fell, "upstream_surge_log": 1.0}, {**fell, "upstream_surge_log": 9.0})
    assert got == pytest.approx([0.5 * 2 + LEAST_WEIGHT, 0.5 * 3 + LEAST_WEIGHT])


def test_a_new_label_takes_the_fall_of_the_good_that_it_replaces() -> None:
    listed = {"good": "848210", "direct_drop_log": HALVED_LOG}
    label = {"good": "848280", "neighbour_code_shift": 0.8, "neighbour_fell_good": "848210"}
    assert weights(listed, label)[1] == pytest.approx(0.5 * 0.8 + LEAST_WEIGHT)


def test_a_neighbour_whose_direct_trade_stood_raises_no_weight() -> None:
    label = {"good": "848280", "neighbour_code_shift": 1.0, "neighbour_fell_good": "848210"}
    assert weights({"good": "848210"}, label) == [LEAST_WEIGHT, LEAST_WEIGHT]
