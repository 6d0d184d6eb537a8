"""Doubts that only several files, or both flows, can raise: sources that differ by a power of ten, re-exports beyond exports.

Pure: frames of flows in, rows of flows.doubts out. What one file alone leaves in doubt its reader says.
"""

from __future__ import annotations

import polars as pl

from anomaly.sources.base import DOUBT_COLUMNS

ROUTE = ("reporter_iso", "partner_iso", "flow_code", "freq_code", "hs6")
PEERS = ("freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code")
OWN = "table"  # the source whose unit a person wrote down; publishers' formats have theirs in their definition
LEAST_PERIODS = 3
NEAR = 0.15  # in decades: half as much again is no power of ten
MOST_ROUTES = 100  # rows of flows.doubts for one file and rule; the first row says how many there are


def contested_peers(groups: pl.DataFrame) -> pl.DataFrame:
    """PEERS that a table of one's own and a publisher both report: where their figures can be held together.

    Parameters
    ----------
    groups : polars.DataFrame
        vintages.groups of all files.

    Returns
    -------
    polars.DataFrame
        PEERS, each once.
    """
    sources = groups.group_by(PEERS).agg(pl.col("source").unique())
    has_both = (pl.col("source").list.len() > 1) & pl.col("source").list.contains(OWN)
    return sources.filter(has_both).select(PEERS)


def between_sources(rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Doubts of routes that a table of one's own and a publisher both have.

    Parameters
    ----------
    rows : polars.DataFrame
        Flows of `contested_peers`, all sources.
    names : dict of str to str
        `raw_file` of flows → path under the raw folder.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Doubts: `differs_by_power_of_ten`, a row per route up to MOST_ROUTES of a file, and
        `takes_the_route`, a row per file and publisher.
    """
    summed = rows.with_columns(hs6=pl.col("cmd_code").str.slice(0, 6)).group_by("source", "ref_date", *ROUTE).agg(
        usd=pl.col("primary_value_usd").sum(), raw_file=pl.col("raw_file").min()
    )  # fmt: skip
    own, publishers = summed.filter(pl.col("source") == OWN), summed.filter(pl.col("source") != OWN)
    pairs = own.join(publishers, on=["ref_date", *ROUTE], suffix="_other")
    if pairs.is_empty():
        return pl.DataFrame(schema=DOUBT_COLUMNS)
    path = pl.col("raw_file").replace(names)
    pairs = pairs.with_columns(path=path).sort("path", "source_other", *ROUTE, "ref_date")
    return pl.concat([_powers_of_ten(pairs), _routes_taken(pairs)])


def _powers_of_ten(pairs: pl.DataFrame) -> pl.DataFrame:
    """Routes whose two figures differ by one power of ten in every period that has both."""
    positive = pairs.filter((pl.col("usd") > 0) & (pl.col("usd_other") > 0))
    decades = (pl.col("usd_other") / pl.col("usd")).log10()
    routes = (
        positive.with_columns(decades=decades)
        .group_by("path", "source_other", *ROUTE, maintain_order=True)
        .agg(
            periods=pl.len(),
            power=pl.col("decades").median().round(0),
            spread=(pl.col("decades") - pl.col("decades").median().round(0)).abs().max(),
            usd=pl.col("usd").sum(),
            usd_other=pl.col("usd_other").sum(),
            first=pl.col("ref_date").min(),
            last=pl.col("ref_date").max(),
        )
        .filter((pl.col("power") != 0) & (pl.col("spread") < NEAR) & (pl.col("periods") >= LEAST_PERIODS))
        .with_columns(routes=pl.len().over("path", "source_other"))
    )
    routes = routes.filter(pl.int_range(pl.len()).over("path", "source_other") < MOST_ROUTES)
    smaller = pl.when(pl.col("power") > 0).then(pl.lit("smaller")).otherwise(pl.lit("larger"))
    times = (10.0 ** pl.col("power").abs()).cast(pl.Int64)
    return routes.select(
        source=pl.lit(OWN),
        raw_file="path",
        rule=pl.lit("differs_by_power_of_ten"),
        reporter_iso="reporter_iso",
        partner_iso="partner_iso",
        cmd_code="hs6",
        says=pl.format("the table is {} times {} than {} in every period: is its unit right?", times, smaller, "source_other"),
        figures=pl.format(
            "{} periods, {} to {}: {} USD in the table, {} USD in {}; {} such routes in the file",
            "periods", pl.col("first").dt.strftime("%Y-%m"), pl.col("last").dt.strftime("%Y-%m"), "usd", "usd_other",
            "source_other", "routes",
        ),
        todo=pl.lit("if the table is in thousands or millions say [value] multiplier = 1000 or 1000000"),
    )  # fmt: skip


def _routes_taken(pairs: pl.DataFrame) -> pl.DataFrame:
    """What each table takes from each publisher."""
    files = pairs.group_by("path", "source_other", maintain_order=True).agg(
        routes=pl.struct(ROUTE).n_unique(),
        rows=pl.len(),
        usd=pl.col("usd").sum(),
        usd_other=pl.col("usd_other").sum(),
        reporter_iso=pl.when(pl.col("reporter_iso").n_unique() == 1).then(pl.col("reporter_iso").first()).first(),
    )
    return files.select(
        source=pl.lit(OWN),
        raw_file="path",
        rule=pl.lit("takes_the_route"),
        reporter_iso="reporter_iso",
        partner_iso=pl.lit(None, dtype=pl.String),
        cmd_code=pl.lit(None, dtype=pl.String),
        says=pl.format("a table of your own takes the place of {} on the routes that both have", "source_other"),
        figures=pl.format(
            "{} routes, {} rows: {} USD in the table, {} USD in {}",
            "routes",
            "rows",
            "usd",
            "usd_other",
            "source_other",
        ),
        todo=pl.lit("ask with --source for the other figures; take the table out if they shall count"),
    )


def beyond_exports(rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Doubts of re-exports larger than the exports that should hold them.

    Parameters
    ----------
    rows : polars.DataFrame
        Flows of routes that have re-exports or re-imports, with the exports and imports beside them.
    names : dict of str to str
        As in `between_sources`.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Doubts: `reexports_beyond_exports`, a row per route, the largest first, up to MOST_ROUTES of a
        file.
    """
    key = [
        "source",
        "dataset",
        "vintage",
        "freq_code",
        "ref_date",
        "reporter_iso",
        "partner_iso",
        "classification_code",
        "cmd_code",
    ]
    turned = pl.col("flow_code").replace({"RX": "X", "RM": "M"})
    sent_on = rows.filter(pl.col("flow_code").is_in(["RX", "RM"])).with_columns(turned.alias("flow_code"))
    held = sent_on.join(rows, on=[*key, "flow_code"], suffix="_whole")
    over = held.filter(pl.col("primary_value_usd") > pl.col("primary_value_usd_whole"))
    if over.is_empty():
        return pl.DataFrame(schema=DOUBT_COLUMNS)
    route = ["source", "raw_file", "reporter_iso", "partner_iso", "cmd_code", "flow_code"]
    routes = (
        over.group_by(route)
        .agg(
            periods=pl.len(),
            sent_on=pl.col("primary_value_usd").sum(),
            whole=pl.col("primary_value_usd_whole").sum(),
            first=pl.col("ref_date").min(),
            last=pl.col("ref_date").max(),
        )
        .with_columns(routes=pl.len().over("raw_file"))
        .sort("source", "raw_file", "sent_on", *route[2:], descending=[False, False, True, False, False, False, False])
    )
    routes = routes.filter(pl.int_range(pl.len()).over("raw_file") < MOST_ROUTES)
    flow = pl.when(pl.col("flow_code") == "X").then(pl.lit("exports")).otherwise(pl.lit("imports"))
    return routes.select(
        source="source",
        raw_file=pl.col("raw_file").replace(names),
        rule=pl.lit("reexports_beyond_exports"),
        reporter_iso="reporter_iso",
        partner_iso="partner_iso",
        cmd_code="cmd_code",
        says=pl.format("goods sent on are more than the {} that should hold them: they may be reported beside, not within", flow),
        figures=pl.format(
            "{} periods, {} to {}: {} USD sent on, {} USD of {}; {} such routes in the file",
            "periods", pl.col("first").dt.strftime("%Y-%m"), pl.col("last").dt.strftime("%Y-%m"), "sent_on", "whole", flow, "routes",
        ),
        todo=pl.lit('in a table of your own say reexports = "added" if they stand beside; else read the route with care'),
    )  # fmt: skip
