"""What evidence reads from silence: the other side of a flag, and sellers that have no row."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from anomaly.evidence import both_sides, other_sellers
from tests.trade import PHONES, flow, prepared, years

YEARS = range(2019, 2023)
NO_BREAKS = pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8})
COALITION = ("DEU",)


def breaks(good: str, newer: int) -> pl.DataFrame:
    return pl.DataFrame({"good": [good], "newer_edition": [newer]}, schema_overrides={"newer_edition": pl.Int8})


def flag(good: str = "847989", exporter: str = "KAZ", importer: str = "RUS", **changes: Any) -> pl.DataFrame:
    """A flag of annual data of 2022, with what evidence reads of its features."""
    row = {
        "flag_id": "f", "freq_code": "A", "window_months": 12, "window_end": date(2022, 12, 1), "good": good,
        "exporter_iso": exporter, "importer_iso": importer, "baseline_years": "2019-2021", "value_basis": "export",
        "since": "prior", "value_usd": 9, "value_prior_year_usd": 9, "value_baseline_usd": 9, **changes,
    }  # fmt: skip
    return pl.DataFrame([row], schema_overrides={"window_months": pl.Int16})


def sides(
    rows: list[dict[str, Any]], flags: pl.DataFrame, broken: pl.DataFrame = NO_BREAKS, part: tuple[str, int] | None = None,
) -> dict[str, tuple[int | None, int | None]]:  # fmt: skip
    """Span → (imports, re-exports) beside a flag; `part` is a reporter that published only a part of a year."""
    trade, coverage, scope = prepared(rows, PHONES)
    if part is not None:
        is_part = (pl.col("reporter_iso") == part[0]) & (pl.col("ref_date").dt.year() == part[1])
        coverage = coverage.with_columns(is_complete=~is_part)
    built = both_sides.build(flags, trade, trade, coverage, scope, broken)["sides"][0]
    return {side["span"]: (side["import_value_cif_usd"], side["reexport_value_fob_usd"]) for side in built}


def sent(code_of_2022: str = "847989", code: str = "847989", **options: Any) -> list[dict[str, Any]]:
    """Kazakhstan sells Russia 9 a year."""
    return years("KAZ", "RUS", dict.fromkeys(range(2019, 2022), 9), code=code, **options) + years(
        "KAZ", "RUS", {2022: 9}, code=code_of_2022, **options
    )


def heard(
    *codes: str, dataset: str = "extract", held: range = YEARS, edition: str | None = None
) -> list[dict[str, Any]]:
    """Russia reports imports of codes from Germany, and of others from Kazakhstan: its dataset holds good and partner."""
    options = {"flow": "M", "dataset": dataset, "edition": edition}
    rows = years("RUS", "KAZ", dict.fromkeys(held, 1), code="640399", **options)
    return rows + [row for code in codes for row in years("RUS", "DEU", dict.fromkeys(held, 1), code=code, **options)]


def imports(*arguments: Any, **options: Any) -> list[int | None]:
    return [imported for imported, _ in sides(*arguments, **options).values()]


def test_an_importer_that_published_a_part_of_a_year_does_not_say_what_came_in_it() -> None:
    rows = sent() + years("RUS", "KAZ", dict.fromkeys(YEARS, 8), flow="M")
    assert imports(rows, flag()) == [8, 8, 8]
    assert imports(rows, flag(), part=("RUS", 2021)) == [8, None, None]


def test_no_row_of_an_importer_is_nothing_where_all_its_datasets_that_ever_can_say_so() -> None:
    assert imports(sent() + heard("847989"), flag()) == [0, 0, 0]
    late = heard("847989", dataset="late", held=range(2022, 2023))
    assert imports(sent() + heard("847989") + late, flag()) == [0, None, None]


def test_no_row_of_a_re_coded_good_is_nothing_where_the_importer_has_it_from_others() -> None:
    rows = (
        sent("851713", "851712")
        + heard()
        + years("RUS", "DEU", dict.fromkeys(range(2019, 2022), 1), flow="M", code="851712")
    )
    of_others = flow(2022, "ARM", "DEU", 1, flow="M", code="851713")
    assert imports([*rows, of_others], flag("851712+")) == [None, 0, 0], "Russia has moved to other codes"
    assert imports([*rows, flow(2022, "RUS", "DEU", 1, flow="M", code="851713")], flag("851712+")) == [0, 0, 0]


def test_no_row_is_nothing_where_no_change_that_breaks_the_good_lies_between_the_two_sides() -> None:
    """Kazakhstan tells all years in HS 2017."""
    rows = sent(edition="H5")
    assert imports(rows + heard("847989", edition="H5"), flag(), breaks("847989", 6)) == [0, 0, 0]
    assert imports(rows + heard("847989", edition="H6"), flag(), breaks("847989", 5)) == [0, 0, 0]
    assert imports(rows + heard("847989", edition="H6"), flag(), breaks("847989", 6)) == [None, None, None]


def test_no_re_exports_are_a_nothing_only_in_a_period_that_the_exporter_published() -> None:
    rows = [flow(f"{year}-0{month}", "KAZ", "RUS", 9) for year in (2021, 2022) for month in (1, 2)]
    rows += [flow(f"{year}-01", "KAZ", "RUS", 4, flow="RX") for year in (2021, 2022)]
    months = flag(freq_code="M", window_months=2, window_end=date(2022, 2, 1), baseline_years="")
    assert [declared for _, declared in sides(rows, months).values()][:2] == [4, 4]
    missing = [row for row in rows if row["ref_date"] != date(2021, 2, 1)]
    assert [declared for _, declared in sides(missing, months).values()][:2] == [4, None]


def sold(
    rows: list[dict[str, Any]], flags: pl.DataFrame, broken: pl.DataFrame = NO_BREAKS
) -> tuple[int | None, int | None]:
    """What others than the coalition and Kazakhstan sold Russia in the window, and then."""
    trade, coverage, scope = prepared(rows, PHONES)
    market = other_sellers.build(trade, coverage, scope, broken, flags)
    totals = other_sellers.sold_by_others(flags, market, trade, coverage, scope, broken, COALITION)
    return totals.select("others_to_target_usd", "others_to_target_then_usd").row(0)


def test_others_sold_nothing_where_one_of_them_at_least_published_both_windows_in_full() -> None:
    assert sold(sent(), flag()) == (None, None), "the exporter itself is none of the others"
    germany = years("DEU", "RUS", dict.fromkeys(YEARS, 5))
    assert sold(sent() + germany, flag()) == (None, None), "nor is the coalition"
    china = years("CHN", "RUS", dict.fromkeys((2021, 2022), 5), code="640399")
    assert sold(sent() + china, flag()) == (0, 0)
    assert sold(sent() + china[1:], flag()) == (None, None), "it did not publish the year before"
    assert sold(sent() + china, flag(since="baseline")) == (None, None), "nor the baseline"


def test_a_seller_that_moved_to_other_codes_of_a_good_does_not_say_that_it_sold_none() -> None:
    china = years("CHN", "RUS", dict.fromkeys((2021, 2022), 5), code="640399") + years(
        "CHN", "ARM", {2020: 1}, code="851712"
    )
    rows = sent("851713", "851712") + china
    assert sold(rows, flag("851712+")) == (None, None)
    has_it = [flow(2021, "CHN", "ARM", 1, code="851712"), flow(2022, "CHN", "ARM", 1, code="851713")]
    assert sold(rows + has_it, flag("851712+")) == (0, 0)


def test_a_seller_for_which_the_good_became_another_does_not_say_that_it_sold_none() -> None:
    china = [
        *years("CHN", "RUS", {2021: 5}, code="640399", edition="H5"),
        *years("CHN", "RUS", {2022: 5}, code="640399", edition="H6"),
    ]
    assert sold(sent(edition="H5") + china, flag(), breaks("847989", 6)) == (None, None)
    assert sold(sent(edition="H5") + china, flag(), breaks("847989", 5)) == (0, 0)


def market(
    rows: list[dict[str, Any]], broken: pl.DataFrame = NO_BREAKS, to: str = "RUS", good: str = "847989"
) -> tuple[Any, ...]:
    """Window, year before and baseline of China's sales, from the rows to one country and all around."""
    trade, coverage, scope = prepared(rows, PHONES)
    built = other_sellers.build(trade.filter(importer_iso=to), coverage, scope, broken, flag(), trade)
    values = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
    return built.filter(exporter_iso="CHN", good=good).select(values).row(0)


def test_a_sellers_sales_to_others_say_that_it_has_not_moved_to_other_codes() -> None:
    rows = years("CHN", "RUS", {2019: 5, 2020: 5, 2021: 5}, code="851712") + years(
        "CHN", "RUS", {2022: 5}, code="640399"
    )
    rows += years("UZB", "RUS", {2019: 1, 2020: 1, 2021: 1}, code="851712") + years(
        "UZB", "RUS", {2022: 1}, code="851713"
    )
    assert market(rows, good="851712+") == (None, 5, 5)
    assert market([*rows, flow(2022, "CHN", "ARM", 1, code="851713")], good="851712+") == (0, 5, 5)


def test_a_break_that_the_seller_did_not_cross_hides_no_year() -> None:
    rows = years("CHN", "RUS", dict.fromkeys(range(2019, 2022), 3)) + years("CHN", "RUS", {2022: 4})
    assert market(rows, breaks("847989", 5)) == (4, 3, 3)
    assert market(rows, breaks("847989", 6)) == (4, None, None)


def test_a_year_before_is_told_where_the_window_is_unknown() -> None:
    rows = years("CHN", "RUS", dict.fromkeys(range(2019, 2022), 3)) + sent()
    assert market(rows, breaks("847989", 5)) == (None, 3, 3)
