"""The points of the flags' charts: a value, 0 where a side said nothing was traded, null where nobody can say."""

from typing import Any

import polars as pl

from pipelines.report import series
from tests.trade import NO_FAMILIES, PHONES, flow, prepared, years

GOOD = "870323"
YEARS = (2019, 2020, 2021, 2022)


def chart(
    rows: list[dict[str, Any]],
    good: str = GOOD,
    exporter: str = "KAZ",
    importer: str = "RUS",
    families: pl.DataFrame = NO_FAMILIES,
) -> dict[int, int | None]:
    """Year → the point of a flag on a route."""
    sides, coverage, scope = prepared(rows, families)
    flag = {"flag_id": "f", "freq_code": "A", "good": good, "exporter_iso": exporter, "importer_iso": importer}
    points = series(pl.DataFrame([flag]), sides.lazy(), coverage, scope)
    assert points["flag_id"].unique().to_list() == ["f"]
    return dict(points.select(pl.col("ref_date").dt.year(), "value_usd").iter_rows())


def test_a_year_without_a_row_is_a_point_at_nothing_where_the_extract_holds_good_and_partner() -> None:
    rows = [
        *years("KAZ", "RUS", {2021: 7, 2022: 9}, code=GOOD),
        *years("DEU", "RUS", dict.fromkeys(YEARS, 5), code=GOOD),
    ]
    rows += years("KAZ", "RUS", {2020: 5}, code="847989")
    assert chart(rows) == {2019: None, 2020: 0, 2021: 7, 2022: 9}


def test_a_year_in_which_the_extract_lacks_the_good_is_no_point() -> None:
    rows = [*years("KAZ", "RUS", {2021: 7, 2022: 9}, code=GOOD), *years("KAZ", "RUS", dict.fromkeys(YEARS, 5))]
    assert chart(rows) == {2019: None, 2020: None, 2021: 7, 2022: 9}


def test_a_year_in_which_the_extract_lacks_the_partner_is_no_point() -> None:
    rows = [
        *years("KAZ", "RUS", {2021: 7, 2022: 9}, code=GOOD),
        *years("KAZ", "UZB", dict.fromkeys(YEARS, 5), code=GOOD),
    ]
    assert chart(rows) == {2019: None, 2020: None, 2021: 7, 2022: 9}


def test_a_route_told_by_its_importer_has_points_where_the_importer_reported() -> None:
    imports = {"flow": "M", "code": GOOD, "dataset": "mirror"}
    rows = [
        *years("RUS", "KAZ", {2021: 7, 2022: 9}, **imports),
        *years("RUS", "KAZ", {2020: 4}, flow="M", dataset="mirror"),
    ]
    rows += years("RUS", "DEU", {2020: 4}, **imports)
    rows += years("KAZ", "UZB", dict.fromkeys(YEARS, 5), code=GOOD)
    assert chart(rows) == {2019: None, 2020: 0, 2021: 7, 2022: 9}


def test_a_reporter_that_moved_to_other_codes_of_a_family_has_no_point() -> None:
    rows = [flow(year, "UZB", "KAZ", 8, code="851712") for year in (2019, 2020, 2021)]
    rows += [flow(year, "DEU", "KAZ", 1, code="851712" if year < 2022 else "851713") for year in YEARS]
    rows += years("UZB", "KAZ", {2022: 5})
    assert chart(rows, "851712+", "UZB", "KAZ", PHONES) == {2019: 8, 2020: 8, 2021: 8, 2022: None}


def test_a_year_that_was_published_in_part_is_no_point() -> None:
    sides, coverage, scope = prepared(years("KAZ", "RUS", {2020: 5, 2021: 7, 2022: 9}, code=GOOD))
    coverage = coverage.with_columns(is_complete=pl.col("ref_date").dt.year() != 2021)
    flag = {"flag_id": "f", "freq_code": "A", "good": GOOD, "exporter_iso": "KAZ", "importer_iso": "RUS"}
    assert series(pl.DataFrame([flag]), sides.lazy(), coverage, scope)["value_usd"].to_list() == [5, None, 9]


def test_points_of_annual_and_of_monthly_data_stay_apart() -> None:
    rows = [*years("KAZ", "RUS", {2021: 7, 2022: 9}, code=GOOD), flow("2022-01", "KAZ", "RUS", 3, code=GOOD)]
    assert chart(rows) == {2021: 7, 2022: 9}
