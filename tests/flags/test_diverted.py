"""A called leg as a flag: how pressing it is, what it says, and what it must not hide."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from anomaly.contract.schema import Flags
from anomaly.contract.settings import load
from anomaly.flags import diverted
from tests.supply import made
from tests.supply.made import FELL

LAST = date(2022, 12, 1)
NAMES = {"XCO": "The coalition", "KGZ": "Kyrgyzstan", "RUS": "Russia", "DEU": "Germany"}
NO_LISTS = pl.DataFrame(schema={"good": pl.String, "tier": pl.String, "valid_from": pl.Date, "valid_to": pl.Date})
MEMBERS = [
    {"exporter_iso": "DEU", "value_usd": 4_500_000, "value_prior_year_usd": 50_000},
    {"exporter_iso": "ITA", "value_usd": 500_000, "value_prior_year_usd": 50_000},
]


@pytest.fixture(scope="module")
def tables() -> diverted.Tables:
    built = made.built(made.flows(made.step({(good, "KGZ"): 25.0 for good in FELL[:12]})))
    return diverted.Tables(built.supply, built.calibration, built.hubs)


def flag(tables: diverted.Tables, /, lists: pl.DataFrame = NO_LISTS, **changes: Any) -> dict[str, Any]:
    """The flag of one called leg, with figures of its row, its hub or its window put in place of its own."""
    leg = tables.supply.filter(window_end=LAST, good=FELL[0], importer_iso="KGZ")
    of_hub = {name: value for name, value in changes.items() if name in tables.hubs.columns}
    of_leg = {name: value for name, value in changes.items() if name in leg.columns}
    kinds = leg.schema
    leg = leg.with_columns(pl.lit(value, dtype=kinds[name]).alias(name) for name, value in of_leg.items())
    hubs = tables.hubs.with_columns(pl.lit(value).alias(name) for name, value in of_hub.items())
    flags = diverted.build(diverted.Tables(leg, tables.calibration, hubs), lists, NAMES, load())
    Flags.validate(flags)
    return flags.row(0, named=True)


def test_every_called_leg_since_the_measure_is_a_flag_of_its_type(tables: diverted.Tables) -> None:
    flags = diverted.build(tables, NO_LISTS, NAMES, load())
    called = tables.supply.filter(pl.col("called_by").is_not_null(), ~pl.col("is_before_sanctions"))
    assert flags.height == called.height > 0
    assert set(flags["flag_type"]) == {"diverted_supply"}
    assert set(flags["severity"]) <= {"low", "medium"}


def test_it_says_which_test_called_it_and_on_which_months_each_was_read(tables: diverted.Tables) -> None:
    by_both = flag(tables, called_by="both")
    texts = {reason["indicator"]: reason["text"] for reason in by_both["reasons"]}
    assert "on Jul–Dec 2022" in texts["supply_window_test"]
    assert "on the months since January 2020" in texts["supply_date_test"]
    assert "March 2022" in texts["supply_date_test"]
    alone = {reason["indicator"] for reason in flag(tables, called_by="date")["reasons"]}
    assert "supply_window_test" not in alone


def test_it_says_what_controls_other_dates_and_the_year_before_would_have_given(tables: diverted.Tables) -> None:
    caveats = " ".join(flag(tables)["caveats"])
    assert "of goods whose direct trade stood 0 of 48" in caveats
    assert "year before 0 of 168" in caveats
    assert "dates before the measure 0 at most" in caveats


def test_a_hubs_own_demand_is_said_and_keeps_it_medium_at_most(tables: diverted.Tables) -> None:
    pressing = flag(tables, called_by="both", value_usd=50_000_000)
    assert pressing["severity"] == "medium"
    assert any("own demand for the same goods" in caveat for caveat in pressing["caveats"])


def test_it_is_high_where_most_of_the_rise_went_on_or_never_arrived(tables: diverted.Tables) -> None:
    large: dict[str, Any] = {"called_by": "both", "value_usd": 50_000_000, "value_best_usd": 1_000_000}
    assert flag(tables, **large, onward_usd=30_000_000, onward_prior_usd=0)["severity"] == "high"
    assert flag(tables, **large, onward_usd=3_000_000, onward_prior_usd=0)["severity"] == "medium"
    arrived: dict[str, Any] = {
        "recorded_usd": 5_000_000,
        "recorded_prior_usd": 1_000_000,
        "value_prior_year_usd": 1_000_000,
    }
    lost = flag(tables, **large, **arrived)
    assert lost["severity"] == "high"
    assert "supply_lost_usd" in {reason["indicator"] for reason in lost["reasons"]}


def test_where_controls_rise_as_often_it_is_medium_at_most_and_says_so(tables: diverted.Tables) -> None:
    boom = flag(
        tables, called_by="both", value_usd=50_000_000, onward_usd=50_000_000, onward_prior_usd=0, is_boom_possible=True
    )
    assert boom["severity"] == "medium"
    assert any("cannot be told from diversion" in caveat for caveat in boom["caveats"])


def test_a_call_by_rule_says_that_it_is_not_calibrated_and_is_medium_at_most(tables: diverted.Tables) -> None:
    by_rule = flag(tables, called_by="rule", value_usd=50_000_000, onward_usd=50_000_000, onward_prior_usd=0)
    assert by_rule["severity"] == "medium"
    assert any("not calibrated" in caveat for caveat in by_rule["caveats"])


def test_a_single_lumpy_good_carries_its_caveat_first(tables: diverted.Tables) -> None:
    assert flag(tables, good="841112")["caveats"][0].startswith("A single lumpy good")


def test_one_month_and_one_member_that_carry_it_are_said(tables: diverted.Tables) -> None:
    caveats = flag(tables, largest_month_share=0.62, members=MEMBERS)["caveats"]
    assert "62 % of the window falls in one month." in caveats
    assert "90 % is carried by Germany." in caveats


def test_the_q_of_the_flag_holds_for_both_tests_together(tables: diverted.Tables) -> None:
    assert flag(tables, window_q_value=0.04, date_q_value=0.01)["q_value"] == pytest.approx(0.02)
    assert flag(tables, window_q_value=0.04, date_q_value=None)["q_value"] == pytest.approx(0.08)


def test_its_name_is_of_the_coalition_as_one_and_of_the_window(tables: diverted.Tables) -> None:
    assert flag(tables)["flag_id"] == f"{FELL[0]}-XCO-KGZ-2022-12-6M"


def test_a_good_on_a_list_is_looked_at_first_and_called_by_the_same_tests(tables: diverted.Tables) -> None:
    lists = pl.DataFrame({"good": [FELL[0]], "tier": ["1"], "valid_from": [None], "valid_to": [None]}).cast(
        {"valid_from": pl.Date, "valid_to": pl.Date}
    )
    listed, plain = flag(tables, lists), flag(tables)
    assert listed["priority"] > plain["priority"]
    assert listed["q_value"] == plain["q_value"]
