"""The same period in several releases: the newer one is current, and both stay."""

from __future__ import annotations

import polars as pl

GROUP = ("source", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code")
KEY = (*GROUP, "classification_code", "cmd_code")
_RELEASE = ("dataset", "vintage")


def groups(flows: pl.DataFrame) -> pl.DataFrame:
    """The (reporter, partner, period, flow) groups of some flows with their dataset and vintage, each once."""
    return flows.select(*GROUP, *_RELEASE).unique()


def superseded(all_groups: pl.DataFrame) -> pl.DataFrame:
    """Groups that a newer vintage of the same dataset has too: the older one is replaced as a whole.

    A row that was revised away must not live on in the current view, so the group is the unit and not the row.
    """
    newest = pl.col("vintage").max().over([*GROUP, "dataset"])
    return all_groups.filter(pl.col("vintage") < newest)


def contested(all_groups: pl.DataFrame, replaced: pl.DataFrame) -> pl.DataFrame:
    """Groups that several datasets of one publisher have: there the newest vintage wins row by row."""
    left = all_groups.join(replaced, on=[*GROUP, *_RELEASE], how="anti")
    return left.filter(pl.col("dataset").n_unique().over(GROUP) > 1)


def losers(rows: pl.DataFrame) -> pl.DataFrame:
    """Of contested rows those that are not current: KEY, dataset and vintage. Newest vintage first, then the name."""
    ordered = rows.select(*KEY, *_RELEASE).sort(
        *KEY, "vintage", "dataset", descending=[False] * len(KEY) + [True, False]
    )
    return ordered.filter(~ordered.select(pl.struct(KEY).is_first_distinct()).to_series())


def mark(flows: pl.DataFrame, replaced: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """The flows with is_current false where a newer release has taken their place."""
    flows = flows.with_row_index("_row")
    gone = pl.concat(
        [
            flows.join(replaced, on=[*GROUP, *_RELEASE], how="semi").select("_row"),
            flows.join(lost, on=[*KEY, *_RELEASE], how="semi").select("_row"),
        ]
    )["_row"].unique()
    return flows.with_columns(is_current=~pl.col("_row").is_in(gone.implode())).drop("_row")
