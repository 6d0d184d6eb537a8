"""The same period in several releases: the newer one is current where it holds the good, and both stay."""

from __future__ import annotations

import polars as pl

GROUP = ("source", "freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code")
KEY = (*GROUP, "classification_code", "cmd_code")
RELEASE = ("dataset", "vintage")
PAIR = ("source", "freq_code", "flow_code", "dataset", "vintage", "newer")  # an older release and a newer one
WHOLE = 0.9  # a release with this share of a chapter's codes, or of a reporter's partners, was of all of them
LEAST = 10  # codes or partners, for a share of them to tell anything
AMOUNTS = ("primary_value_usd", "reported_value", "currency", "net_wgt_g", "is_net_wgt_estimated", "is_confidential")
UNDATED = "undated"


def age(vintage: str = "vintage") -> pl.Expr:
    """What a release sorts by: the text of its vintage, and an undated one before all others.

    Parameters
    ----------
    vintage : str
        Name of the column of vintages, such as 2024-02-28 or V202501.

    Returns
    -------
    polars.Expr
        String; empty for an undated one.
    """
    return pl.when(pl.col(vintage) == UNDATED).then(pl.lit("")).otherwise(pl.col(vintage))


def groups(flows: pl.DataFrame) -> pl.DataFrame:
    """What the releases speak of: each (reporter, partner, period, flow) with its edition and release once.

    Parameters
    ----------
    flows : polars.DataFrame
        GROUP, RELEASE, classification_code and raw_file; not empty.

    Returns
    -------
    polars.DataFrame
        The same columns, each combination once.
    """
    releases = flows.select(*GROUP, *RELEASE, "classification_code", "raw_file")
    varying = [
        name for name in releases.columns if not (releases[name] == releases[name][0]).all()
    ]  # the others tell none apart
    return releases.unique(varying or releases.columns)


def shared(all_groups: pl.DataFrame) -> pl.DataFrame:
    """Groups that several files of one release have. Parts by code are well, repeats are not.

    Parameters
    ----------
    all_groups : polars.DataFrame
        `groups`, of all files.

    Returns
    -------
    polars.DataFrame
        GROUP and RELEASE, each once.
    """
    files = all_groups.group_by(*GROUP, *RELEASE).agg(pl.col("raw_file").n_unique())
    return files.filter(pl.col("raw_file") > 1).select(*GROUP, *RELEASE)


def repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of rows of shared groups, those that a second file says again.

    Parameters
    ----------
    rows : polars.DataFrame
        Flows of `shared` groups: KEY, RELEASE, AMOUNTS and raw_file.

    Returns
    -------
    same : polars.DataFrame
        KEY, RELEASE and raw_file of rows to take out; the file whose hash is first keeps its row.
    different : polars.DataFrame
        The same columns and other_file: the values are not those of the row that is kept.
    """
    key = [*KEY, *RELEASE]
    ordered = rows.select(*key, *AMOUNTS, "raw_file").sort(*key, "raw_file")
    repeated = ordered.with_columns(other_file=pl.col("raw_file").first().over(key)).filter(
        pl.col("raw_file") != pl.col("other_file")
    )
    compared = repeated.join(
        ordered, left_on=[*key, "other_file"], right_on=[*key, "raw_file"], how="left", suffix="_other"
    )
    is_same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_other")) for name in AMOUNTS)
    return (
        compared.filter(is_same).select(*key, "raw_file"),
        compared.filter(~is_same).select(*key, "raw_file", "other_file"),
    )


def meetings(releases: pl.DataFrame) -> pl.DataFrame:
    """Groups that a newer vintage of the same dataset speaks of.

    A newer release speaks of the groups that it has, and of a reporter's other partners where it has WHOLE of those
    that the older one has.

    Parameters
    ----------
    releases : polars.DataFrame
        `groups`, of all files.

    Returns
    -------
    polars.DataFrame
        GROUP, RELEASE, newer (the vintage that speaks of it) and is_recoded: that one tells the reporter's period in
        another edition.
    """
    reporter = [name for name in GROUP if name != "partner_iso"]
    editions = releases.select(*GROUP, *RELEASE, "classification_code").unique()
    rereleased = editions.filter(pl.col("vintage").n_unique().over(*reporter, "dataset") > 1)
    newer = rereleased.select(*reporter, "dataset", newer="vintage", _edition="classification_code").unique()
    pairs = (
        rereleased.join(newer, on=[*reporter, "dataset"])
        .filter(age() < age("newer"))
        .group_by(*GROUP, *RELEASE, "newer")
        .agg(is_recoded=(pl.col("classification_code") != pl.col("_edition")).any())
    )
    has = rereleased.select(*GROUP, "dataset", newer="vintage", _has=pl.lit(value=True)).unique()
    is_there = pl.col("_has").fill_null(value=False)
    of_reporter = (*reporter, *RELEASE, "newer")
    has_all = (is_there.mean().over(of_reporter) >= WHOLE) & (is_there.sum().over(of_reporter) >= LEAST)
    return pairs.join(has, on=[*GROUP, "dataset", "newer"], how="left").filter(is_there | has_all).drop("_has")


def asked_for(flows: pl.LazyFrame, met: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Codes of older releases that a newer one would have said, if there were anything to say.

    What a release holds is told by the codes it has at all, of any reporter and period. A code that it has nowhere was
    asked for too where it has WHOLE of the codes of that chapter that the older one has in the groups of both.

    Parameters
    ----------
    flows : polars.LazyFrame
        GROUP, RELEASE and cmd_code, of all files.
    met : polars.DataFrame
        `meetings`.
    links : polars.DataFrame
        codes.edition_links(): older_code and newer_code, six digits.

    Returns
    -------
    polars.DataFrame
        PAIR, cmd_code and is_held, sorted by the former. is_held false: the newer release has only what another
        edition made of the code, which counts in groups that are recoded.
    """
    release = ["source", "freq_code", "flow_code", "dataset", "vintage"]
    newer = met.select(*release[:-1], vintage="newer").unique()
    code = flows.select(*GROUP, *RELEASE, "cmd_code")
    all_of_newer = code.join(newer.lazy(), on=release, how="semi").select(*release, "cmd_code").unique()
    had = code.join(met.lazy(), on=[*GROUP, *RELEASE]).select(*PAIR, "cmd_code").unique().collect(engine="streaming")
    has = all_of_newer.collect(engine="streaming").rename({"vintage": "newer"})
    key = [name for name in PAIR if name != "vintage"]
    became_codes = has.with_columns(code=pl.col("cmd_code").str.slice(0, 6)).join(_both_ways(links), on="code")
    direct = had.join(has, on=[*key, "cmd_code"], how="semi").with_columns(is_held=True)
    linked = (
        had.with_columns(became=pl.col("cmd_code").str.slice(0, 6))
        .join(became_codes.select(*key, "became"), on=[*key, "became"], how="semi")
        .select(*PAIR, "cmd_code", is_held=False)
    )
    held = pl.concat([direct, linked]).unique([*PAIR, "cmd_code"], keep="first", maintain_order=True)
    codes = had.join(held, on=[*PAIR, "cmd_code"], how="left")
    chapter = (*PAIR, pl.col("cmd_code").str.slice(0, 2))
    share = pl.col("is_held").is_not_null().mean().over(chapter)
    is_whole = (share >= WHOLE) & (pl.col("is_held").count().over(chapter) >= LEAST)
    return (
        codes.select(*PAIR, "cmd_code", is_held=pl.col("is_held") | is_whole)
        .drop_nulls("is_held")
        .sort(*PAIR, "cmd_code")
    )


def replaced(flows: pl.DataFrame, met: pl.DataFrame, asked_codes: pl.DataFrame) -> pl.Series:
    """For each of some flows whether a newer release of the dataset has taken its place.

    A row that was revised away must not live on in the current view: what counts is what the newer release holds, not
    whether it has the row.

    Parameters
    ----------
    flows : polars.DataFrame
        GROUP, RELEASE and cmd_code.
    met : polars.DataFrame
        `meetings`.
    asked_codes : polars.DataFrame
        `asked_for`.

    Returns
    -------
    polars.Series
        Boolean, a value a row, in the order given.
    """
    rows = flows.select(*GROUP, *RELEASE, "cmd_code").with_row_index("_row").join(met, on=[*GROUP, *RELEASE])
    met_rows = rows.join(asked_codes, on=[*PAIR, "cmd_code"]).filter(pl.col("is_held") | pl.col("is_recoded"))
    return _are_among(flows, met_rows["_row"])


def _are_among(flows: pl.DataFrame, rows: pl.Series) -> pl.Series:
    return pl.int_range(flows.height, dtype=pl.UInt32, eager=True).is_in(rows.implode())


def contested(releases: pl.DataFrame) -> pl.DataFrame:
    """Groups that several datasets of one publisher have: there the newest vintage wins row by row.

    Parameters
    ----------
    releases : polars.DataFrame
        `groups`, of all files.

    Returns
    -------
    polars.DataFrame
        GROUP and RELEASE, each once.
    """
    of_several = releases.filter(pl.col("dataset").n_unique().over(GROUP) > 1)
    return of_several.select(*GROUP, *RELEASE).unique()


def losers(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Of contested rows those that are not current: newest vintage first, then the dataset's name.

    Parameters
    ----------
    rows : polars.DataFrame
        Flows of `contested` groups: KEY and RELEASE.
    links : polars.DataFrame
        codes.edition_links(): what one dataset says in another edition is the same trade under another code.

    Returns
    -------
    polars.DataFrame
        KEY and RELEASE, each once.
    """
    places = rows.select(*RELEASE, _age=age()).unique().sort("_age", "dataset", descending=[True, False])
    placed = rows.select(*KEY, *RELEASE).join(places.drop("_age").with_row_index("_place"), on=RELEASE)
    is_older = pl.col("_place") > pl.col("_place").min().over(*GROUP, "cmd_code")
    with_hs6 = placed.with_columns(_hs6=pl.col("cmd_code").str.slice(0, 6)).join(
        _both_ways(links), left_on="_hs6", right_on="code"
    )
    recoded = with_hs6.join(with_hs6, left_on=[*GROUP, "_hs6"], right_on=[*GROUP, "became"], suffix="_other").filter(
        pl.col("_place") > pl.col("_place_other"), pl.col("classification_code") != pl.col("classification_code_other")
    )
    key = [*KEY, *RELEASE]
    return pl.concat([placed.filter(is_older).select(key), recoded.select(key)]).unique()


def _both_ways(links: pl.DataFrame) -> pl.DataFrame:
    """code, became: codes of two editions that a link joins, each way, each once."""
    older, newer = links["older_code"], links["newer_code"]
    return pl.DataFrame({"code": pl.concat([older, newer]), "became": pl.concat([newer, older])}).unique()


def mark(flows: pl.DataFrame, is_replaced: pl.Series, lost: pl.DataFrame) -> pl.DataFrame:
    """The flows with is_current: false where a newer release has taken their place.

    Parameters
    ----------
    flows : polars.DataFrame
        KEY and RELEASE, and what else is to stay.
    is_replaced : polars.Series
        `replaced` of these flows.
    lost : polars.DataFrame
        `losers`.

    Returns
    -------
    polars.DataFrame
        The flows, in their order, with is_current (Boolean, never null).
    """
    rows = flows.select(*KEY, *RELEASE).with_row_index("_row").join(lost, on=[*KEY, *RELEASE], how="semi")["_row"]
    return flows.with_columns(is_current=~(is_replaced | _are_among(flows, rows)))
