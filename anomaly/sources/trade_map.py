"""ITC Trade Map: the tables its pages download, with a year, quarter or month over each column, in thousands of USD.

docs/sources/trade_map.md says what is read, what is left out and why.
"""

from __future__ import annotations

from collections.abc import Iterator

from anomaly.sources.base import Batch, Context, RawFile, Source, doubt
from anomaly.sources.own_table.flows import flows_of, judged
from anomaly.sources.own_table.grids import grid_of
from anomaly.sources.trade_map_layouts import is_named, layout_of, mapping_of_layout, parts_of

NAME = "trade_map"
_SUFFIXES = (".xls", ".xlsx", ".txt", ".tsv", ".csv", ".html", ".htm")
_HEADERS = (b"importers", b"exporters", b"reportercd", b"product code", b"code")
_MIRROR = doubt(
    "mirror_not_marked",
    "Trade Map fills years that a country has not reported with its partners' figures, and its downloads do not say which",
    "every period of the file",
    "see on its page which years are mirror data; take those out, they are not this reporter's",
)


def claims(raw: RawFile) -> bool:
    """Whether the file is Trade Map's: it lies in `trade_map/`, has a download's name, or begins with its header.

    Parameters
    ----------
    raw : RawFile
        Its name, and where that does not decide its first bytes.

    Returns
    -------
    bool
        False for a suffix that none of the forms has.
    """
    if raw.path.suffix.lower() not in _SUFFIXES:
        return False
    if raw.name.split("/")[0] == NAME or is_named(raw.path.stem):
        return True
    try:
        with raw.path.open("rb") as file:
            begin = file.read(2000).removeprefix(b"\xef\xbb\xbf").lstrip(b'"').lower()
    except OSError:
        return False
    is_value = b"ed value in 19" in begin or b"ed value in 20" in begin or b"partnerlabel" in begin
    return begin.startswith(_HEADERS) and is_value


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's flows, in whole USD out of thousands.

    Parameters
    ----------
    raw : RawFile
        Text, a workbook, or HTML that is named .xls.
    context : Context
        batch_rows.

    Returns
    -------
    iterator of Batch
        In the order of the file's columns.

    Raises
    ------
    DataRejected
        Where the file is not whole, is in another currency, or does not say whose trade in what it is.
    """
    rows, words = grid_of(raw)
    layout = layout_of(rows, words, raw)
    mapping = mapping_of_layout(layout, rows)
    whole = judged(parts_of(layout, rows), raw, mapping, context, NAME)
    return flows_of(whole, raw, mapping, context, NAME, of_form=[_MIRROR])


SOURCE = Source(
    name=NAME,
    title="ITC Trade Map: tables of its pages, as text, Excel or HTML",
    publisher="International Trade Centre",
    licence="the terms of Trade Map: for one's own use, not to be passed on",
    url="https://www.trademap.org/",
    claims=claims,
    read=read,
    precedence=27,
)
