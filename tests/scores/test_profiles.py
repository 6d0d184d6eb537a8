"""Profiles of countries and goods: columns by hand, and planted hubs among honest ones."""

from datetime import date
from math import log
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly.contract.errors import ContractBroken
from anomaly.contract.settings import Settings, load
from anomaly.scores import forest, profiles
from anomaly.scores.hypothesis_weights import HALVED_LOG, LEAST_WEIGHT

EXPORTERS = ["AM", "AE", "CN", "GE", "IN", "KZ", "KG", "RS", "TR", "UZ", "VN", "ZA"]
PLACEBO_IMPORTERS = [f"P{number}" for number in range(10)]
FALLEN, STOOD = [f"84{number:04}" for number in range(10)], [f"61{number:04}" for number in range(10)]
SCORES = ["anomaly_score", "evidence_score", "p_value", "q_value"]
KEY = {"freq_code": "M", "window_months": 12, "window_end": date(2022, 12, 1)}


def quick(**changes: Any) -> Settings:
    return load(**{"forest": {"trees": 20, "seeds": [0, 1], "max_samples": 256}, **changes})


def finished(routes: pl.DataFrame) -> pl.DataFrame:
    """With the joint statistic, the softer minimum of rise and room."""
    rise, room = pl.col("unexplained_log"), pl.col("room_log")
    return routes.with_columns(joint_score=-0.5 * ((-2 * rise).exp() + (-2 * room).exp()).log())


def trade(seed: int = 1, placebo_importers: int = 10) -> pl.DataFrame:
    """Every country sells every good to the target and to importers that cannot be evasion: honest trade."""
    draw = np.random.default_rng(seed)
    importers = ["RU", *PLACEBO_IMPORTERS[:placebo_importers]]
    rows = [(exporter, good, importer) for exporter in EXPORTERS for good in FALLEN + STOOD for importer in importers]
    routes = pl.DataFrame(rows, schema=["exporter_iso", "good", "importer_iso"], orient="row")
    is_target = pl.col("importer_iso") == "RU"
    return finished(
        routes.with_columns(
            **{name: pl.lit(value) for name, value in KEY.items()},
            role=pl.when(is_target).then(pl.lit("target")).otherwise(pl.lit("placebo")),
            unexplained_log=pl.Series(draw.normal(0, 0.3, len(rows))),
            room_log=pl.Series(draw.exponential(0.3, len(rows))),
            direct_fall_log=pl.when(is_target & pl.col("good").is_in(FALLEN)).then(1.0).otherwise(0.0),
            value_usd=pl.lit(2_000_000), value_baseline_usd=pl.lit(1_500_000), value_prior_year_usd=pl.lit(1_500_000),
        )
    )  # fmt: skip


def with_rise(routes: pl.DataFrame, exporter: str, goods: list[str]) -> pl.DataFrame:
    """A country sells the target seven times what is expected of these goods, and has been sold enough for it."""
    planted = (pl.col("exporter_iso") == exporter) & (pl.col("importer_iso") == "RU") & pl.col("good").is_in(goods)
    rise = {name: pl.when(planted).then(2.0).otherwise(name) for name in ("unexplained_log", "room_log")}
    return finished(routes.with_columns(**rise))


def test_planted_hubs_are_called_and_no_honest_country_is() -> None:
    routes = with_rise(with_rise(trade(), "KZ", FALLEN[:4]), "KG", FALLEN[2:6])
    built = profiles.build(routes, "exporter_iso", quick())
    assert built.height == len(EXPORTERS)
    assert built.filter(pl.col("q_value") <= 0.1)["exporter_iso"].to_list() == ["KG", "KZ"]
    assert built["placebos"].unique().to_list() == [len(EXPORTERS) * len(PLACEBO_IMPORTERS)]


def test_goods_that_several_countries_send_round_are_called() -> None:
    routes = trade(seed=0)
    for exporter in ("KG", "KZ", "AM"):
        routes = with_rise(routes, exporter, FALLEN[:2])
    built = profiles.build(routes, "good", quick())
    assert built.filter(pl.col("q_value") <= 0.05)["good"].to_list() == FALLEN[:2]


def test_p_is_never_finer_than_its_placebos() -> None:
    built = profiles.build(with_rise(trade(), "KZ", FALLEN), "exporter_iso", quick())
    assert built["p_value"].min() == 1 / (1 + len(EXPORTERS) * len(PLACEBO_IMPORTERS))


def test_a_rise_counts_for_more_in_goods_whose_direct_trade_fell() -> None:
    fallen, stood = (with_rise(trade(), "KZ", goods[:2]) for goods in (FALLEN, STOOD))
    kazakh = pl.col("exporter_iso") == "KZ"
    scores = [
        profiles.build(routes, "exporter_iso", quick()).filter(kazakh)["evidence_score"].item()
        for routes in (fallen, stood)
    ]
    assert scores[0] > scores[1] + 0.05


def test_honest_trade_is_hardly_ever_called() -> None:
    """q is the share of false calls, so all calls here are false: in one window of ten there may be one."""
    called = [
        profiles.build(trade(seed), "exporter_iso", quick(forest={"trees": 10, "seeds": [0]})).filter(
            pl.col("q_value") <= 0.1
        )
        for seed in range(20)
    ]
    assert sum(not calls.is_empty() for calls in called) <= 5  # a binomial of 20 and 0.1 is above in one case of ninety


def by_hand() -> pl.DataFrame:
    """Kazakhstan sells three goods to Russia and to Peru; direct trade with Russia fell in the first alone."""
    columns = {
        "good": ["840001", "840002", "840003"] * 2,
        "importer_iso": ["RU"] * 3 + ["PE"] * 3,
        "role": ["target"] * 3 + ["placebo"] * 3,
        "unexplained_log": [1.0, 0.2, -0.5, 0.5, 0.0, 0.1],
        "room_log": [2.0, 0.0, 1.0, 2.0, 0.0, 1.0],
        "joint_score": [0.9, -0.2, -0.6, 0.4, -0.3, 0.0],
        "direct_fall_log": [0.7, 0.1, None, None, None, 3.0],
        "value_usd": [600_000, 300_000, 100_000, 500_000, 500_000, 500_000],
        "value_baseline_usd": [0, 300_000, None, 0, 500_000, 500_000],
        "value_prior_year_usd": [0, 300_000, 100_000, 0, 500_000, 500_000],
    }
    return pl.DataFrame({**KEY, "exporter_iso": "KZ", **columns})


def profile_to(importer: str, routes: pl.DataFrame | None = None) -> dict[str, Any]:
    built = profiles.profile(by_hand() if routes is None else routes, "exporter_iso", quick())
    return built.row(by_predicate=pl.col("importer_iso") == importer, named=True)


def test_a_profile_by_hand() -> None:
    russia = profile_to("RU")
    fall_weights = [0.7 / (0.7 + HALVED_LOG), 0.1 / (0.1 + HALVED_LOG), 0.0]
    chances = [1 / 4, 3 / 4, 4 / 4]  # placebo routes with 0.4, 0.0 and -0.3, and the route itself
    evidence = sum((fall + LEAST_WEIGHT) / chance for fall, chance in zip(fall_weights, chances, strict=True))
    assert russia["routes"] == 3
    assert russia["value_usd"] == 1_000_000
    assert russia["fallen_score"] == 0.9
    assert russia["breadth_log"] == pytest.approx(log(evidence))
    assert russia["room_rise_log"] == pytest.approx((2.0 * 1.0 + 1.0 * 0.0) / 3.1)
    assert russia["median_unexplained_log"] == 0.2
    assert russia["high_unexplained_log"] == pytest.approx(0.2 + 0.8 * 0.8)
    assert russia["fall_contrast_log"] == pytest.approx(1.0 - (0.2 - 0.5) / 2)
    assert russia["risen_value_share"] == 0.6


def test_goods_are_sorted_for_placebo_importers_as_for_the_targets() -> None:
    """What fell between the coalition and Peru says nothing: 0.4 is the joint score of the good that fell to Russia."""
    peru = profile_to("PE")
    assert peru["fallen_score"] == 0.4
    assert peru["fall_contrast_log"] == pytest.approx(0.5 - 0.05)


def test_a_placebo_route_counts_itself_once_and_no_other_placebo_twice() -> None:
    fall_weights = [0.7 / (0.7 + HALVED_LOG), 0.1 / (0.1 + HALVED_LOG), 0.0]
    chances = [1 / 3, 3 / 3, 2 / 3]
    evidence = sum((fall + LEAST_WEIGHT) / chance for fall, chance in zip(fall_weights, chances, strict=True))
    assert profile_to("PE")["breadth_log"] == pytest.approx(log(evidence))


def test_a_new_route_counts_where_few_placebo_routes_have_as_much() -> None:
    placebos = pl.concat(
        [by_hand().filter(role="placebo").with_columns(importer_iso=pl.lit(f"P{n}")) for n in range(4)]
    )
    among_placebos = pl.concat([by_hand(), placebos])
    assert profile_to("RU", among_placebos)["unusual_new_routes"] == 1  # one of sixteen
    assert profile_to("RU")["unusual_new_routes"] == 0  # one of four
    assert profile_to("PE", among_placebos)["unusual_new_routes"] == 0  # a third of the placebo routes have as much


def test_a_route_with_an_unknown_baseline_is_not_new() -> None:
    placebos = pl.concat(
        [by_hand().filter(role="placebo").with_columns(importer_iso=pl.lit(f"P{n}")) for n in range(4)]
    )
    unknown = by_hand().with_columns(value_baseline_usd=pl.lit(None, pl.Int64))
    assert profile_to("RU", pl.concat([unknown, placebos]))["unusual_new_routes"] == 0


def test_a_country_none_of_whose_goods_fell_has_no_score_of_fallen_goods() -> None:
    stood = profile_to("RU", by_hand().with_columns(direct_fall_log=pl.lit(0.0)))
    assert stood["fallen_score"] is None
    assert stood["fall_contrast_log"] is None


def test_a_good_of_two_sellers_stands_in_the_table_without_a_score() -> None:
    is_kept = ~((pl.col("good") == FALLEN[0]) & ~pl.col("exporter_iso").is_in(["KZ", "KG"]))
    built = profiles.build(trade().filter(is_kept), "good", quick())
    of_two = built.filter(pl.col("routes") == 2)
    assert of_two["good"].to_list() == FALLEN[:1]
    assert of_two.select(SCORES).row(0) == (None,) * 4
    assert built.filter(pl.col("routes") > 2)["q_value"].null_count() == 0


def test_too_few_placebos_are_no_background() -> None:
    built = profiles.build(trade(placebo_importers=5), "exporter_iso", quick())
    assert built["placebos"].unique().to_list() == [5 * len(EXPORTERS)]
    assert all(built[name].null_count() == len(EXPORTERS) for name in SCORES)


def test_profiles_of_a_single_placebo_importer_are_no_background_however_many() -> None:
    built = profiles.build(trade(placebo_importers=1), "good", quick(calibration={"least_placebos": 20}))
    assert built["placebos"].unique().to_list() == [20]
    assert all(built[name].null_count() == 20 for name in SCORES)


def test_no_placebos_at_all_are_no_error() -> None:
    built = profiles.build(trade(placebo_importers=0), "exporter_iso", quick())
    assert built.select("p_value", "placebos").unique().row(0) == (None, 0)


def test_a_window_is_scored_beside_those_of_its_length_and_year_alone() -> None:
    year_later = trade(2).with_columns(window_end=pl.lit(date(2023, 12, 1)))
    alone = profiles.build(trade(), "exporter_iso", quick())
    beside = profiles.build(pl.concat([trade(), year_later]), "exporter_iso", quick())
    assert_frame_equal(beside.filter(pl.col("window_end") == KEY["window_end"]), alone)
    assert beside.height == 2 * alone.height


def test_the_order_of_rows_changes_nothing() -> None:
    routes = with_rise(trade(), "KZ", FALLEN[:4])
    shuffled = profiles.build(routes.sample(fraction=1.0, shuffle=True, seed=5), "exporter_iso", quick())
    assert_frame_equal(shuffled, profiles.build(routes, "exporter_iso", quick()), check_exact=True)


def test_no_placebo_is_scored_by_a_forest_that_saw_its_importer(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_seen(placebos: np.ndarray[Any, Any], ranks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.isin(ranks[:, 0], placebos[:, 0]).astype(float)

    monkeypatch.setattr(forest, "grown", lambda placebos, *_: placebos)
    monkeypatch.setattr(forest, "anomaly_of", is_seen)
    importers = np.array([*PLACEBO_IMPORTERS, "RU"] * 2, dtype=object)
    ranks = np.array([float(row % 11) for row in range(22)])[:, None]  # an importer's rows look alike
    anomaly_scores = profiles._anomaly(ranks, importers, importers != "RU", quick())
    assert anomaly_scores.tolist() == [0.0] * 22


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf")])
def test_an_unfinished_measure_is_refused(bad: float | None) -> None:
    routes = by_hand().with_columns(room_log=pl.lit(bad, pl.Float64))
    with pytest.raises(ContractBroken, match="finite unexplained_log, room_log, joint_score"):
        profiles.profile(routes, "exporter_iso", quick())


def test_a_profile_is_of_a_country_or_of_a_good() -> None:
    with pytest.raises(ContractBroken, match="exporter_iso or good"):
        profiles.build(by_hand(), "importer_iso", quick())
