"""Each rival ranks as its own rule says: figures by hand, nulls last, nothing infinite."""

import math
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from anomaly.backtest.rivals import RIVALS, Rival
from anomaly.indicators import INDICATORS

NAMES = {rival.name: rival for rival in RIVALS}


Values = tuple[int | None, int | None, int | None]  # of a route: now, a year before, baseline


def window(values: Sequence[Values], months: int = 12) -> pl.DataFrame:
    """Routes of (value, a year before, baseline), with every indicator; all but growth is unknown."""
    routes = pl.DataFrame(
        values,
        schema={"value_usd": pl.Int64, "value_prior_year_usd": pl.Int64, "value_baseline_usd": pl.Int64},
        orient="row",
    ).with_columns(window_months=pl.lit(months, pl.Int16))
    empty = [
        pl.lit(None, pl.Float64).alias(indicator.name) for indicator in INDICATORS if indicator.name != "surge_log"
    ]
    growth = (pl.col("value_usd") + 1e5) / (pl.col("value_prior_year_usd") + 1e5)
    return routes.with_columns(growth.log().alias("surge_log"), *empty)


ORDINARY = [(10_000_000 + 100_000 * at, 10_000_000, 10_000_000) for at in range(30)]
SURGE = (60_000_000, 5_000_000, 5_000_000)


LOOKS_AT_DIRECT_TRADE = ("direct_fall", "growth_where_direct_fell", "three_signs")


@pytest.mark.parametrize(
    "rival", [rival for rival in RIVALS if rival.name not in LOOKS_AT_DIRECT_TRADE], ids=lambda rival: rival.name
)
def test_a_tenfold_rise_among_ordinary_routes_comes_first(rival: Rival):
    ranked = rival.rank(window([*ORDINARY, SURGE]))
    assert ranked.arg_max() == len(ORDINARY)


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_rival_gives_one_finite_or_unknown_number_a_route(rival: Rival):
    odd = [(0, 0, 0), (5, None, None), (2_000_000, 0, 0), (0, 2_000_000, None), (10**15, 1, 1), *ORDINARY]
    for frame in (window(odd), window([]), window([(1_000_000, None, None)]), window([(7, 7, 7)] * 5)):
        ranked = rival.rank(frame)
        assert ranked.dtype == pl.Float64
        assert len(ranked) == frame.height
        assert ranked.drop_nulls().is_finite().all()


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_rival_says_what_it_is_and_whose(rival: Rival):
    assert rival.says
    assert rival.source
    assert [named_alike.name for named_alike in RIVALS].count(rival.name) == 1


def ranked(name: str, values: Sequence[Values], months: int = 12) -> list[Any]:
    """Numbers of the rival, None where it has none."""
    return NAMES[name].rank(window(values, months)).to_list()


def test_growth_is_over_the_year_before_and_from_nothing_it_comes_first():
    assert ranked("growth", [(30, 10, 0), (5, 10, 0), (9, None, 0)]) == [2.0, -0.5, None]
    from_nothing, from_little = ranked("growth", [(2_000_000, 0, 0), (2_000_000, 1_000, 0)])
    assert from_nothing > from_little


def test_the_eu_rule_wants_a_million_a_year_and_twice_the_mean():
    passes, at_mean, too_small = (2_400_000, 9, 1_200_000), (2_300_000, 9, 1_200_000), (1_000_000, 9, 100_000)
    assert ranked("eu_rule", [passes, at_mean, too_small]) == [2.0, None, None]
    assert ranked("eu_rule", [too_small], months=6) == [10.0]
    assert ranked("eu_rule", [(2_400_000, 9, None)]) == [None]


def test_the_z_rule_leaves_out_what_is_small_slow_or_from_nothing():
    flat = [(10_000_000, 10_000_000, 0)] * 20
    scores = ranked("growth_z", [*flat, (40_000_000, 10_000_000, 0), (40_000_000, 0, 0), (999_999, 250_000, 0)])
    assert [at for at, z in enumerate(scores) if z is not None] == [20]
    slow = ranked("growth_z", [*flat, (14_000_000, 10_000_000, 0)])
    assert slow[-1] is None  # z over 1.96, but 40 %


def test_hidiroglou_and_berthelot_by_hand():
    """r = 1, 2, 4 with sizes 100, 200, 400: s = -1, 0, 1; E = s x size^0.4; median 0, upper quartile half of the third."""
    low, middle, high = ranked("hidiroglou_berthelot", [(100, 100, 0), (200, 100, 0), (400, 100, 0)])
    assert middle == 0.0
    assert high == pytest.approx(2.0)
    assert low == pytest.approx(-2.0 * 100**0.4 / 400**0.4)


def test_of_two_equal_rises_hidiroglou_and_berthelot_put_the_larger_first():
    small, large = ranked("hidiroglou_berthelot", [*ORDINARY, (300, 100, 0), (300_000_000, 100_000_000, 0)])[-2:]
    assert large > small


def test_robust_z_counts_median_absolute_deviations():
    values = [(10**8 * rise, 10**8, 0) for rise in (1, 2, 4, 8, 16)]
    scores = ranked("robust_z", values)
    assert scores == pytest.approx([at / 1.4826 for at in (-2, -1, 0, 1, 2)], abs=0.01)
    assert math.isclose(scores[2], 0.0, abs_tol=1e-12)


def test_what_no_rule_names_is_last_in_the_ensemble():
    scores = ranked("ensemble", [*ORDINARY, SURGE, (2_000_000, None, None)])
    assert scores[-1] == min(score for score in scores if score is not None)


def signs(direct: float | None, upstream: float | None, hub: float | None, baseline: float | None) -> pl.DataFrame:
    """A route with the indicators that rules of direct trade look at."""
    values = {
        "direct_drop_log": direct, "upstream_surge_log": upstream, "surge_log": hub, "baseline_excess_log": baseline,
    }  # fmt: skip
    return window([(1, 1, 1)]).with_columns(pl.lit(value, pl.Float64).alias(name) for name, value in values.items())


def of_signs(name: str, *values: float | None) -> float | None:
    score: float | None = NAMES[name].rank(signs(*values)).item()
    return score


@pytest.mark.parametrize(("direct", "score"), [(0.22, None), (0.224, 2.0), (3.0, 2.0), (-1.0, None), (None, None)])
def test_growth_over_the_baseline_counts_where_direct_trade_fell_by_a_fifth(direct, score):
    assert of_signs("growth_where_direct_fell", direct, None, None, 2.0) == score


def test_the_fall_of_direct_trade_alone_does_not_look_at_the_route():
    assert of_signs("direct_fall", 1.5, None, None, None) == of_signs("direct_fall", 1.5, 9.0, 9.0, 9.0) == 1.5
    assert of_signs("direct_fall", None, 9.0, 9.0, 9.0) is None


@pytest.mark.parametrize(
    ("direct", "upstream", "hub", "score"),
    [
        (0.1, 0.1, 0.7, 0.7),
        (-0.1, 0.1, 0.7, None),
        (0.1, -0.1, 0.7, None),
        (0.1, 0.1, -0.7, None),
        (None, 0.1, 0.7, None),
        (0.1, None, 0.7, None),
    ],
)
def test_the_three_signs_are_all_wanted_and_rank_by_the_hubs_growth(direct, upstream, hub, score):
    assert of_signs("three_signs", direct, upstream, hub, None) == score
