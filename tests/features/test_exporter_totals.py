"""How an exporter as a whole has grown, by hand."""

from datetime import date
from math import isnan, log
from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.features import exporter_totals, features
from tests.trade import ALL_LINKED, flow, measured, prepared

SETTINGS = load()
GOODS = [f"84{number:04d}" for number in range(25)]
BUYERS = [f"{letter}{letter}Q" for letter in "ABCDEFGHIJKL"]


def rows(growth: float, *, to_target: int = 0, goods: list[str] = GOODS) -> list[dict[str, Any]]:
    """KAZ sells every good to twelve buyers, `growth` times as much in 2022; and `to_target` of one to RUS."""
    flows = [
        flow(year, "KAZ", buyer, int(1_000_000 * (growth if year == 2022 else 1)), code=good)
        for year in range(2019, 2023)
        for good in goods
        for buyer in BUYERS
    ]
    return flows + [flow(year, "KAZ", "RUS", to_target if year == 2022 else 1_000_000) for year in range(2019, 2023)]


def growth_of(trade: list[dict[str, Any]]) -> float:
    sides, coverage, scope = prepared(trade)
    plan = features.plan(coverage, scope, ALL_LINKED, SETTINGS)
    periods = plan.known["A"]
    of_2022 = next(comparison for comparison in plan.comparisons["A"] if comparison.window.year == 2022)
    cells = exporter_totals.spread(exporter_totals.build(sides.lazy(), SETTINGS.targets.countries), periods)
    _, base = exporter_totals.growth_log(cells, periods, of_2022, 0.0)
    at = periods.reporters.filter(reporter_iso="KAZ", flow_code="X")["reporter_id"][0]
    return float(base[at])


def test_the_growth_of_all_goods_to_everybody_else_is_that_of_the_exporter() -> None:
    assert growth_of(rows(2.0)) == pytest.approx(log(2))


def test_what_goes_to_the_targets_is_no_part_of_it() -> None:
    assert growth_of(rows(1.0, to_target=900_000_000)) == pytest.approx(0.0)


def test_an_extract_of_a_few_goods_cannot_say_how_an_exporter_has_grown() -> None:
    assert isnan(growth_of(rows(2.0, goods=GOODS[:3])))


def growth_in(table: pl.DataFrame) -> list[float | None]:
    return table.filter(importer_iso="RUS", window_end=date(2022, 12, 1))["exporter_growth_baseline_log"].to_list()


def test_a_route_is_measured_beside_the_growth_of_its_exporter_and_without_totals_that_is_unknown() -> None:
    trade = rows(2.0, to_target=5_000_000)
    assert growth_in(measured(trade)[0]) == [pytest.approx(log(2), abs=0.01)]
    sides, coverage, scope = prepared(trade)
    plan = features.plan(coverage, scope, ALL_LINKED, SETTINGS)
    assert growth_in(features.build(sides, plan, SETTINGS)[0]) == [None]
