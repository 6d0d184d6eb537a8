"""UN Comtrade's rows of what is published: every level of codes, the world among the partners, breakdowns beside totals."""

from __future__ import annotations

import polars as pl

from anomaly.world.as_comtrade import AIR, API, ROAD, comtrade
from loopback.facts import Published

LEVELS = {"TOTAL": 0, "AG2": 2, "AG4": 4, "AG6": 6}
WORLD = "W00"
SPLIT_PARTNER, SPLIT_CUSTOMS = 276, ("C01", "C04")  # what the breakdowns of an importer name
PARTS = {"X": 2, "M": 3}  # rows of breakdown beside each total, of who publishes them
_KEY = ("reporter", "partner", "flow", "edition", "month", "code")
_DESCRIPTIONS = (
    *("reporterISO", "reporterDesc", "flowDesc", "partnerISO", "partnerDesc", "partner2ISO", "partner2Desc"),
    *("cmdDesc", "customsDesc", "motDesc", "qtyUnitAbbr", "altQtyUnitAbbr"),
)


def reported(published: Published) -> pl.DataFrame:
    """Reports of those who publish through UN Comtrade: all but the EU's members.

    Parameters
    ----------
    published : Published
        What is out.

    Returns
    -------
    polars.DataFrame
        Columns of the reports.
    """
    return published.reports.filter(~pl.col("reporter").is_in(list(published.world.eu)))


def with_repeated(published: Published, rows: pl.DataFrame) -> pl.DataFrame:
    """Add all that repeats a report: sums over partners and codes, and the breakdowns of who publishes them.

    Parameters
    ----------
    published : Published
        What is out.
    rows : polars.DataFrame
        Reports, all partners and codes of each reporter, flow and month that is in them.

    Returns
    -------
    polars.DataFrame
        With transport, customs and partner2, sorted.
    """
    plain = rows.with_columns(transport=pl.lit(0), customs=pl.lit("C00"), partner2=pl.lit(0))
    levels = [plain]
    for digits in (4, 2, 0):
        code = pl.col("code").str.slice(0, digits) if digits else pl.lit("TOTAL")
        levels.append(_summed(plain.with_columns(code=code, good=pl.lit(""))))
    every = pl.concat(levels)
    to_all = _summed(every.with_columns(partner=pl.lit(WORLD)))
    broken = _broken_down(every.filter(pl.col("reporter") == published.world.publishing.with_breakdown))
    return pl.concat([every, to_all, *broken]).sort(*_KEY, "transport", "customs", "partner2")


def rows_each(published: Published) -> pl.DataFrame:
    """How many rows each dataset has, all that repeats counted, without making them.

    Parameters
    ----------
    published : Published
        What is out.

    Returns
    -------
    polars.DataFrame
        reporter, month, totalRecords.
    """
    rows = reported(published).select("reporter", "month", "flow", "partner", "code")
    is_broken = pl.col("reporter") == published.world.publishing.with_breakdown
    times = 1 + pl.when(is_broken).then(pl.col("flow").replace_strict(PARTS, default=0)).otherwise(0)
    counts = []
    for digits in LEVELS.values():
        level = rows.with_columns(pl.col("code").str.slice(0, digits)).unique()
        counts.append(level.with_columns(rows=times).drop("partner"))
        counts.append(level.drop("partner").unique().with_columns(rows=pl.lit(1, dtype=pl.Int64)))
    every = pl.concat([count.with_columns(pl.col("rows").cast(pl.Int64)) for count in counts])
    return every.group_by("reporter", "month").agg(totalRecords=pl.col("rows").sum())


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums by key; the weight is known where it is of every row."""
    is_known = pl.col("net_wgt_kg").is_not_null().all()
    weight = pl.when(is_known).then(pl.col("net_wgt_kg").sum().round(1))
    key = [name for name in rows.columns if name not in ("value_usd", "net_wgt_kg")]
    return rows.group_by(key).agg(pl.col("value_usd").sum(), net_wgt_kg=weight).select(rows.columns)


def _broken_down(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Each total again, in parts that sum to it: exports by transport, imports by customs procedure and second partner."""
    exports, imports = rows.filter(pl.col("flow") == "X"), rows.filter(pl.col("flow") == "M")
    large = pl.col("value_usd") * 4 // 5
    no_weight = pl.lit(None, dtype=pl.Float64).alias("net_wgt_kg")
    first, second = SPLIT_CUSTOMS
    return [
        exports.with_columns(no_weight, value_usd=large, transport=pl.lit(ROAD)),
        exports.with_columns(no_weight, value_usd=pl.col("value_usd") - large, transport=pl.lit(AIR)),
        imports.with_columns(no_weight, value_usd=large, customs=pl.lit(first)),
        imports.with_columns(no_weight, value_usd=pl.col("value_usd") - large, customs=pl.lit(second)),
        imports.with_columns(no_weight, partner2=pl.lit(SPLIT_PARTNER)),
    ]


def in_api_words(published: Published, rows: pl.DataFrame, is_described: bool = True) -> pl.DataFrame:
    """Rows as the API has them.

    Parameters
    ----------
    published : Published
        What is out.
    rows : polars.DataFrame
        As `with_repeated` gives them.
    is_described : bool
        Whether names and ISO codes are told; else they are null, as with includeDesc=false.

    Returns
    -------
    polars.DataFrame
        The API's columns in its order.
    """
    table = comtrade(published.world, rows)
    code, is_total = pl.col("cmdCode"), pl.col("cmdCode") == "TOTAL"
    customs, partner2 = rows["customs"], rows["partner2"]
    table = table.with_columns(
        aggrLevel=pl.when(is_total).then(0).otherwise(code.str.len_chars().cast(pl.Int64)),
        isLeaf=~is_total & (code.str.len_chars() == 6),
        cmdDesc=pl.when(is_total).then(pl.lit("All Commodities")).otherwise("cmdDesc"),
        customsCode=customs,
        customsDesc=pl.when(customs == "C00").then(pl.lit("TOTAL CPC")).otherwise(pl.lit("Clearance for home use")),
        partner2Code=partner2,
        partner2ISO=pl.when(partner2 == 0).then(pl.lit(WORLD)).otherwise(pl.lit("DEU")),
        partner2Desc=pl.when(partner2 == 0).then(pl.lit("World")).otherwise(pl.lit("Germany")),
    )
    if not is_described:
        table = table.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in _DESCRIPTIONS)
    return table


def of_api(table: pl.DataFrame) -> pl.DataFrame:
    """The columns of the API in its order.

    Parameters
    ----------
    table : polars.DataFrame
        As `in_api_words` gives it.

    Returns
    -------
    polars.DataFrame
        Without those of the bulk files only.
    """
    return table.select(API)
