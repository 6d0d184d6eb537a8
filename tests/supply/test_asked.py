"""Where a scenario asks about listed goods, only these are tested, called and counted as leakage."""

from datetime import date

import polars as pl

from anomaly.leakage import frames, to_hubs
from anomaly.supply import reporting, supply
from tests.supply import made
from tests.supply.made import FELL
from tests.trade import ALL_LINKED

LISTED_ONLY = made.settings().model_copy(update={"goods_asked": "listed"})
ROWS = made.flows(made.step({(good, "KGZ"): 25.0 for good in FELL[:20]}))
LAST = date(2022, 12, 1)


def lists(since: date | None = None) -> pl.DataFrame:
    """The first fifteen goods."""
    kinds = {"valid_from": pl.Date, "valid_to": pl.Date}
    return pl.DataFrame({"good": FELL[:15], "tier": "1", "valid_from": since, "valid_to": None}, schema_overrides=kinds)


def built(of_lists: pl.DataFrame) -> supply.Tables:
    sides, reported, scope = made.prepared(ROWS)
    spans = reporting.spans(reported, scope, LISTED_ONLY)
    return supply.build([sides], spans, ALL_LINKED, LISTED_ONLY, of_lists)


def test_listed_goods_alone_are_tested_and_called() -> None:
    tables = built(lists())
    called = tables.supply.filter(pl.col("called_by").is_not_null())["good"]
    assert set(called) == set(FELL[:15])
    tested = tables.supply.filter(pl.col("window_q_value").is_not_null(), window_end=LAST)["good"]
    assert set(tested) <= set(FELL[:15])
    assert tables.calibration.filter(window_end=LAST)["tested"].item() == 15 * len(made.HUBS)


def test_a_good_that_is_listed_later_is_not_tested_in_a_window_before() -> None:
    tested = dict(built(lists(date(2022, 10, 1))).calibration.select("window_end", "tested").iter_rows())
    assert (tested[date(2022, 9, 1)], tested[LAST]) == (0, 15 * len(made.HUBS))


def test_leakage_counts_listed_goods_alone() -> None:
    sides, reported, scope = made.prepared(ROWS)
    spans = reporting.spans(reported, scope, LISTED_ONLY)
    table = frames.together(to_hubs.build([sides], spans, ALL_LINKED, lists(), LISTED_ONLY)).leakage
    assert set(table.filter(level="good")["good"]) == set(FELL[:15])
