"""The excess of a flag and the interval around it, by hand: what placebos do beyond their counterfactual this route may do."""

from math import exp
from typing import Any

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.flags import flags
from tests.flags.scored import calibrated, no_contributions, scored
from tests.flags.test_flags import NAMES, NO_LIST
from tests.trade import measured, years

MILLION = 1_000_000


def flag(**of_score: Any) -> dict[str, Any]:
    """Kazakhstan's sales to Russia went from 2 to 12 million; nothing is known of everybody: the counterfactual is 2 million."""
    rows = years("KAZ", "RUS", {2019: 2 * MILLION, 2020: 2 * MILLION, 2021: 2 * MILLION, 2022: 12 * MILLION})
    rows += years("DEU", "RUS", {**dict.fromkeys((2019, 2020, 2021), 90 * MILLION), 2022: 9 * MILLION})
    features, _ = measured(rows)
    hub = features.filter(pl.col("window_end").dt.year() == 2022, exporter_iso="KAZ")
    scores = scored(hub, **of_score)
    made = flags.build(features, scores, no_contributions(scores), calibrated(hub), NO_LIST, NAMES, load())
    assert flags.table_schema().is_valid(made)
    return made.row(0, named=True)


def interval(**of_score: Any) -> tuple[int | None, int | None]:
    made = flag(**of_score)
    return made["excess_low_usd"], made["excess_high_usd"]


def test_the_excess_is_what_the_route_carries_above_its_counterfactual() -> None:
    made = flag()
    assert (made["counterfactual_usd"], made["excess_usd"]) == (2 * MILLION, 10 * MILLION)


def test_its_interval_is_that_of_a_route_that_rose_as_the_outer_tenths_of_the_placebos_did() -> None:
    low, high = interval(rest_low_log=-0.4, rest_high_log=0.5)
    assert low == pytest.approx(12_000_000 - (2_100_000 * exp(0.5) - 100_000), abs=1)
    assert high == pytest.approx(12_000_000 - (2_100_000 * exp(-0.4) - 100_000), abs=1)


def test_at_most_the_whole_route_is_excess() -> None:
    assert interval(rest_low_log=-9.0)[1] == 12 * MILLION


def test_where_placebos_say_nothing_there_is_no_interval() -> None:
    assert interval(rest_low_log=None, rest_high_log=None) == (None, None)
