"""Which routes count as resolved, and what is said of them."""

from datetime import date
from math import log
from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.flags import resolved

SETTINGS = load()
EVENTS = pl.DataFrame(
    [
        (date(2023, 4, 1), "Kazakhstan starts to track goods", "KAZ", "fewer re-exports"),
        (date(2023, 2, 26), "Transit ban", "RUS", "less transit"),
        (date(2023, 5, 19), "A list for banks", "RUS BLR", "goods list"),
        (date(2023, 11, 20), "Kazakhstan bans what had left already", "KAZ", "fewer re-exports"),
        (date(2022, 5, 1), "A measure on Georgia", "GEO", "fewer re-exports"),
        (date(2019, 1, 1), "An old measure on Armenia", "ARM", "fewer re-exports"),
    ],
    schema=["date", "title", "countries", "effect"],
    orient="row",
)
ROUTE: dict[str, Any] = {
    "freq_code": "A", "window_months": 12, "window_end": date(2023, 12, 1), "good": "847989", "exporter_iso": "KAZ",
    "importer_iso": "RUS", "baseline_gap_years": 2, "role": "target", "value_usd": 2_000_000,
    "value_prior_year_usd": 10_000_000, "surge_log": -1.57,
}  # fmt: skip
FLAG = {
    **{name: ROUTE[name] for name in ("freq_code", "window_months", "good", "exporter_iso", "importer_iso")},
    "window_end": date(2022, 12, 1), "flag_id": "847989-KAZ-RUS-2022", "flag_type": "hub_reexport",
    "is_before_sanctions": False,
}  # fmt: skip


def ended(*routes: dict[str, Any], flags: tuple[dict[str, Any], ...] = ({},)) -> list[dict[str, Any]]:
    rows = pl.DataFrame([{**ROUTE, **one} for one in routes])
    flagged = pl.DataFrame([{**FLAG, **one} for one in flags])
    return resolved.candidates(rows, flagged, EVENTS, SETTINGS).to_dicts()


def test_a_flagged_route_that_fell_is_resolved_by_the_measure_on_its_exporter_nearest_to_the_windows_start() -> None:
    (row,) = ended({})
    assert (row["measure"], row["measure_date"]) == ("Kazakhstan starts to track goods", date(2023, 4, 1))


def test_a_route_that_kept_more_than_half_is_not_resolved() -> None:
    assert ended({"value_usd": 5_100_000}) == []


def test_a_route_that_was_never_flagged_is_not_resolved() -> None:
    assert ended({}, flags=({"exporter_iso": "ARM"},)) == []


def test_a_route_that_is_flagged_still_is_not_resolved() -> None:
    assert ended({}, flags=({}, {"window_end": date(2023, 12, 1), "flag_id": "now"})) == []


def test_without_a_measure_on_its_exporter_one_on_the_way_to_the_target_is_named() -> None:
    (row,) = ended({"exporter_iso": "UZB"}, flags=({"exporter_iso": "UZB"},))
    assert row["measure"] == "Transit ban"


def test_a_measure_from_before_the_route_was_flagged_explains_nothing() -> None:
    other = {"exporter_iso": "ARM", "importer_iso": "BLR"}
    assert ended(other, flags=(other,)) == []


@pytest.mark.parametrize(("months", "count"), [(3, 0), (9, 1)])
def test_a_short_window_begins_late_and_so_do_the_measures_that_can_explain_its_end(months: int, count: int) -> None:
    """A measure of May 2022 lies in the nine months to December, and not in the three."""
    other = {"exporter_iso": "GEO", "importer_iso": "BLR", "freq_code": "M", "window_months": months}
    assert len(ended(other, flags=(other,))) == count


def test_what_other_hubs_sold_more_stands_beside_the_fall_the_largest_first() -> None:
    more = [
        {"exporter_iso": name, "value_usd": now, "value_prior_year_usd": 1_000_000}
        for name, now in (("TUR", 4_000_000), ("CHN", 9_000_000), ("DEU", 50_000_000), ("UZB", 500_000))
    ]
    (row,) = ended({}, *more)
    assert row["displaced_usd"] == 11_000_000
    reason = resolved.reason(row, {"CHN": "China", "TUR": "Türkiye"})
    assert reason["value"] == pytest.approx(log(5))
    assert reason["value"] >= reason["threshold"]
    text = reason["text"]
    assert "fell from 10.0 million USD to 2.0 million USD (−80 %)" in text
    assert "China 8.0 million USD, Türkiye 3.0 million USD" in text
