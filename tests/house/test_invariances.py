"""What must change nothing in what is called: other units, other names, another year, and who is only beside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly.contract.settings import Settings, load
from anomaly.contract.tables import Frame
from anomaly.stages.order import through
from tests.trade import ALL_LINKED, codes_of, flow, prepared

QUICK: dict[str, Any] = {"forest": {"trees": 10, "seeds": [0]}, "calibration": {"resamples": 2}}
HUBS = ("KAZ", "ARM", "TUR", "CHN")
OTHERS = ("ARG", "CHL", "PER", "COL", "MAR")
GOODS = codes_of("8407", 40)
YEARS = (2019, 2020, 2021, 2022)
FIGURES = ("p_value", "q_value", "evidence_score", "room_log", "roughness", "shock_ratio", "placebo_kind", "placebos")
ROUTE = ("window_end", "good", "exporter_iso", "importer_iso")


def noise(*parts: object) -> float:
    """0.5 to 1.5, the same for the same words."""
    total = sum((place + 1) * ord(letter) for place, letter in enumerate("|".join(map(str, parts))))
    return 0.5 + (total * 7919 % 1000) / 1000


def trade(hubs: tuple[str, ...] = HUBS, goods: list[str] = GOODS, **options: Any) -> list[dict[str, Any]]:
    """Hubs sell Russia and five countries outside the matter; two hubs' first five goods go round, with their supply."""
    rows = []
    for year in YEARS:
        for code in goods:
            is_round = year == 2022 and code in goods[:5]
            for hub in hubs:
                usual = 1_400_000 * noise(hub, code)
                into = usual * noise(hub, code, year) * (20 if is_round and hub in hubs[:2] else 1)
                rows.append(flow(year, hub, "RUS", round(into), code=code, **options))
                rows += [
                    flow(year, hub, target, round(usual * noise(hub, target, code, year)), code=code, **options)
                    for target in OTHERS
                ]
                bought = 2_000_000 * noise("DEU", hub, code) * (30 if is_round and hub in hubs[:2] else 1)
                rows.append(flow(year, "DEU", hub, round(bought), code=code, **options))
            fallen = 0.2 if year == 2022 else 1.0
            rows.append(flow(year, "DEU", "RUS", round(90_000_000 * fallen * noise("DEU", code)), code=code, **options))
    return rows


def scores(rows: list[dict[str, Any]], settings: Settings) -> pl.DataFrame:
    """Routes to Russia in 2022, or in the year that the settings' measures are of."""
    bilateral, coverage, scope = prepared(rows)
    tables: Mapping[str, Frame] = {
        "bilateral": bilateral, "coverage": coverage, "coverage.scope": scope, "families.broken": ALL_LINKED,
        "families": pl.DataFrame(schema={"edition": pl.Int8, "cmd_code": pl.String, "good": pl.String}),
    }  # fmt: skip
    made = through(["scores"], tables, settings).read("scores")
    return made.filter(importer_iso="RUS", window_end=date(max(settings.baseline_years) + 1, 12, 1)).sort(ROUTE)


def settings(**changes: Any) -> Settings:
    return load(**{**QUICK, **changes})


@pytest.fixture(scope="module")
def plain() -> pl.DataFrame:
    return scores(trade(), settings())


def assert_same(actual: pl.DataFrame, expected: pl.DataFrame) -> None:
    columns = [*ROUTE, *FIGURES]
    assert_frame_equal(
        actual.select(columns), expected.select(columns), rel_tol=1e-5, abs_tol=1e-6
    )  # baselines are whole USD


def called(table: pl.DataFrame) -> set[tuple[str, str]]:
    return set(table.filter(pl.col("q_value") <= 0.1).select("exporter_iso", "good").rows())


def test_what_goes_round_is_called_and_hardly_anything_else(plain: pl.DataFrame) -> None:
    """So that the tests below compare something."""
    planted = {(hub, code) for hub in HUBS[:2] for code in GOODS[:5]}
    assert planted <= called(plain)
    assert len(called(plain) - planted) <= 1


def test_all_values_times_ten_with_the_settings_in_usd_times_ten_change_nothing(plain: pl.DataFrame) -> None:
    rows = [{**row, "primary_value_usd": 10 * row["primary_value_usd"]} for row in trade()]
    usual = settings()
    larger = settings(floor_usd=10 * usual.floor_usd, materiality_usd=10 * usual.materiality_usd)
    assert_same(scores(rows, larger), plain)


def test_hubs_that_change_their_names_change_their_figures_with_them(plain: pl.DataFrame) -> None:
    swapped = {"KAZ": "UZB", "ARM": "GEO", "TUR": "ARE"}
    rows = [
        {**row, **{side: swapped.get(row[side], row[side]) for side in ("reporter_iso", "partner_iso")}}
        for row in trade()
    ]
    expected = plain.with_columns(pl.col("exporter_iso").replace(swapped)).sort(ROUTE)
    assert_same(scores(rows, settings()), expected)


def test_a_year_later_with_measures_a_year_later_is_the_same(plain: pl.DataFrame) -> None:
    rows = [{**row, "ref_date": row["ref_date"].replace(year=row["ref_date"].year + 1)} for row in trade()]
    since = settings().sanctions_since
    later = settings(sanctions_since=since.replace(year=since.year + 1), baseline_years=(2020, 2021, 2022))
    expected = plain.with_columns(pl.col("window_end").dt.offset_by("1y"))
    assert_same(scores(rows, later), expected)


def test_rows_in_another_order_change_nothing(plain: pl.DataFrame) -> None:
    assert_same(scores(trade()[::-1], settings()), plain)


def test_another_publishers_trade_of_other_goods_and_exporters_changes_nothing(plain: pl.DataFrame) -> None:
    beside = trade(("UZB", "GEO"), codes_of("6101", 30), source="table", dataset="mine")
    beside = [row for row in beside if row["reporter_iso"] != "DEU"]
    scored = scores([*trade(), *beside], settings())
    assert_same(scored.filter(pl.col("exporter_iso").is_in(HUBS)), plain)


def test_a_route_that_was_called_and_is_gone_takes_no_call_from_others_but_its_peers(plain: pl.DataFrame) -> None:
    gone = (HUBS[0], GOODS[0])
    rows = [
        row
        for row in trade()
        if (row["reporter_iso"], row["partner_iso"], row["cmd_code"]) != (gone[0], "RUS", gone[1])
    ]
    left = {route for route in called(plain) if route != gone}
    assert called(scores(rows, settings())) >= left
