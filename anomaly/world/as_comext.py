"""The simulated reports of EU members as Comext has them: EUR, eight digits, what is confidential hidden."""

from __future__ import annotations

import polars as pl

from anomaly.world.description import Description
from anomaly.world.texts import month_text, packed

CN_SHARES = {1: (1.0,), 2: (0.35, 0.65)}


def comext(world: Description, rows: pl.DataFrame, rate: list[float]) -> bytes:
    """SDMX-CSV of the API, packed: CRLF, a row per indicator, eight-digit codes, EUR and hundreds of kilograms.

    Parameters
    ----------
    world : Description
        Its countries, goods and calendar.
    rows : polars.DataFrame
        The reports of one member.
    rate : list of float
        USD per EUR by month.

    Returns
    -------
    bytes
        gzip.
    """
    table = sdmx(world, in_the_eu(world, rows, rate)).sort("partner", "product", "indicators", "TIME_PERIOD")
    return packed(table.write_csv(line_terminator="\r\n", quote_style="never").encode())


def sdmx(world: Description, trade: pl.DataFrame) -> pl.DataFrame:
    """Rows of the API's DS-045409: one an indicator, EUR and hundreds of kilograms.

    Parameters
    ----------
    world : Description
        Its countries, and the day of the last update.
    trade : polars.DataFrame
        reporter (ISO 3166-1 alpha-3), partner (Comext's code), product, period, euro, kilos (null: not known).

    Returns
    -------
    polars.DataFrame
        The API's ten columns, as text.
    """
    iso2, publishing = {country.iso3: country.iso2 for country in world.countries}, world.publishing
    hundreds = pl.format("{}.{}", pl.col("kilos") // 100, (pl.col("kilos") % 100).cast(pl.String).str.zfill(2))
    values = trade.with_columns(indicators=pl.lit("VALUE_IN_EUROS"), observed=pl.col("euro").cast(pl.String))
    weights = trade.filter(pl.col("kilos").is_not_null()).with_columns(
        indicators=pl.lit("QUANTITY_IN_100KG"), observed=hundreds
    )
    return pl.concat([values, weights]).select(
        pl.lit("ESTAT:DS-045409(1.0)").alias("DATAFLOW"),
        pl.lit(f"{publishing.vintage:%d/%m/%y}").alias("LAST UPDATE"),
        freq=pl.lit("M"),
        reporter=pl.col("reporter").replace_strict(iso2),
        partner="partner",
        product="product",
        flow=pl.lit("2"),
        indicators="indicators",
        TIME_PERIOD="period",
        OBS_VALUE="observed",
    )


def in_the_eu(world: Description, rows: pl.DataFrame, rate: list[float]) -> pl.DataFrame:
    """What members publish of their exports, by eight digits; the products of a code sum to it.

    Parameters
    ----------
    world : Description
        Its countries, goods and calendar.
    rows : polars.DataFrame
        The reports of members.
    rate : list of float
        USD per EUR by month.

    Returns
    -------
    polars.DataFrame
        reporter, product (eight digits), partner (ISO-2), period (2022-03), euro, kilos; what is hidden at the end.
    """
    cn = pl.DataFrame(
        [
            (code, code + digits, share, number == 0)
            for good in world.goods
            for code in sorted({good.code, *(part for part, _ in good.h6)})
            for number, (digits, share) in enumerate(zip(good.cn, CN_SHARES[len(good.cn)], strict=True))
        ],
        schema=["code", "product", "share", "is_first"],
        orient="row",
    )
    euro = (pl.col("value_usd") / pl.col("month").replace_strict(dict(enumerate(rate)))).round().cast(pl.Int64)
    part = (pl.col("whole_euro") * pl.col("share")).floor().cast(pl.Int64)
    rounding = pl.col("whole_euro") - part.sum().over("whole")
    trade = (
        rows.with_columns(whole_euro=euro)
        .with_row_index("whole")
        .join(cn, on="code", maintain_order="left")
        .select(
            "reporter",
            "product",
            partner=pl.col("partner").replace_strict({country.iso3: country.iso2 for country in world.countries}),
            period=pl.col("month").replace_strict(month_text(world, "%Y-%m")),
            euro=part + pl.when(pl.col("is_first")).then(rounding).otherwise(0),
            kilos=(pl.col("net_wgt_kg") * pl.col("share")).round().cast(pl.Int64),
        )
    )
    is_hiding = pl.col("reporter") == world.publishing.hidden_by
    return pl.concat([trade, *_confidential(world, trade.filter(is_hiding))])


def _confidential(world: Description, trade: pl.DataFrame) -> list[pl.DataFrame]:
    """A reporter's hidden trade: a partner withheld, and a code of a whole chapter; a tenth of one route's values each."""
    route = trade.filter(pl.col("partner") == world.publishing.hidden_to).unique(
        "period", keep="first", maintain_order=True
    )
    return [
        route.with_columns(
            partner=pl.lit(partner),
            product=pl.lit(product),
            euro=pl.col("euro") // 10 + 1,
            kilos=pl.lit(None, dtype=pl.Int64),
        )
        for partner, product in world.publishing.hidden
    ]
