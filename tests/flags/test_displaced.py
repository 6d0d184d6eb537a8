"""A measure closes one road and another rises: said beside the flag of the other, where the order in time allows it."""

from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE_KEY
from anomaly.flags import displaced
from tests.flags.test_resolved import MEASURE, ROUTE, ended, monthly

NAMES = {"KAZ": "Kazakhstan", "RUS": "Russia"}
RISEN: dict[str, Any] = {
    **{name: ROUTE[name] for name in ROUTE_KEY}, "exporter_iso": "KGZ", "value_usd": 9_000_000,
    "value_prior_year_usd": 1_000_000, "break_month": None, "direct_target_iso": None,
}  # fmt: skip
SECOND = RISEN | {"exporter_iso": "KAZ", "importer_iso": "KGZ", "direct_target_iso": "RUS"}


def reason(route: dict[str, Any], fell: list[dict[str, Any]] | None = None) -> dict[str, Any] | None:
    """What is said beside one flagged route."""
    flagged = pl.DataFrame([route], schema_overrides={"break_month": pl.Date, "direct_target_iso": pl.String})
    return displaced.reasons(flagged, pl.DataFrame(ended({}) if fell is None else fell), NAMES).get(
        tuple(route[name] for name in ROUTE_KEY)
    )


def test_another_hub_that_rose_to_the_same_target_is_told_of_the_road_that_fell_and_of_the_measure() -> None:
    said = reason(RISEN)
    assert said is not None
    assert (said["indicator"], said["value"]) == ("closed_road_usd", 8_000_000.0)
    assert said["text"].startswith(
        "Another road fell while this one rose: what Kazakhstan itself sold Russia went from 10.0 million USD to 2.0 million USD."
    )
    assert f"{MEASURE['title']} ({MEASURE['date']})" in said["text"]
    assert said["text"].endswith("Order in time, no cause.")


def test_a_second_hop_counts_where_it_leaves_the_hub_whose_road_fell() -> None:
    assert reason(SECOND) is not None
    assert reason(SECOND | {"exporter_iso": "UZB"}) is None
    assert reason(RISEN | {"exporter_iso": "KAZ"}) is None


def test_without_a_measure_a_rise_or_the_same_good_target_and_window_nothing_is_said() -> None:
    assert reason(RISEN, ended({}, measures=({"exporters": ["ARM"]},))) is None
    for change in (
        {"value_usd": 1_000_000},
        {"good": "870323"},
        {"importer_iso": "BLR"},
        {"window_end": date(2022, 12, 1)},
    ):
        assert reason(RISEN | change) is None, change


def test_a_step_before_the_measure_is_no_answer_to_it() -> None:
    fell, flag = monthly(6, date(2023, 12, 1))
    after = ended(fell, flags=(flag,))
    route = RISEN | {name: fell[name] for name in ("freq_code", "window_months", "window_end")}
    assert reason(route | {"break_month": date(2023, 3, 1)}, after) is None
    assert reason(route | {"break_month": date(2023, 4, 1)}, after) is not None
    assert reason(route, after) is not None
