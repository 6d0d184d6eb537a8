"""Who reported which period at all, and what a dataset holds: absence is not zero."""

from __future__ import annotations

from typing import Any

import polars as pl

SHARE_OF_USUAL = 0.4  # a period with fewer of its usual codes than this, against the other reporters, is a partial one
LEAST_REPORTERS = 5  # of a dataset, for the others to tell how many codes are usual now
LEAST_USUAL_GOODS = 20  # below it the count of codes says nothing
BORN_SHARE = 0.1  # a good with more of its value in codes without a predecessor has no past in the extract
PARTNERS_OF_A_WHOLE_DATASET = 10  # an extract with fewer cannot say what is sold elsewhere
USUAL_PERIODS = {"A": 3, "Q": 12, "M": 36}

_DATASET = ("source", "dataset", "freq_code", "flow_code")
_SCOPE_KEY = (*_DATASET, "dimension", "code", "ref_date")


def extracts(flows: pl.LazyFrame) -> pl.DataFrame:
    """Which datasets of a publisher are parts of one extract.

    A year a file, or a reporter a file, is one extract: else a route would have one file's years only. Datasets are
    parts of one where they hold the same flows and frequency and both have many partners, or the same few partners and
    mostly the same codes; with partners more in one than in the other, where they have no year in common: a partner is
    held by the year. Extracts of different partners stay apart: what one does not hold is unknown in the other.

    Parameters
    ----------
    flows : polars.LazyFrame
        source, dataset, freq_code, flow_code, partner_iso, cmd_code and ref_date of the current flows.

    Returns
    -------
    polars.DataFrame
        source, dataset, extract (name of the first of its datasets), sorted; a row a dataset.
    """
    datasets = flows.select("source", "dataset").unique().collect(engine="streaming").sort("source", "dataset")
    if not datasets["source"].is_duplicated().any():
        return datasets.with_columns(extract=pl.col("dataset"))
    contents = (
        flows.filter(pl.col("flow_code").is_in(["M", "X"]))
        .group_by("source", "dataset", "freq_code")
        .agg(pl.col("flow_code", "partner_iso", "cmd_code").unique(), year=pl.col("ref_date").dt.year().unique())
        .sort("source", "dataset", "freq_code")
        .collect(engine="streaming")
    )
    names: dict[tuple[str, str], str] = {}
    heads: list[dict[str, Any]] = []  # the first dataset of each extract, with what its others hold
    for dataset in contents.to_dicts():
        extract = next((head for head in heads if _is_same_extract(head, dataset)), None)
        if extract is None:
            heads.append(dataset)
        else:
            extract |= {name: [*{*extract[name], *dataset[name]}] for name in ("partner_iso", "year")}
        names.setdefault((dataset["source"], dataset["dataset"]), (extract or dataset)["dataset"])
    return datasets.with_columns(
        extract=pl.Series([names.get(row, row[1]) for row in datasets.rows()], dtype=pl.String)
    )


def as_extracts(flows: pl.LazyFrame, together: pl.DataFrame | None = None) -> pl.LazyFrame:
    """Put the files of one extract under one dataset.

    Parameters
    ----------
    flows : polars.LazyFrame
        Current flows, or what has their source and dataset.
    together : polars.DataFrame, optional
        `extracts`, where it is not of these flows; a dataset that is not in it stays its own.

    Returns
    -------
    polars.LazyFrame
        The rows in their order; dataset is the name of the extract.
    """
    together = extracts(flows) if together is None else together
    if (together["dataset"] == together["extract"]).all():
        return flows
    named = flows.join(together.lazy(), on=["source", "dataset"], how="left", maintain_order="left")
    return named.with_columns(dataset=pl.coalesce("extract", "dataset")).drop("extract")


def _is_same_extract(head: dict[str, Any], dataset: dict[str, Any]) -> bool:
    if any(set(head[name]) != set(dataset[name]) for name in ("source", "freq_code", "flow_code")):
        return False
    head_partners, partners = set(head["partner_iso"]), set(dataset["partner_iso"])
    if min(len(head_partners), len(partners)) >= PARTNERS_OF_A_WHOLE_DATASET:
        return True
    head_codes, codes = set(head["cmd_code"]), set(dataset["cmd_code"])
    is_apart = not set(head["year"]) & set(dataset["year"])
    is_within = head_partners <= partners or partners <= head_partners
    are_same = head_partners == partners or (is_apart and is_within)
    return are_same and 2 * len(head_codes & codes) >= min(len(head_codes), len(codes))


def build(flows: pl.LazyFrame, withheld: pl.DataFrame | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who reported which period and whether in full, and which goods and partners each dataset holds in it.

    Exports and imports only: re-exports are inside exports.

    Parameters
    ----------
    flows : polars.LazyFrame
        Current flows, schema.Flows with `good` and `hs_edition` beside it (`bilateral.with_goods`).
    withheld : polars.DataFrame, optional
        Rows of the scope about values that are withheld (`withheld.of_scope`).

    Returns
    -------
    coverage : polars.DataFrame
        Columns of schema.Coverage, sorted by their key.
    scope : polars.DataFrame
        Columns of schema.Scope, sorted by their key; rows is 0 where a dataset of many partners has nothing of one.
    """
    trade = flows.filter(pl.col("flow_code").is_in(["M", "X"]))
    by_code = (
        trade.group_by(*_DATASET, "ref_date", "reporter_iso", "hs_edition", "good", "cmd_code")
        .agg(
            rows=pl.len().cast(pl.Int64),
            value_usd=pl.col("primary_value_usd").sum(),
            smallest_value_usd=pl.col("primary_value_usd").min(),
        )
        .collect(engine="streaming")
    )
    by_partner = (
        trade.group_by(*_DATASET, "partner_iso", "ref_date")
        .agg(rows=pl.len().cast(pl.Int64), smallest_value_usd=pl.col("primary_value_usd").min())
        .collect(engine="streaming")
    )
    scope = _scope(by_code, by_partner)
    return _coverage(by_code), scope if withheld is None else pl.concat([scope, withheld]).sort(_SCOPE_KEY)


def _coverage(by_code: pl.DataFrame) -> pl.DataFrame:
    reporter = (*_DATASET, "reporter_iso")
    counted = (
        by_code.group_by(*reporter, "ref_date")
        .agg(
            hs_edition=pl.col("hs_edition").max(),
            rows=pl.col("rows").sum(),
            goods=pl.col("cmd_code").n_unique().cast(pl.Int64),
            value_usd=pl.col("value_usd").sum(),
        )
        .sort(*reporter, "ref_date")
    )
    usual = pl.coalesce(
        *[
            pl.when(pl.col("freq_code") == freq).then(
                pl.col("goods").rolling_median(window_size=periods, min_samples=1).shift(1).over(reporter)
            )
            for freq, periods in USUAL_PERIODS.items()
        ]
    )
    share = pl.when(pl.col("usual") >= LEAST_USUAL_GOODS).then(pl.col("goods") / pl.col("usual"))
    # Sanctions thin out everybody's codes at once: only what the others do not share is a sign of a partial period.
    usual_share = pl.when(pl.col("share").count().over(*_DATASET, "ref_date") >= LEAST_REPORTERS).then(
        pl.col("share").median().over(*_DATASET, "ref_date").clip(upper_bound=1.0)
    )
    is_partial = pl.col("share") < SHARE_OF_USUAL * usual_share.fill_null(1.0)
    counted = counted.with_columns(usual=usual).with_columns(share=share)
    return counted.with_columns(is_complete=~is_partial.fill_null(value=False)).select(
        "source", "dataset", "freq_code", "ref_date", "reporter_iso", "flow_code",
        "hs_edition", "rows", "goods", "value_usd", "is_complete",
    ).sort("source", "dataset", "freq_code", "ref_date", "reporter_iso", "flow_code")  # fmt: skip


def _scope(by_code: pl.DataFrame, by_partner: pl.DataFrame) -> pl.DataFrame:
    goods = (
        by_code.group_by(*_DATASET, "good", "ref_date")
        .agg(rows=pl.col("rows").sum(), smallest_value_usd=pl.col("smallest_value_usd").min())
        .join(_without_past(by_code), on=[*_DATASET, "good"], how="left")
        .filter(pl.col("born_year").is_null() | (pl.col("ref_date").dt.year() >= pl.col("born_year")))
    )
    columns = (*_SCOPE_KEY, "rows", "smallest_value_usd")
    return pl.concat(
        [
            goods.with_columns(dimension=pl.lit("good"), code=pl.col("good")).select(columns),
            _nothing_of_a_partner(by_partner)
            .with_columns(dimension=pl.lit("partner"), code=pl.col("partner_iso"))
            .select(columns),
        ]
    ).sort(_SCOPE_KEY)


def _nothing_of_a_partner(by_partner: pl.DataFrame) -> pl.DataFrame:
    """The partners' rows, and rows of 0 for the periods in which a dataset of many partners has nothing of one.

    There a partner that is absent is a small trade of nothing; in an extract of few it was not asked for.
    """
    whole_datasets = by_partner.filter(pl.col("partner_iso").n_unique().over(_DATASET) >= PARTNERS_OF_A_WHOLE_DATASET)
    periods = whole_datasets.select(*_DATASET, "ref_date").unique()
    asked_for = whole_datasets.select(*_DATASET, "partner_iso").unique().join(periods, on=_DATASET)
    absent = asked_for.join(whole_datasets, on=[*_DATASET, "partner_iso", "ref_date"], how="anti")
    nothing = absent.with_columns(rows=pl.lit(0, dtype=pl.Int64), smallest_value_usd=pl.lit(None, dtype=pl.Int64))
    return pl.concat([by_partner, nothing.select(by_partner.columns)])


def _without_past(by_code: pl.DataFrame) -> pl.DataFrame:
    """Goods whose eight-digit codes were born after the extract began, with no code of theirs that ended.

    An extract by a list of today's codes has no predecessor of a code born since: what the good was before is not
    in it. Returns the dataset's key, good, born_year: before that year the good is outside the extract.
    """
    detailed = by_code.filter(pl.col("cmd_code").str.len_chars() == 8).with_columns(year=pl.col("ref_date").dt.year())
    first_year = pl.col("year").min().over(_DATASET)
    last_year = pl.col("year").max().over(_DATASET)
    codes = (
        detailed.with_columns(first_year=first_year, last_year=last_year)
        .group_by(*_DATASET, "good", "cmd_code", "first_year", "last_year")
        .agg(born=pl.col("year").min(), ended=pl.col("year").max(), value_usd=pl.col("value_usd").sum())
    )
    is_born = pl.col("born") > pl.col("first_year")
    is_ended = pl.col("ended") < pl.col("last_year")
    return (
        codes.group_by(*_DATASET, "good")
        .agg(
            born_year=pl.col("born").filter(is_born).max(),
            born_usd=pl.col("value_usd").filter(is_born).sum(),
            ended_usd=pl.col("value_usd").filter(is_ended).sum(),
            value_usd=pl.col("value_usd").sum(),
        )
        .filter(
            (pl.col("born_usd") > BORN_SHARE * pl.col("value_usd")) & (pl.col("ended_usd") < pl.col("born_usd") / 2)
        )
        .select(*_DATASET, "good", "born_year")
    )
