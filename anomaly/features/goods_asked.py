"""Which goods are in question: all, or where the scenario says so, those on its dated lists.

China's controls are on a few minerals and not on the rest of what its partners trade: a detour can only be of those, and
the rest shows what the same routes do without one.
"""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from anomaly.contract.errors import ContractBroken
from anomaly.contract.settings import Settings

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def with_control(inputs: Frame, settings: Settings, lists: pl.DataFrame | None) -> Frame:
    """Add what the scenario's lists say of each row's good, where only listed goods are asked about; else nothing.

    Parameters
    ----------
    inputs : polars.DataFrame or polars.LazyFrame
        good, window_end and anything else.
    settings : Settings
        goods_asked is `all` or `listed`.
    lists : polars.DataFrame, optional
        reference.goods.listed: good, valid_from, valid_to.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        `is_controlled`, on a list at the end of the window, and `is_ever_controlled`, at any time. A good that joined
        its list in the middle of a month is not on it in that month.

    Raises
    ------
    ContractBroken
        Where listed goods are asked about and there are no lists.
    """
    if settings.goods_asked == "all":
        return inputs
    if lists is None:
        raise ContractBroken("the scenario's goods lists", "none", hint="give forest_inputs.build the lists")
    good, end = pl.col("good"), pl.col("window_end")
    spans = lists.group_by("valid_from", "valid_to").agg(pl.col("good").unique().sort()).sort("valid_from", "valid_to")
    held = [
        good.is_in(goods)
        & (pl.lit(value=True) if since is None else end >= pl.lit(since))
        & (pl.lit(value=True) if until is None else end < pl.lit(until))
        for since, until, goods in spans.select("valid_from", "valid_to", "good").iter_rows()
    ]
    return inputs.with_columns(
        is_controlled=pl.any_horizontal(pl.lit(value=False), *held),
        is_ever_controlled=good.is_in(lists["good"].unique().sort().implode()),
    )


def is_in_question(settings: Settings) -> pl.Expr:
    """Rows whose good is asked about: on a list at the time, or before the measures on one that has it later.

    Parameters
    ----------
    settings : Settings
        Of it goods_asked.

    Returns
    -------
    polars.Expr
        Boolean over the columns of forest_inputs.build.
    """
    if settings.goods_asked == "all":
        return pl.lit(value=True)
    return pl.col("is_controlled") | (pl.col("is_before_sanctions") & pl.col("is_ever_controlled"))


def is_ever_controlled(settings: Settings) -> pl.Expr:
    """Rows whose good is on a list at any time: the same routes in other periods.

    Parameters
    ----------
    settings : Settings
        Of it goods_asked.

    Returns
    -------
    polars.Expr
        Boolean over the columns of forest_inputs.build.
    """
    return pl.lit(value=True) if settings.goods_asked == "all" else pl.col("is_ever_controlled")
