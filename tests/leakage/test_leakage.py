"""What went to hubs beyond what the years before explain, on made-up trade with a planted amount."""

from datetime import date

import polars as pl
import pytest

from anomaly.contract.settings import Settings
from anomaly.leakage import frames, to_hubs
from anomaly.supply import reporting
from tests.supply import made
from tests.supply.made import FELL, HUBS, NO_LISTS, STOOD
from tests.trade import ALL_LINKED

LAST = date(2022, 12, 1)
PLANTED = {(good, "KGZ"): 25.0 for good in FELL[:12]}


def built(rows: pl.DataFrame, rules: Settings | None = None, lists: pl.DataFrame = NO_LISTS) -> frames.Tables:
    cells, reported, scope = made.prepared(rows)
    rules = rules or made.settings()
    spans = reporting.spans(reported, scope, rules)
    return frames.together(to_hubs.build([cells], spans, ALL_LINKED, lists, rules))


@pytest.fixture(scope="module")
def planted() -> frames.Tables:
    return built(made.flows(made.step(PLANTED)))


def at(table: pl.DataFrame, level: str, months: int = 6, **key: str) -> dict[str, object]:
    return table.filter(window_end=LAST, window_months=months, level=level, **key).row(0, named=True)


def test_the_planted_excess_lies_in_the_interval_of_its_hub_and_of_all(planted: frames.Tables) -> None:
    rows = made.flows(made.step(PLANTED)).filter(
        pl.col("cmd_code").is_in(list(FELL[:12])),
        pl.col("partner_iso") == "KGZ",
        pl.col("ref_date") >= date(2022, 7, 1),
    )
    excess = round(rows["primary_value_usd"].sum() * 24 / 25)
    for row in (at(planted.leakage, "hub", hub_iso="KGZ"), at(planted.leakage, "all")):
        assert row["excess_low_usd"] <= excess <= row["excess_high_usd"]  # type: ignore[operator]
        assert row["excess_low_usd"] > 0.8 * excess  # type: ignore[operator]


def test_a_hub_to_which_nothing_is_diverted_has_an_interval_that_holds_none(planted: frames.Tables) -> None:
    row = at(planted.leakage, "hub", hub_iso="KAZ")
    assert row["excess_low_usd"] <= 0 <= row["excess_high_usd"]  # type: ignore[operator]


def test_sums_are_those_of_their_parts_to_the_last_dollar(planted: frames.Tables) -> None:
    table = planted.leakage.filter(window_end=LAST, window_months=6)
    for value in ("value_usd", "value_before_usd"):
        whole = table.filter(level="all")[value].item()
        for level in ("hub", "good", "hub_good"):
            assert table.filter(level=level)[value].sum() == whole


def test_the_values_are_what_the_members_report_of_goods_whose_direct_trade_fell(planted: frames.Tables) -> None:
    reported = made.flows(made.step(PLANTED)).filter(
        pl.col("cmd_code").is_in(list(FELL)), pl.col("partner_iso") == "ARM", pl.col("ref_date") >= date(2022, 7, 1)
    )
    assert at(planted.leakage, "hub", hub_iso="ARM")["value_usd"] == reported["primary_value_usd"].sum()
    assert set(planted.leakage.filter(level="good")["good"]).isdisjoint(STOOD)


def test_excess_is_value_less_what_is_explained_and_low_is_below_high(planted: frames.Tables) -> None:
    table = planted.leakage
    assert (table["excess_middle_usd"] == table["value_usd"] - table["counterfactual_middle_usd"]).all()
    assert (table["excess_low_usd"] <= table["excess_middle_usd"]).all()
    assert (table["excess_middle_usd"] <= table["excess_high_usd"]).all()


def test_what_the_direct_trade_lost_stands_beside_it(planted: frames.Tables) -> None:
    rows = made.flows(made.step(PLANTED)).filter(pl.col("partner_iso") == "RUS", pl.col("cmd_code") == FELL[0])
    sums = [
        int(rows.filter(pl.col("ref_date").is_between(date(year, 7, 1), date(year, 12, 1)))["primary_value_usd"].sum())
        for year in (2021, 2022)
    ]
    assert at(planted.leakage, "good", good=FELL[0])["direct_lost_usd"] == sums[0] - sums[1]


def test_the_year_so_far_has_a_window_of_its_own(planted: frames.Tables) -> None:
    assert set(planted.leakage.filter(window_end=LAST)["window_months"]) == {6, 12}


def test_the_coverage_of_the_interval_is_read_a_year_before_the_measure(planted: frames.Tables) -> None:
    row = planted.coverage.filter(window_end=LAST, window_months=6, of="hub").row(0, named=True)
    assert row["checked_end"] == date(2021, 12, 1)
    assert row["sums"] == len(HUBS)
    assert 0 <= row["held"] <= row["sums"]


def test_the_figures_of_a_hub_are_the_same_whoever_else_is_in_the_data() -> None:
    rows = made.flows(made.step(PLANTED))
    fewer = rows.filter(pl.col("partner_iso") != "UZB")
    few, all_of_them = (at(built(part).leakage, "hub", hub_iso="KAZ") for part in (fewer, rows))
    assert few["value_usd"] == all_of_them["value_usd"]
    assert few["counterfactual_middle_usd"] == pytest.approx(all_of_them["counterfactual_middle_usd"], rel=0.05)


def test_a_wider_common_shock_makes_a_wider_interval_of_sums() -> None:
    rows = made.flows()
    rows_of = [at(built(rows, made.settings(common_shock_log=shock)).leakage, "all") for shock in (0.0, 0.8)]
    narrow, wide = (int(str(row["excess_high_usd"])) - int(str(row["excess_low_usd"])) for row in rows_of)
    assert wide > 3 * narrow


def test_where_listed_goods_are_asked_about_no_other_good_is_in_a_sum() -> None:
    listed = FELL[:5]
    lists = pl.DataFrame({"good": listed, "tier": ["1"] * 5}).with_columns(
        valid_from=pl.date(2022, 2, 24), valid_to=pl.lit(None, dtype=pl.Date)
    )
    rules = made.settings().model_copy(update={"goods_asked": "listed"})
    table = built(made.flows(made.step(PLANTED)), rules, lists).leakage.filter(window_end=LAST)
    assert set(table.filter(level="hub_good")["good"]) == set(listed)
    whole = table.filter(window_months=6)
    assert whole.filter(level="all")["value_usd"].item() == whole.filter(level="hub_good")["value_usd"].sum()


def test_without_a_year_before_the_year_before_there_is_no_leakage() -> None:
    rows = made.flows(made.step(PLANTED)).filter(pl.col("ref_date") >= date(2021, 1, 1))
    assert built(rows).leakage.is_empty()
