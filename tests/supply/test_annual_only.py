"""A leg that is reported by whole years only is refused by name, with who reports it so."""

from datetime import date

import polars as pl

from anomaly.contract.schema_supply import Supply, SupplyRefused
from anomaly.contract.settings import load
from anomaly.supply import annual_only

SETTINGS = load()
MILLION = 1_000_000
LEG = {"good": "870323", "importer_iso": "UZB", "ref_date": date(2023, 1, 1), "freq_code": "A"}
SOLD = pl.DataFrame(
    [LEG | {"exporter_iso": member, "value_usd": 3 * MILLION} for member in ("DEU", "FRA", "JPN", "KOR", "LTU")]
)


def refused(sold: pl.DataFrame = SOLD, supply: pl.DataFrame | None = None) -> pl.DataFrame:
    kept = sold.filter(annual_only.rows_of(SETTINGS))
    judged = Supply.create_empty() if supply is None else supply
    rows = annual_only.refused(kept, judged, SupplyRefused.create_empty(), SETTINGS)
    SupplyRefused.validate(rows)
    return rows


def test_it_is_refused_with_the_members_that_report_it_by_year() -> None:
    (row,) = refused().to_dicts()
    assert (row["refusal"], row["value_usd"], row["window_end"]) == (
        "reported_by_year",
        15 * MILLION,
        date(2023, 12, 1),
    )
    assert row["says"].startswith(
        "reported by year (DEU, FRA, JPN and 2 more), and no window of it could be read by month"
    )


def test_what_was_judged_by_month_in_that_year_is_not_refused() -> None:
    judged = {"good": "870323", "importer_iso": "UZB", "window_end": date(2023, 6, 1)}
    supply = pl.DataFrame([dict.fromkeys(Supply.column_names()) | judged], schema=Supply.create_empty().schema)
    assert refused(supply=supply).is_empty()
    assert refused(supply=supply.with_columns(window_end=date(2022, 6, 1))).height == 1


def test_only_hubs_since_the_measure_and_material_legs_are_told() -> None:
    for name, value in (
        ("importer_iso", "RUS"),
        ("importer_iso", "CHL"),
        ("exporter_iso", "CHN"),
        ("ref_date", date(2021, 1, 1)),
        ("value_usd", MILLION // 5 - 1),
        ("freq_code", "M"),
    ):
        assert refused(SOLD.with_columns(pl.lit(value).alias(name))).is_empty(), name
