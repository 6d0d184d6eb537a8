"""A maker that fills a gap is told apart: named by who makes the good and by what the coalition's sales to it could carry."""

from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.evidence import evidence
from anomaly.flags import flags, naming
from tests.flags.scored import calibrated, no_contributions, scored
from tests.flags.test_flags import NAMES, NO_LIST
from tests.flags.test_types import LEAST, called
from tests.trade import ALL_LINKED, measured, prepared, years

MILLION = 1_000_000
# China, a large maker of cars, went from 2 to 12 million; the coalition's direct sales fell and its sales to China stood.
MAKER = {
    "exporter_iso": "CHN", "good": "870323", "value_usd": 12 * MILLION, "value_baseline_usd": 2 * MILLION,
    "coalition_to_hub_usd": 50 * MILLION, "coalition_to_hub_baseline_usd": 50 * MILLION,
    "coalition_to_target_usd": 15 * MILLION, "coalition_to_target_prior_usd": 100 * MILLION,
    "coalition_to_target_baseline_usd": 100 * MILLION,
    "price_surge_log": None, "neighbour_code_shift": None, "neighbour_fell_good": None, "new_route": 0.0,
}  # fmt: skip
# Armenia is no known maker of bearings; what it sold to others in the baseline says that it makes them.
BY_TRADE = MAKER | {
    "exporter_iso": "ARM", "good": "848220", "revealed_advantage": 1.0, "elsewhere_baseline_usd": 8 * MILLION,
}  # fmt: skip


def test_a_maker_whose_supply_did_not_rise_fills_a_gap_and_alarms_nobody() -> None:
    assert called((), **MAKER) == ("backfill", "low")
    assert naming.type_of("backfill").is_alarm is False


@pytest.mark.parametrize(
    ("supply_usd", "flag_type"),
    [
        (50 * MILLION + 2 * MILLION - 1, "backfill"),  # a fifth of the rise of ten million could be re-export
        (50 * MILLION + 2 * MILLION, "hub_reexport"),
        (90 * MILLION, "hub_reexport"),
        (20 * MILLION, "backfill"),
        (None, "backfill"),  # its sales are not in the data: nothing is known that could have gone on
    ],
)
def test_a_maker_whose_new_supply_could_carry_a_fifth_of_the_rise_is_a_hub(
    supply_usd: int | None, flag_type: str
) -> None:
    assert called((), **(MAKER | {"coalition_to_hub_usd": supply_usd}))[0] == flag_type


def test_a_hub_that_makes_nothing_of_it_is_no_maker_however_little_it_got() -> None:
    assert called((), **(MAKER | {"exporter_iso": "ARM"})) == ("hub_reexport", "high")


@pytest.mark.parametrize(
    ("change", "flag_type"),
    [
        ({}, "backfill"),
        ({"revealed_advantage": 0.99}, "hub_reexport"),
        ({"revealed_advantage": None}, "hub_reexport"),
        ({"elsewhere_baseline_usd": 8 * MILLION - 1}, "hub_reexport"),  # four times what the target bought is to many
        ({"elsewhere_baseline_usd": None}, "hub_reexport"),
    ],
)
def test_who_sold_more_of_it_than_is_usual_and_to_many_is_a_maker_by_its_trade(
    change: dict[str, Any], flag_type: str
) -> None:
    assert called((), **(BY_TRADE | change))[0] == flag_type


def test_where_the_rise_is_not_known_nobody_fills_a_gap() -> None:
    assert called((), **(MAKER | {"value_baseline_usd": None}))[0] == "hub_reexport"


def test_a_relabel_by_a_maker_stays_a_relabel() -> None:
    shifted = {"neighbour_code_shift": 0.9, "neighbour_fell_good": "870324"}
    assert called(("870324",), **(MAKER | shifted)) == ("relabel", "high")
    assert called((), **(MAKER | shifted)) == ("backfill", "low")
    assert called(("870323", "870324"), **(MAKER | shifted)) == ("backfill", "low")


def sentence(**changes: Any) -> str:
    prior = {"value_prior_year_usd": 2 * MILLION, "coalition_to_hub_prior_usd": 50 * MILLION}
    names = {"exporter_name": "China", "maker_source": "OICA, production", "maker_year": 2022, "is_maker": True}
    return evidence.sentence({**LEAST, **MAKER, **prior, **names, **changes}, "backfill")


def test_its_sentence_says_whose_word_makes_it_a_maker_and_what_each_side_sold() -> None:
    assert sentence() == (
        "China is a large maker of it (OICA, production, 2022). Against the year before, what it sold Russia went from 2.0 "
        "million USD to 12.0 million USD (+500 %), the coalition's own sales there went from 100.0 million USD to 15.0 million "
        "USD (−85 %), the coalition's sales to China went from 50.0 million USD to 50.0 million USD (+0 %). A maker needs no "
        "detour: this looks like trade that took a place left free."
    )


def test_its_sentence_names_no_fall_and_no_supply_that_nobody_reported() -> None:
    text = sentence(
        coalition_to_target_usd=None, coalition_to_hub_usd=None, is_maker=None, elsewhere_baseline_usd=9 * MILLION
    )
    assert "fell" not in text
    assert "China sold it to many before, 9.0 million USD in the baseline." in text
    assert "What the coalition sells China and what it sells Russia itself is not in the data." in text


def test_the_evidence_of_a_flag_names_the_source_that_makes_it_a_maker() -> None:
    """Of cars, which China sells nobody else in these data: only the table of makers knows that it makes them."""
    rows = years("CHN", "RUS", {**dict.fromkeys((2019, 2020, 2021), 2 * MILLION), 2022: 12 * MILLION}, code="870323")
    rows += years("DEU", "RUS", {**dict.fromkeys((2019, 2020, 2021), 90 * MILLION), 2022: 9 * MILLION}, code="870323")
    features, refused = measured(rows)
    route = features.filter(pl.col("window_end").dt.year() == 2022, exporter_iso="CHN")
    scores, calibration, settings = scored(route), calibrated(route), load()
    flagged = flags.build(features, scores, no_contributions(scores), calibration, NO_LIST, NAMES, settings)
    assert flagged["flag_type"].to_list() == ["backfill"]
    sides, coverage, scope = prepared(rows)
    tables = evidence.Tables(features, scores, calibration, refused, sides, ALL_LINKED, coverage, scope)
    text = evidence.build(flagged, tables, {"CHN": "China"}, settings)["evidence"].item()
    assert text.startswith("China is a large maker of it (OICA")
