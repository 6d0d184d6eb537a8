"""From one possible hub to another: asked about where the direct trade fell, judged beside legs that are no detour, and said."""

from typing import Any

import polars as pl
import pytest

from anomaly.contract.keys import HUB_TO_HUB, HUB_TO_TARGET
from anomaly.evidence import evidence
from anomaly.flags import flags, naming
from anomaly.scores import forest_inputs, scores
from tests.flags.scored import calibrated, no_contributions, scored
from tests.flags.test_flags import MILLION, NAMES, NO_LIST, QUICK, trade
from tests.trade import measured, years

FIRST, SECOND = "GEO", "KAZ"
NO_SECOND = dict.fromkeys(range(2019, 2023), 60000)


def chain(*, gone: bool = True, supplied: bool = True, second: int = 9, onward: int = 8) -> list[dict[str, Any]]:
    """The coalition sells Georgia more, Georgia Kazakhstan, and Kazakhstan Russia; forty importers live on as before."""
    usual = [
        row
        for row in trade(boom=not gone)
        if (row["reporter_iso"], row["partner_iso"]) not in {("DEU", "KAZ"), ("KAZ", "RUS")}
    ]
    rows = usual + years(
        "KAZ", "RUS", {2019: MILLION, 2020: MILLION, 2021: MILLION, 2022: onward * MILLION}, code="847989"
    )
    rows += years(
        "DEU",
        FIRST,
        {2019: 2 * MILLION, 2020: 2 * MILLION, 2021: 2 * MILLION, 2022: (20 if supplied else 2) * MILLION},
        code="847989",
    )
    rows += years(FIRST, SECOND, {2019: 300_000, 2020: 300_000, 2021: 300_000, 2022: second * MILLION}, code="847989")
    return rows + years(FIRST, "ZZQ", dict.fromkeys(range(2019, 2023), MILLION), code="847989")


def run(rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, scores.Scored]:
    table, _ = measured(rows, settings=QUICK)
    return table, scores.build(forest_inputs.build(table, QUICK), forest_inputs.names(), QUICK)


def flagged(rows: list[dict[str, Any]]) -> pl.DataFrame:
    table, of_run = run(rows)
    return flags.build(table, of_run.scores, of_run.contributions, of_run.calibration, NO_LIST, NAMES, QUICK)


def second_hops(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return flagged(rows).filter(naming.is_on(HUB_TO_HUB)).to_dicts()


@pytest.fixture(scope="module")
def flag() -> dict[str, Any]:
    (row,) = second_hops(chain())
    return row


def test_a_planted_second_hop_is_flagged_as_what_it_is_and_medium_at_most(flag: dict[str, Any]) -> None:
    assert flag["flag_id"] == f"847989-{FIRST}-{SECOND}-2022"
    assert (flag["flag_type"], flag["severity"]) == ("second_hop", "medium")


def test_it_says_how_much_went_on_to_the_target_and_whose_direct_trade_fell(flag: dict[str, Any]) -> None:
    text_of = {reason["indicator"]: reason["text"] for reason in flag["reasons"]}
    assert (
        text_of["second_hop_onward_usd"]
        == "Kazakhstan sold Russia 8.0 million USD of the good, after 1.0 million USD a year before."
    )
    assert (
        "direct exports of the good to Russia fell from 100.0 million USD to 15.0 million USD"
        in text_of["direct_drop_log"]
    )


def test_where_nothing_went_on_no_reason_says_so() -> None:
    (row,) = second_hops(chain(onward=1))
    assert "second_hop_onward_usd" not in {reason["indicator"] for reason in row["reasons"]}


@pytest.mark.parametrize("change", [{"gone": False}, {"supplied": False}], ids=str)
def test_without_a_fall_or_a_supply_there_is_none(change: dict[str, Any]) -> None:
    assert second_hops(chain(**change)) == []


def test_the_q_of_routes_to_targets_does_not_know_of_it() -> None:
    table, _ = measured(chain(), settings=QUICK)
    inputs = forest_inputs.build(table, QUICK)
    with_it, without = (
        scores.build(rows, forest_inputs.names(), QUICK)
        for rows in (
            inputs,
            inputs.filter(
                pl.col("direct_fall_log").is_null() | (pl.col("role") != "other") | pl.col("is_from_coalition")
            ),
        )
    )
    to_target = with_it.scores.filter(importer_iso="RUS")
    assert to_target.height == 2
    assert to_target.equals(without.scores.filter(importer_iso="RUS"))
    assert with_it.calibration.filter(leg=HUB_TO_TARGET).equals(without.calibration.filter(leg=HUB_TO_TARGET))
    assert with_it.calibration.filter(leg=HUB_TO_HUB)["targets"].to_list() == [1]
    assert without.calibration.filter(leg=HUB_TO_HUB).is_empty()


def test_the_target_whose_direct_trade_counts_is_the_one_that_bought_most() -> None:
    rows = chain() + years(
        "DEU", "BLR", {2019: 9 * MILLION, 2020: 9 * MILLION, 2021: 9 * MILLION, 2022: 30 * MILLION}, code="847989"
    )
    table, _ = run(rows)
    route = table.filter(exporter_iso=FIRST, importer_iso=SECOND, window_end=pl.date(2022, 12, 1), baseline_gap_years=1)
    assert route.select("direct_target_iso", "coalition_to_target_usd").row(0) == ("RUS", 15 * MILLION)


def test_a_large_maker_of_the_good_is_low_and_says_so() -> None:
    table, _ = measured([row | {"reporter_iso": "CHN"} if row["reporter_iso"] == FIRST else row | {"partner_iso": "CHN"} if row["partner_iso"] == FIRST else row
                         for row in [row | {"cmd_code": "870323"} for row in chain()]], settings=QUICK)  # fmt: skip
    route = table.filter(exporter_iso="CHN", importer_iso=SECOND, window_end=pl.date(2022, 12, 1), baseline_gap_years=1)
    (row,) = flags.build(
        route, scored(route), no_contributions(route), calibrated(route, HUB_TO_HUB), NO_LIST, NAMES, QUICK
    ).to_dicts()
    assert (row["flag_type"], row["severity"]) == ("second_hop", "low")
    assert "The exporter is a large maker of it: what it sells may be of its own make." in row["caveats"]


def test_its_sentence_names_the_three_legs_and_the_fourth() -> None:
    row = {
        "exporter_name": "Georgia", "importer_name": "Kazakhstan", "direct_target_name": "Russia", "since": "prior",
        "value_usd": 9 * MILLION, "value_prior_year_usd": 300_000, "value_baseline_usd": 300_000, "reasons": [],
        "coalition_to_target_usd": 15 * MILLION, "coalition_to_target_prior_usd": 100 * MILLION,
        "coalition_to_hub_usd": 20 * MILLION, "coalition_to_hub_prior_usd": 2 * MILLION,
    }  # fmt: skip
    sentence = evidence.sentence(row, "second_hop")
    for part in (
        "the coalition's sales to Russia went from 100.0",
        "its sales to Georgia went from 2.0",
        "what Georgia sold to Kazakhstan went from",
    ):
        assert part in sentence
    assert sentence.endswith("Whether Kazakhstan sold more of it on to Russia is not in the data, or it did not.")
