"""What is true of a route in a window is told by the months of the window and of the episode."""

from datetime import date

import polars as pl
import pytest

from anomaly import truth

LABELS = pl.DataFrame(
    [
        ("KAZ", "RUS", "851712+", "hub_reexport", date(2022, 3, 1), date(2022, 8, 1), True),
        ("KAZ", "RUS", "851712+", "hub_boom", date(2022, 3, 1), date(2023, 6, 1), False),
        ("SRB", "RUS", "870323", "hub_boom", date(2022, 4, 1), date(2023, 3, 1), False),
    ],
    schema=["exporter_iso", "importer_iso", "good", "kind", "start", "end", "is_evasion"],
    orient="row",
)


def judged(exporter: str, good: str, end: date, months: int) -> tuple[bool, str]:
    route = pl.DataFrame(
        {"window_months": [months], "window_end": [end], "good": [good], "exporter_iso": [exporter]},
        schema_overrides={"window_months": pl.Int16},
    ).with_columns(importer_iso=pl.lit("RUS"))
    return truth.planted(route, LABELS).select("is_evasion", "planted").row(0)


@pytest.mark.parametrize(
    ("end", "months", "is_true"),
    [
        (date(2022, 2, 1), 3, False),
        (date(2022, 3, 1), 3, True),
        (date(2022, 10, 1), 3, True),
        (date(2022, 11, 1), 3, False),
        (date(2022, 11, 1), 6, True),
        (date(2023, 7, 1), 12, True),
        (date(2023, 8, 1), 12, False),
    ],
)
def test_an_episode_is_active_where_a_month_of_the_window_is(end, months, is_true):
    assert judged("KAZ", "851712+", end, months)[0] is is_true


def test_evasion_comes_before_a_boom_of_the_same_route_and_a_boom_alone_is_no_evasion():
    assert judged("KAZ", "851712+", date(2022, 6, 1), 3) == (True, "hub_reexport")
    assert judged("KAZ", "851712+", date(2023, 6, 1), 3) == (False, "hub_boom")
    assert judged("SRB", "870323", date(2022, 6, 1), 3) == (False, "hub_boom")


def test_a_window_outside_the_episode_and_a_route_without_one_are_told_apart():
    assert judged("SRB", "870323", date(2022, 3, 1), 3) == (False, truth.OUT_OF_TIME)
    assert judged("SRB", "870324", date(2022, 6, 1), 3) == (False, truth.NOTHING)


def test_no_route_is_lost_and_the_order_stays():
    routes = pl.DataFrame(
        {
            "window_months": [3] * 3, "window_end": [date(2022, 6, 1)] * 3, "importer_iso": ["RUS"] * 3,
            "exporter_iso": ["SRB", "KAZ", "TUR"], "good": ["870323", "851712+", "870323"],
        }
    )  # fmt: skip
    told = truth.planted(routes, LABELS)
    assert told.drop("is_evasion", "planted").equals(routes)
    assert told["planted"].to_list() == ["hub_boom", "hub_reexport", "nothing"]
