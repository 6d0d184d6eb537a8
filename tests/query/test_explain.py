"""A route in full: every number with its unit, every reason, and the files it comes from."""

import contextlib
import dataclasses
import math
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.errors import BadRequest
from anomaly.contract.periods import Window
from anomaly.contract.scenario import of_record
from anomaly.contract.settings import load
from anomaly.flags.rule import limits_of
from anomaly.indicators import INDICATORS, excess_usd
from anomaly.query import explain
from anomaly.query.explain_counterfactual import counterfactual, effects, judged
from anomaly.reference import editions
from tests.query_tables import FLAG_ID, REASON, TESTED_AMONG, frames, reported

ROUTE = pl.col("good") == "851712+"
LIMITS = limits_of(load())


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return frames()


BY_GERMANY = dataclasses.replace(of_record(load().recorded()), coalition=("DEU",))


def named(flag_id: str) -> explain.Subject:
    """The subject that a flag's name stands for."""
    subject = explain.parse_flag(flag_id)
    assert subject is not None, flag_id
    return subject


def measured(tables: dict[str, pl.DataFrame], subject: explain.Subject, goods: pl.Expr) -> dict[str, Any]:
    """The row of features that is explained."""
    route = explain.measured(tables["features"], subject, goods)
    assert route is not None, subject
    return route


CARS_OF_ARMENIA = explain.Subject("870323", "ARM", "RUS"), pl.col("good") == "870323"


@pytest.fixture(scope="module")
def row(tables):
    return measured(tables, named(FLAG_ID), ROUTE)


@pytest.fixture(scope="module")
def parts(tables, row):
    flows, files = reported()
    flows_of_row = flows.filter(explain.flows_behind(row, BY_GERMANY, editions.good_members("851712+")))
    return explain.explain(row, tables | {"flows": flows_of_row, "flows.files": files}, LIMITS, {"code_version": "1"})


def test_a_flags_name_is_read_as_its_route_and_window():
    subject = named(FLAG_ID)
    assert (subject.code, subject.exporter, subject.importer) == ("851712+", "KAZ", "RUS")
    assert subject.windows == (Window("M", 6, date(2022, 6, 1)),)


def test_a_flag_of_annual_data_has_another_name_than_one_of_twelve_months():
    annual, monthly = named("870323-ARM-RUS-2022"), named("870323-ARM-RUS-2022-12-12M")
    quarterly = named("870323-ARM-RUS-2022-12-4Q")
    assert quarterly.windows == (Window("Q", 12, date(2022, 12, 1)),)
    assert annual.windows == (Window("A", 12, date(2022, 12, 1)),)
    assert monthly.windows == (Window("M", 12, date(2022, 12, 1)),)


@given(st.text(max_size=40))
def test_any_text_is_a_flag_a_route_or_is_refused(text):
    if explain.parse_flag(text) is None:
        with contextlib.suppress(BadRequest):
            assert len(explain.parse_route(text)) == 4


def test_a_route_with_a_range_of_months_keeps_the_range_whole():
    assert explain.parse_route("8517.12:KAZ:RUS:2022-01:2022-05")[3] == "2022-01:2022-05"


def test_without_a_window_the_newest_and_longest_is_explained(tables):
    assert measured(tables, *CARS_OF_ARMENIA)["window_end"] == date(2023, 12, 1)


def test_a_window_that_was_not_measured_is_none(tables):
    subject = explain.Subject("851712+", "KAZ", "RUS", (Window("M", 5, date(2022, 6, 1)),))
    assert explain.measured(tables["features"], subject, ROUTE) is None


def test_the_windows_are_37_178_and_their_change(parts):
    windows = parts["windows"]
    amounts = (windows["value_prior_year_usd"], windows["value_usd"])
    assert (*amounts, windows["change_percent"]) == (37_000_000, 178_000_000, 381.1)


# A route of 2 to 9 million USD: others that sell the good there rose by half, its other goods there by a fifth, elsewhere by a tenth.
OF_ALL = {
    "exporter_iso": "KAZ", "importer_iso": "RUS", "value_usd": 9_000_000, "counterfactual_usd": 3_300_000,
    "excess_usd": 5_700_000.0, "good_importer_rise_log": math.log(1.5), "good_importer_peers": 4,
    "exporter_importer_rise_log": math.log(1.2), "exporter_importer_peers": 9,
    "counterfactual_rise_log": math.log(1.5) + math.log(1.1), "unexplained_rise_log": 1.0,
}  # fmt: skip


def test_each_effect_of_everybodys_rise_has_its_percent_and_peers_and_of_the_two_medians_the_larger_is_taken_off():
    shown = [(item["effect"], item["rise_percent"], item["peers"], item["is_taken_off"]) for item in effects(OF_ALL)]
    assert shown == [
        ("exporter and good", 10.0, None, True),
        ("good and importer", 50.0, 4, True),
        ("exporter and importer", 20.0, 9, False),
    ]


def test_an_effect_of_too_few_peers_is_unknown_and_one_that_fell_is_not_taken_off():
    fell = {"good_importer_rise_log": math.log(0.5), "exporter_importer_rise_log": None, "exporter_importer_peers": 7}
    shown = [(item["rise_percent"], item["peers"], item["is_taken_off"]) for item in effects(OF_ALL | fell)[1:]]
    assert shown == [(-50.0, 4, False), (None, 7, False)]


def test_the_excess_has_the_interval_that_the_placebos_own_rises_give_it():
    shown = counterfactual(OF_ALL, {"rest_low_log": math.log(0.5), "rest_high_log": math.log(2)}, 0)
    amounts = [shown[name] for name in ("counterfactual_usd", "excess_low_usd", "excess_usd", "excess_high_usd")]
    assert amounts == [3_300_000, 2_400_000, 5_700_000, 7_350_000]
    assert shown["says"] == excess_usd.explained(OF_ALL)


def test_without_a_score_or_a_baseline_the_interval_is_unknown():
    unscored = counterfactual(OF_ALL, None, 0)
    assert (unscored["excess_usd"], unscored["excess_low_usd"], unscored["excess_high_usd"]) == (5_700_000, None, None)
    without = OF_ALL | {"counterfactual_usd": None, "excess_usd": None, "counterfactual_rise_log": None}
    shown = counterfactual(without, {"rest_low_log": -0.5, "rest_high_log": 0.5}, 0)
    assert (shown["excess_usd"], shown["excess_low_usd"]) == (None, None)
    assert shown["says"] == "the baseline is not known: nothing to begin from"


SCORE = {
    "p_value": 0.004, "placebos": 1250, "tested_among": TESTED_AMONG, "room_log": math.log(5), "step_log": math.log(3), "roughness": 1.25,
    "shock_ratio": 1.1,
}  # fmt: skip


def test_a_route_tells_its_room_the_roughness_the_shock_its_placebos_and_its_family():
    assert judged(OF_ALL, SCORE, False, "the same goods elsewhere") == [
        "On what KAZ got more of the good the route could have come to 5.0 times what it was; rise and room judge together.",
        "Its months stepped up to 3.0 times since the measures, beyond everybody's rise; what of the rise that does not carry "
        "counts half.",
        "Honest trade with the targets was 1.25 times as rough as with placebo importers; the rise is divided by it.",
        "Control routes, on which nothing can be re-exported, rose 1.10 times as often as chance allows; p is raised for it.",
        "Held against 1,250 placebos: the same goods elsewhere.",
        f"q is reckoned with the routes of the window that are alike: {TESTED_AMONG}.",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"room_log": None, "tested_among": "x; rise; room unknown"}, "is not in the data: the rise alone judges."),
        ({"tested_among": "x; rise; room known"}, "too few placebos have a known room, and the rise alone judges."),
        ({"shock_ratio": 1.0}, "Control routes rose no more often than chance allows."),
        ({"step_log": 0.0}, "No step of its months since the measures stands out"),
        ({"step_log": None}, "No step is asked for"),
    ],
)
def test_where_the_rise_alone_judges_or_no_shock_or_step_is_seen_it_says_so(changed, sentence):
    assert sentence in " ".join(judged(OF_ALL, SCORE | changed, False, ""))


def test_a_leg_of_the_coalition_has_no_room_and_a_route_without_a_p_was_not_judged():
    assert (
        judged(OF_ALL, SCORE, True, "")[0]
        == "Judged by the mean of two ranks: of the forest and of the mirror gap's shift."
    )
    assert judged(OF_ALL, SCORE | {"p_value": None}, False, "") == judged(OF_ALL, None, False, "") == []


def test_the_counterfactual_and_what_judged_stand_in_the_document(parts):
    assert parts["counterfactual"]["excess_low_usd"] < parts["counterfactual"]["excess_usd"]
    assert (parts["flag"]["excess_low_usd"], parts["flag"]["excess_high_usd"]) == (120_000_000, 157_000_000)
    assert parts["everybodys_rise"][0]["effect"] == "exporter and good"
    assert (parts["score"]["room_log"], parts["score"]["tested_among"]) == (1.7, TESTED_AMONG)
    assert parts["judged"][-2] == "Held against 250 placebos: routes to other importers."


def test_every_indicator_of_the_registry_has_its_value_unit_and_threshold(parts, row):
    by_name = {indicator["indicator"]: indicator for indicator in parts["indicators"]}
    assert list(by_name) == [indicator.name for indicator in INDICATORS]
    assert by_name["surge_log"]["value"] == row["surge_log"]
    assert by_name["surge_log"]["unit"] == "log"
    assert by_name["surge_log"]["is_reason"] is True


def test_a_scenarios_own_threshold_takes_the_place_of_the_default(row):
    by_name = {indicator["indicator"]: indicator for indicator in explain.indicators(row, {"surge_log": 9.0})}
    assert (by_name["surge_log"]["threshold"], by_name["surge_log"]["is_reason"]) == (9.0, False)


def test_reasons_contributions_caveats_and_the_placebos_are_told(parts):
    assert parts["reasons"] == [REASON]
    assert parts["contributions"] == [{"input": "surge_log", "score_drop": 0.2}]
    assert parts["caveats"] == ["The goods may have stayed in the customs union by right."]
    assert (parts["score"]["q_value"], parts["score"]["placebos"]) == (0.012, 250)
    assert parts["score"]["placebo_kind"] == "importers"


def test_the_coalitions_direct_fall_is_among_the_legs(parts):
    direct = next(
        leg for leg in parts["legs"] if "to the importer" in leg["leg"] and leg["leg"].startswith("coalition")
    )
    assert (direct["year_before_usd"], direct["window_usd"]) == (120_000_000, 6_000_000)


def test_both_mirror_sides_are_shown_month_by_month_and_silence_is_none(parts):
    assert [item["period"] for item in parts["mirror"]][:2] == ["2021-01", "2021-02"]
    assert len(parts["mirror"]) == 12
    assert {item["import_value_cif_usd"] for item in parts["mirror"]} == {None}
    assert sum(item["export_value_fob_usd"] for item in parts["mirror"]) == 37_000_000 + 178_000_000


def test_the_numbers_lead_to_the_raw_files_they_come_from_and_to_no_other(parts):
    assert [item["path"] for item in parts["raw_files"]] == ["comtrade/phones.csv"]
    file = parts["raw_files"][0]
    assert file["sha256"] == "a" * 64
    assert file["url"] == "https://publisher.example/phones"
    assert (file["vintage"], file["fetched_at"]) == ("2023-06-01", "2023-06-02T10:00:00Z")
    assert file["rows_used"] == 48  # the route and the coalition's direct leg, four first halves of six months each


def test_a_route_without_a_flag_says_why_it_has_none(tables):
    explained = explain.explain(measured(tables, *CARS_OF_ARMENIA), tables, LIMITS, {})
    assert explained["flag"] == {"flagged": "no", "because": "not scored: nothing that the run asked about"}
    assert explained["reasons"] == []


def test_a_flag_is_explained_with_its_evidence_and_what_is_left_without_each_publisher(parts):
    assert parts["flag"]["evidence"] == "All three fit goods that go by way of Kazakhstan."
    assert [item["verdict"] for item in parts["other_explanations"]] == ["against"]
    assert parts["comparable_routes"][0]["why"] == "not unusual enough: q 0.4 is above the limit of 0.1"
    assert [item["span"] for item in parts["both_sides"]] == ["window", "year before", "baseline"]
    assert parts["without_a_publisher"][0]["source_left_out"] == "comtrade"
    assert parts["without_a_publisher"][0]["remains"] == "not_comparable"


def test_a_flag_that_was_not_tried_without_a_publisher_says_so(tables, row):
    explained = explain.explain(row, tables | {"flags.without": tables["flags.without"].clear()}, LIMITS, {})
    assert explained["without_a_publisher"] == [
        "not tried for this flag; it is for those of the highest priority that stand now"
    ]


def test_an_indicator_shows_how_far_the_score_falls_without_it_and_nothing_where_the_score_does_not_see_it(parts):
    drops = {indicator["indicator"]: indicator["score_drop"] for indicator in parts["indicators"]}
    assert drops["surge_log"] == 0.2
    assert drops["excess_usd"] is None


def test_a_route_without_a_flag_has_no_evidence(tables):
    explained = explain.explain(measured(tables, *CARS_OF_ARMENIA), tables, LIMITS, {})
    assert explained["other_explanations"] == explained["comparable_routes"] == explained["without_a_publisher"] == []


def test_a_flag_is_explained_with_the_questions_to_ask_next_in_the_names_of_its_countries_and_good(parts, tables):
    assert parts["next_steps"][1] == (
        "Which firms in Kazakhstan began to buy mobile phones from the coalition, and are they the ones that sell it on?"
    )
    assert explain.explain(measured(tables, *CARS_OF_ARMENIA), tables, LIMITS, {})["next_steps"] == []
