"""What the data behind a flag leave in doubt, as caveats of it: rows of flows.doubts that touch its route."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import ROUTE

MOST_OF_A_FLAG = 3  # sentences; all doubts are in flows.doubts


def with_doubts(flags: pl.DataFrame, doubts: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The flags, with a caveat for each doubt that touches them.

    Parameters
    ----------
    flags : pl.DataFrame
        Rows of flags.
    doubts : pl.DataFrame
        Rows of flows.doubts, each with a reporter: a doubt of a whole file stands once for each of its reporters.
    members : pl.DataFrame
        cmd_code, good: codes of families; a code that is not there is a good of its own.

    Returns
    -------
    pl.DataFrame
        The same rows in the same order.
    """
    if flags.is_empty() or doubts.is_empty():
        return flags
    named = doubts.with_columns(_six=pl.col("cmd_code").str.slice(0, 6)).join(
        members.select(pl.col("cmd_code").alias("_six"), "good").unique(), on="_six", how="left"
    )
    named = named.with_columns(_good=pl.coalesce("good", "_six")).drop("good")
    route = flags.select("flag_id", *ROUTE)
    sides = pl.concat(
        [
            route.select("flag_id", "good", reporter_iso="exporter_iso", _partner="importer_iso"),
            route.select("flag_id", "good", reporter_iso="importer_iso", _partner="exporter_iso"),
        ]
    )
    is_all = pl.lit(value=True)
    touched = sides.join(named, on="reporter_iso").filter(
        pl.when(pl.col("partner_iso").is_null()).then(is_all).otherwise(pl.col("partner_iso") == pl.col("_partner")),
        pl.when(pl.col("_good").is_null()).then(is_all).otherwise(pl.col("_good") == pl.col("good")),
    )
    sentence = pl.format("In doubt, {}: {} ({}).", "raw_file", "says", "figures")
    sentences = (
        touched.sort("flag_id", pl.col("cmd_code").is_null(), "rule", "raw_file")
        .select("flag_id", sentence.alias("_sentence"))
        .unique(maintain_order=True)
        .group_by("flag_id", maintain_order=True)
        .agg(_doubts=pl.col("_sentence").head(MOST_OF_A_FLAG))
    )
    joined = flags.join(sentences, on="flag_id", how="left", maintain_order="left")
    doubts_of_flag = pl.col("_doubts").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    return joined.with_columns(caveats=pl.concat_list("caveats", doubts_of_flag)).drop("_doubts")


def of_reporters(doubts: pl.DataFrame, files: pl.DataFrame, flows: pl.LazyFrame) -> pl.DataFrame:
    """The doubts, those of a whole file once for each of its reporters.

    Parameters
    ----------
    doubts, files : polars.DataFrame
        flows.doubts and flows.files.
    flows : polars.LazyFrame
        The table flows: who reports in a file.

    Returns
    -------
    polars.DataFrame
        Columns of flows.doubts; each row has a reporter.
    """
    of_whole_files = doubts.filter(pl.col("reporter_iso").is_null())
    if of_whole_files.is_empty():
        return doubts
    hash_of = files.select(raw_file="path", _hash=pl.col("sha256").str.slice(0, 12))
    hashes = of_whole_files.select("raw_file").unique().join(hash_of, on="raw_file")
    reporters = (
        flows.filter(pl.col("raw_file").is_in(hashes["_hash"].implode()))
        .select(_hash="raw_file", reporter_iso="reporter_iso")
        .unique()
        .collect(engine="streaming")
    )
    of_files = hashes.join(reporters, on="_hash").drop("_hash")
    spread = of_whole_files.drop("reporter_iso").join(of_files, on="raw_file").select(doubts.columns)
    return pl.concat([doubts.filter(pl.col("reporter_iso").is_not_null()), spread.sort(doubts.columns)])
