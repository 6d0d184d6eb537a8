"""Values that a reporter withholds, or calls not known: their period of the route is unknown, whatever rows it has.

`coverage.scope` holds them as a dimension of their own, beside the goods and partners that a dataset holds: who asks what
silence means asks it, too. `known` keeps them out of frames and `features.marks` out of grids.
"""

from __future__ import annotations

import polars as pl

DIMENSION = "withheld"
WHO = ("reporter_iso", "partner_iso", "good")  # the words of such a row's code, in this order

_DATASET = ("source", "dataset", "freq_code", "flow_code")
_RELEASE_KEY = ("source", "dataset", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "cmd_code")


def newest(hidden: pl.DataFrame, flows: pl.LazyFrame) -> pl.DataFrame:
    """Of values that are withheld those that no newer release of the dataset tells.

    Parameters
    ----------
    hidden : polars.DataFrame
        Rows of flows.withheld.
    flows : polars.LazyFrame
        Rows of flows, of all releases.

    Returns
    -------
    polars.DataFrame
        The rows of `hidden` that stand, each once.
    """
    if hidden.is_empty():
        return hidden
    key = list(_RELEASE_KEY)
    told = flows.join(hidden.select(key).unique().lazy(), on=key, how="semi").select(*key, "vintage").collect()
    later = pl.concat([told, hidden.select(*key, "vintage")]).group_by(key).agg(_newest=pl.col("vintage").max())
    return hidden.join(later, on=key).filter(pl.col("vintage") == pl.col("_newest")).drop("_newest").unique()


def of_scope(hidden: pl.DataFrame) -> pl.DataFrame:
    """Values that are withheld, as rows of coverage.scope.

    Parameters
    ----------
    hidden : polars.DataFrame
        Rows of flows.withheld with `good`, under the datasets that coverage has.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Scope: DIMENSION, code (reporter, partner and good), and how many rows have no figure.
    """
    trade = hidden.filter(pl.col("flow_code").is_in(["M", "X"]))  # re-exports are inside exports
    return (
        trade.group_by(*_DATASET, pl.concat_str(*WHO, separator=" ").alias("code"), "ref_date")
        .agg(rows=pl.len().cast(pl.Int64))
        .with_columns(dimension=pl.lit(DIMENSION), smallest_value_usd=pl.lit(None, dtype=pl.Int64))
        .select(*_DATASET, "dimension", "code", "ref_date", "rows", "smallest_value_usd")
    )


def periods(scope: pl.DataFrame) -> pl.DataFrame:
    """Whose trade of what with whom is withheld, and when.

    Parameters
    ----------
    scope : polars.DataFrame
        Rows of coverage.scope.

    Returns
    -------
    polars.DataFrame
        source, dataset, freq_code, flow_code, WHO, ref_date and year.
    """
    rows = scope.filter(pl.col("dimension") == DIMENSION)
    words = pl.col("code").str.split_exact(" ", len(WHO) - 1).struct.rename_fields(list(WHO)).alias("_who")
    return rows.select(*_DATASET, words, "ref_date", year=pl.col("ref_date").dt.year()).unnest("_who")


def without(asked: pl.DataFrame, scope: pl.DataFrame) -> pl.DataFrame:
    """Take out the periods, or years, of routes in which a value is withheld.

    Parameters
    ----------
    asked : polars.DataFrame
        source, dataset, freq_code, flow_code, WHO and ref_date, or year where there is no ref_date; anything else.
    scope : polars.DataFrame
        Rows of coverage.scope.

    Returns
    -------
    polars.DataFrame
        The rows that stand.
    """
    hidden = periods(scope)
    if hidden.is_empty():
        return asked
    key = [*_DATASET, *WHO, "ref_date" if "ref_date" in asked.columns else "year"]
    return asked.join(hidden.select(key).unique(), on=key, how="anti")
