"""Goods in portions that are worked on one after the other, so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.reference.goods import HEADING_DIGITS

ROWS_AT_A_TIME = 1_000_000  # of flows


def of_scope(scope: pl.DataFrame, rows_at_a_time: int = ROWS_AT_A_TIME) -> Iterator[pl.Series]:
    """Goods in order, in portions of about as many rows of flows; those of a heading stay together.

    Parameters
    ----------
    scope : polars.DataFrame
        coverage.scope: how many rows each dataset has of a good.
    rows_at_a_time : int
        Rows of flows in a portion.

    Yields
    ------
    polars.Series
        The goods of a portion, sorted.
    """
    rows = scope.filter(pl.col("dimension") == "good").group_by("code").agg(pl.col("rows").sum()).sort("code")
    heading = pl.col("code").str.slice(0, HEADING_DIGITS)
    portion = (pl.col("rows").cum_sum() - 1) // rows_at_a_time  # over all goods, and only then over a heading
    begins = rows.with_columns(portion=portion).with_columns(pl.col("portion").first().over(heading))
    for part in begins.partition_by("portion", maintain_order=True):
        yield part["code"]


def of_goods(goods: pl.Series, families: pl.DataFrame) -> pl.Expr:
    """Rows of flows that may be of some goods: a range of codes, by which row groups can be left out.

    Flows are sorted by code within a part.

    Parameters
    ----------
    goods : polars.Series
        Goods, sorted.
    families : polars.DataFrame
        edition, cmd_code, good.

    Returns
    -------
    polars.Expr
        On `cmd_code`: codes from the first good to the last, and members of its families that lie elsewhere.
    """
    first, last = str(goods[0]).rstrip("+"), str(goods[-1]).rstrip("+") + "~"
    code = pl.col("cmd_code")
    inside = code.is_between(pl.lit(first), pl.lit(last))
    members = families.filter(pl.col("good").is_in(goods.implode()))["cmd_code"]
    elsewhere = members.filter((members < first) | (members > last)).unique().sort()
    if elsewhere.is_empty():
        return inside
    return inside | pl.any_horizontal(code.is_between(pl.lit(member), pl.lit(f"{member}~")) for member in elsewhere)
