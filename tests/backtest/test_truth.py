"""What is true of a route in a window is told by the months of the window and of the episode."""

from datetime import date

import polars as pl
import pytest

from anomaly.backtest import truth

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
    judged_routes = truth.planted(routes, LABELS)
    assert judged_routes.drop("is_evasion", "planted").equals(routes)
    assert judged_routes["planted"].to_list() == ["hub_boom", "hub_reexport", "nothing"]


def on_list(good: str, as_of: date, *, is_dated: bool) -> bool:
    lists = pl.DataFrame(
        {"good": ["854231", "854110"], "valid_from": [date(2023, 5, 19), None], "valid_to": [None, date(2023, 1, 1)]},
        schema_overrides={"valid_from": pl.Date, "valid_to": pl.Date},
    )
    return truth.listed(pl.DataFrame({"good": [good], "as_of": [as_of]}), lists, is_dated=is_dated).item()


@pytest.mark.parametrize(
    ("good", "as_of", "is_listed"),
    [
        ("854231", date(2023, 5, 18), False),
        ("854231", date(2023, 5, 19), True),
        ("854110", date(2022, 12, 31), True),
        ("854110", date(2023, 1, 1), False),
    ],
)
def test_a_list_judges_by_the_goods_it_held_at_the_date_or_at_any(good, as_of, is_listed):
    assert on_list(good, as_of, is_dated=True) is is_listed
    assert on_list(good, as_of, is_dated=False) is True
    assert on_list("870323", as_of, is_dated=False) is False


def cased(exporter: str, importer: str, good: str, window_end: date, months: int, **case: object) -> list[str]:
    published = {
        "case_id": "one", "kind": "rise", "exporters": ["KAZ"], "importers": ["RUS"], "goods": ["8517"],
        "start": date(2022, 1, 1), "end": date(2022, 6, 1), "is_evasion": True, **case,
    }  # fmt: skip
    lists = dict.fromkeys(("exporters", "importers", "goods"), pl.List(pl.String))
    cases = pl.DataFrame([published], schema_overrides={**lists, "start": pl.Date, "end": pl.Date})
    route = pl.DataFrame(
        {
            "freq_code": ["M"], "window_months": [months], "window_end": [window_end], "good": [good],
            "exporter_iso": [exporter], "importer_iso": [importer],
        },
        schema_overrides={"window_months": pl.Int16},
    )  # fmt: skip
    return truth.of_cases(route, cases)["event_id"].to_list()


def test_a_case_is_about_its_route_good_and_months_and_what_is_empty_is_everyone():
    june = date(2022, 6, 1)
    assert cased("KAZ", "RUS", "851712+", june, 6) == ["one"]
    assert cased("KAZ", "RUS", "851712+", date(2022, 7, 1), 1) == []
    assert cased("KAZ", "RUS", "851712+", date(2022, 12, 1), 12) == ["one"]
    assert cased("KGZ", "RUS", "851712+", june, 6) == []
    assert cased("KAZ", "BLR", "851712+", june, 6) == []
    assert cased("KAZ", "BLR", "870323", june, 6, importers=[], goods=[]) == ["one"]
    assert cased("DEU", "RUS", "851712+", june, 6, exporters=["EU27"]) == ["one"]
    assert cased("KAZ", "RUS", "851712+", date(2030, 6, 1), 6, start=None, end=None) == ["one"]


def test_an_episode_of_two_routes_is_two_events_and_counts_only_while_it_is_active():
    labels = LABELS.with_columns(episode_id=pl.lit("boom"))
    routes = pl.DataFrame(
        [("M", 3, date(2022, 6, 1), "851712+", "KAZ", "RUS"), ("M", 3, date(2022, 1, 1), "851712+", "KAZ", "RUS"),
         ("M", 3, date(2022, 6, 1), "870323", "SRB", "RUS")],
        schema=["freq_code", "window_months", "window_end", "good", "exporter_iso", "importer_iso"],
        orient="row",
    )  # fmt: skip
    events = truth.of_labels(routes, labels)
    assert sorted(events.select("event_id", "kind").rows()) == [
        ("boom KAZ RUS 851712+", "hub_boom"),
        ("boom KAZ RUS 851712+", "hub_reexport"),
        ("boom SRB RUS 870323", "hub_boom"),
    ]


@pytest.mark.parametrize("is_evasion", [True, False, None])
def test_the_event_of_a_case_is_what_the_case_is_judged_to_be(is_evasion):
    lists = dict.fromkeys(("exporters", "importers", "goods"), pl.List(pl.String))
    case = pl.DataFrame(
        [{"case_id": "one", "kind": "rise", "exporters": ["SRB"], "importers": [], "goods": [], "start": None, "end": None,
          "is_evasion": is_evasion}],
        schema_overrides={**lists, "start": pl.Date, "end": pl.Date, "is_evasion": pl.Boolean},
    )  # fmt: skip
    route = pl.DataFrame(
        [("M", 3, date(2022, 6, 1), "870323", "SRB", "RUS")],
        schema={"freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date, "good": pl.String,
                "exporter_iso": pl.String, "importer_iso": pl.String},
        orient="row",
    )  # fmt: skip
    assert truth.of_cases(route, case)["is_evasion"].to_list() == [is_evasion]
