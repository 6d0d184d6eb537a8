"""What the figures of the backtest mean, by hand on a few routes."""

from datetime import date
from typing import Any

import polars as pl

from anomaly.backtest import judge
from anomaly.contract.schema_results import Backtest
from anomaly.indicators import INDICATORS

WINDOW: dict[str, Any] = {
    "freq_code": "M",
    "window_months": 6,
    "window_end": date(2022, 6, 1),
    "as_of": date(2022, 9, 30),
}
RIVALS = [name for name in judge.METHODS if name != judge.OURS]
CALIBRATION = pl.DataFrame(
    [{**WINDOW, "leg": "hub to target", "placebos": 200, "placebos_flagged_per_1000": 5.0, "targets": 4}]
)
EVENT = {"kind": "hub_reexport", "start": date(2022, 3, 1), "is_evasion": True}


def route(
    good: str, growth: float | None, q: float, *, right: bool, flagged: bool = False, **changes: Any
) -> dict[str, Any]:
    """A candidate route; every rival but growth names nothing."""
    rivals = dict.fromkeys(RIVALS) | {"growth": growth}
    columns = {
        **WINDOW, "good": good, "exporter_iso": "KAZ", "importer_iso": "RUS", "leg": "hub to target", "role": "target",
        "is_before_sanctions": False, "is_candidate": True, "is_flagged": flagged, "q_value": q,
        "anomaly_score": 0.5, "anomaly_rank": 1, "planted": right, "direct_drop_log": 0.0,
    }  # fmt: skip
    return columns | rivals | changes


def judged(routes: list[dict[str, Any]], *events: tuple[str, dict[str, Any]], in_all: int = 1) -> pl.DataFrame:
    """The table of routes; events as (good, what it is), active in every window of the good."""
    kinds = dict.fromkeys([*RIVALS, "direct_drop_log"], pl.Float64)
    rows = pl.DataFrame(routes, schema_overrides={**kinds, "window_months": pl.Int16}, infer_schema_length=None)
    key = ["freq_code", "window_months", "window_end", "good", "exporter_iso", "importer_iso"]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **{name: rows.schema[name] for name in key},
        "event_id": pl.String,
        "kind": pl.String,
        "start": pl.Date,
        "is_evasion": pl.Boolean,
    }
    labels = [
        {**{name: row[name] for name in key}, "event_id": good, **event}
        for good, event in events
        for row in {tuple(row[name] for name in key): row for row in routes}.values()
        if row["good"] == good
    ]
    return judge.build(rows, [judge.PLANTED], pl.DataFrame(labels, schema=schema), CALIBRATION, judge.PLANTED, in_all)


def figure(table: pl.DataFrame, measure: str, method: str = "ours", **key: Any) -> tuple[int | None, int | None]:
    key = {"as_of": "all", "window_months": 0, "kind": "", **key}
    matches = table.filter(pl.col("measure") == measure, pl.col("method") == method, **key)
    assert matches.height == 1, matches
    return matches.select("hits", "out_of").row(0)


FOUR = [
    route("100000", 9.0, 0.01, right=True, flagged=True),
    route("200000", 5.0, 0.02, right=False, flagged=True),
    route("300000", 7.0, 0.50, right=True),
    route("400000", None, 0.90, right=False),
]


def test_every_figure_is_of_the_contract():
    table = judged(FOUR, ("100000", EVENT))
    Backtest.validate(table)
    assert table["method"].is_in([*judge.METHODS, judge.CHANCE, "all"]).all()


def test_ours_is_flags_first_then_q_and_a_rival_is_held_to_as_many_flags():
    table = judged(FOUR, ("100000", EVENT))
    assert figure(table, "flagged_share") == (2, 4)
    assert figure(table, "precision_at_flags") == (1, 2)
    assert figure(table, "precision_at_flags", "growth") == (2, 2)


def test_a_place_that_a_rule_leaves_empty_is_not_right():
    table = judged(FOUR, ("100000", EVENT))
    assert figure(table, "precision_at_10") == (2, 4)
    assert figure(table, "precision_at_10", "growth") == (2, 4)
    assert figure(table, "precision_at_flags", "eu_rule") == (0, 2)


def test_chance_is_the_share_of_right_ones_among_all_candidates():
    assert figure(judged(FOUR, ("100000", EVENT)), "precision_of_all", "chance") == (2, 4)


def test_two_dates_and_two_lengths_are_families_of_their_own_and_sum_up():
    later = {"as_of": date(2022, 12, 31), "window_end": date(2022, 9, 1)}
    short: dict[str, Any] = {"window_months": 3}
    routes = [
        *FOUR,
        route("100000", 1.0, 0.01, right=True, flagged=True, **later),
        route("100000", 1.0, 0.3, right=True, **short),
    ]
    table = judged(routes, ("100000", EVENT))
    assert figure(table, "precision_at_flags", as_of="2022-09-30", window_months=6) == (1, 2)
    assert figure(table, "precision_at_flags", as_of="2022-12-31", window_months=6) == (1, 1)
    assert figure(table, "precision_at_flags", window_months=6) == (2, 3)
    assert figure(table, "precision_at_10", window_months=3) == (1, 1)
    assert figure(table, "precision_at_10") == (4, 6)


def test_an_event_is_found_where_one_of_its_windows_is_flagged_and_the_wait_is_counted_from_its_first_month():
    later = {"as_of": date(2022, 12, 31), "window_end": date(2022, 9, 1)}
    routes = [
        route("300000", 9.0, 0.5, right=True),
        route("100000", 1.0, 0.01, right=True, flagged=True),
        route("300000", 1.0, 0.05, right=True, flagged=True, **later),
    ]
    table = judged(routes, ("300000", EVENT), ("100000", {**EVENT, "kind": "new_route"}), in_all=3)
    assert figure(table, "recall_at_flags") == (2, 2)
    assert figure(table, "recall_at_flags", kind="new_route") == (1, 1)
    waits = table.filter(pl.col("measure") == "median_months_to_flag").select("method", "value")
    assert dict(waits.rows())["ours"] == 7.5  # March to September, and March to December
    assert dict(waits.rows())["eu_rule"] is None
    assert figure(table, "found_by", as_of="2022-09-30") == (1, 2)
    assert figure(table, "found_by", as_of="2022-12-31") == (2, 2)
    assert figure(table, "events_tested", "all") == (2, 3)


def test_a_planted_boom_that_is_flagged_counts_as_benign_and_not_as_found():
    boom = {**EVENT, "kind": "product_boom", "is_evasion": False}
    table = judged(FOUR, ("100000", EVENT), ("200000", boom), ("400000", boom))
    assert figure(table, "benign_flagged_at_flags") == (1, 2)
    assert figure(table, "recall_at_flags") == (1, 1)


def test_a_fall_after_a_measure_is_neither_found_nor_benign():
    table = judged(FOUR, ("100000", EVENT), ("200000", {**EVENT, "kind": "fall", "is_evasion": None}))
    assert figure(table, "recall_at_flags") == (1, 1)
    assert table.filter(pl.col("measure").str.starts_with("benign")).is_empty()


def ladder(scores: list[tuple[float, bool]]) -> pl.DataFrame:
    """Routes by growth, right or not, each right one an event."""
    routes = [route(f"{at:06d}", score, 0.5, right=right) for at, (score, right) in enumerate(scores)]
    return judged(routes, *[(f"{at:06d}", EVENT) for at, (_, right) in enumerate(scores) if right])


def test_the_threshold_is_the_lowest_at_which_5_percent_of_the_flags_are_false():
    """19 right, 1 false (5 %), 1 right, 1 false, 1 right, then false ones only: 20 of 21 right ones are found.

    Of all false routes 5 % are two, and 21 are found.
    """
    scores = [(100.0 - at, at not in (19, 21)) for at in range(23)] + [(50.0 - at, False) for at in range(40)]
    table = ladder(scores)
    assert figure(table, "recall_at_5pct_of_flags", "growth") == (20, 21)
    assert figure(table, "recall_at_5pct_of_negatives", "growth") == (21, 21)


def test_where_most_events_are_never_flagged_the_median_wait_is_unknown():
    routes = [*FOUR, route("500000", None, 0.9, right=True)]
    table = judged(routes, ("100000", EVENT), ("300000", EVENT), ("500000", EVENT))
    waits = dict(table.filter(pl.col("measure") == "median_months_to_flag").select("method", "value").rows())
    assert (waits["ours"], waits["growth"]) == (None, 6.0)


def test_a_tie_is_flagged_whole_or_not_at_all():
    """Ten right ones share their score with ten false ones: no threshold keeps 5 %."""
    assert figure(ladder([(7.0, at < 10) for at in range(20)]), "recall_at_5pct_of_flags", "growth") == (0, 10)


def test_a_rivals_threshold_since_the_sanctions_is_put_to_placebos_and_to_the_time_before():
    before: dict[str, Any] = {"is_before_sanctions": True, "as_of": date(2021, 12, 31), "window_end": date(2021, 12, 1)}
    placebo: dict[str, Any] = {"role": "placebo", "is_candidate": False, "q_value": None}
    routes = [
        *FOUR,
        route("500000", 7.0, 0.9, right=False, **before),
        route("600000", 6.9, 0.9, right=False, **before),
        *[route(f"7{at:05d}", growth, 0.9, right=False, **placebo) for at, growth in enumerate([8.0, 7.5, 3.0])],
    ]
    table = judged(routes, ("100000", EVENT))
    assert figure(table, "flagged_before_sanctions", "growth") == (1, 2)  # two flags: growth of 7 and more
    assert figure(table, "flagged_before_sanctions") == (0, 2)
    assert figure(table, "placebos_flagged", "growth") == (2, 3)
    assert figure(table, "placebos_flagged") == (1, 200)
    assert figure(table, "precision_at_flags") == (1, 2)


def test_every_route_of_a_window_is_ranked_by_every_rival():
    route_key = {**WINDOW, "good": "100000", "exporter_iso": "KAZ", "importer_iso": "RUS", "leg": "hub to target"}
    values = {"value_usd": 9_000_000, "value_prior_year_usd": 1_000_000, "value_baseline_usd": 1_000_000}
    routes = pl.DataFrame([route_key | values | {indicator.name: 1.0 for indicator in INDICATORS}]).drop("as_of")
    ranked = judge.ranked(routes, WINDOW["as_of"])
    assert ranked["as_of"].to_list() == [date(2022, 9, 30)]
    assert (ranked["growth"].item(), ranked["eu_rule"].item()) == (8.0, 9.0)
    assert set(RIVALS) <= set(ranked.columns)
    assert judge.ranked(routes.head(0), WINDOW["as_of"]).is_empty()


FELL: dict[str, Any] = {"direct_drop_log": 3.0}
STOOD: dict[str, Any] = {"direct_drop_log": 0.0}
STRATA = [
    route("100000", 1.0, 0.01, right=True, flagged=True, direct_fall=3.0, **FELL),
    route("200000", 9.0, 0.60, right=False, direct_fall=3.0, **FELL),
    route("300000", 8.0, 0.70, right=True, direct_fall=0.0, **STOOD),
    route("400000", 2.0, 0.02, right=False, flagged=True, direct_fall=0.0, **STOOD),
    route("500000", 0.0, 0.80, right=False, direct_fall=0.0, **STOOD),
]


def test_among_goods_that_fell_alike_a_rival_flags_as_many_of_each_as_we_do():
    """Growth takes 200000 and 300000 in all, and the first of each stratum: these two again; the fall takes 1 and 2 in all."""
    table = judged(STRATA, ("100000", EVENT), ("300000", EVENT))
    alike = "precision_at_flags_alike"
    assert figure(table, alike) == (1, 2)
    assert figure(table, alike, "growth") == (1, 2)
    assert figure(table, alike, "growth", kind="fell by more") == (0, 1)
    assert figure(table, alike, "growth", kind="stood") == (1, 1)
    assert figure(table, "precision_at_flags", "direct_fall") == (1, 2)
    assert figure(table, "recall_at_flags_alike", "growth") == (1, 2)


def test_the_fall_alone_says_nothing_among_goods_that_fell_alike():
    """By the fall the right ones of one stratum come first in all; within it they are as any other of it."""
    within = [route(f"{at:06d}", 0.0, 0.5, right=at == 3, flagged=at == 3, direct_fall=3.0, **FELL) for at in range(4)]
    outside = [route(f"9{at:05d}", 0.0, 0.5, right=False, direct_fall=0.0, **STOOD) for at in range(4)]
    table = judged([*within, *outside], ("000003", EVENT))
    assert figure(table, "precision_at_flags_alike", "direct_fall") == (0, 1)
    chance = table.filter(measure="precision_of_all_alike", as_of="all", window_months=0, kind="")["value"].item()
    assert chance == 0.25
    assert figure(table, "precision_of_all", "chance") == (1, 8)


def test_chance_among_goods_that_fell_alike_draws_as_many_of_each_as_we_flag():
    table = judged(STRATA, ("100000", EVENT))
    chance = table.filter(measure="precision_of_all_alike", as_of="all", window_months=0, kind="")["value"].item()
    assert chance == (1 / 2 + 1 / 3) / 2


def test_goods_without_a_known_fall_are_a_stratum_of_their_own():
    routes = [*STRATA, route("600000", 9.0, 0.01, right=True, flagged=True, direct_drop_log=None)]
    table = judged(routes, ("100000", EVENT))
    assert figure(table, "precision_at_flags_alike", kind="fall unknown") == (1, 1)
