"""The forest and its calibration on planted routes."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly.contract import schema
from anomaly.contract.errors import ContractBroken
from anomaly.contract.settings import Settings, load
from anomaly.scores import scores
from anomaly.scores.evidence import with_evidence

INPUTS = ["growth", "share"]
NAMES = {"hub to target": INPUTS, "coalition to hub": INPUTS}
QUICK = {"forest": {"trees": 20, "seeds": [0, 1], "max_samples": 256}}


def quick(**changes: Any) -> Settings:
    return load(**{**QUICK, **changes})


def routes(
    count: int, importers: list[str], role: str, year: int, *, growth: np.ndarray[Any, Any] | None = None, seed: int = 0
) -> pl.DataFrame:
    """Routes whose inputs are one-sided noise, or as given."""
    noise = np.random.default_rng(seed)
    honest = np.maximum(noise.normal(0, 0.3, count), 0)
    rises = honest if growth is None else growth
    return pl.DataFrame(
        {
            "freq_code": "A",
            "window_months": 12,
            "window_end": date(year, 12, 1),
            "good": [f"84{number:04d}" for number in range(count)],
            "exporter_iso": "KAZ",
            "importer_iso": [importers[number % len(importers)] for number in range(count)],
            "baseline_gap_years": 1,
            "role": role,
            "is_before_sanctions": year < 2022,
            "value_usd": 5_000_000,
            "is_from_coalition": False,
            "is_measured": True,
            "evidence_weight": 1.0,
            "source": "comtrade",
            "dataset": "one",
            "value_basis": "export",
            "is_wide": year >= 2022,
            "rise_log": rises,
            "rest_log": rises,
            "room_log": 9.0,
            "step_log": None,
            "step_age_months": None,
            "roughness": 1.0,
            "has_direct_fallen": True,
            "is_direct_known": True,
            "is_matched": False,
            "growth": rises,
            "share": np.maximum(noise.normal(0, 0.3, count), 0),
        },
        schema_overrides={
            "window_months": pl.Int16,
            "baseline_gap_years": pl.Int8,
            "step_log": pl.Float64,
            "step_age_months": pl.Int32,
        },
    )


def world(seed: int = 0) -> pl.DataFrame:
    """100 routes to RUS, ten of them planted surges, and 400 placebo routes."""
    growth = np.maximum(np.random.default_rng(seed + 9).normal(0, 0.3, 100), 0)
    growth[:10] = np.linspace(3, 5, 10)
    return pl.concat(
        [
            routes(100, ["RUS"], "target", 2022, growth=growth, seed=seed + 1),
            routes(400, ["ARG", "CHL"], "placebo", 2022, seed=seed + 2),
        ]
    )


def test_planted_surges_take_the_first_ranks() -> None:
    table = scores.build(world(), NAMES, quick()).scores
    first_goods = table.filter(pl.col("anomaly_rank") <= 10)["good"].to_list()
    assert sorted(first_goods) == [f"84{number:04d}" for number in range(10)]


def test_planted_surges_are_called_and_one_honest_route_in_ten_calls_at_most() -> None:
    planted, false = {f"84{number:04d}" for number in range(10)}, []
    for seed in range(5):
        table = scores.build(world(seed), NAMES, quick()).scores
        called = set(table.filter(pl.col("q_value") <= 0.1)["good"])
        assert planted <= called
        false.append(len(called - planted) / len(called))
    assert np.mean(false) <= 0.1


def test_placebo_importers_are_used_and_named_where_there_are_enough() -> None:
    calibration = scores.build(world(), NAMES, quick()).calibration
    assert calibration.select("placebo_kind", "placebos", "targets").rows() == [("importers", 400, 100)]


def test_periods_before_the_sanctions_serve_where_there_is_no_other_importer() -> None:
    only = world().filter(pl.col("role") == "target")
    past = pl.concat([routes(60, ["RUS"], "target", year, seed=year) for year in range(2016, 2022)])
    calibration = scores.build(pl.concat([only, past]), NAMES, quick()).calibration
    kinds = calibration.filter(pl.col("window_end").dt.year() == 2022)
    assert kinds.select("placebo_kind", "placebos").rows() == [("periods", 360)]


def test_a_window_before_the_sanctions_is_not_its_own_placebo() -> None:
    past = pl.concat([routes(60, ["RUS"], "target", year, seed=year) for year in range(2016, 2022)])
    calibration = scores.build(past, NAMES, quick()).calibration
    assert calibration["placebos"].unique().to_list() == [300]


def test_a_placebo_that_could_not_be_measured_is_none() -> None:
    blind = world().with_columns(is_measured=(pl.col("role") == "target") | (pl.col("importer_iso") == "ARG"))
    assert scores.build(blind, NAMES, quick()).calibration["placebos"].to_list() == [200]


def test_too_few_placebos_give_no_p_value_and_say_so() -> None:
    few_placebos = world().filter((pl.col("role") == "target") | (pl.col("good") < "840010"))
    scored = scores.build(few_placebos, NAMES, quick())
    assert scored.scores.height == 100
    assert scored.scores["p_value"].null_count() == 100
    assert scored.scores["placebos"].unique().to_list() == [10]
    assert scored.calibration.select("placebo_kind", "placebos").rows() == [("none", 10)]


def test_the_order_of_rows_changes_nothing() -> None:
    table = world()
    in_order = scores.build(table, NAMES, quick())
    shuffled = scores.build(table.sample(fraction=1.0, shuffle=True, seed=3), NAMES, quick())
    assert_frame_equal(in_order.scores, shuffled.scores, check_exact=True)
    assert_frame_equal(in_order.contributions, shuffled.contributions, check_exact=True)


def test_a_route_with_nothing_suspicious_is_the_least_anomalous() -> None:
    quiet = world().with_columns(
        pl.when(pl.col("good") == "840050").then(0.0).otherwise(pl.col(name)).alias(name) for name in INPUTS
    )
    table = scores.build(quiet, NAMES, quick()).scores
    assert table.filter(good="840050")["p_value"].item() > 0.5


def test_the_input_that_made_the_surge_has_the_largest_contribution() -> None:
    contributions = scores.build(world(), NAMES, quick()).contributions.filter(good="840009")
    assert contributions.sort("score_drop")["input"].last() == "growth"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_an_unfinished_input_is_refused_before_the_forest_sees_it(bad: float | None) -> None:
    table = world().with_columns(
        pl.when(pl.col("good") == "840001").then(pl.lit(bad)).otherwise("growth").alias("growth")
    )
    with pytest.raises(ContractBroken, match="NaN or inf"):
        scores.build(table, NAMES, quick())


def test_scores_keep_their_contracts() -> None:
    scored = scores.build(world(), NAMES, quick())
    schema.Scores.validate(scored.scores)
    schema.Calibration.validate(scored.calibration)
    schema.Contributions.validate(scored.contributions)


def test_honest_routes_alone_are_hardly_ever_called() -> None:
    called = 0
    for seed in range(5):
        honest = pl.concat(
            [
                routes(100, ["RUS"], "target", 2022, seed=10 * seed + 1),
                routes(400, ["ARG", "CHL"], "placebo", 2022, seed=10 * seed + 2),
            ]
        )
        called += scores.build(honest, NAMES, quick()).scores.filter(pl.col("q_value") <= 0.1).height
    assert called <= 5


def test_of_two_routes_that_rose_alike_the_one_in_the_likelier_place_stands_first() -> None:
    likely = pl.when(pl.col("good") == "840009").then(3.0).otherwise(1.0)
    table = world().with_columns(
        pl.when(pl.col("good").is_in(["840008", "840009"]) & (pl.col("role") == "target"))
        .then(4.5)
        .otherwise("growth")
        .alias("growth"),
        share=pl.when(pl.col("good").is_in(["840008", "840009"])).then(0.0).otherwise("share"),
        evidence_weight=likely,
    )
    scored = scores.build(table, NAMES, quick()).scores
    rank = dict(scored.select("good", "anomaly_rank").rows())
    assert rank["840009"] < rank["840008"]


def test_a_planted_surge_is_stable_over_seeds_and_backgrounds_and_an_honest_route_is_not() -> None:
    scored = scores.build(world(), NAMES, quick()).scores
    share = dict(scored.select("good", "stability_share").rows())
    assert share["840009"] == 1.0
    assert share["840050"] < 0.2


def test_of_more_placebos_than_needed_an_even_part_is_read() -> None:
    scored = scores.build(world(), NAMES, quick(calibration={"most_placebos": 100}))
    assert scored.calibration["placebos"].to_list() == [100]


def test_evidence_beyond_the_weights_is_read_from_the_route_alone() -> None:
    """A weight moves no p: what routes share says where to look, and is no evidence."""
    plain = scores.build(world(), NAMES, quick()).scores
    tilted = world().with_columns(evidence_weight=pl.when(pl.col("good") < "840050").then(2.0).otherwise(0.5))
    assert_frame_equal(
        plain.select("good", "p_value"), scores.build(tilted, NAMES, quick()).scores.select("good", "p_value")
    )


def test_a_rise_without_room_for_it_and_room_without_a_rise_are_both_no_evidence() -> None:
    """Ten planted surges keep their rise: five lose the room for it, five keep it."""
    barred = [f"84{number:04d}" for number in range(5)]
    table = world().with_columns(
        room_log=pl.when((pl.col("role") == "target") & pl.col("good").is_in(barred)).then(0.0).otherwise("room_log")
    )
    called = set(scores.build(table, NAMES, quick()).scores.filter(pl.col("q_value") <= 0.1)["good"])
    assert called.isdisjoint(barred)
    assert called >= {f"84{number:04d}" for number in range(5, 10)}


def steps(table: pl.DataFrame, age_months: int) -> pl.DataFrame:
    """Monthly routes of which each rose in one step, the ten planted surges so long before the end of the window."""
    planted = (pl.col("role") == "target") & (pl.col("good") < "840010")
    age = pl.when(planted).then(age_months).otherwise(5).cast(pl.Int32)
    return table.with_columns(freq_code=pl.lit("M"), step_log="rise_log", step_age_months=age)


def test_a_rise_that_stepped_up_before_the_measures_counts_half() -> None:
    after, before = (
        scores.build(steps(world(), age), NAMES, quick()).scores for age in (10, 11)
    )  # February 2022 is 10 back
    route = pl.col("good") == "840009"
    assert after.filter(route)["evidence_score"].item() == pytest.approx(5.0, abs=1e-3)
    assert before.filter(route)["evidence_score"].item() == pytest.approx(2.5, abs=1e-3)


def test_a_step_of_a_placebo_of_another_period_counts_in_as_many_months_before_its_own_end() -> None:
    past = routes(60, ["RUS"], "target", 2019, seed=3).with_columns(
        rise_log=2.0, step_log=2.0, step_age_months=pl.int_range(60, dtype=pl.Int32)
    )
    rises = with_evidence(past, since_months=4)["rise_score"].to_list()
    assert rises == [2.0] * 5 + [1.0] * 55


def test_no_step_is_asked_for_before_the_measures() -> None:
    past = routes(60, ["RUS"], "target", 2019).with_columns(rise_log=2.0, step_log=0.0)
    assert set(with_evidence(past, since_months=-1)["rise_score"]) == {2.0}


def a_table_of_its_own(window_placebos: int) -> pl.DataFrame:
    """Twelve routes of one exporter, three of them planted surges, so many placebo routes, and as many a year later."""
    growth = np.array([4.0, 4.5, 5.0, *[0.1] * 9])
    return pl.concat(
        [
            routes(12, ["RUS"], "target", 2022, growth=growth),
            routes(window_placebos, ["ARG"], "placebo", 2022, seed=2),
            routes(window_placebos, ["ARG"], "placebo", 2023, seed=4),
        ]
    )


def test_placebo_importers_of_other_windows_join_where_these_and_earlier_periods_are_few() -> None:
    scored = scores.build(a_table_of_its_own(20), NAMES, quick()).scores.filter(pl.col("window_end").dt.year() == 2022)
    assert scored["placebos"].unique().to_list() == [40]
    assert set(scored.filter(pl.col("q_value") <= 0.1)["good"]) == {"840000", "840001", "840002"}


def test_few_placebos_of_a_known_room_are_enough_where_hardly_any_has_none() -> None:
    tested = scores.build(a_table_of_its_own(20), NAMES, quick()).scores["tested_among"].drop_nulls().unique().to_list()
    assert tested == ["comtrade, one, export; rise and room; room known"]


def test_sixty_placebos_score_a_hubs_routes_and_none_of_the_coalitions() -> None:
    from_hub = a_table_of_its_own(30)
    role = pl.when(pl.col("role") == "target").then(pl.lit("other")).otherwise("role")
    from_coalition = from_hub.with_columns(exporter_iso=pl.lit("DEU"), is_from_coalition=True, role=role)
    tested = scores.build(pl.concat([from_hub, from_coalition]), NAMES, quick()).scores
    is_scored = tested.group_by("exporter_iso").agg(pl.col("p_value").is_not_null().all())
    assert dict(is_scored.rows()) == {"KAZ": True, "DEU": False}


def test_few_placebos_of_ones_own_are_not_joined_by_another_publishers() -> None:
    figures = ["good", "p_value", "q_value", "placebos"]
    own = a_table_of_its_own(20)
    alone = scores.build(own, NAMES, quick()).scores.select(figures)
    beside = scores.build(pl.concat([own, another_dataset(2.0)]), NAMES, quick()).scores.filter(exporter_iso="KAZ")
    assert_frame_equal(alone, beside.select(figures), check_exact=True)


def test_rough_trade_of_the_year_takes_away_what_its_roughness_explains() -> None:
    rough = world().with_columns(
        roughness=pl.when(pl.col("role") == "target").then(pl.lit(100.0)).otherwise(pl.lit(1.0))
    )
    assert scores.build(rough, NAMES, quick()).scores.filter(pl.col("q_value") <= 0.1).is_empty()


def test_routes_whose_room_is_unknown_are_a_family_of_their_own_judged_by_the_rise() -> None:
    unknown = [f"84{number:04d}" for number in range(50)]
    table = world().with_columns(
        room_log=pl.when((pl.col("role") == "target") & pl.col("good").is_in(unknown)).then(None).otherwise("room_log")
    )
    tested = scores.build(table, NAMES, quick()).scores
    of_family = dict(tested.group_by("tested_among").len().rows())
    assert of_family == {
        "comtrade, one, export; rise; room unknown": 50,
        "comtrade, one, export; rise and room; room known": 50,
    }
    assert {f"84{number:04d}" for number in range(10)} <= set(tested.filter(pl.col("q_value") <= 0.1)["good"])


def test_where_few_placebos_have_a_known_room_every_route_is_judged_by_its_rise() -> None:
    table = world().with_columns(room_log=pl.when(pl.col("role") == "target").then("room_log"))
    tested = scores.build(table, NAMES, quick()).scores
    assert tested["tested_among"].unique().to_list() == ["comtrade, one, export; rise; room known"]
    assert tested["placebos"].unique().to_list() == [400]


def another_dataset(shift: float = 0.0) -> pl.DataFrame:
    """100 routes and 400 placebos of another publisher, other goods and another exporter, all of them rising by `shift`."""
    return world(seed=5).with_columns(
        pl.col("good").str.replace("84", "61"),
        exporter_iso=pl.lit("UZB"),
        source=pl.lit("table"),
        dataset=pl.lit("other"),
        rise_log=pl.col("rise_log") + shift,
        rest_log=pl.col("rest_log") + shift,
    )


def test_a_dataset_that_shares_no_route_good_and_reporter_changes_nothing() -> None:
    figures = ["good", "exporter_iso", "p_value", "q_value", "placebos", "placebo_kind", "tested_among", "shock_ratio"]
    alone = scores.build(world(), NAMES, quick()).scores.select(figures)
    beside = scores.build(pl.concat([world(), another_dataset(2.0)]), NAMES, quick()).scores
    assert_frame_equal(alone, beside.filter(exporter_iso="KAZ").select(figures), check_exact=True)


def test_an_exporter_with_all_its_partners_does_not_become_the_placebos_of_one_published_to_targets_only() -> None:
    """KAZ has earlier periods only; a whole table of UZB comes beside it in the same dataset."""
    only = world().filter(pl.col("role") == "target").with_columns(is_wide=False)
    past = pl.concat([routes(60, ["RUS"], "target", year, seed=year) for year in range(2016, 2022)])
    narrow = pl.concat([only, past])
    whole = another_dataset(2.0).with_columns(source=pl.lit("comtrade"), dataset=pl.lit("one"))
    figures = ["good", "window_end", "p_value", "q_value", "placebos", "placebo_kind"]
    alone = scores.build(narrow, NAMES, quick()).scores.select(figures)
    beside = scores.build(pl.concat([narrow, whole]), NAMES, quick()).scores.filter(exporter_iso="KAZ")
    assert_frame_equal(alone, beside.select(figures), check_exact=True)


def test_too_few_placebos_alike_published_are_borrowed_from_all_and_the_window_says_so() -> None:
    few_placebos = another_dataset().filter((pl.col("role") == "target") | (pl.col("good") < "610020"))
    scored = scores.build(pl.concat([world(), few_placebos]), NAMES, quick())
    borrowed = scored.scores.filter(exporter_iso="UZB")
    assert borrowed["placebos"].unique().to_list() == [400 + 20]
    assert "of other publishers too" in scored.calibration["says"].item()


def test_control_routes_that_rise_together_raise_every_p_of_the_window() -> None:
    """Half of the routes have no room and rise as only one placebo in ten does: a shock of the year."""
    no_room = (pl.col("role") == "target") & (pl.col("good") >= "840050")
    calm = world().with_columns(room_log=pl.when(no_room).then(0.0).otherwise("room_log"))
    shocked = calm.with_columns(rise_log=pl.when(no_room).then(1.0).otherwise("rise_log"))
    quiet, loud = (scores.build(table, NAMES, quick()).scores for table in (calm, shocked))
    assert (quiet["shock_ratio"] < 2).all()
    assert (loud["shock_ratio"] > 5).all()
    route = pl.col("good") == "840030"
    assert loud.filter(route)["p_value"].item() > quiet.filter(route)["p_value"].item()
