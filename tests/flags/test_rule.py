"""When a route is a flag, and that everybody who tells why it is none says the same."""

from datetime import date
from math import nextafter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.periods import Window
from anomaly.contract.settings import load
from anomaly.evidence import comparables, other_sellers
from anomaly.features.features import table_schema
from anomaly.flags import flags, rule
from anomaly.flags.types import conditions
from anomaly.indicators.base import FELL_LOG, direct_fall_log
from anomaly.query import answer, explain, held
from anomaly.query.question import Question, Side
from anomaly.scores import placebos
from tests.flags.scored import calibrated, no_contributions, scored
from tests.flags.test_flags import NAMES, NO_LIST
from tests.trade import measured, prepared, years

MILLION = 1_000_000
SETTINGS = load()
LIMITS = rule.limits_of(SETTINGS)
WINDOW = {"freq_code": "A", "window_months": 12, "window_end": date(2022, 12, 1)}
# A route that keeps every condition of a flag, as rule.beside_scores leaves it.
FLAGGED = {
    **WINDOW, "good": "847989", "exporter_iso": "KAZ", "importer_iso": "RUS", "value_usd": 12 * MILLION, "is_measured": True,
    "is_scored": True, "q_value": 0.05, "q_limit": 0.1, "refused_because": None, "is_before_sanctions": False, "surge_log": 1.7,
    "baseline_excess_log": 1.7, "new_route": 0.0, "direct_drop_log": 1.9, "mirror_gap_shift_log": None,
    "neighbour_code_shift": None, "coalition_to_hub_usd": 5_000_000, "coalition_to_target_usd": 15 * MILLION, "coalition_to_target_prior_usd": 100 * MILLION,
    "coalition_to_target_baseline_usd": 100 * MILLION, "level_shift_log": None, "excess_usd": 3e6,
    "unexplained_rise_log": 1.7, "route_through_usd": 4e6,
}  # fmt: skip
SECOND = {**FLAGGED, "importer_iso": "UZB"}  # from one possible hub to another
GHOST = {**FLAGGED, "exporter_iso": "DEU", "importer_iso": "KAZ", "mirror_gap_shift_log": 1.0}
KINDS = {
    **held.COLUMNS["features"], "is_measured": pl.Boolean, "is_scored": pl.Boolean, "q_value": pl.Float64,
    "q_limit": pl.Float64, "refused_because": pl.String,
}  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={name: KINDS[name] for name in FLAGGED})


def judged(row: dict[str, Any]) -> tuple[bool, str]:
    """Whether a route is a flag, and why not."""
    table = frame(row).select(rule.is_flag(LIMITS).alias("is_flag"), why_not=rule.why_not(LIMITS))
    is_flag, why_not = table.row(0)
    return is_flag, why_not


def test_a_route_that_keeps_every_condition_is_a_flag_on_each_leg() -> None:
    assert judged(FLAGGED) == (True, rule.NOTHING)
    assert judged(GHOST) == (True, rule.NOTHING)
    assert judged(SECOND) == (True, rule.NOTHING)


def test_a_limit_itself_is_within_it() -> None:
    assert judged(FLAGGED | {"value_usd": MILLION, "q_value": 0.1, "surge_log": 0.405}) == (True, rule.NOTHING)


@pytest.mark.parametrize(
    ("row", "change", "words"),
    [
        (FLAGGED, {"refused_because": "the code split"}, "refused: the code split"),
        (FLAGGED, {"exporter_iso": "DEU"}, "a country of the coalition: its own sales are the direct trade"),
        (FLAGGED, {"exporter_iso": "BLR"}, "a target itself, nobody's hub"),
        (
            FLAGGED,
            {"importer_iso": "UZB", "exporter_iso": "CHL"},
            "to a possible hub, from a country that is neither of the coalition nor a possible hub",
        ),
        (
            SECOND,
            {"q_value": None, "is_scored": False, "coalition_to_target_usd": 100 * MILLION},
            "not scored: the coalition's direct trade of the good did not fall, or is not in the data",
        ),
        (
            SECOND,
            {"q_value": None, "is_scored": False, "coalition_to_hub_usd": None},
            "not scored: what the coalition sells the first hub is not in the data",
        ),
        (SECOND, {"q_value": None, "new_route": 1.0}, "not scored: too few placebos"),
        (
            SECOND,
            {"route_through_usd": MILLION - 1.0},
            "what the coalition is known to sell the first hub more is too little to go through",
        ),
        (
            SECOND,
            {"coalition_to_target_usd": None},
            "the coalition's direct trade of the good with the targets did not fall, or is not in the data",
        ),
        (FLAGGED, {"importer_iso": "CHL"}, "to no target, and not from the coalition: the scenario asks nothing of it"),
        (FLAGGED, {"value_usd": MILLION - 1}, "too small: below 1.0 million USD in the window"),
        (FLAGGED, {"is_measured": False}, "its two windows cannot be compared"),
        (FLAGGED, {"is_measured": None}, "its two windows cannot be compared"),  # unknown is not met
        (
            FLAGGED,
            {"surge_log": 0.0, "baseline_excess_log": None, "new_route": 1.0},
            "it did not rise: not above the year before nor above its baseline",
        ),
        (FLAGGED, {"q_value": None}, "not scored: too few placebos"),
        (FLAGGED, {"q_value": None, "is_scored": False}, "not scored: nothing that the run asked about"),
        (
            FLAGGED,
            {"q_value": None, "is_scored": False, "is_before_sanctions": True, "window_months": 6},
            "not scored: before the sanctions only whole years are",
        ),
        (FLAGGED, {"q_value": 0.31}, "not unusual enough: q 0.31 is above the limit of 0.1"),
        (FLAGGED, {"q_value": 0.314_159}, "not unusual enough: q 0.3142 is above the limit of 0.1"),
        (
            FLAGGED,
            {"q_value": 0.31, "coalition_to_hub_usd": None},
            "not unusual enough: q 0.31 is above the limit of 0.1; what the coalition sells the exporter is not in the data,"
            " so that its rise alone is judged",
        ),
        (
            GHOST,
            {"q_value": 0.31, "coalition_to_hub_usd": None},
            "not unusual enough: q 0.31 is above the limit of 0.1",
        ),
        (
            FLAGGED,
            {"surge_log": 0.4, "baseline_excess_log": 0.6},
            "no rise of its own is over its threshold",
        ),
        (
            FLAGGED,
            {"coalition_to_hub_usd": 5_000_000, "coalition_to_target_usd": 100 * MILLION},
            "it rose alone: neither the direct trade nor a neighbour of the good fell",
        ),
        (GHOST, {"importer_iso": "CHL", "q_value": None, "is_scored": False}, "not scored: the importer is no possible hub"),
        (
            GHOST,
            {"mirror_gap_shift_log": None, "q_value": None, "is_scored": False},
            "the receiving side's report is not known: no gap can be measured",
        ),
        (GHOST, {"mirror_gap_shift_log": None}, "the receiving side's report is not known: no gap can be measured"),
        (GHOST, {"mirror_gap_shift_log": 0.4}, "its mirror gap is as wide as it was"),
    ],
)  # fmt: skip
def test_a_route_that_misses_one_condition_is_no_flag_and_says_which(
    row: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    assert judged(row | change) == (False, words)


@pytest.mark.parametrize(
    "change",
    [
        {"coalition_to_hub_usd": 5_000_000, "coalition_to_target_usd": None},  # nobody can say that it did not fall
        {"coalition_to_hub_usd": 5_000_000, "coalition_to_target_usd": 79 * MILLION},
        {
            "coalition_to_hub_usd": 5_000_000,
            "coalition_to_target_usd": 79 * MILLION,
            "coalition_to_target_prior_usd": 79 * MILLION,
        },
        {"coalition_to_hub_usd": 5_000_000, "coalition_to_target_usd": 100 * MILLION, "neighbour_code_shift": 0.5},
    ],
)
def test_a_direct_trade_that_fell_by_a_fifth_or_is_unknown_or_a_neighbour_that_fell_stands_beside_a_rise(
    change: dict[str, Any],
) -> None:
    assert judged(FLAGGED | change) == (True, rule.NOTHING)


def test_a_new_route_whose_direct_trade_fell_needs_no_q() -> None:
    for q_value in (None, 0.9):
        new = FLAGGED | {"q_value": q_value, "new_route": 1.0}
        assert judged(new) == (True, rule.NOTHING)
        assert judged(new | {"direct_drop_log": 0.1})[0] is False
        assert judged(new | {"unexplained_rise_log": 0.405}) == (True, rule.NOTHING)
    assert judged(GHOST | {"q_value": 0.9, "new_route": 1.0})[0] is False


@pytest.mark.parametrize("unexplained_rise_log", [0.404, -1.0, None])
@pytest.mark.parametrize(
    ("q_value", "words"),
    [(None, "not scored: too few placebos"), (0.9, "not unusual enough: q 0.9 is above the limit of 0.1")],
)
def test_a_new_route_by_rule_needs_a_rise_beyond_what_is_everybodys(
    unexplained_rise_log: float | None, q_value: float | None, words: str
) -> None:
    new = FLAGGED | {"new_route": 1.0, "q_value": q_value, "unexplained_rise_log": unexplained_rise_log}
    assert judged(new) == (False, words)
    assert judged(new | {"q_value": 0.1}) == (True, rule.NOTHING)


def test_a_new_route_that_the_run_did_not_ask_about_is_no_flag_by_rule() -> None:
    """Such as one of a good that no measure is on, where a scenario asks about listed goods."""
    unasked = FLAGGED | {"q_value": None, "is_scored": False, "new_route": 1.0}
    assert judged(unasked) == (False, "not scored: nothing that the run asked about")


def test_where_everybody_else_may_be_a_hub_nobody_is_said_to_be_none() -> None:
    limits = rule.limits_of(load("china-minerals-2023"))
    importers = frame(*[GHOST | {"importer_iso": importer} for importer in ("THA", "RUS", "USA", "CHN")])
    assert importers.select(limits.is_to_hub()).to_series().to_list() == [True, True, False, False]
    assert importers.select(LIMITS.is_to_hub()).to_series().to_list() == [False, False, False, True]


def test_the_words_of_the_rule_are_those_of_the_scenarios_measures() -> None:
    early = frame(GHOST | {"exporter_iso": "CHN", "importer_iso": "THA", "q_value": None, "is_scored": False,
                           "is_before_sanctions": True, "window_months": 6})  # fmt: skip
    why = early.select(rule.why_not(rule.limits_of(load("china-minerals-2023")))).item()
    assert why == "not scored: before the export controls only whole years are"


STEP = FLAGGED | {
    "freq_code": "M", "window_months": 6, "q_value": None, "q_limit": None, "level_shift_log": 1.5, "excess_usd": 5e6,
}  # fmt: skip


def test_a_step_that_no_placebo_can_judge_is_flagged_by_rule() -> None:
    assert judged(STEP) == (True, rule.NOTHING)


@pytest.mark.parametrize(
    "change",
    [
        {"level_shift_log": 0.1},
        {"level_shift_log": None},
        {"surge_log": 0.1},
        {"baseline_excess_log": 0.1},
        {"unexplained_rise_log": 0.1},
        {"unexplained_rise_log": None},
        {"excess_usd": 10_000.0},
        {"direct_drop_log": 0.0},
        {"is_before_sanctions": True},
        {"is_scored": False},
    ],
)
def test_the_rule_asks_for_every_sign_that_there_is(change: dict[str, Any]) -> None:
    assert judged(STEP | change)[0] is False


@pytest.mark.parametrize("unknown", ["is_scored", "is_before_sanctions"])
def test_a_step_of_which_it_is_not_known_whether_it_was_scored_or_is_since_the_sanctions_is_no_flag(
    unknown: str,
) -> None:
    assert judged(STEP | {unknown: None})[0] is False


def test_a_step_that_placebos_judge_is_not_flagged_by_rule() -> None:
    assert judged(STEP | {"q_value": 0.6, "q_limit": 0.1})[0] is False


numbers = st.one_of(st.none(), st.floats(-3, 3).map(lambda number: round(number, 2)))
amounts = st.one_of(st.none(), st.integers(0, 3 * MILLION))
routes = st.fixed_dictionaries(
    {
        "exporter_iso": st.sampled_from(["KAZ", "DEU", "BLR", "CHL"]),
        "importer_iso": st.sampled_from(["RUS", "KAZ", "CHL", "FRA"]),
        "window_months": st.sampled_from([6, 12]),
        "value_usd": amounts,
        "refused_because": st.sampled_from([None, None, "no"]),
        "q_value": st.one_of(st.none(), st.floats(0, 1)),
        "q_limit": st.sampled_from([None, 0.1, 0.25]),
        **{name: st.sampled_from([None, True, False]) for name in ("is_measured", "is_scored", "is_before_sanctions")},
        **{name: numbers for name in rule.MEASURES if KINDS[name] == pl.Float64},
        **{name: amounts for name in rule.MEASURES if name.startswith("coalition_to_target")},
    }
)


@given(st.lists(routes, min_size=1, max_size=8))
def test_a_route_is_a_flag_exactly_where_nothing_is_said_against_it(rows: list[dict[str, Any]]) -> None:
    table = frame(*[FLAGGED | row for row in rows]).select(rule.is_flag(LIMITS).alias("flag"), why=rule.why_not(LIMITS))
    assert table.null_count().row(0) == (0, 0)
    assert table["flag"].to_list() == [why == rule.NOTHING for why in table["why"]]


def test_what_scores_do_not_ask_about_has_words_of_its_own() -> None:
    """scores.placebos.is_asked_about decides; the rule's words must not fall behind it."""
    rows = [
        FLAGGED | {"exporter_iso": exporter, "importer_iso": importer, "window_months": months, "is_before_sanctions": early,
                   "mirror_gap_shift_log": gap, "q_value": None, "is_scored": False, "new_route": 0.0}
        for exporter in ("KAZ", "UZB", "DEU", "BLR", "CHL") for importer in ("RUS", "BLR", "KAZ", "CHL", "FRA")
        for months in (6, 12) for early in (False, True) for gap in (None, 0.9)
    ]  # fmt: skip
    table = (
        frame(*rows)
        .with_columns(
            role=pl.col("importer_iso").map_elements(SETTINGS.role_of, return_dtype=pl.String),
            is_from_coalition=LIMITS.is_from_coalition(),
            is_measured=~LIMITS.is_from_coalition() | pl.col("mirror_gap_shift_log").is_not_null(),
            baseline_gap_years=pl.lit(1, pl.Int64),
            has_direct_fallen=pl.col("exporter_iso") != "UZB",
            room_log=pl.lit(1.0),
        )
        .with_columns(
            coalition_to_target_usd=pl.when(pl.col("has_direct_fallen"))
            .then("coalition_to_target_usd")
            .otherwise(100 * MILLION)
        )
    )
    is_asked = table.select(asked=placebos.is_asked_about(SETTINGS))["asked"]
    why = table.with_columns(is_measured=pl.lit(value=True)).select(why=rule.why_not(LIMITS))["why"]
    assert 0 < is_asked.sum() < is_asked.len()
    assert (why == "not scored: nothing that the run asked about").to_list() == is_asked.to_list()


def test_what_the_rule_looks_at_are_columns_of_features_in_the_types_that_questions_read_them_in() -> None:
    columns = table_schema().columns()
    assert {name: columns[name].dtype for name in rule.MEASURES} == {
        name: held.COLUMNS["features"][name]() for name in rule.MEASURES
    }


def test_the_limits_of_a_scenario_are_its_own_and_those_of_the_indicators_where_it_says_nothing() -> None:
    own = rule.limits_of(load(thresholds={"surge_log": 9.0}, materiality_usd=5))
    assert (own.thresholds["surge_log"], own.materiality_usd) == (9.0, 5)
    assert own.thresholds["direct_drop_log"] == FELL_LOG
    role = {"countries": ["KAZ", "DEU", "RUS"], "since": "2022-02-24", "source": "planted"}
    named_twice = load(hub_candidates=role, neighbours=role)
    assert set(rule.limits_of(named_twice).hubs) == {"KAZ"}
    assert {SETTINGS.role_of(country) for country in own.hubs} == {"other"}


# A small fall of a small direct trade: with the scenario's floor of 100,000 USD it is none, without it a half.
STEADY = years("DEU", "RUS", {2019: 60_000, 2020: 60_000, 2021: 60_000, 2022: 30_000})
RISING = {2019: 2 * MILLION, 2020: 2 * MILLION, 2021: 2 * MILLION, 2022: 12 * MILLION}
ALONE = "it rose alone: neither the direct trade nor a neighbour of the good fell"


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """Two routes of Kazakhstan that rose alike: of 847990 the direct trade fell, of 847989 from 60,000 to 30,000 USD."""
    rows = STEADY + years("KAZ", "RUS", RISING) + years("KAZ", "RUS", RISING, code="847990")
    rows += years("DEU", "RUS", {**dict.fromkeys((2019, 2020, 2021), 90 * MILLION), 2022: 9 * MILLION}, code="847990")
    cells, coverage, scope = prepared(rows)
    features, refused = measured(rows)
    hub = features.filter(pl.col("window_end") == WINDOW["window_end"], exporter_iso="KAZ")
    scores, calibration = scored(hub), calibrated(hub)
    flagged = flags.build(features, scores, no_contributions(scores), calibration, NO_LIST, NAMES, SETTINGS)
    return {
        "flags": flagged, "features": features, "features.refused": refused, "scores": scores, "bilateral": cells,
        "scores.calibration": calibration, "coverage": coverage, "coverage.scope": scope,
    }  # fmt: skip


def test_a_direct_trade_of_60000_that_halves_is_no_fall_for_flags(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["flags"].select("good", "exporter_iso").rows() == [("847990", "KAZ")]


def test_and_none_for_the_comparables_of_a_flag(tables: dict[str, pl.DataFrame]) -> None:
    broken = pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8})
    of_window = tables["features"].filter(pl.col("window_end") == WINDOW["window_end"])
    windows = of_window.select(*WINDOW_KEY, "baseline_years")
    market = other_sellers.build(tables["bilateral"], tables["coverage"], tables["coverage.scope"], broken, windows)
    near = comparables.build(
        tables["flags"],
        of_window,
        tables["scores"],
        tables["features.refused"],
        market,
        tables["scores.calibration"],
        SETTINGS,
    )["comparables"].item()
    assert (near[0]["good"], near[0]["exporter_iso"], near[0]["why"]) == ("847989", "KAZ", ALONE)


def test_and_none_for_explain(tables: dict[str, pl.DataFrame]) -> None:
    window = (Window("A", 12, date(2022, 12, 1)),)
    row = explain.measured(
        tables["features"], explain.Subject("847989", "KAZ", "RUS", window), pl.col("good") == "847989"
    )
    assert row is not None
    assert explain.explain(row, tables, LIMITS, {})["flag"] == {"flagged": "no", "because": ALONE}


def test_and_none_for_a_query(tables: dict[str, pl.DataFrame]) -> None:
    question = Question(pl.col("good") == "847989", Side("KAZ", ("KAZ",)), Side("RUS", ("RUS",)))
    rows, _ = answer.answer(question, (Window("A", 12, date(2022, 12, 1)),), tables, (2019, 2020, 2021), LIMITS, 5)
    assert rows.select("is_flagged", "q_value", "note").rows() == [(False, 0.05, ALONE)]


def test_a_fall_of_just_a_fifth_of_the_direct_trade_has_fallen_and_the_next_smaller_number_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = rule.limits_of(SETTINGS)
    fallen = pl.DataFrame(
        {
            "coalition_to_target_usd": [8 * MILLION],
            "coalition_to_target_prior_usd": [10 * MILLION],
            "coalition_to_target_baseline_usd": [9 * MILLION],
            "neighbour_code_shift": [0.0],
        }
    )
    fall_log = fallen.select(direct_fall_log(float(limits.floor_usd))).item()
    for least_log, is_met in ((fall_log, True), (nextafter(fall_log, 1.0), False)):
        monkeypatch.setattr(conditions, "FELL_LOG", least_log)
        assert fallen.select(conditions.direct_or_neighbour_fell(limits).is_met).item() is is_met
