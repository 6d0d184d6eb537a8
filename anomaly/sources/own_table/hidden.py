"""Rows of a table of one's own whose value is withheld or not known, and what they leave unknown."""

from __future__ import annotations

import polars as pl

from anomaly.sources.base import Rule
from anomaly.sources.own_table.sums import GROUP
from anomaly.sources.reading.batches import KEY

_EDITIONS = ("classification", "said_edition", "edition_in_force", "fits_said", "fits_in_force")
HIDDEN = (*GROUP, "partner_iso", "cmd_code", "code_level", *_EDITIONS)


def hidden_routes(meant: pl.DataFrame) -> pl.DataFrame:
    """What is known of rows whose value is withheld or not known: everything but how much.

    Parameters
    ----------
    meant : polars.DataFrame
        Of cells.with_meaning.

    Returns
    -------
    polars.DataFrame
        HIDDEN: the rows that name two countries, a period, a flow, a code and its edition.
    """
    is_right = (
        pl.col("is_hidden")
        & pl.all_horizontal(
            pl.col(name).is_not_null()
            for name in ("ref_date", "flow_code", "cmd_code", "reporter_iso", "partner_iso", "said_edition")
        )
        & pl.col("code_fault").is_null()
        & (pl.col("reporter_kind") != "group")
        & (pl.col("partner_kind") != "group")
    )
    return meant.filter(is_right.fill_null(value=False)).select(HIDDEN)


def without_figure(hidden: pl.DataFrame, kept: pl.DataFrame, *, is_reexport_added: bool) -> pl.DataFrame:
    """Routes and periods of which a table says that they have no figure.

    Parameters
    ----------
    hidden : polars.DataFrame
        HIDDEN and classification_code.
    kept : polars.DataFrame
        HIDDEN: the rows that stand.
    is_reexport_added : bool
        Whether exports are the sum of exports and of re-exports beside them; so with imports.

    Returns
    -------
    polars.DataFrame
        KEY, each once: national lines are left out where their six digits have a row of their own, which is whole.
    """
    key = [*GROUP, "partner_iso", "_six"]
    six = pl.col("cmd_code").str.slice(0, 6).alias("_six")
    whole = kept.filter(pl.col("code_level") == 6).with_columns(six).select(key).unique()
    lines = hidden.filter(pl.col("code_level") > 6).with_columns(six).join(whole, on=key, how="anti")
    rows = pl.concat([hidden.filter(pl.col("code_level") <= 6).select(KEY), lines.select(KEY)])
    if is_reexport_added:
        rows = pl.concat([rows, rows.with_columns(pl.col("flow_code").replace({"RX": "X", "RM": "M"}))])
    return rows.unique(maintain_order=True)


def not_whole(kept: pl.DataFrame, hidden: pl.DataFrame) -> Rule:
    """A rule for rows that are parts of a sum of which another part is withheld or not known: the sum is unknown.

    A row of six digits that holds its national lines is whole, whatever they say.

    Parameters
    ----------
    kept : polars.DataFrame
        `_place` (the row's number), HIDDEN.
    hidden : polars.DataFrame
        HIDDEN.

    Returns
    -------
    Rule
        No error: nothing is wrong with the row, and what it is a part of is not known.
    """
    key = [*GROUP, "partner_iso", "_six"]
    six, level = pl.col("cmd_code").str.slice(0, 6), pl.col("code_level")
    parts = (
        hidden.with_columns(_six=six, _hidden_level=level.clip(upper_bound=7)).select(*key, "_hidden_level").unique()
    )
    rows = kept.select("_place", *HIDDEN).with_columns(_six=six).join(parts, on=key)
    met = rows.filter(
        (level == pl.col("_hidden_level")) | (level.clip(upper_bound=7) >= pl.col("_hidden_level").clip(6))
    )
    return Rule(
        "part_not_known", "value", pl.col("_place").is_in(met["_place"].unique().implode()),
        "a part of a sum of which another part is withheld or not known: the sum is unknown", is_error=False,
    )  # fmt: skip
