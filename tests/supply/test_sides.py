"""Who carries a called leg, whether it arrived, and what went on, on made-up reports."""

from datetime import date

import polars as pl
import pytest

from anomaly.supply import sides
from tests.supply import made
from tests.supply.made import CALENDAR, FELL, MEASURE

LAST = date(2022, 12, 1)
PLANTED = {(good, "KGZ"): 25.0 for good in FELL[:12]}
GOOD = FELL[0]


def filled(added: pl.DataFrame | None = None) -> dict[str, object]:
    """The called leg of GOOD to KGZ in the last window, with what others report of it."""
    rows = made.flows(made.step(PLANTED))
    rows = rows if added is None else pl.concat([rows, added])
    cells, reported, scope = made.prepared(rows)
    supply = made.built(rows).supply
    rules = made.settings()
    beside = sides.beside(supply, cells, reported, scope, rules)
    assert beside.select("good", "window_end").equals(supply.select("good", "window_end"))
    return beside.filter(window_end=LAST, good=GOOD, importer_iso="KGZ").row(0, named=True)


def reports_of(reporter: str, partner: str, flow: str, usd: int, since: int = 0) -> pl.DataFrame:
    """The same amount of GOOD every month, as one country reports it."""
    return made.as_flows(
        [(GOOD, partner, reporter, month, usd if at >= since else 1_000) for at, month in enumerate(CALENDAR)], flow
    )


def test_the_members_of_a_leg_add_up_to_it_the_largest_first() -> None:
    row = filled()
    members = row["members"]
    assert isinstance(members, list)
    assert [member["exporter_iso"] for member in members] == ["DEU", "ITA", "POL"]
    assert sum(member["value_usd"] for member in members) == row["value_usd"]
    assert sum(member["value_prior_year_usd"] for member in members) == row["value_prior_year_usd"]


def test_without_the_hubs_reports_arrival_and_onward_sales_are_unknown() -> None:
    row = filled()
    assert (row["recorded_usd"], row["onward_usd"], row["onward_of"]) == (None, None, None)


def test_what_the_hub_records_is_summed_over_the_members_and_the_window() -> None:
    imports = pl.concat([reports_of("KGZ", member, "M", 10_000) for member in ("DEU", "ITA")])
    assert filled(imports)["recorded_usd"] == 2 * 6 * 10_000


def test_a_hub_that_leaves_out_a_month_of_the_window_has_no_known_arrivals() -> None:
    imports = reports_of("KGZ", "DEU", "M", 10_000).filter(pl.col("ref_date") != date(2022, 9, 1))
    assert filled(imports)["recorded_usd"] is None


def test_what_the_hub_sold_on_is_that_of_the_same_months() -> None:
    row = filled(reports_of("KGZ", "RUS", "X", 400_000, since=MEASURE))
    assert (row["onward_usd"], row["onward_prior_usd"], row["onward_of"]) == (2_400_000, 6_000, "the same months")


def annual(years: tuple[int, ...]) -> pl.DataFrame:
    rows = [(GOOD, "RUS", "KGZ", date(year, 1, 1), 9_000_000 if year == 2022 else 50_000) for year in years]
    return made.as_flows(rows).with_columns(freq_code=pl.lit("A"), dataset=pl.lit("annual"), source=pl.lit("comtrade"))


def test_where_no_months_are_reported_the_years_tell_what_went_on() -> None:
    row = filled(annual((2020, 2021, 2022)))
    assert (row["onward_usd"], row["onward_prior_usd"], row["onward_of"]) == (9_000_000, 50_000, "2022 with 2021")


def test_a_year_that_the_hub_has_not_reported_is_unknown_and_not_nothing() -> None:
    assert filled(annual((2020, 2021)))["onward_usd"] is None


@pytest.mark.parametrize("column", ["recorded_usd", "onward_usd"])
def test_legs_that_are_not_called_are_left_as_they_are(column: str) -> None:
    rows = pl.concat([made.flows(), reports_of("KGZ", "RUS", "X", 400_000)])
    cells, reported, scope = made.prepared(rows)
    supply = made.built(rows).supply
    assert sides.beside(supply, cells, reported, scope, made.settings())[column].is_null().all()
