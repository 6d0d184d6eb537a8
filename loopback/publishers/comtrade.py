"""UN Comtrade (comtradeapi.un.org): preview, data, availability, metadata, reference tables, bulk files."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from loopback.facts import Published
from loopback.limits import PREMIUM
from loopback.publishers import comtrade_availability, comtrade_bulk, comtrade_reference
from loopback.publishers.comtrade_asked import (
    Refused,
    asked,
    is_of_codes,
    is_of_revision,
    months_of,
    numbers,
    periods,
    refusal,
)
from loopback.publishers.comtrade_rows import in_api_words, of_api, reported, with_repeated
from loopback.wire import CSV, HTML, JSON, Answer, Handler, Publisher, Request, as_json, plain

HOST = "https://comtradeapi.un.org"
NO_KEY = "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."
WRONG_KEY = (
    "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
)
_KINDS = r"/(?P<type>[CS])/(?P<freq>[AMQ])/(?P<class>HS|H[0-6]|SS|S[1-4]|B[45]|EB\w*)"


def _refused(status: int, message: str, seconds: int | None = None) -> Answer:
    """As the gateway in front of the API refuses."""
    body = f'{{ "statusCode": {status}, "message": "{message}" }}'
    return Answer(body.encode(), "application/json", status, {} if seconds is None else {"Retry-After": str(seconds)})


def too_many(seconds: int) -> Answer:
    """The answer to a client that asks too fast.

    Parameters
    ----------
    seconds : int
        To wait.

    Returns
    -------
    Answer
        429 with Retry-After.
    """
    body = f'{{"statusCode": 429,"message": "Rate limit is exceeded. Try again in {seconds} seconds."}}'
    return Answer(body.encode(), "application/json", 429, {"Retry-After": str(seconds)})


def no_quota(seconds: int) -> Answer:
    """The answer to a client that has no calls left today.

    Parameters
    ----------
    seconds : int
        Until it has.

    Returns
    -------
    Answer
        403 with Retry-After.
    """
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return _refused(403, f"Out of call volume quota. Quota will be replenished in {clock}.", seconds)


def error(status: int) -> Answer:
    """The answer where the service fails.

    Parameters
    ----------
    status : int
        500 and above.

    Returns
    -------
    Answer
        In words for a 500, the gateway's page for others.
    """
    if status == 500:
        return plain(500, "Something went wrong. Please try again or contact comtrade@un.org.")
    return plain(status, f"<html><head><title>{status}</title></head><body>{status}</body></html>", content_type=HTML)


def _guarded(handler: Handler, least: str = "") -> Handler:
    """A handler behind the gateway: addresses that are too long and, where a key is needed, keys that are not good."""

    def answer(request: Request, published: Published) -> Answer:
        if len(HOST) + request.length > published.limits.url_characters:
            return plain(414, "<h2>Bad Request - Request URL Too Long</h2>", content_type=HTML)
        if least and not request.key:
            return _refused(401, NO_KEY)
        grade = published.limits.keys.get(request.key or "")
        if least and (grade is None or (least == PREMIUM and grade != PREMIUM)):
            return _refused(401, WRONG_KEY)
        try:
            return handler(request, published)
        except Refused as refused:
            return refused.answer

    return answer


def _preview(request: Request, published: Published) -> Answer:
    return _rows(request, published, published.limits.preview_rows, 1, is_preview=True)


def _data(request: Request, published: Published) -> Answer:
    cap = published.limits.key_rows
    wanted = request.parameter("maxrecords")
    if wanted is not None and not wanted.isdigit():
        return refusal("maxRecords", "The field maxRecords is invalid")
    return _rows(request, published, min(cap, int(wanted or cap)), published.limits.periods)


def _rows(request: Request, published: Published, cap: int, most_periods: int, is_preview: bool = False) -> Answer:
    """The rows asked for, cut at the cap without a word."""
    table = _found(request, published, periods(request, most_periods, is_preview))
    count = table.height
    if (request.parameter("countonly") or "").lower() == "true":
        return _envelope(count, "[]")
    table = of_api(table.head(cap))
    if (request.parameter("format") or "").lower() == "csv":
        return Answer(table.write_csv().encode(), CSV)
    return _envelope(table.height, table.write_json())


def _envelope(count: int, rows: str) -> Answer:
    return Answer(f'{{"elapsedTime":"0.02 secs","count":{count},"data":{rows},"error":""}}'.encode(), JSON)


def _found(request: Request, published: Published, named: list[str] | None) -> pl.DataFrame:
    """Every row that fits, as the API has it."""
    kind, freq, cl_code = request.path.rstrip("/").split("/")[-3:]
    reporters, partners, flows = (
        numbers(request, "reporterCode"),
        numbers(request, "partnerCode"),
        asked(request, "flowCode"),
    )
    codes, exact = asked(request, "cmdCode"), {}
    for name in ("motCode", "partner2Code"):
        exact[name] = numbers(request, name)
    customs = asked(request, "customsCode")
    rows = reported(published).filter(is_of_revision(cl_code), pl.col("month").is_in(months_of(published, named)))
    if kind.upper() != "C" or freq.upper() != "M":  # the world has goods by the month only
        rows = rows.clear()
    if reporters is not None:
        isos = [country.iso3 for country in published.world.countries if country.m49 in reporters]
        rows = rows.filter(pl.col("reporter").is_in(isos))
    if flows is not None:
        rows = rows.filter(pl.col("flow").is_in(flows))
    is_described = (request.parameter("includedesc") or "").lower() == "true"
    table = in_api_words(published, with_repeated(published, rows), is_described)
    table = table.filter(is_of_codes(codes))
    for name, values in (("partnerCode", partners), *exact.items(), ("customsCode", customs)):
        if values is not None:
            table = table.filter(pl.col(name).is_in(values))
    return table


def _live_update(request: Request, published: Published) -> Answer:
    since = published.today - timedelta(days=30)
    newest = comtrade_availability.table(published).filter(pl.col("lastReleased") >= since.isoformat())
    return comtrade_availability.envelope(newest.sort("lastReleased", "reporterCode", "period", descending=True))


_REFERENCE = "/files/v1/app/reference/"
PUBLISHER = Publisher(
    name="comtrade",
    title="UN Comtrade: preview, data, availability, metadata, reference tables, bulk files",
    routes=(
        (f"/public/v1/preview{_KINDS}", _guarded(_preview)),
        (f"/data/v1/get{_KINDS}", _guarded(_data, "free")),
        (f"/public/v1/getDA{_KINDS}", _guarded(comtrade_availability.available)),
        (f"/data/v1/getDA{_KINDS}", _guarded(comtrade_availability.available, "free")),
        (f"/public/v1/getMetadata{_KINDS}", _guarded(comtrade_availability.metadata)),
        (f"/data/v1/getMetadata{_KINDS}", _guarded(comtrade_availability.metadata, "free")),
        ("/data/v1/getLiveUpdate", _guarded(_live_update, "free")),
        (f"/bulk/v1/get{_KINDS}", _guarded(comtrade_bulk.listing, PREMIUM)),
        (r"/bulk/v1/file/\d+/[0-9a-f]+", _guarded(comtrade_bulk.file, PREMIUM)),
        (rf"{_REFERENCE}\w+\.json", comtrade_reference.table),
        (
            r"/(public|data|bulk|async|tools|files)/v1(/.*)?",
            _guarded(lambda *_: as_json({"statusCode": 404, "message": "Resource not found"}, 404)),
        ),
    ),
    metered=r"/(public|data|bulk)/v1/.*",
    too_many=too_many,
    no_quota=no_quota,
    forbidden=lambda: _refused(403, "All calls are rejected by policy."),
    error=error,
)
