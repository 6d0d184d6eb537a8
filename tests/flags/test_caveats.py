"""What a flag says against itself: a fall on the year before, a shock of the year, and placebos of another time."""

from typing import Any

import pytest

from anomaly.features.features import table_schema
from anomaly.flags.caveats import caveats

MILLION = 1_000_000
ROW: dict[str, Any] = {
    **dict.fromkeys(table_schema().columns()), "good": "848220", "freq_code": "A", "window_months": 12,
    "value_usd": 12 * MILLION, "value_prior_year_usd": 2 * MILLION, "value_basis": "export", "baseline_years": "2019-2021",
    "coalition_to_hub_compared": "2022 with 2021, comtrade", "coalition_to_target_compared": "2022 with 2021, comtrade",
    "flag_type": "hub_reexport", "shock_ratio": 1.0, "placebo_kind": "importers",
}  # fmt: skip
FELL, SHOCK, PERIODS = "It fell on the year before", "Control routes", "The placebos are the same routes before"


def says(words: str, calibrated: str = "importers", **changes: Any) -> list[str]:
    """The caveats that begin with some words."""
    return [
        text for text in caveats(ROW | changes, {"placebo_kind": calibrated}, "sanctions") if text.startswith(words)
    ]


def test_a_route_that_fell_on_the_year_before_says_so_with_the_figure() -> None:
    assert says(FELL, value_prior_year_usd=24 * MILLION) == [
        "It fell on the year before (−50 %): only its rise over the baseline speaks for it."
    ]
    assert says(FELL) == says(FELL, value_prior_year_usd=12 * MILLION) == says(FELL, value_prior_year_usd=None) == []


def test_what_has_ended_is_not_told_that_it_fell() -> None:
    assert says(FELL, value_prior_year_usd=24 * MILLION, flag_type="resolved") == []


def test_a_shock_of_the_year_is_told_from_a_fifth_more_control_routes_than_chance_on() -> None:
    assert says(SHOCK, shock_ratio=1.19) == says(SHOCK, shock_ratio=None) == []
    assert "rose 1.2 times as often as chance allows" in says(SHOCK, shock_ratio=1.2)[0]


@pytest.mark.parametrize(
    ("own", "of_window", "times"), [("importers", "periods", 0), ("periods", "importers", 1), (None, "periods", 1)]
)
def test_the_placebos_that_a_route_was_held_against_are_told_and_not_those_of_others_in_its_window(
    own: str | None, of_window: str, times: int
) -> None:
    assert len(says(PERIODS, of_window, placebo_kind=own)) == times
