"""Where listed goods are asked about, the others are placebos: what is tested, and against what, on planted routes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from anomaly.contract.errors import ContractBroken
from anomaly.contract.settings import Settings, load
from anomaly.features.goods_asked import with_control
from anomaly.scores import scores

NAMES = {"hub to target": ["growth", "share"], "coalition to hub": ["growth", "share"]}
LISTS = pl.DataFrame(
    {
        "good": [*(f"8112{number:02}" for number in range(40)), "250410"],
        "tier": "1",
        "valid_from": [*[date(2023, 8, 1)] * 40, date(2023, 12, 1)],
        "valid_to": None,
    },
    schema_overrides={"valid_to": pl.Date},
)


def minerals(**changes: Any) -> Settings:
    return load("china-minerals-2023", forest={"trees": 20, "seeds": [0, 1], "max_samples": 256}, **changes)


def routes(goods: list[str], year: int, growth: np.ndarray[Any, Any], *, is_before: bool = False) -> pl.DataFrame:
    """Annual routes of a hub to the United States."""
    return pl.DataFrame(
        {
            "freq_code": "A", "window_months": 12, "window_end": date(year, 12, 1), "good": goods,
            "exporter_iso": "THA", "importer_iso": "USA", "baseline_gap_years": 1, "role": "target",
            "is_before_sanctions": is_before, "value_usd": 500_000, "is_from_coalition": False, "is_measured": True,
            "evidence_weight": 1.0, "source": "comtrade", "dataset": "one", "value_basis": "export", "is_wide": False,
            "rise_log": growth, "rest_log": growth, "room_log": 9.0, "step_log": None,
            "step_age_months": None, "roughness": 1.0, "has_direct_fallen": True, "is_direct_known": True, "is_matched": False, "growth": growth, "share": growth / 2,
        },
        schema_overrides={
            "window_months": pl.Int16, "baseline_gap_years": pl.Int8, "step_log": pl.Float64, "step_age_months": pl.Int32,
        },
    )  # fmt: skip


def noise(count: int, seed: int) -> np.ndarray[Any, Any]:
    return np.maximum(np.random.default_rng(seed).normal(0, 0.3, count), 0)


LISTED, FREE = [f"8112{number:02}" for number in range(40)], [f"72{number:04}" for number in range(400)]


def trade(settings: Settings, free: int = 400) -> pl.DataFrame:
    """40 controlled routes of 2023, five of them planted rises, 40 of the same in 2021 and routes of free goods."""
    growth = noise(40, 1)
    growth[:5] = np.linspace(3, 5, 5)
    rows = [
        routes(LISTED, 2023, growth),
        routes(LISTED, 2021, noise(40, 2), is_before=True),
        routes(FREE[:free], 2023, noise(free, 3)),
        routes(FREE[:free], 2021, np.full(free, 9.0), is_before=True),  # a good that is on no list is no earlier period
    ]
    return with_control(pl.concat(rows), settings, LISTS)


def test_only_listed_goods_are_tested_and_planted_rises_of_them_are_called() -> None:
    settings = minerals()
    of_2023 = scores.build(trade(settings), NAMES, settings).scores.filter(pl.col("window_end").dt.year() == 2023)
    assert sorted(of_2023["good"]) == LISTED
    assert sorted(of_2023.filter(pl.col("q_value") <= 0.1)["good"])[:5] == LISTED[:5]
    assert of_2023.filter(pl.col("q_value") <= 0.1).height <= 6


def test_goods_that_no_measure_is_on_are_the_placebos_of_the_same_window() -> None:
    settings = minerals()
    row = scores.build(trade(settings), NAMES, settings).calibration.filter(pl.col("window_end").dt.year() == 2023)
    assert row.select("placebo_kind", "placebos", "targets").row(0) == ("goods", 400, 40)
    assert "export controls" in row["says"][0]


def test_where_free_goods_are_few_the_same_routes_of_earlier_periods_are_added_and_nothing_else() -> None:
    settings = minerals(calibration={"least_placebos": 100})
    scored = scores.build(trade(settings, free=70), NAMES, settings)
    row = scored.calibration.filter(pl.col("window_end").dt.year() == 2023)
    assert row.select("placebo_kind", "placebos").row(0) == ("goods_and_periods", 70 + 40)


def test_without_free_goods_earlier_periods_alone_calibrate() -> None:
    settings = minerals(calibration={"least_placebos": 30})
    row = scores.build(trade(settings, free=0), NAMES, settings).calibration.filter(
        pl.col("window_end").dt.year() == 2023
    )
    assert row.select("placebo_kind", "placebos", "q_limit").row(0) == ("periods", 40, 0.10)


def test_a_good_that_joins_its_list_later_is_a_placebo_until_then_and_asked_about_after() -> None:
    rows = pl.concat([routes(["250410"], 2023, noise(1, 1)), routes(["811200"], 2023, noise(1, 1))])
    november = rows.with_columns(window_end=date(2023, 11, 1))
    marked = with_control(pl.concat([november, rows]), minerals(), LISTS)
    assert marked.select("good", "window_end", "is_controlled", "is_ever_controlled").rows() == [
        ("250410", date(2023, 11, 1), False, True), ("811200", date(2023, 11, 1), True, True),
        ("250410", date(2023, 12, 1), True, True), ("811200", date(2023, 12, 1), True, True),
    ]  # fmt: skip


def test_a_good_that_left_its_list_is_free_from_that_day_on() -> None:
    left = LISTS.with_columns(valid_to=pl.lit(date(2023, 12, 1)))
    assert with_control(routes(["811200"], 2023, noise(1, 1)), minerals(), left)["is_controlled"].to_list() == [False]


def test_a_scenario_that_asks_about_all_goods_gets_no_columns_and_needs_no_lists() -> None:
    rows = routes(["811200"], 2023, noise(1, 1))
    assert with_control(rows, load(), None).equals(rows)


def test_listed_goods_cannot_be_asked_about_without_the_lists() -> None:
    with pytest.raises(ContractBroken, match="goods lists"):
        with_control(routes(["811200"], 2023, noise(1, 1)), minerals(), None)
