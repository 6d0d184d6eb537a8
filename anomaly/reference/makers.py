"""Who makes what in quantity: `reference/makers.csv`. A country that makes a good needs no re-export to sell it."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.reference.statements import goods_of, parse_goods
from anomaly.reference.tables import read

EVIDENCE = ("second_hand", "not_reread")


@cache
def read_all() -> pl.DataFrame:
    """Large makers of groups of goods, a row a country and group, in the order of the file.

    Returns
    -------
    polars.DataFrame
        exporter_iso; goods (list of HS codes of two to six digits); goods_named; year (Int16) that the source is about;
        source (publisher and title); evidence (second_hand: read in a page that quotes it; not_reread: the publication
        is known to say so and was not at hand); reviewed (date of our last look); says.

    Raises
    ------
    BadRequest
        For a code that there is not.
    """
    table = read("makers.csv")
    return table.with_columns(
        goods=pl.Series([parse_goods(codes) for codes in table["goods"]], dtype=pl.List(pl.String)),
        year=pl.col("year").cast(pl.Int16),
        reviewed=pl.col("reviewed").str.to_date(),
    )


def makes(routes: pl.DataFrame, makers: pl.DataFrame | None = None) -> pl.DataFrame:
    """Whether exporters are known to make goods in quantity.

    The table names large makers and no others, so that what is not in it is unknown, never a no.

    Parameters
    ----------
    routes : polars.DataFrame
        exporter_iso, good (a code or family of six digits), and anything else.
    makers : polars.DataFrame, optional
        `read_all`, the shipped table if not given.

    Returns
    -------
    polars.DataFrame
        The routes in their order with is_maker (true or null), maker_source and maker_year, of the newest source, and of
        the code that fits closest.

    Examples
    --------
    >>> routes = pl.DataFrame({"exporter_iso": ["CHN", "ARM"], "good": ["870323", "870323"]})
    >>> makes(routes)["is_maker"].to_list()
    [True, None]
    """
    sources = _by_good(routes["good"].unique().sort().to_list(), read_all() if makers is None else makers)
    return routes.join(sources, on=["exporter_iso", "good"], how="left", maintain_order="left")


def _by_good(traded: list[str], makers: pl.DataFrame) -> pl.DataFrame:
    """Each exporter and good that some row of the makers names."""
    prefixes = makers.select("exporter_iso", "year", "source", code="goods").explode("code").unique(maintain_order=True)
    codes = prefixes["code"].unique().sort().to_list()
    named = [(code, good) for code in codes for good in goods_of([code], traded)]
    return (
        pl.DataFrame(named, schema={"code": pl.String, "good": pl.String}, orient="row")
        .join(prefixes, on="code")
        .with_columns(digits=pl.col("code").str.len_chars())
        .sort("exporter_iso", "good", "digits", "year", "source", descending=[False, False, True, True, False])
        .unique(["exporter_iso", "good"], keep="first", maintain_order=True)
        .select("exporter_iso", "good", is_maker=pl.lit(value=True), maker_source="source", maker_year="year")
    )
