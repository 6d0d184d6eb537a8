"""Published cases of goods that went round, or that only looked so: `reference/cases.csv`, read and taken apart."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.contract import periods
from anomaly.reference import goods, tables

KINDS = ("rise", "gap", "fall", "not_a_hub")
EVIDENCE = ("second_hand", "recomputed")
GROUPS = ("EU27",)  # what stands for several countries in the columns of exporters and importers


@cache
def read() -> pl.DataFrame:
    """Published cases, one row each, in the order of the file.

    Returns
    -------
    polars.DataFrame
        case_id; kind (rise: trade rose on a way round; gap: more was sent than arrived; fall: it fell after a measure;
        not_a_hub: a rise that has another reason); exporters, importers, goods (lists, empty: all; goods are HS codes
        of two to six digits, the name of a goods list in this folder stands for its codes); goods_named; start, end
        (first day of the first and last month of the period the case is about, null where none was published); period,
        before_period (text); before, after, change_percent (Float64, null where not published) in `unit`; publisher,
        source, published (date, null where not established), reviewed (date of our last look), evidence, says, regime
        (Settings.facts_of).

    Raises
    ------
    BadRequest
        For a period or list that cannot be read.
    """
    table = tables.read("cases.csv")
    spans = [_span(text) for text in table["period"]]
    return table.with_columns(
        pl.col("exporters", "importers").fill_null("").str.extract_all(r"[A-Z0-9]+"),
        goods=pl.Series([_goods(text) for text in table["goods"]], dtype=pl.List(pl.String)),
        start=pl.Series([span[0] for span in spans], dtype=pl.Date),
        end=pl.Series([span[1] for span in spans], dtype=pl.Date),
        before=pl.col("before").cast(pl.Float64),
        after=pl.col("after").cast(pl.Float64),
        change_percent=pl.col("change_percent").cast(pl.Float64),
        published=pl.col("published").str.to_date(),
        reviewed=pl.col("reviewed").str.to_date(),
    )


def _span(text: str | None) -> tuple[object, object]:
    """First and last month of a period such as 2022, 2022H1 or 2022-01:2022-11."""
    if text is None:
        return None, None
    first, _, last = text.partition(":")
    return periods.parse_period(first).start, periods.parse_period(last or first).end


def _goods(text: str | None) -> list[str]:
    codes: list[str] = []
    for word in (text or "").split():
        codes += goods.goods_list(word)["hs6"].to_list() if word.endswith(".csv") else [goods.parse_code(word)]
    return codes
