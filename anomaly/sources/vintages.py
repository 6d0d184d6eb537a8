"""The same period in several releases: the newer one is current, and both stay."""

from __future__ import annotations

import polars as pl

GROUP = ("source", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code")
KEY = (*GROUP, "classification_code", "cmd_code")
RELEASE = ("dataset", "vintage")
AMOUNTS = ("primary_value_usd", "reported_value", "currency", "net_wgt_g", "is_net_wgt_estimated", "is_confidential")
UNDATED = "undated"


def age(vintage: str = "vintage") -> pl.Expr:
    """What a vintage sorts by: its text, and an undated one before all others."""
    return pl.when(pl.col(vintage) == UNDATED).then(pl.lit("")).otherwise(pl.col(vintage))


def groups(flows: pl.DataFrame) -> pl.DataFrame:
    """The (reporter, partner, period, flow) groups of some flows with dataset, vintage and file, each once."""
    told = flows.select(*GROUP, *RELEASE, "raw_file")
    varying = [name for name in told.columns if not (told[name] == told[name][0]).all()]  # the others tell none apart
    return told.unique(varying or told.columns)


def shared(all_groups: pl.DataFrame) -> pl.DataFrame:
    """Groups that several files of one release have: GROUP and RELEASE. Parts by code are well, repeats are not."""
    return all_groups.group_by(*GROUP, *RELEASE).len().filter(pl.col("len") > 1).select(*GROUP, *RELEASE)


def repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of rows of shared groups, those a second file says again: (the same, different).

    same        KEY, RELEASE and raw_file of rows to take out; the file whose hash is first keeps its row
    different   the same columns and other_file: the values are not those of the row that is kept
    """
    key = [*KEY, *RELEASE]
    ordered = rows.select(*key, *AMOUNTS, "raw_file").sort(*key, "raw_file")
    again = ordered.with_columns(other_file=pl.col("raw_file").first().over(key)).filter(
        pl.col("raw_file") != pl.col("other_file")
    )
    both = again.join(ordered, left_on=[*key, "other_file"], right_on=[*key, "raw_file"], how="left", suffix="_other")
    is_same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_other")) for name in AMOUNTS)
    return (
        both.filter(is_same).select(*key, "raw_file"),
        both.filter(~is_same).select(*key, "raw_file", "other_file"),
    )


def superseded(releases: pl.DataFrame) -> pl.DataFrame:
    """Groups that a newer vintage of the same dataset has too: the older one is replaced as a whole.

    A row that was revised away must not live on in the current view, so the group is the unit and not the row.
    """
    return (
        releases.with_columns(_age=age())
        .filter(pl.col("_age") < pl.col("_age").max().over([*GROUP, "dataset"]))
        .select(*GROUP, *RELEASE)
    )


def contested(releases: pl.DataFrame, replaced: pl.DataFrame) -> pl.DataFrame:
    """Groups that several datasets of one publisher have: there the newest vintage wins row by row."""
    left = releases.join(replaced, on=[*GROUP, *RELEASE], how="anti")
    return left.filter(pl.col("dataset").n_unique().over(GROUP) > 1).select(*GROUP, *RELEASE)


def losers(rows: pl.DataFrame) -> pl.DataFrame:
    """Of contested rows those that are not current: KEY and RELEASE. Newest vintage first, then the dataset's name."""
    ordered = (
        rows.select(*KEY, *RELEASE)
        .with_columns(_age=age())
        .sort(*KEY, "_age", "dataset", descending=[False] * len(KEY) + [True, False])
    )
    return ordered.filter(~pl.struct(KEY).is_first_distinct()).select(*KEY, *RELEASE)


def mark(flows: pl.DataFrame, replaced: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """The flows with is_current false where a newer release has taken their place."""
    flows = flows.with_row_index("_row")
    gone = pl.concat(
        [
            flows.join(replaced, on=[*GROUP, *RELEASE], how="semi").select("_row"),
            flows.join(lost, on=[*KEY, *RELEASE], how="semi").select("_row"),
        ]
    )["_row"].unique()
    return flows.with_columns(is_current=~pl.col("_row").is_in(gone.implode())).drop("_row")
