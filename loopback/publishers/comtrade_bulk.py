"""UN Comtrade's bulk files: a listing, and a gzip a reporter and month, for a premium key."""

from __future__ import annotations

import hashlib

import polars as pl

from anomaly.world.as_comtrade import bulk
from loopback.facts import Published
from loopback.publishers import comtrade_availability
from loopback.publishers.comtrade_asked import numbers, periods
from loopback.publishers.comtrade_rows import in_api_words, reported, with_repeated
from loopback.wire import Answer, Request, as_json, plain


def _row_key(reporter: int, period: int, last_released: str) -> str:
    """Names a file and its release."""
    return hashlib.sha256(f"{reporter} {period} {last_released}".encode()).hexdigest()


def listing(request: Request, published: Published) -> Answer:
    """Which files there are.

    Parameters
    ----------
    request : Request
        With reporterCode, period.
    published : Published
        What is out.

    Returns
    -------
    Answer
        An envelope with the whole address of each file.
    """
    kind, freq, _ = request.path.rstrip("/").split("/")[-3:]
    datasets = comtrade_availability.table(published)
    named, reporters = periods(request, published.limits.periods, is_preview=False), numbers(request, "reporterCode")
    if kind.upper() != "C" or freq.upper() != "M":
        datasets = datasets.clear()
    if named is not None:
        datasets = datasets.filter(pl.col("period").cast(pl.String).is_in(named))
    if reporters is not None:
        datasets = datasets.filter(pl.col("reporterCode").is_in(reporters))
    rows = [_listed(request, published, row) for row in datasets.iter_rows(named=True)]
    return as_json({"elapsedTime": "0.07 secs", "count": len(rows), "data": rows, "error": ""})


def _listed(request: Request, published: Published, row: dict[str, object]) -> dict[str, object]:
    reporter, period, released = int(str(row["reporterCode"])), int(str(row["period"])), str(row["lastReleased"])
    key = _row_key(reporter, period, released)
    size = len(_content(published, reporter, period))
    return {
        "fileUrl": f"{request.origin}/bulk/v1/file/{reporter}/{key}",
        "fileSize": f"{size / 1024:.2f} KB",
        "isOriginalClassification": True,
        "reporterCode": reporter,
        "freqCode": "M",
        "typeCode": "C",
        "classificationCode": row["classificationCode"],
        "refPeriodId": period * 100 + 1,
        "period": period,
        "publicationDate": f"{released[:19]}Z",
        "partitionKey": str(reporter),
        "rowKey": key,
        "timestamp": f"{released[:19]}.8900761+00:00",
        "eTag": f"W/\"datetime'{released[:10]}'\"",
    }


def file(request: Request, published: Published) -> Answer:
    """One file.

    Parameters
    ----------
    request : Request
        Its path names reporter and file.
    published : Published
        What is out.

    Returns
    -------
    Answer
        gzip of tab separated text, with a file name that has slashes in it, as with the publisher.
    """
    reporter, key = request.path.rstrip("/").split("/")[-2:]
    datasets = comtrade_availability.table(published).filter(pl.col("reporterCode") == int(reporter))
    for row in datasets.iter_rows(named=True):
        if _row_key(row["reporterCode"], row["period"], row["lastReleased"]) == key.lower():
            content = _content(published, row["reporterCode"], row["period"])
            name = f"C/M/{reporter}/C_M_{reporter}_{row['period']}_{row['classificationCode']}_O.txt.gz"
            headers = {"Content-Disposition": f'attachment; filename="{name}"; size={len(content)}'}
            return Answer(content, "application/TSV", 200, headers, is_file=True, takes_ranges=True)
    return plain(404, '{"statusCode": 404, "message": "Resource not found"}', content_type="application/json")


def _content(published: Published, reporter: int, period: int) -> bytes:
    """The file of a reporter's month."""
    iso = next(country.iso3 for country in published.world.countries if country.m49 == reporter)
    month = next(place for place, day in enumerate(published.world.calendar) if int(f"{day:%Y%m}") == period)

    def make() -> bytes:
        rows = reported(published).filter(pl.col("reporter") == iso, pl.col("month") == month)
        return bulk(in_api_words(published, with_repeated(published, rows)))

    return published.once(("bulk", reporter, period), make)  # type: ignore[no-any-return]
