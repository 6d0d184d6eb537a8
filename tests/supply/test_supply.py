"""From the members' monthly reports to the called legs, on made-up trade with a planted truth."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from tests.supply import made
from tests.supply.made import FELL, MEASURE, MILLION, MONTHS, STOOD

LAST = date(2022, 12, 1)
PLANTED = {(good, "KGZ"): 25.0 for good in FELL[:12]}


@pytest.fixture(scope="module")
def planted() -> dict[str, pl.DataFrame]:
    """Twelve goods to one hub step up 25-fold with the measure; all else is noise."""
    tables = made.built(made.flows(made.step(PLANTED)))
    return {name: getattr(tables, name) for name in ("supply", "calibration", "hubs", "series", "refused")}


def called(supply: pl.DataFrame, end: date = LAST) -> set[tuple[str, str]]:
    rows = supply.filter(pl.col("called_by").is_not_null(), window_end=end)
    return set(rows.select("good", "importer_iso").rows())


def test_legs_that_step_up_with_the_measure_are_called_and_no_other(planted: dict[str, pl.DataFrame]) -> None:
    assert called(planted["supply"]) == set(PLANTED)


def test_a_call_says_which_test_made_it_and_when_its_level_rose(planted: dict[str, pl.DataFrame]) -> None:
    rows = planted["supply"].filter(window_end=LAST, importer_iso="KGZ", good=FELL[0])
    assert rows["called_by"].item() in ("date", "both")
    assert rows["break_month"].item() == made.CALENDAR[MEASURE]
    assert rows["step_log"].item() == pytest.approx(np.log(25), abs=0.4)


def test_dates_before_the_measure_taken_for_one_call_nothing(planted: dict[str, pl.DataFrame]) -> None:
    row = planted["calibration"].filter(window_end=LAST).row(0, named=True)
    assert (row["pseudo_calls"], row["pseudo_dates"] >= 5) == (0, True)


def test_the_year_before_is_tested_in_the_same_way_and_calls_nothing(planted: dict[str, pl.DataFrame]) -> None:
    row = planted["calibration"].filter(window_end=LAST).row(0, named=True)
    assert row["year_before_tested"] == len(made.HUBS) * (len(FELL) + len(STOOD))
    assert row["year_before_called"] == 0


def test_no_window_before_the_measure_calls_anything(planted: dict[str, pl.DataFrame]) -> None:
    before = planted["supply"].filter("is_before_sanctions")
    assert before.height > 0
    assert before["called_by"].is_null().all()


def test_honest_trade_calls_nothing() -> None:
    assert called(made.built(made.flows(seed=7)).supply) == set()


def test_a_step_long_before_the_measure_is_no_call() -> None:
    early = made.built(made.flows(made.step(PLANTED, since=MEASURE - 12))).supply
    assert called(early) == set()


def test_goods_whose_direct_trade_stood_are_never_called_however_steep() -> None:
    tables = made.built(made.flows(made.step({(good, "KAZ"): 25.0 for good in STOOD} | PLANTED)))
    assert called(tables.supply) == set(PLANTED)


def test_controls_that_rise_as_the_others_do_are_told_as_a_possible_boom() -> None:
    tables = made.built(made.flows(made.step({(good, "KGZ"): 25.0 for good in STOOD} | PLANTED)))
    kgz = tables.hubs.filter(window_end=LAST, importer_iso="KGZ").row(0, named=True)
    assert kgz["controls_called"] == len(STOOD)
    assert kgz["is_boom_possible"]
    kaz = tables.hubs.filter(window_end=LAST, importer_iso="KAZ").row(0, named=True)
    assert not kaz["is_boom_possible"]


def test_what_comes_after_a_window_is_not_seen_in_it() -> None:
    late = made.step(PLANTED, since=MONTHS - 3)
    with_more = made.built(made.flows(late)).supply.filter(window_end=date(2022, 9, 1))
    rows = made.flows(late).filter(pl.col("ref_date") <= date(2022, 9, 1))
    alone = made.built(rows).supply.filter(window_end=date(2022, 9, 1))
    assert with_more.equals(alone)


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = made.flows(made.step(PLANTED))
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=5)
    assert made.built(shuffled).supply.equals(made.built(rows).supply)


def test_trade_of_others_changes_nothing() -> None:
    rows = made.flows(made.step(PLANTED))
    elsewhere = made.as_flows([("010121", "TUR", "CHN", month, 5 * MILLION) for month in made.CALENDAR]).with_columns(
        dataset=pl.lit("another")
    )
    assert made.built(pl.concat([rows, elsewhere])).supply.equals(made.built(rows).supply)


def test_a_code_born_in_the_current_edition_is_refused_by_name_and_not_called_new() -> None:
    rows = made.flows(made.step(PLANTED))
    young = rows.filter(~((pl.col("cmd_code") == FELL[0]) & (pl.col("ref_date") < date(2022, 1, 1))))
    tables = made.built(young)
    assert set(tables.refused.filter(window_end=LAST, good=FELL[0])["refusal"]) == {"born_in_edition"}
    assert tables.supply.filter(window_end=LAST, good=FELL[0]).is_empty()


def test_a_good_that_the_extract_lacks_the_year_before_is_refused_as_unknown() -> None:
    rows = made.flows().with_columns(classification_code=pl.lit("H5"))
    young = rows.filter(~((pl.col("cmd_code") == FELL[0]) & (pl.col("ref_date") < date(2022, 1, 1))))
    assert set(made.built(young).refused.filter(good=FELL[0])["refusal"]) == {"outside_extract"}


def test_where_no_test_can_be_made_a_rule_calls_and_says_so() -> None:
    too_few_dates = made.settings(least_dates_before=1_000)
    usual = too_few_dates.model_copy(
        update={"calibration": too_few_dates.calibration.model_copy(update={"least_placebos": 10_000})}
    )
    supply = made.built(made.flows(made.step(PLANTED)), usual).supply
    assert called(supply) == set(PLANTED)
    assert set(supply["called_by"].drop_nulls()) == {"rule"}


def test_too_few_months_for_a_step_leave_the_window_test_alone() -> None:
    rows = made.flows(made.step(PLANTED)).filter(pl.col("ref_date") >= date(2020, 9, 1))
    tables = made.built(rows)
    assert tables.supply["date_q_value"].is_null().all()
    assert "No date test" in tables.calibration.filter(window_end=LAST)["says"].item()


def test_the_months_of_the_called_legs_are_kept_for_the_charts(planted: dict[str, pl.DataFrame]) -> None:
    assert set(planted["series"].select("good", "importer_iso").unique().rows()) == called(planted["supply"]) | called(
        planted["supply"], date(2022, 9, 1)
    ) | called(planted["supply"], date(2022, 6, 1))
    assert planted["series"].filter(good=FELL[0], importer_iso="KGZ").height == MONTHS
