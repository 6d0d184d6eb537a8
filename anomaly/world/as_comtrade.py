"""The simulated reports as UN Comtrade's rows: of the API, of the bulk files and of the web export."""

from __future__ import annotations

import json

import polars as pl

from anomaly.world.description import Description
from anomaly.world.reports import REPORT_COLUMNS
from anomaly.world.texts import month_text, packed

UNKNOWN_COUNTRY = 987
ROAD, AIR = 3200, 1000

_API_NAMES = """
typeCode freqCode refPeriodId refYear refMonth period reporterCode reporterISO reporterDesc flowCode flowDesc
partnerCode partnerISO partnerDesc partner2Code partner2ISO partner2Desc classificationCode classificationSearchCode
isOriginalClassification cmdCode cmdDesc aggrLevel isLeaf customsCode customsDesc mosCode motCode motDesc qtyUnitCode
qtyUnitAbbr qty isQtyEstimated altQtyUnitCode altQtyUnitAbbr altQty isAltQtyEstimated netWgt isNetWgtEstimated grossWgt
isGrossWgtEstimated cifvalue fobvalue primaryValue legacyEstimationFlag isReported isAggregate
"""
_BULK_NAMES = """
datasetCode typeCode freqCode refPeriodId refYear refMonth period reporterCode flowCode partnerCode partner2Code
classificationSearchCode classificationCode isOriginalClassification cmdCode customsCode mosCode motCode qtyUnitCode qty
isQtyEstimated altQtyUnitCode altQty isAltQtyEstimated netWgt isnetWgtEstimated grossWgt isgrossWgtEstimated CIFValue
FOBValue primaryValue legacyEstimationFlag isReported isAggregate
"""
API, BULK = tuple(_API_NAMES.split()), tuple(_BULK_NAMES.split())


def with_what_must_not_count(world: Description, rows: pl.DataFrame, iso: str) -> pl.DataFrame:
    """Rows that repeat what others say, as the publisher sends them along: totals, headings, means of transport.

    Parameters
    ----------
    world : Description
        Which reporter sends totals, and which means of transport.
    rows : polars.DataFrame
        The reports of one reporter.
    iso : str
        That reporter.

    Returns
    -------
    polars.DataFrame
        With `transport`.
    """
    rows = rows.with_columns(transport=pl.lit(0))
    exports = rows.filter(pl.col("flow") == "X")
    extra = []
    if iso == world.publishing.with_totals:
        to_world = exports.with_columns(partner=pl.lit("W00"))
        heading = exports.with_columns(code=pl.col("code").str.slice(0, 4), good=pl.lit(""))
        extra = [to_world, heading]
    if iso == world.publishing.with_breakdown:
        by_road = exports.with_columns(value_usd=pl.col("value_usd") * 4 // 5, transport=pl.lit(ROAD))
        by_air = exports.with_columns(
            value_usd=pl.col("value_usd") - pl.col("value_usd") * 4 // 5, transport=pl.lit(AIR)
        )
        extra = [by_road, by_air]
    if not extra:
        return rows
    key = [name for name in (*REPORT_COLUMNS, "transport") if name not in ("value_usd", "net_wgt_kg")]
    sums = (pl.col("value_usd").sum(), pl.lit(None, dtype=pl.Float64).alias("net_wgt_kg"))
    repeated = pl.concat(extra).group_by(key).agg(sums)
    return pl.concat([rows, repeated.select(rows.columns)]).sort(*REPORT_COLUMNS[:6], "transport")


def comtrade(world: Description, rows: pl.DataFrame) -> pl.DataFrame:
    """Every column that any of Comtrade's formats has, typed as in the API's answers.

    Parameters
    ----------
    world : Description
        Its countries, goods and calendar.
    rows : polars.DataFrame
        Reports (`reports.reports`), perhaps with `transport`; a partner W00 is the world, a code of fewer than six
        digits a heading.

    Returns
    -------
    polars.DataFrame
        A row a report, in their order.
    """
    m49, names = ({country.iso3: getattr(country, field) for country in world.countries} for field in ("m49", "name"))
    if "transport" not in rows.columns:
        rows = rows.with_columns(transport=pl.lit(0))
    period = pl.col("month").replace_strict(month_text(world, "%Y%m"))
    year, month = period.str.slice(0, 4).cast(pl.Int64), period.str.slice(4).cast(pl.Int64)
    reporter, partner = pl.col("reporter").replace_strict(m49), pl.col("partner").replace_strict({**m49, "W00": 0})
    value, is_import = pl.col("value_usd").cast(pl.Float64), pl.col("flow") == "M"
    no_number, is_false = pl.lit(None, dtype=pl.Float64), pl.lit(value=False)
    columns = {
        "typeCode": pl.lit("C"), "freqCode": pl.lit("M"), "refPeriodId": (period + "01").cast(pl.Int64),
        "refYear": year, "refMonth": month, "period": period,
        "reporterCode": reporter, "reporterISO": pl.col("reporter"), "reporterDesc": pl.col("reporter").replace_strict(names),
        "flowCode": pl.col("flow"),
        "flowDesc": pl.col("flow").replace_strict({"M": "Import", "X": "Export", "RX": "Re-export"}),
        "partnerCode": partner, "partnerISO": pl.col("partner"),
        "partnerDesc": pl.col("partner").replace_strict({**names, "W00": "World"}),
        "partner2Code": pl.lit(0), "partner2ISO": pl.lit("W00"), "partner2Desc": pl.lit("World"),
        "classificationCode": pl.format("H{}", "edition"), "classificationSearchCode": pl.lit("HS"),
        "isOriginalClassification": pl.lit(value=True), "cmdCode": pl.col("code"),
        "cmdDesc": pl.col("good").replace_strict({good.good: good.name for good in world.goods}, default="Heading"),
        "aggrLevel": pl.col("code").str.len_chars().cast(pl.Int64), "isLeaf": pl.col("code").str.len_chars() == 6,
        "customsCode": pl.lit("C00"), "customsDesc": pl.lit("TOTAL CPC"), "mosCode": pl.lit("0"),
        "motCode": pl.col("transport"),
        "motDesc": pl.col("transport").replace_strict({0: "TOTAL MOT", ROAD: "Road", AIR: "Air"}),
        "qtyUnitCode": pl.when(pl.col("net_wgt_kg").is_null()).then(-1).otherwise(8),
        "qtyUnitAbbr": pl.when(pl.col("net_wgt_kg").is_null()).then(pl.lit("N/A")).otherwise(pl.lit("kg")),
        "qty": pl.col("net_wgt_kg"), "isQtyEstimated": is_false, "altQtyUnitCode": pl.lit(-1), "altQtyUnitAbbr": pl.lit("N/A"),
        "altQty": no_number, "isAltQtyEstimated": is_false, "netWgt": pl.col("net_wgt_kg"), "isNetWgtEstimated": is_false,
        "grossWgt": no_number, "isGrossWgtEstimated": is_false, "cifvalue": pl.when(is_import).then(value),
        "fobvalue": pl.when(~is_import).then(value), "primaryValue": value, "legacyEstimationFlag": pl.lit(0),
        "isReported": is_false, "isAggregate": pl.lit(value=True),
        "datasetCode": pl.format("20{}{}0{}1000", reporter.cast(pl.String).str.zfill(3), period, "edition"),
    }  # fmt: skip
    return rows.select(expression.alias(name) for name, expression in columns.items())


def with_bad_rows(world: Description, table: pl.DataFrame, iso: str) -> pl.DataFrame:
    """A few rows that no reader may take: a country nobody knows, a value below zero, a code that is not there.

    Parameters
    ----------
    world : Description
        Whose files have such rows.
    table : polars.DataFrame
        As `comtrade` gives it, of one reporter.
    iso : str
        That reporter.

    Returns
    -------
    polars.DataFrame
        With three more rows where the reporter has them.
    """
    if iso not in world.publishing.with_bad_rows:
        return table
    first = table.filter(pl.col("flowCode") == "X").slice(0, 3).with_row_index("number")
    number = pl.col("number")
    bad = first.with_columns(
        partnerCode=pl.when(number == 0).then(UNKNOWN_COUNTRY).otherwise("partnerCode"),
        primaryValue=pl.when(number == 1).then(-pl.col("primaryValue")).otherwise("primaryValue"),
        cmdCode=pl.when(number == 2).then(None).otherwise("cmdCode"),
    ).drop("number")
    return pl.concat([table, bad], how="vertical_relaxed")


def bulk(table: pl.DataFrame) -> bytes:
    """A bulk file: gzip, tab separated, 34 columns, booleans 0 and 1, empty for unknown.

    Parameters
    ----------
    table : polars.DataFrame
        As `comtrade` gives it.

    Returns
    -------
    bytes
        The same for the same rows.
    """
    names = {name.lower(): name for name in table.columns}
    spelt = table.with_columns(pl.col(pl.Boolean).cast(pl.Int8)).select(
        pl.col(names[name.lower()]).alias(name) for name in BULK
    )
    return packed(spelt.write_csv(separator="\t", quote_style="never").encode())


def answer(table: pl.DataFrame) -> bytes:
    """A saved answer of the API, packed.

    Parameters
    ----------
    table : polars.DataFrame
        As `comtrade` gives it.

    Returns
    -------
    bytes
        JSON, gzip.
    """
    rows = table.select(API).to_dicts()
    envelope = {"elapsedTime": "0.00 secs", "count": len(rows), "data": rows, "error": ""}
    return packed(json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode())


def web_export(table: pl.DataFrame) -> bytes:
    """A web export: CRLF, every cell in quotes, and a comma after the last cell of each row of data only.

    Parameters
    ----------
    table : polars.DataFrame
        As `comtrade` gives it.

    Returns
    -------
    bytes
        UTF-8.
    """
    quoted = table.select(API).with_columns(
        pl.col(pl.Boolean).cast(pl.String),
        pl.col(pl.Float64).cast(pl.String).str.strip_suffix(".0"),
    )
    body = quoted.write_csv(include_header=False, line_terminator=",\r\n", quote_style="always")
    return (",".join(API) + "\r\n" + body.replace('""', "")).encode()
