"""Trade Map, WITS, and the national workbooks of Kazakhstan and Kyrgyzstan: read with the right figure, or refused with why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from anomaly.contract.errors import DataRejected
from anomaly.sources import find
from anomaly.sources.base import Batch, Context, RawFile
from tests.sources.publishers_files import (
    BILATERAL,
    FLAT,
    KAZAKHSTAN,
    KYRGYZSTAN,
    MARKETS,
    WITS_BULK,
    WITS_PAGE,
    Cells,
    page,
    tabbed,
    workbook,
)

TITLE = (
    "List of importing markets for a product exported by Kazakhstan",
    "Product: 8517 Telephone sets",
    "Unit : US Dollar thousand",
)
BY_KAZAKHSTAN = "Trade_Map_-_List_of_importing_markets_for_a_product_exported_by_Kazakhstan"


def read(folder: Path, name: str, content: bytes) -> Batch:
    path = folder / name.split("/")[-1]
    path.write_bytes(content)
    raw = RawFile(path, name)
    (batch,) = find(raw).read(raw, Context())
    return batch


def trade(batch: Batch) -> list[tuple[object, ...]]:
    columns = (
        "freq_code",
        "ref_date",
        "reporter_iso",
        "partner_iso",
        "flow_code",
        "classification_code",
        "cmd_code",
        "primary_value_usd",
    )
    return batch.flows.sort("ref_date", "partner_iso", "cmd_code").select(columns).rows()


def errors(batch: Batch) -> int:
    return batch.rejected.filter("is_error").height


# WITS


@pytest.mark.parametrize("name", ["DataJobID-2973967_2973967_mine.csv", "wits/mine.csv", "mine.csv"])
def test_wits_bulk_is_read_in_thousands_by_its_own_codes_of_countries(tmp_path: Path, name: str) -> None:
    batch = read(tmp_path, name, WITS_BULK.encode())
    assert trade(batch) == [
        ("A", date(2021, 1, 1), "ROU", "KAZ", "M", "H5", "851712", 340_250),
        ("A", date(2021, 1, 1), "KAZ", "RUS", "X", "H5", "851712", 3_340_500),
        ("A", date(2022, 1, 1), "KAZ", "TWN", "X", "H6", "851713", 40_500),
    ]
    assert batch.flows.sort("ref_date", "partner_iso")["net_wgt_g"].to_list() == [None, 120_000, 7_000]
    assert (errors(batch), batch.rejected["rule"].to_list()) == (0, ["aggregate"])


def test_wits_pages_name_their_countries_and_say_no_edition(tmp_path: Path) -> None:
    batch = read(tmp_path, "By-HS6Product.xlsx", workbook({"By-HS6Product": WITS_PAGE}))
    assert trade(batch) == [("A", date(2022, 1, 1), "KAZ", "RUS", "X", "H6", "854231", 88_125)]


def test_wits_codes_without_their_zero_are_errors(tmp_path: Path) -> None:
    batch = read(tmp_path, "wits/mine.csv", WITS_BULK.replace("851712", "30214").encode())
    assert all("a zero is lost" in reason for reason in batch.rejected.filter("is_error")["reason"])


def test_a_file_in_wits_with_another_header_is_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"ReporterISO3.*Trade Value 1000USD"):
        read(tmp_path, "wits/mine.csv", b"a,b\n1,2\n")


# Trade Map


def test_trade_map_markets_of_a_page_say_reporter_and_product_in_the_title(tmp_path: Path) -> None:
    batch = read(tmp_path, f"{BY_KAZAKHSTAN}.xls", page(TITLE, MARKETS))
    assert trade(batch) == [
        ("A", date(2021, 1, 1), "KAZ", "RUS", "X", "H5", "8517", 5_000_000),
        ("A", date(2022, 1, 1), "KAZ", "RUS", "X", "H6", "8517", 178_000_000),
        ("A", date(2022, 1, 1), "KAZ", "TWN", "X", "H6", "8517", 120_000),
    ]
    assert sorted(batch.rejected["rule"]) == ["aggregate", "aggregate", "no_value"]
    assert batch.doubts is not None
    assert set(batch.doubts["rule"]) >= {"mirror_not_marked", "values_not_known"}


def test_trade_map_text_that_names_no_product_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="the product") as caught:
        read(tmp_path, f"{BY_KAZAKHSTAN}.txt", tabbed(MARKETS))
    assert "[code] constant" in str(caught.value)
    assert "save the page as Excel" in str(caught.value)


@pytest.mark.parametrize("head", ["Imported value in 2022-M03", "2022-M03"])
def test_trade_map_months_are_months_and_their_quantities_no_values(tmp_path: Path, head: str) -> None:
    in_two_rows = (("Exporters", head, head), ("", "Imported value", "Imported quantity, Tons"), ("China", 12, 3))
    in_one_row = (("Exporters", head, "Imported quantity in 2022-M03, Tons"), ("China", 12, 3))
    rows: Cells = in_two_rows if head == "2022-M03" else in_one_row
    title = ("List of supplying markets for a product imported by Kyrgyzstan", "Product: 854231 Processors")
    batch = read(tmp_path, "trade_map/mine.xls", page(title, rows))
    assert trade(batch) == [("M", date(2022, 3, 1), "KGZ", "CHN", "M", "H6", "854231", 12_000)]


def test_trade_map_quarters_are_quarters(tmp_path: Path) -> None:
    rows = (("Exporters", "Imported value in 2022-Q2"), ("China", 12))
    title = ("List of supplying markets for a product imported by Kyrgyzstan", "Product: 854231 Processors")
    assert trade(read(tmp_path, "trade_map/mine.xls", page(title, rows)))[0][:2] == ("Q", date(2022, 4, 1))


@pytest.mark.parametrize("form", ["page", "workbook"])
def test_trade_map_of_two_countries_takes_the_flow_from_the_titles(tmp_path: Path, form: str) -> None:
    name = "Trade_Map_-_Bilateral_trade_between_Kazakhstan_and_Russian_Federation"
    content = (
        page((), BILATERAL)
        if form == "page"
        else workbook({"Sheet1": (BILATERAL[0], ("", "", *BILATERAL[1]), *BILATERAL[2:])})
    )
    batch = read(tmp_path, f"{name}.{'xls' if form == 'page' else 'xlsx'}", content)
    assert trade(batch) == [
        ("A", date(2021, 1, 1), "KAZ", "RUS", "X", "H5", "851712", 1_000_000),
        ("A", date(2022, 1, 1), "KAZ", "RUS", "X", "H6", "851713", 1_500_000),
    ]
    assert errors(batch) == 0
    assert set(batch.rejected["rule"]) == {"aggregate", "not_six_digits"}


def test_trade_map_of_two_countries_as_text_does_not_say_who_sells(tmp_path: Path) -> None:
    rows = (("Product code", "Product label", "Value in 2021", "Value in 2022"), ("'851713", "Smartphones", 0, 1500))
    with pytest.raises(DataRejected, match="who sells to whom"):
        read(tmp_path, "Trade_Map_-_Bilateral_trade_between_Kazakhstan_and_Japan.txt", tabbed(rows))


def test_trade_maps_newer_table_takes_the_flow_from_its_name(tmp_path: Path) -> None:
    name = "kazakhstans-exports-to-russian-federation-by-product_all.xlsx"
    batch = read(tmp_path, name, workbook({"data": FLAT}))
    assert [row[1:4] + row[-1:] for row in trade(batch)] == [
        (date(2021, 1, 1), "KAZ", "RUS", 10_000),
        (date(2022, 1, 1), "KAZ", "RUS", 40_000),
    ]
    with pytest.raises(DataRejected, match="a name that says exports or imports"):
        read(tmp_path, "trade_map/renamed.xlsx", workbook({"data": FLAT}))


def test_trade_map_in_another_currency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="Euro thousand"):
        read(tmp_path, f"{BY_KAZAKHSTAN}.xls", page((*TITLE[:2], "Unit : Euro thousand"), MARKETS))


def test_exporters_of_the_world_are_totals_and_no_routes(tmp_path: Path) -> None:
    rows = (("Exporters", "Exported value in 2022"), ("China", 12), ("World", 90))
    batch = read(tmp_path, "Trade_Map_-_List_of_exporters_for_the_selected_product_(All_products).txt", tabbed(rows))
    assert (batch.flows.height, batch.rejected["rule"].unique().to_list()) == (0, ["aggregate"])


# Kazakhstan


def test_the_kazakh_workbook_has_months_partners_and_both_flows(tmp_path: Path) -> None:
    batch = read(tmp_path, "mine.xlsx", workbook({"4 знака ТН ВЭД": (("x",),), "6 знаков ТН ВЭД": KAZAKHSTAN}))
    assert trade(batch) == [
        ("M", date(2025, 1, 1), "KAZ", "BLR", "X", "H6", "851713", 34_700),
        ("M", date(2025, 1, 1), "KAZ", "RUS", "X", "H6", "851713", 998_700),
        ("M", date(2025, 2, 1), "KAZ", "BLR", "M", "H6", "851713", 30_500),
        ("M", date(2025, 2, 1), "KAZ", "RUS", "X", "H6", "851713", 2_000_000),
    ]
    assert batch.flows.sort("ref_date", "partner_iso")["net_wgt_g"].to_list() == [
        100_000,
        1_100_000,
        500_000,
        2_000_000,
    ]
    assert batch.rejected.select("rule", "is_error").unique().rows() == [("aggregate", False)]


def test_a_kazakh_workbook_of_sums_from_january_on_is_refused(tmp_path: Path) -> None:
    sums = [
        ["январь-май 2026 г" if "январь" in str(cell) else "" if "февраль" in str(cell) else cell for cell in row]
        for row in KAZAKHSTAN
    ]
    with pytest.raises(DataRejected, match="sums from January on"):
        read(tmp_path, "kazakhstan/mine.xlsx", workbook({"6 знаков ТН ВЭД": sums}))


def test_a_kazakh_workbook_in_another_currency_is_refused(tmp_path: Path) -> None:
    tenge = [["тыс. тенге" if cell == "тыс. долл. США" else cell for cell in row] for row in KAZAKHSTAN]
    with pytest.raises(DataRejected, match="тенге"):
        read(tmp_path, "kazakhstan/mine.xlsx", workbook({"6 знаков ТН ВЭД": tenge}))


# Kyrgyzstan


def test_the_kyrgyz_workbook_has_headings_by_country(tmp_path: Path) -> None:
    batch = read(tmp_path, "mine.xlsx", workbook({"таб.3-Импорт (4зн) ": KYRGYZSTAN}))
    assert trade(batch) == [
        ("A", date(2023, 1, 1), "KGZ", "CHN", "M", "H6", "8542", 92_250),
        ("A", date(2023, 1, 1), "KGZ", "RUS", "M", "H6", "8542", 11_250),
    ]
    assert batch.rejected.select("rule", "is_error").rows() == [("aggregate", False)]


@pytest.mark.parametrize(
    ("title", "period"),
    [("за январь-декабрь 2023 года", ("A", date(2023, 1, 1))), ("за январь 2023 года", ("M", date(2023, 1, 1)))],
)
def test_a_whole_year_and_a_january_are_what_a_kyrgyz_title_says(
    tmp_path: Path, title: str, period: tuple[str, date]
) -> None:
    rows = (KYRGYZSTAN[0], (title,), *KYRGYZSTAN[2:])
    assert trade(read(tmp_path, "mine.xlsx", workbook({"таб.2-Экспорт (4зн)": rows})))[0][:2] == period


def test_a_kyrgyz_sum_over_months_is_refused(tmp_path: Path) -> None:
    rows = (KYRGYZSTAN[0], ("за январь-сентябрь 2023 года",), *KYRGYZSTAN[2:])
    with pytest.raises(DataRejected, match="a sum over months") as caught:
        read(tmp_path, "kyrgyzstan/mine.xlsx", workbook({"таб.3-Импорт (4зн) ": rows}))
    assert "cumulative = true" in str(caught.value)
