"""Whether a hub makes a good: its revealed comparative advantage in the baseline, by hand."""

from typing import Any

import polars as pl
import pytest

from tests.trade import measured, years

MILLION = 1_000_000
YEARS = range(2019, 2023)
CHAPTERS = [f"{chapter}0110" for chapter in range(30, 40)]


def steady(exporter: str, importer: str, value: int, code: str, **options: Any) -> list[dict[str, Any]]:
    """The same million USD every year."""
    return years(exporter, importer, dict.fromkeys(YEARS, value * MILLION), code=code, **options)


def world(**options: Any) -> list[dict[str, Any]]:
    """Germany sells 120 of 847989 and 1,000 of other goods; Kazakhstan 500 of others, over ten partners and chapters."""
    rows = []
    for number, code in enumerate(CHAPTERS):
        name = f"AA{chr(65 + number)}"
        rows += [*steady("DEU", name, 100, code, **options), *steady("KAZ", name, 50, code, **options)]
        rows += steady("DEU", name, 12, "847989", **options)
    return rows


def to_russia(value: int, **options: Any) -> list[dict[str, Any]]:
    """Kazakhstan's sales of 847989 to Russia: so much until 2021, 90 million USD in 2022."""
    values = {year: (90 if year == 2022 else value) * MILLION for year in YEARS}
    return years("KAZ", "RUS", {year: usd for year, usd in values.items() if usd}, **options)


def advantage(rows: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    table = measured(rows)[0].filter(pl.col("window_end").dt.year() == 2022, exporter_iso="KAZ", importer_iso="RUS")
    return table.row(0, named=True)["revealed_advantage"], table.row(0, named=True)["no_capacity"]


def test_the_share_of_the_good_in_the_hubs_exports_stands_beside_its_share_in_the_worlds() -> None:
    # Kazakhstan 6 of 506, the world 126 of 1,626
    share_ratio, lack = advantage([*world(), *to_russia(6)])
    assert share_ratio == pytest.approx((6 / 506) / (126 / 1_626))
    assert lack == pytest.approx(1 - (6 / 506) / (126 / 1_626))


def test_a_hub_that_sold_none_to_anyone_does_not_make_it() -> None:
    assert advantage([*world(), *to_russia(0)]) == (0.0, 1.0)


def test_sales_to_anyone_count() -> None:
    share_ratio, _ = advantage([*world(), *to_russia(0), *steady("KAZ", "AAC", 40, "847989")])
    assert share_ratio == pytest.approx((40 / 540) / (160 / 1_660))


def test_an_extract_of_few_chapters_says_nothing() -> None:
    assert advantage([*[row for row in world() if row["cmd_code"] > "32"], *to_russia(6)]) == (None, None)


def test_an_extract_of_few_partners_says_nothing() -> None:
    rows = [{**row, "partner_iso": "AAA" if row["partner_iso"] > "AAG" else row["partner_iso"]} for row in world()]
    grouped = pl.DataFrame(rows).group_by(pl.exclude("primary_value_usd"), maintain_order=True).sum().to_dicts()
    assert advantage([*grouped, *to_russia(6)]) == (None, None)


def test_a_reporter_without_the_baseline_has_no_total() -> None:
    late = [row for row in world() if row["reporter_iso"] != "KAZ" or row["ref_date"].year > 2019]
    assert advantage([*late, *to_russia(6)])[1] is not None  # the route itself reports 2019
    assert advantage([*late, *[row for row in to_russia(6) if row["ref_date"].year > 2019]]) == (None, None)


def test_an_extract_to_russia_beside_a_whole_dataset_takes_the_hubs_total_from_the_whole() -> None:
    share_ratio, _ = advantage([*world(), *to_russia(6, dataset="to Russia")])
    assert share_ratio == pytest.approx((6 / 500) / (126 / 1_620))


def test_a_seller_whose_exports_as_a_whole_are_not_in_the_data_is_not_in_the_worlds_either() -> None:
    rows = [*world(), *to_russia(6), *steady("ARM", "RUS", 100, "847989", dataset="to Russia")]
    share_ratio, _ = advantage(rows)
    assert share_ratio == pytest.approx((6 / 506) / (126 / 1_626))
