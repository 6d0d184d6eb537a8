"""UNSD (unstats.un.org): the workbook that leads from HS 2022 to HS 2017, of the world's codes."""

from __future__ import annotations

import io
from datetime import datetime

import xlsxwriter

from loopback.facts import Published
from loopback.wire import Answer, Publisher, Request

NAME = "HS2022toHS2017ConversionAndCorrelationTables.xlsx"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORCED = (("854151", "851712"),)  # a pick of the one-to-one sheet that nobody should use


def links(published: Published) -> list[tuple[str, str, str]]:
    """Codes of HS 2022 and of HS 2017 that hold the same goods.

    Parameters
    ----------
    published : Published
        With the world's goods.

    Returns
    -------
    list of (str, str, str)
        Newer code, older code, relation (1:1 or n:1).
    """
    rows = []
    for good in published.world.goods:
        newer = [code for code, _ in good.h6] or [good.code]
        rows += [(code, good.code, "1:1" if len(newer) == 1 else "n:1") for code in newer]
    return sorted(rows)


def _workbook(request: Request, published: Published) -> Answer:
    headers = {"Last-Modified": "Mon, 03 Jan 2022 10:00:00 GMT"}
    content = published.once("unsd", lambda: _written(published))
    return Answer(content, _TYPE, 200, headers, is_file=True, takes_ranges=True)


def _written(published: Published) -> bytes:
    """Two sheets; the header of the second is in its second row and begins a name with a blank."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2022, 1, 3)})  # noqa: DTZ001 (a workbook's times have no zone)
        conversions = book.add_worksheet("HS2022-HS2017 Conversions")
        conversions.write_row(0, 0, ("HS2022-HS2017 Conversions",))
        conversions.write_row(1, 0, ("From HS2022", "To HS2017"))
        forced = dict(_FORCED)
        for row, (newer, older, _) in enumerate(links(published), start=2):
            conversions.write_row(row, 0, (newer, forced.get(newer, older)))
        correlations = book.add_worksheet("HS2022-HS2017 Correlations")
        correlations.write_row(0, 0, ("Correlation between HS 2022 and HS 2017",))
        correlations.write_row(1, 0, ("HS2022", " HS2017", "Relationship"))
        for row, link in enumerate(links(published), start=2):
            correlations.write_row(row, 0, link)
    return packed.getvalue()


PUBLISHER = Publisher(
    name="unsd",
    title="UNSD: correlation of HS 2022 and HS 2017",
    routes=((rf"/unsd/classifications/Econ/tables/{NAME}", _workbook),),
)
