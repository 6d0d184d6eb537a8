"""Made-up files in the shape of publishers' downloads: Trade Map, WITS, and the workbooks of Kazakhstan and Kyrgyzstan."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import xlsxwriter

Cells = Sequence[Sequence[object]]

WITS_BULK = (
    "Nomenclature,ReporterISO3,ProductCode,ReporterName,PartnerISO3,PartnerName,Year,TradeFlowName,TradeFlowCode,"
    "TradeValue in 1000 USD,NetWeight in KGM,Quantity\n"
    "H5,KAZ,851712,Kazakhstan,RUS,Russian Federation,2021,Gross Exp.,6,3340.5,120,10\n"
    "H5,ROM,851712,Romania,KAZ,Kazakhstan,2021,Gross Imp.,5,340.25,,10\n"
    'HS,KAZ,851713,Kazakhstan,OAS,"Other Asia, nes",2022,Gross Exp.,6,40.5,7,10\n'
    "H5,KAZ,851712,Kazakhstan,WLD,World,2021,Gross Exp.,6,13340.5,500,10\n"
)
WITS_PAGE: Cells = (
    ("Reporter", "TradeFlow", "ProductCode", "Product Description", "Year", "Partner", "Trade Value 1000USD", "Quantity", "Quantity Unit"),
    ("Kazakhstan", "Export", "854231", "Processors", 2022, "World", 99.5, 12, "Kg"),
    ("Kazakhstan", "Export", "854231", "Processors", 2022, "Russian Federation", 88.125, 10, "Kg"),
)  # fmt: skip
MARKETS: Cells = (
    ("Importers", "Exported value in 2021", "Exported value in 2022"),
    ("World", "5,400", "178,120"),
    ("Russian Federation", "5000", "178000"),
    ("Taipei, Chinese", "", "120"),
)
BILATERAL: Cells = (
    ("Product code", "Product label", "Kazakhstan's exports to Russian Federation", "", "Russian Federation's imports from world", ""),
    ("Value in 2021", "Value in 2022", "Value in 2021", "Value in 2022"),
    ("'TOTAL", "All products", 7000, 8000, 200000, 190000),
    ("'851712", "Telephones", 1000, 0, 3000, 0),
    ("'851713", "Smartphones", 0, 1500, 0, 2500),
)  # fmt: skip
FLAT: Cells = (
    ("reporterCd", "reporterLabel", "partnerCd", "partnerLabel", "productCd", "productLabel", "2021", "2022"),
    ("398", "Kazakhstan", "643", "Russian Federation", "854231", "Processors", 10, 40),
    ("398", "Kazakhstan", "000", "World", "854231", "Processors", 20, 60),
)
KAZAKHSTAN: Cells = (
    ("Экспорт и импорт РК со странами ЕАЭС",), (), (),
    ("", "", "", "январь_2025 г", "", "", "", "", "", "февраль_2025 г", "", "", "", "", "", "2025 г"),
    ("", "", "", "экспорт", "", "", "импорт", "", "", "экспорт", "", "", "импорт", "", "", "экспорт"),
    ("", "", "", *("тонн", "доп.ед", "тыс. долл. США") * 5),
    ("851713", "Смартфоны", "шт", 1.2, 4100, 1033.4, "", "", "", 2, 5000, 2000, 0.5, 10, 30.5, 3.2, 9100, 3033.4),
    ("", "Российская Федерация", "", 1.1, 3900, 998.7, "", "", "", 2, 5000, 2000, "", "", "", 3.1, 8900, 2998.7),
    ("", "Республика Беларусь", "", 0.1, 200, 34.7, "", "", "", "", "", "", 0.5, 10, 30.5, 0.1, 200, 34.7),
)  # fmt: skip
KYRGYZSTAN: Cells = (
    ("Импорт товаров по странам",), ("за 2023 год",), (), (), (),
    ("Код", "Наименование", "Ед.изм.", "Количество", "тыс. сомов", "тыс. долл. США"), (),
    ("", "ВСЕГО", "", "", 900000, 10000),
    ("8542", "Схемы электронные интегральные", "шт", 500, 9000, 103.5),
    ("", "Китай", "шт", 400, 8000, 92.25),
    ("", "Российская Федерация", "шт", 100, 1000, 11.25),
)  # fmt: skip


def workbook(sheets: Mapping[str, Cells]) -> bytes:
    """An xlsx with these sheets."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return written.getvalue()


def tabbed(rows: Cells) -> bytes:
    """Text as Trade Map gives it: tabs, one of them after every row, and a mark of the byte order."""
    lines = ("\t".join(map(str, row)) + "\t\r\n" for row in rows)
    return b"\xef\xbb\xbf" + "".join(lines).encode()


def page(title: Sequence[str], rows: Cells) -> bytes:
    """HTML as Trade Map names .xls: titles in a table of their own, cells over several columns where one is followed by empties."""
    heads = "".join(f"<table><tr><td>{line}</td></tr></table>" for line in title)
    lines = []
    for row in rows:
        cells: list[list[object]] = []
        for cell in row:
            if cell == "" and cells and row is rows[0]:
                cells[-1][1] = int(str(cells[-1][1])) + 1
            else:
                cells.append([cell, 1])
        lines.append("<tr>" + "".join(f'<td colspan="{span}">{cell}</td>' for cell, span in cells) + "</tr>")
    return f"<html><body>{heads}<table>{''.join(lines)}</table></body></html>".encode()
