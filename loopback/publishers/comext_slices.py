"""Slices of Comext by the API's SDMX 2.1 address: every level of codes, the world among the partners, CRLF."""

from __future__ import annotations

import re

import polars as pl

from anomaly.world.as_comext import sdmx
from loopback.facts import Published
from loopback.wire import XML, Answer, Request, plain

DIMENSIONS = ("freq", "reporter", "partner", "product", "flow", "indicators")
_DATASETS = {"045409": (2, 4, 6, 8), "059341": (2, 4, 6)}
_INDICATORS = {"059341": {"VALUE_IN_EUROS": "VALUE_EUR"}}
WORLD, OUTSIDE, INSIDE = "WORLD", "EXT_EU27_2020", "INT_EU27_2020"
_PERIOD = re.compile(r"\d{4}(-\d{2})?", re.ASCII)


def _fault(status: int, code: str, says: str) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f"<S:Fault><faultcode>{code}</faultcode><faultstring>{says}</faultstring></S:Fault></S:Body></S:Envelope>"
    )
    return Answer(body.encode(), XML, status)


def slices(request: Request, published: Published, trade: pl.DataFrame) -> Answer:
    """The observations that an address names.

    Parameters
    ----------
    request : Request
        Its path ends with freq.reporter.partner.product.flow.indicators, each empty for all or joined by +; startPeriod,
        endPeriod, format=SDMX-CSV.
    published : Published
        What is out.
    trade : polars.DataFrame
        All of it, by eight digits.

    Returns
    -------
    Answer
        CSV with CRLF, 413 where it is too large, 404 where there is nothing.
    """
    parts = re.split(r"/DS-", request.path.rstrip("/"), flags=re.IGNORECASE)[1].split("/")
    dataset, key = parts[0], parts[1] if len(parts) > 1 else ""
    wanted = [part.split("+") if part else [] for part in key.split(".")] if key else [[]] * len(DIMENSIONS)
    if len(wanted) != len(DIMENSIONS):
        return _fault(400, "140", f"INVALID_QUERY: the key has {len(wanted)} dimensions, expected {len(DIMENSIONS)}")
    if (request.parameter("format") or "").upper() != "SDMX-CSV":
        return plain(406, "Not Acceptable: ask for format=SDMX-CSV")
    bounds = [request.parameter("startperiod"), request.parameter("endperiod")]
    if any(bound and not _PERIOD.fullmatch(bound) for bound in bounds):
        return _fault(400, "150", "INVALID_QUERY: a period such as 2023-01")
    asked = dict(zip(DIMENSIONS, wanted, strict=True))
    rows = _observations(published, _narrowed(published, trade, asked, bounds), dataset, asked)
    if rows.height > published.limits.slice_rows:
        most = published.limits.slice_rows
        return _fault(413, "413", f"EXTRACTION_TOO_BIG: The requested extraction is too big, estimated {rows.height} rows, max authorised is {most}, please change your filters to reduce the extraction size")  # fmt: skip
    if not rows.height:
        return _fault(404, "100", "NO_RESULTS: No results found")
    text = rows.write_csv(line_terminator="\r\n", quote_style="never")
    return Answer(text.encode(), "application/vnd.sdmx.data+csv; charset=utf-8")


def _narrowed(
    published: Published, trade: pl.DataFrame, asked: dict[str, list[str]], bounds: list[str | None]
) -> pl.DataFrame:
    """What can be left out before sums are made: other reporters, months, chapters."""
    iso2 = {country.iso3: country.iso2 for country in published.world.countries}
    first, last = bounds
    if first:
        trade = trade.filter(pl.col("period") >= (first if "-" in first else f"{first}-01"))
    if last:
        trade = trade.filter(pl.col("period") <= (last if "-" in last else f"{last}-12"))
    if asked["reporter"]:
        trade = trade.filter(pl.col("reporter").replace_strict(iso2).is_in(asked["reporter"]))
    if asked["product"]:
        chapters = {product[:2] for product in asked["product"]}
        trade = trade.filter(pl.col("product").str.slice(0, 2).is_in(chapters))
    return trade


def _observations(published: Published, trade: pl.DataFrame, dataset: str, asked: dict[str, list[str]]) -> pl.DataFrame:
    """Rows of the API with all sums, and of these what is asked for."""
    levels = []
    for digits in _DATASETS[dataset]:
        is_code = pl.col("product").str.contains(r"^[0-9]{8}$") | (digits == 8)
        levels.append(_summed(trade.filter(is_code).with_columns(product=pl.col("product").str.slice(0, digits))))
    every = pl.concat(levels)
    iso2 = {country.iso3: country.iso2 for country in published.world.countries}
    members = [iso2[iso] for iso in published.world.eu]
    side = pl.when(pl.col("partner").is_in(members)).then(pl.lit(INSIDE)).otherwise(pl.lit(OUTSIDE))
    sums = [_summed(every.with_columns(partner=partner)) for partner in (pl.lit(WORLD), side)]
    every = pl.concat([every, *sums])
    for dimension in ("partner", "product"):
        if asked[dimension]:
            every = every.filter(pl.col(dimension).is_in(asked[dimension]))
    renamed = _INDICATORS.get(dataset, {})
    rows = sdmx(published.world, every).with_columns(
        pl.col("indicators").replace(renamed), DATAFLOW=pl.lit(f"ESTAT:DS-{dataset}(1.0)")
    )
    rows = rows.with_columns(pl.lit(f"{published.today:%d/%m/%y}").alias("LAST UPDATE"))
    for dimension in ("freq", "flow", "indicators"):
        if asked[dimension]:
            rows = rows.filter(pl.col(dimension).is_in(asked[dimension]))
    return rows.sort(*DIMENSIONS, "TIME_PERIOD")


def _summed(trade: pl.DataFrame) -> pl.DataFrame:
    """Sums by key; the weight is of the rows that have one."""
    has_weight = pl.col("kilos").is_not_null().any()
    key = ("reporter", "product", "partner", "period")
    sums = trade.group_by(key).agg(pl.col("euro").sum(), kilos=pl.when(has_weight).then(pl.col("kilos").sum()))
    return sums.select("reporter", "product", "partner", "period", "euro", "kilos")
