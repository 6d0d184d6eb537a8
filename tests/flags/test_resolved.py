"""Which routes count as resolved, and what is said of them."""

from datetime import date
from math import log
from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.flags import resolved

SETTINGS = load()
MEASURE: dict[str, Any] = {
    "date": date(2023, 4, 1), "title": "Kazakhstan starts to track goods", "effect": "fewer re-exports",
    "leg": "hub to target", "exporters": ["KAZ"], "importers": ["RUS"], "goods": [],
}  # fmt: skip
SCOPES = dict.fromkeys(("exporters", "importers", "goods"), pl.List(pl.String))
ROUTE: dict[str, Any] = {
    "freq_code": "A", "window_months": 12, "window_end": date(2023, 12, 1), "good": "847989", "exporter_iso": "KAZ",
    "importer_iso": "RUS", "baseline_gap_years": 2, "role": "target", "value_usd": 2_000_000,
    "value_prior_year_usd": 10_000_000, "surge_log": -1.57,
}  # fmt: skip
FLAG = {
    **{name: ROUTE[name] for name in ("freq_code", "window_months", "good", "exporter_iso", "importer_iso")},
    "window_end": date(2022, 12, 1), "flag_id": "847989-KAZ-RUS-2022", "flag_type": "hub_reexport",
    "is_before_sanctions": False, "value_usd": ROUTE["value_prior_year_usd"],
}  # fmt: skip


def ended(
    *routes: dict[str, Any], flags: tuple[dict[str, Any], ...] = ({},), measures: tuple[dict[str, Any], ...] = ({},)
) -> list[dict[str, Any]]:
    rows = pl.DataFrame([{**ROUTE, **route} for route in routes])
    flagged = pl.DataFrame([{**FLAG, **flag} for flag in flags])
    events = pl.DataFrame([{**MEASURE, **measure} for measure in measures], schema_overrides=SCOPES)
    return resolved.candidates(rows, flagged, events, SETTINGS).to_dicts()


def named(*measures: dict[str, Any], **route: Any) -> str | None:
    """The measure named beside a route that fell."""
    (row,) = ended(
        route,
        flags=({name: route[name] for name in route if name in FLAG and name != "window_end"},),
        measures=measures,
    )
    title: str | None = row["measure"]
    return title


def monthly(months: int, end: date) -> tuple[dict[str, Any], dict[str, Any]]:
    """A route that fell in a window of monthly data, and its flag of a year before."""
    window = {"freq_code": "M", "window_months": months}
    return {**window, "window_end": end}, {**window, "window_end": end.replace(year=end.year - 1)}


def sentence(row: dict[str, Any]) -> str:
    text: str = resolved.reason(row, {})["text"]
    return text


def test_of_the_measures_on_a_route_the_one_nearest_to_the_windows_start_is_named() -> None:
    assert named({}, {"title": "Later", "date": date(2023, 6, 1)}) == MEASURE["title"]


def test_a_route_that_kept_more_than_half_is_not_resolved() -> None:
    assert ended({"value_usd": 5_100_000}) == []


def test_a_route_that_was_never_flagged_is_not_resolved() -> None:
    assert ended({}, flags=({"exporter_iso": "ARM"},)) == []


def test_a_route_that_is_flagged_still_is_not_resolved() -> None:
    assert ended({}, flags=({}, {"window_end": date(2023, 12, 1), "flag_id": "now"})) == []


def test_a_route_that_was_an_alarm_two_years_ago_and_went_on_until_the_last_is_resolved() -> None:
    earlier = {"window_end": date(2021, 12, 1), "flag_id": "847989-KAZ-RUS-2021"}
    assert [row["was_flagged"] for row in ended({}, flags=(earlier,))] == ["847989-KAZ-RUS-2021"]


def test_a_route_that_had_fallen_to_less_than_half_of_its_alarm_before_is_not_resolved_once_more() -> None:
    earlier = {"window_end": date(2021, 12, 1), "value_usd": 3 * ROUTE["value_prior_year_usd"]}
    assert ended({}, flags=(earlier,)) == []


def test_a_makers_trade_that_falls_was_no_alarm_and_is_not_resolved() -> None:
    assert ended({}, flags=({"flag_type": "backfill"},)) == []


@pytest.mark.parametrize(
    "measure",
    [
        {"exporters": ["GEO"]},
        {"importers": ["BLR"]},
        {"goods": ["8703"]},
        {"goods": None},
        {"exporters": None},
        {"leg": "coalition to hub"},
        {"leg": "in transit"},
        {"effect": "warning"},
        {"effect": "goods list"},
    ],
)
def test_a_measure_on_other_trade_or_one_that_forbids_nothing_is_not_named_and_the_route_is_still_resolved(
    measure: dict[str, Any],
) -> None:
    assert named(measure) is None


@pytest.mark.parametrize(
    "measure", [{"goods": ["8479"]}, {"exporters": []}, {"leg": "any"}, {"effect": "dearer imports"}]
)
def test_a_measure_is_named_where_it_bears_on_the_good_and_the_route(measure: dict[str, Any]) -> None:
    assert named(measure) == MEASURE["title"]


@pytest.mark.parametrize(
    ("day", "is_named"),
    [
        (date(2023, 12, 22), False),
        (date(2023, 7, 3), False),
        (date(2023, 7, 1), True),
        (date(2023, 1, 1), True),
        (date(2022, 7, 3), True),
        (date(2022, 6, 30), False),
        (date(2019, 1, 1), False),
    ],
)
def test_half_of_the_year_lies_after_a_measure_that_is_named_and_half_of_the_year_before_does_not(
    day: date, is_named: bool
) -> None:
    assert (named({"date": day}) is not None) == is_named


def test_a_fall_over_a_year_is_said_to_lie_in_the_year_of_a_measure_and_not_after_it() -> None:
    (row,) = ended({}, measures=({"date": date(2023, 4, 1)},))
    assert "in the year of a measure on this trade: Kazakhstan starts to track goods (2023-04-01)" in sentence(row)
    assert "lies after" not in sentence(row)


def test_a_year_that_begins_after_a_measure_is_said_to_lie_after_it() -> None:
    (row,) = ended({}, measures=({"date": date(2022, 12, 22)},))
    assert "2023 lies after a measure on this trade: Kazakhstan starts to track goods (2022-12-22)" in sentence(row)


def test_of_months_around_a_measure_it_is_counted_how_many_lie_after_it() -> None:
    route, flag = monthly(6, date(2023, 8, 1))
    (row,) = ended(route, flags=(flag,), measures=({"date": date(2023, 4, 22)},))
    assert "Of the 6 months 4 lie wholly after a measure on this trade" in sentence(row)


def test_without_a_measure_the_reason_says_so() -> None:
    (row,) = ended({}, measures=({"goods": ["8703"]},))
    assert "No measure on record bears on this good and route" in sentence(row)


@pytest.mark.parametrize(("value_before", "is_named"), [(9_000_000, True), (3_000_000, False)])
def test_a_route_that_had_fallen_in_the_months_before_a_measure_did_not_fall_by_it(
    value_before: int, is_named: bool
) -> None:
    route, flag = monthly(3, date(2023, 6, 1))
    before = {**route, "window_end": date(2023, 3, 1), "value_usd": value_before}
    rows = ended(route, before, flags=(flag,), measures=({"date": date(2023, 4, 1)},))
    fallen = next(row for row in rows if row["window_end"] == route["window_end"])
    assert (fallen["measure"] is not None) == is_named


def test_what_other_hubs_sold_more_stands_beside_the_fall_the_largest_first() -> None:
    other_hubs = [
        {"exporter_iso": name, "value_usd": value_usd, "value_prior_year_usd": 1_000_000}
        for name, value_usd in (("TUR", 4_000_000), ("CHN", 9_000_000), ("DEU", 50_000_000), ("UZB", 500_000))
    ]
    (row,) = ended({}, *other_hubs)
    assert row["displaced_usd"] == 11_000_000
    reason = resolved.reason(row, {"CHN": "China", "TUR": "Türkiye"})
    assert reason["value"] == pytest.approx(log(5))
    assert reason["value"] >= reason["threshold"]
    text = reason["text"]
    assert "fell from 10.0 million USD to 2.0 million USD (−80 %)" in text
    assert "China 8.0 million USD, Türkiye 3.0 million USD" in text
