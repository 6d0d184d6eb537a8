"""The US Census Bureau (api.census.gov): monthly exports by HS6, countries by Schedule C, groups among them."""

from __future__ import annotations

import json
import re

import polars as pl

from loopback.facts import Published
from loopback.wire import HTML, JSON, Answer, Publisher, Request, plain

REPORTER = "USA"
SCHEDULE_C = {  # Census's country codes, from memory; a client brings a table of its own
    "CAN": "1220", "MEX": "2010", "COL": "3010", "PER": "3330", "CHL": "3370", "BRA": "3510", "ARG": "3570",
    "GBR": "4120", "NLD": "4210", "BEL": "4231", "FRA": "4279", "DEU": "4280", "LTU": "4510", "POL": "4550",
    "RUS": "4621", "BLR": "4622", "ARM": "4631", "GEO": "4633", "KAZ": "4634", "KGZ": "4635", "UZB": "4644",
    "ITA": "4759", "SRB": "4801", "TUR": "4890", "SAU": "5170", "ARE": "5200", "IND": "5330", "PAK": "5350",
    "THA": "5490", "VNM": "5520", "MYS": "5570", "SGP": "5590", "IDN": "5600", "PHL": "5650", "CHN": "5700",
    "KOR": "5800", "HKG": "5820", "JPN": "5880", "AUS": "6021", "MAR": "7140", "EGY": "7290", "KEN": "7790",
}  # fmt: skip
GROUPS = {"-": "TOTAL FOR ALL COUNTRIES", "0003": "EUROPEAN UNION", "0014": "PACIFIC RIM COUNTRIES"}
_PACIFIC = ("CHN", "HKG", "IDN", "JPN", "KOR", "MYS", "PHL", "SGP", "AUS")
VARIABLES = (
    *(
        "E_COMMODITY",
        "E_COMMODITY_LDESC",
        "CTY_CODE",
        "CTY_NAME",
        "ALL_VAL_MO",
        "ALL_VAL_YR",
        "AIR_VAL_MO",
        "VES_VAL_MO",
    ),
    *("CNT_VAL_MO", "COMM_LVL", "SUMMARY_LVL", "DF", "YEAR", "MONTH", "time"),
)
_RANGE = re.compile(r"from (\d{4}-\d{2}) to (\d{4}-\d{2})", re.ASCII)
_LEVELS = {"HS2": 2, "HS4": 4, "HS6": 6}


def _exports(request: Request, published: Published) -> Answer:
    """An array of arrays of text, the names first; rows by line."""
    key = request.parameter("key")
    if key is not None and key not in published.limits.keys:
        return plain(200, "<html><head><title>Invalid Key</title></head><body>A valid <em>key</em> must be included with each data API request.</body></html>", content_type=HTML)  # fmt: skip
    got = [name for name in (request.parameter("get") or "").split(",") if name]
    predicates = [(name, value) for name, value in request.query if name not in ("get", "key")]
    for name in (*got, *(name for name, _ in predicates)):
        if name not in VARIABLES:
            return plain(400, f"error: unknown variable '{name}'")
    if not got:
        return plain(400, "error: missing 'get' argument")
    table = _table(published, (request.parameter("time") or "").replace("+", " "))
    if table is None:
        return plain(400, "error: invalid 'time' argument")
    for name in dict.fromkeys(name for name, _ in predicates if name != "time"):
        wanted = [value for predicate, value in predicates if predicate == name]
        table = table.filter(_fits(name, wanted))
    if not table.height:
        return Answer(b"", JSON, 204)
    # a predicate that is asked for too comes twice
    columns = [*got, *dict.fromkeys(name for name, _ in predicates)]
    rows = [columns, *(list(row) for row in zip(*(table[name].to_list() for name in columns), strict=True))]
    return Answer(("[" + ",\n".join(json.dumps(row) for row in rows) + "]").encode(), JSON)


def _fits(name: str, wanted: list[str]) -> pl.Expr:
    """A value, or with * at its end the begin of one."""
    return pl.any_horizontal(
        pl.col(name).str.starts_with(value[:-1]) if value.endswith("*") else pl.col(name) == value for value in wanted
    )


def _table(published: Published, time: str) -> pl.DataFrame | None:
    """Every row of the months asked for, as text; None where the months cannot be read."""
    between = _RANGE.fullmatch(time)
    first, last = (between[1], between[2]) if between else (time, time)
    if time and not re.fullmatch(r"\d{4}(-\d{2})?", first):
        return None
    world = published.world
    texts = {place: f"{month:%Y-%m}" for place, month in enumerate(world.calendar)}
    months = [place for place, text in texts.items() if not time or first <= text <= f"{last}-99"]
    rows = published.reports.filter(
        pl.col("reporter") == REPORTER, pl.col("flow") == "X", pl.col("month").is_in(months)
    ).with_columns(cty=pl.col("partner").replace_strict(SCHEDULE_C))
    inside = {
        "-": pl.lit(value=True),
        "0003": pl.col("partner").is_in(list(world.eu)),
        "0014": pl.col("partner").is_in(_PACIFIC),
    }
    groups = [rows.filter(is_in).with_columns(cty=pl.lit(code)) for code, is_in in inside.items()]
    every = pl.concat([rows, *groups])
    levels = [
        every.with_columns(code=pl.col("code").str.slice(0, digits), level=pl.lit(name))
        for name, digits in _LEVELS.items()
    ]
    sums = (
        pl.concat(levels)
        .group_by("cty", "code", "level", "month")
        .agg(pl.col("value_usd").sum())
        .sort("month", "code", "cty")
    )
    names = {code: iso for iso, code in SCHEDULE_C.items()} | GROUPS
    is_group = pl.col("cty").is_in(list(GROUPS))
    value, air = pl.col("value_usd"), pl.col("value_usd") // 3
    month = pl.col("month").replace_strict(texts, return_dtype=pl.String)
    return sums.select(
        E_COMMODITY="code",
        E_COMMODITY_LDESC=pl.format("SIMULATED {}", "code"),
        CTY_CODE="cty",
        CTY_NAME=pl.col("cty").replace_strict(names, default="", return_dtype=pl.String),
        ALL_VAL_MO=value.cast(pl.String),
        ALL_VAL_YR=value.cum_sum().over("cty", "code", month.str.slice(0, 4)).cast(pl.String),
        AIR_VAL_MO=air.cast(pl.String),
        VES_VAL_MO=(value - air).cast(pl.String),
        CNT_VAL_MO=((value - air) // 2).cast(pl.String),
        COMM_LVL="level",
        SUMMARY_LVL=pl.when(is_group).then(pl.lit("CGP")).otherwise(pl.lit("DET")),
        DF=pl.lit("-"),
        YEAR=month.str.slice(0, 4),
        MONTH=month.str.slice(5),
        time=month,
    )


PUBLISHER = Publisher(
    name="census",
    title="US Census: monthly exports by HS6",
    routes=((r"/data/timeseries/intltrade/exports/hs", _exports),),
)
