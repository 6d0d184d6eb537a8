"""The simulated reports in the publishers' own formats, as bytes: UN Comtrade three ways, Comext, the ECB's rates."""

from __future__ import annotations

import gzip
import json

import numpy as np
import polars as pl

from anomaly.world.description import Description
from anomaly.world.reports import REPORT_COLUMNS

COMTRADE, WEB_EXPORT, COMEXT = "comtrade/SIMULATED-M", "comtrade/SIMULATED-WEB", "comext/SIMULATED-DS-045409"
RATES = "ecb/EXR_M_EUR_SP00_A.csv"
UNKNOWN_COUNTRY = 987
ROAD, AIR = 3200, 1000
CN_SHARES = {1: (1.0,), 2: (0.35, 0.65)}

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
_API, _BULK = _API_NAMES.split(), _BULK_NAMES.split()


def folder(world: Description, dataset: str) -> str:
    """Where a dataset's files lie, as raw files of a publisher do.

    Parameters
    ----------
    world : Description
        Its calendar and vintage.
    dataset : str
        source/dataset, such as COMTRADE.

    Returns
    -------
    str
        source/dataset/period/vintage, under a raw folder.
    """
    first, last, vintage = world.calendar[0], world.calendar[-1], world.publishing.vintage
    return f"{dataset}/{first:%Y-%m}_{last:%Y-%m}/{vintage:%Y-%m-%d}"


def files(world: Description, reports: pl.DataFrame) -> dict[str, bytes]:
    """Every raw file of the world, in the formats of the publishers.

    Parameters
    ----------
    world : Description
        How its offices publish.
    reports : polars.DataFrame
        world.reports.reports.

    Returns
    -------
    dict of str to bytes
        By the path under a raw folder, in the order of the paths.
    """
    rate, publishing = usd_per_eur(world), world.publishing
    contents = {RATES: _rates(world, rate), "SIMULATED.md": _says(world)}
    for country in world.countries:
        rows = reports.filter(pl.col("reporter") == country.iso3)
        if country.iso3 in world.eu:
            name = f"{folder(world, COMEXT)}/DS-045409_M_{country.iso2}.csv.gz"
            contents[name] = _comext(world, rows, rate)
            continue
        stem = f"{folder(world, COMTRADE)}/C_M_{country.m49:03}"
        if country.iso3 in publishing.as_answer:
            contents[f"{stem}.json.gz"] = _answer(_comtrade(world, rows))
            continue
        if country.iso3 == publishing.as_web_export:
            vintage, exports = publishing.vintage, rows.filter(pl.col("flow") == "X")
            name = f"TradeData_{vintage.month}_{vintage.day}_{vintage.year}_9_0_0.csv"
            contents[f"{folder(world, WEB_EXPORT)}/{name}"] = _web_export(_comtrade(world, exports))
            rows = rows.filter(pl.col("flow") != "X")
        table = _comtrade(world, _with_what_must_not_count(world, rows, country.iso3))
        contents[f"{stem}.txt.gz"] = _bulk(_with_bad_rows(world, table, country.iso3))
    return dict(sorted(contents.items()))


def usd_per_eur(world: Description) -> list[float]:
    """USD per EUR by month: straight lines between the rates of the description.

    Parameters
    ----------
    world : Description
        Its calendar and the rates at even distances over it.

    Returns
    -------
    list of float
        A rate a month, four decimals.
    """
    rates = world.publishing.usd_per_eur
    path = np.interp(np.arange(world.months), np.linspace(0, world.months - 1, len(rates)), rates)
    return [round(float(rate), 4) for rate in path]


def _rates(world: Description, usd: list[float]) -> bytes:
    rates = {"USD": usd}
    for currency, ends in world.publishing.other_per_eur.items():
        rates[currency] = [round(float(rate), 4) for rate in np.linspace(*ends, world.months)]
    lines = ["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,TITLE"]
    for currency in sorted(rates):
        key, title = f"EXR.M.{currency}.EUR.SP00.A", f"SIMULATED {currency}/Euro"
        lines += [
            f"{key},M,{currency},EUR,SP00,A,{month:%Y-%m},{rate},{title}"
            for month, rate in zip(world.calendar, rates[currency], strict=True)
        ]
    return ("\n".join(lines) + "\n").encode()


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=6, mtime=0)


# ------------------------------------------------------------------ Comext


def _comext(world: Description, rows: pl.DataFrame, rate: list[float]) -> bytes:
    """SDMX-CSV of the API: CRLF, a row per indicator, eight-digit codes, EUR and hundreds of kilograms."""
    iso2, publishing = {country.iso3: country.iso2 for country in world.countries}, world.publishing
    trade = _in_the_eu(world, rows, rate)
    if publishing.hidden_by and publishing.hidden_by in rows["reporter"]:
        trade = pl.concat([trade, _confidential(world, trade)])
    hundreds = pl.format("{}.{}", pl.col("kilos") // 100, (pl.col("kilos") % 100).cast(pl.String).str.zfill(2))
    values = trade.with_columns(indicators=pl.lit("VALUE_IN_EUROS"), observed=pl.col("euro").cast(pl.String))
    weights = trade.filter(pl.col("kilos").is_not_null()).with_columns(
        indicators=pl.lit("QUANTITY_IN_100KG"), observed=hundreds
    )
    table = (
        pl.concat([values, weights])
        .sort("partner", "product", "indicators", "period")
        .select(
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
    )
    return _packed(table.write_csv(line_terminator="\r\n", quote_style="never").encode())


def _in_the_eu(world: Description, rows: pl.DataFrame, rate: list[float]) -> pl.DataFrame:
    """reporter, product (eight digits), partner (ISO-2), period, euro, kilos; the products of a code sum to it."""
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
    return (
        rows.with_columns(whole_euro=euro)
        .with_row_index("whole")
        .join(cn, on="code", maintain_order="left")
        .select(
            "reporter",
            "product",
            partner=pl.col("partner").replace_strict({country.iso3: country.iso2 for country in world.countries}),
            period=pl.col("month").replace_strict(_month_text(world, "%Y-%m")),
            euro=part + pl.when(pl.col("is_first")).then(rounding).otherwise(0),
            kilos=(pl.col("net_wgt_kg") * pl.col("share")).round().cast(pl.Int64),
        )
    )


def _confidential(world: Description, trade: pl.DataFrame) -> pl.DataFrame:
    """A reporter's hidden trade: a partner withheld, and a code of a whole chapter; a tenth of one route's values each."""
    route = trade.filter(pl.col("partner") == world.publishing.hidden_to).unique(
        "period", keep="first", maintain_order=True
    )
    return pl.concat(
        [
            route.with_columns(
                partner=pl.lit(partner),
                product=pl.lit(product),
                euro=pl.col("euro") // 10 + 1,
                kilos=pl.lit(None, dtype=pl.Int64),
            )
            for partner, product in world.publishing.hidden
        ]
    )


def _month_text(world: Description, form: str) -> dict[int, str]:
    return {position: f"{month:{form}}" for position, month in enumerate(world.calendar)}


# ------------------------------------------------------------------ Comtrade


def _with_what_must_not_count(world: Description, rows: pl.DataFrame, iso: str) -> pl.DataFrame:
    """Rows that repeat what others say, as the publisher sends them along: totals, headings, means of transport."""
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


def _comtrade(world: Description, rows: pl.DataFrame) -> pl.DataFrame:
    """Every column that any of Comtrade's formats has, typed as in the API's answers."""
    m49, names = ({country.iso3: getattr(country, field) for country in world.countries} for field in ("m49", "name"))
    if "transport" not in rows.columns:
        rows = rows.with_columns(transport=pl.lit(0))
    period = pl.col("month").replace_strict(_month_text(world, "%Y%m"))
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


def _with_bad_rows(world: Description, table: pl.DataFrame, iso: str) -> pl.DataFrame:
    """A few rows that no reader may take: a country nobody knows, a value below zero, a code that is not there."""
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


def _bulk(table: pl.DataFrame) -> bytes:
    """A bulk file: gzip, tab separated, 34 columns, booleans 0 and 1, empty for unknown."""
    names = {name.lower(): name for name in table.columns}
    spelt = table.with_columns(pl.col(pl.Boolean).cast(pl.Int8)).select(
        pl.col(names[name.lower()]).alias(name) for name in _BULK
    )
    return _packed(spelt.write_csv(separator="\t", quote_style="never").encode())


def _answer(table: pl.DataFrame) -> bytes:
    """An answer of the API, packed."""
    rows = table.select(_API).to_dicts()
    answer = {"elapsedTime": "0.00 secs", "count": len(rows), "data": rows, "error": ""}
    return _packed(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode())


def _web_export(table: pl.DataFrame) -> bytes:
    """A web export: CRLF, every cell in quotes, and a comma after the last cell of each row of data only."""
    quoted = table.select(_API).with_columns(
        pl.col(pl.Boolean).cast(pl.String),
        pl.col(pl.Float64).cast(pl.String).str.strip_suffix(".0"),
    )
    body = quoted.write_csv(include_header=False, line_terminator=",\r\n", quote_style="always")
    return (",".join(_API) + "\r\n" + body.replace('""', "")).encode()


def _says(world: Description) -> bytes:
    """The page beside the files."""
    return _SAYS.replace("PLANTED", world.planted_says).encode()


_SAYS = """# Simulated data

Nothing in this folder was published by anyone. Every figure is invented by a program from a seed: the trade, the
weights, the exchange rates, the late and the missing reports. The countries and the commodity codes are real, so that
the files look as the publishers' files do and the real readers can read them; what they say about a country is not
true of it.

Folders that begin with SIMULATED hold files in the formats of UN Comtrade and of Eurostat's Comext; `ecb/` holds
exchange rates in the format of the European Central Bank. None of the three has anything to do with these figures.

Some routes were changed on purpose, so that it is known what there is to find: PLANTED
"""
