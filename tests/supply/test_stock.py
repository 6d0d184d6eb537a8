"""What is laid in before the measure is told with its figures, and is no alarm."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.flags import diverted
from anomaly.leakage import frames, to_hubs
from anomaly.supply import reporting
from tests.flags.test_diverted import NAMES, NO_LISTS
from tests.supply import made
from tests.supply.made import FELL, MONTHS
from tests.trade import ALL_LINKED

BEFORE = slice(22, 25)  # November 2021 to January 2022: the measure is of February
STOCKED = (FELL[0], FELL[1])


def laid_in(good: str, importer: str, months: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Two goods come early, to KGZ and to Russia; the first also stepped up to KGZ since."""
    series = months.copy()
    if good in STOCKED and importer in ("KGZ", "RUS"):
        series[BEFORE] *= 4.0
    return made.step({(good, "KGZ"): 25.0 for good in (FELL[0], *FELL[2:13])})(good, importer, series)


@pytest.fixture(scope="module")
def tables() -> diverted.Tables:
    built = made.built(made.flows(laid_in))
    return diverted.Tables(built.supply, built.calibration, built.hubs)


def leg(tables: diverted.Tables, good: str) -> dict[str, Any]:
    row: dict[str, Any] = tables.supply.filter(good=good, importer_iso="KGZ").sort("window_end").row(-1, named=True)
    return row


def test_the_last_months_before_the_measure_stand_beside_those_of_a_year_earlier(tables: diverted.Tables) -> None:
    row, usual = leg(tables, FELL[0]), leg(tables, FELL[2])
    assert row["stock_of"] == "Nov 2021–Jan 2022"
    for name in ("stock", "direct_stock"):
        assert 3 < row[f"{name}_usd"] / row[f"{name}_prior_usd"] < 5.5
        assert 0.7 < usual[f"{name}_usd"] / usual[f"{name}_prior_usd"] < 1.4


def test_stock_alone_is_never_called_and_makes_no_flag(tables: diverted.Tables) -> None:
    of_stock = tables.supply.filter(good=FELL[1], importer_iso="KGZ")
    assert of_stock.height > 0
    assert of_stock["called_by"].is_null().all()


def test_a_flag_says_what_was_laid_in_by_the_target_and_by_the_hub(tables: diverted.Tables) -> None:
    flags = diverted.build(tables, NO_LISTS, NAMES, load())
    stocked, usual = (
        flags.filter(good=good, importer_iso="KGZ").sort("window_end").row(-1, named=True)
        for good in (FELL[0], FELL[2])
    )
    remarks = [caveat for caveat in stocked["caveats"] if "Nov 2021–Jan 2022" in caveat]
    assert [caveat.split(" ", 3)[:3] for caveat in remarks] == [["Russia", "may", "have"], ["It", "rose", "before"]]
    assert not any("Nov 2021" in caveat for caveat in usual["caveats"])
    of_stock = [item for item in stocked["benign_if"] if "stock" in item["explanation"]]
    assert len(of_stock) == 1
    assert "just before the measure: Kyrgyzstan bought from" in of_stock[0]["text"]


def test_it_is_unknown_where_the_data_do_not_reach_a_year_before_these_months() -> None:
    late = made.flows().filter(pl.col("ref_date") >= made.CALENDAR[MONTHS - 25])
    supply = made.built(late).supply
    assert supply.height > 0
    assert supply["stock_usd"].is_null().all()


def test_leakage_says_what_the_targets_bought_before_the_measure() -> None:
    sides, reported, scope = made.prepared(made.flows(laid_in))
    spans = reporting.spans(reported, scope, load())
    tables = frames.together(to_hubs.build([sides], spans, ALL_LINKED, NO_LISTS, load()))
    said = tables.coverage.filter(pl.col("of") == "hub")["says"].to_list()
    assert said
    assert all("In Nov 2021–Jan 2022, just before the measure, the targets bought" in text for text in said)
