"""What happened to everybody's trade: medians of the others, by hand and against the plain definition."""

from __future__ import annotations

from datetime import date
from math import exp, log
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.settings import load
from anomaly.features import peers, roughness
from anomaly.features.features import established, plan
from anomaly.stages.order import through
from tests.trade import ALL_LINKED, codes_of, prepared, years

SETTINGS = load()
FLOOR = float(SETTINGS.floor_usd)
YEARS = (2019, 2020, 2021, 2022)
grouped = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-9, 9).map(lambda tenths: tenths / 10)), min_size=1, max_size=25
)


@given(grouped)
def test_the_median_without_a_route_is_the_median_of_the_others(rows: list[tuple[int, float]]) -> None:
    group = np.array([place for place, _ in rows])
    values = np.array([value for _, value in rows])
    medians, count = peers.medians(values, group, 4).without(group, values)
    for at, (place, value) in enumerate(rows):
        peer_values = [
            peer_value for number, (peer_group, peer_value) in enumerate(rows) if peer_group == place and number != at
        ]
        assert count[at] == len(peer_values)
        if peer_values:
            assert medians[at] == pytest.approx(median(peer_values)), (value, peer_values)
        else:
            assert np.isnan(medians[at])


@given(grouped)
def test_a_route_that_is_no_member_sees_the_median_of_all(rows: list[tuple[int, float]]) -> None:
    group, values = np.array([place for place, _ in rows]), np.array([value for _, value in rows])
    medians, count = peers.medians(values, group, 4).without(np.arange(4), np.full(4, np.nan))
    for place in range(4):
        members = [value for peer_group, value in rows if peer_group == place]
        assert count[place] == len(members)
        assert medians[place] == pytest.approx(median(members)) if members else np.isnan(medians[place])


def test_a_median_of_few_counts_less_and_of_fewer_than_asked_not_at_all() -> None:
    frame = pl.DataFrame({"median": [0.6, 0.6, 0.6], "peers": [2, 3, 30]})
    shrunk_medians = frame.select(peers.shrunk(pl.col("median"), pl.col("peers"), least=3)).to_series().to_list()
    assert shrunk_medians == [None, pytest.approx(0.6 * 3 / 5), pytest.approx(0.6 * 30 / 32)]


def sold(exporter: str, importer: str, base: int, now: int, code: str = "870323") -> list[dict[str, Any]]:
    """Annual sales: the same in three baseline years, then `now`."""
    return years(exporter, importer, {year: base if year < 2022 else now for year in YEARS}, code=code)


def tables(rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    bilateral, coverage, scope = prepared(rows)
    inputs = {"bilateral": bilateral, "coverage": coverage, "coverage.scope": scope, "families.broken": ALL_LINKED}
    made = through(["features", "features.pairs", "features.roughness"], inputs, SETTINGS)
    return {name: made.read(name) for name in ("features", "features.pairs", "features.roughness")}


def route(made: dict[str, pl.DataFrame], exporter: str, code: str = "870323") -> dict[str, Any]:
    key = {"exporter_iso": exporter, "importer_iso": "RUS", "good": code}
    return made["features"].filter(window_end=date(2022, 12, 1), **key).row(0, named=True)


SELLERS = ("CHN", "TUR", "IND", "ARE")  # to RUS, 2, 3, 4 and 5 times as much as before


def sellers() -> list[dict[str, Any]]:
    return [
        row for times, exporter in enumerate(SELLERS, 2) for row in sold(exporter, "RUS", 5_000_000, times * 5_000_000)
    ]


def test_a_route_is_held_against_how_the_other_sellers_of_its_good_rose_and_not_against_itself() -> None:
    made = tables([*sellers(), *sold("ARM", "RUS", 400_000, 90_000_000)])
    outsider, member = route(made, "ARM"), route(made, "ARE")
    assert outsider["good_importer_peers"] == 4  # its own baseline is below a million: it is nobody's peer
    of_all = median(log((times * 5e6 + FLOOR) / (5e6 + FLOOR)) for times in (2, 3, 4, 5))
    assert outsider["good_importer_rise_log"] == pytest.approx(of_all * 4 / 6)
    assert member["good_importer_peers"] == 3
    peers_rise_log = median(log((times * 5e6 + FLOOR) / (5e6 + FLOOR)) for times in (2, 3, 4))
    assert member["good_importer_rise_log"] == pytest.approx(peers_rise_log * 3 / 5)


def test_the_counterfactual_is_the_baseline_with_everybodys_rise_and_the_excess_what_is_above_it() -> None:
    row = route(tables([*sellers(), *sold("ARM", "RUS", 400_000, 90_000_000)]), "ARM")
    expected = (400_000 + FLOOR) * exp(row["good_importer_rise_log"]) - FLOOR
    assert row["counterfactual_usd"] == round(expected)
    assert row["excess_usd"] == 90_000_000 - row["counterfactual_usd"]


def test_with_fewer_than_three_other_sellers_nothing_is_taken_off() -> None:
    two_sellers = [row for exporter in SELLERS[:2] for row in sold(exporter, "RUS", 5_000_000, 50_000_000)]
    row = route(tables([*two_sellers, *sold("ARM", "RUS", 400_000, 90_000_000)]), "ARM")
    assert row["good_importer_peers"] == 2
    assert row["good_importer_rise_log"] is None
    assert row["counterfactual_usd"] == 400_000


def test_nobodys_peer_is_of_the_coalition() -> None:
    rows = [*sellers(), *sold("DEU", "RUS", 90_000_000, 900_000_000), *sold("ARM", "RUS", 400_000, 90_000_000)]
    assert route(tables(rows), "ARM")["good_importer_peers"] == 4


def test_the_exporters_other_goods_to_the_importer_count_from_eight_on() -> None:
    codes = codes_of("8401", 9)
    rows = [row for code in codes for row in sold("ARM", "RUS", 2_000_000, 4_000_000, code=code)]
    rise = log((4e6 + FLOOR) / (2e6 + FLOOR))
    member = route(tables(rows), "ARM", codes[0])
    assert (member["exporter_importer_peers"], member["exporter_importer_rise_log"]) == (
        8,
        pytest.approx(rise * 8 / 10),
    )
    fewer = [row for row in rows if row["cmd_code"] != codes[-1]]
    assert route(tables(fewer), "ARM", codes[0])["exporter_importer_rise_log"] is None


def test_who_is_established_does_not_depend_on_what_became_of_the_route() -> None:
    rows = [*sellers(), *sold("ARM", "RUS", 400_000, 90_000_000)]
    gone = [*rows, *sold("MNG", "RUS", 5_000_000, 1)]
    assert route(tables(gone), "ARM")["good_importer_peers"] == route(tables(rows), "ARM")["good_importer_peers"] + 1


def test_chunks_of_the_goods_give_the_pairs_of_the_whole() -> None:
    codes = codes_of("8401", 9)
    rows = [row for code in codes for row in sold("ARM", "RUS", 2_000_000, 4_000_000, code=code)]
    bilateral, coverage, scope = prepared(rows)
    shared = plan(coverage, scope, ALL_LINKED, SETTINGS)
    whole = peers.pairs(established(bilateral, shared, SETTINGS))
    parts = [established(bilateral.filter(good=code), shared, SETTINGS) for code in codes]
    assert whole.equals(peers.pairs(peers.joined(parts)))


def rises(role: str, spread: float, count: int) -> pl.DataFrame:
    """Established routes of 2022 whose rises lie evenly between -spread and spread."""
    return pl.DataFrame(
        {
            "freq_code": "A", "window_months": 12, "window_end": date(2022, 12, 1), "baseline_gap_years": 1,
            "exporter_iso": "CHN", "importer_iso": "RUS" if role == "target" else "ARG", "is_target": role == "target",
            "rise_log": np.linspace(-spread, spread, count), "good_importer_rise_log": None, "has_direct_fallen": True,
        },
        schema=peers.COLUMNS,
    )  # fmt: skip


def of_class(table: pl.DataFrame) -> float:
    return float(table.filter("has_direct_fallen")["roughness"].item())


def test_roughness_is_the_lower_side_of_the_targets_over_that_of_placebo_importers() -> None:
    routes = pl.concat([rises("target", 2.0, 101), rises("placebo", 1.0, 101)])
    assert of_class(roughness.build(routes, peers.pairs(routes), SETTINGS)) == pytest.approx(2.0, rel=0.05)


def test_trade_with_the_targets_that_is_calmer_than_others_is_divided_by_nothing() -> None:
    routes = pl.concat([rises("target", 0.5, 101), rises("placebo", 1.0, 101)])
    assert of_class(roughness.build(routes, peers.pairs(routes), SETTINGS)) == 1.0


def test_rises_alone_make_no_roughness() -> None:
    routes = pl.concat([rises("target", 1.0, 101), rises("placebo", 1.0, 101)])
    risen = routes.with_columns(
        rise_log=pl.when(pl.col("is_target") & (pl.col("rise_log") > 0))
        .then(pl.col("rise_log") * 9)
        .otherwise("rise_log")
    )
    assert of_class(roughness.build(risen, peers.pairs(risen), SETTINGS)) == pytest.approx(1.0, abs=0.05)


def test_too_few_established_routes_say_nothing_of_the_roughness() -> None:
    routes = pl.concat([rises("target", 2.0, roughness.LEAST_TARGETS - 1), rises("placebo", 1.0, 101)])
    assert roughness.build(routes, peers.pairs(routes), SETTINGS).is_empty()
