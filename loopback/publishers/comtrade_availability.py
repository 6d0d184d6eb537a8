"""What UN Comtrade says is there: a dataset a reporter and month, with checksum and days of release; and notes on it."""

from __future__ import annotations

import polars as pl

from loopback.facts import RELEASE_HOUR, Published
from loopback.publishers.comtrade_asked import is_of_revision, numbers, periods
from loopback.publishers.comtrade_rows import reported, rows_each
from loopback.wire import CSV, JSON, Answer, Request, as_json

COLUMNS = (
    *("datasetCode", "typeCode", "freqCode", "period", "reporterCode", "reporterISO", "reporterDesc"),
    *("classificationCode", "classificationSearchCode", "isOriginalClassification", "isExtendedFlowCode"),
    *("isExtendedPartnerCode", "isExtendedPartner2Code", "isExtendedCmdCode", "isExtendedCustomsCode"),
    *("isExtendedMotCode", "totalRecords", "datasetChecksum", "firstReleased", "lastReleased"),
)


def table(published: Published) -> pl.DataFrame:
    """Every dataset that is out.

    Parameters
    ----------
    published : Published
        What is out.

    Returns
    -------
    polars.DataFrame
        COLUMNS, sorted by reporter and period; a checksum changes with any row of its dataset.
    """
    return published.once("availability", lambda: _table(published))  # type: ignore[no-any-return]


def _table(published: Published) -> pl.DataFrame:
    world = published.world
    countries = pl.DataFrame(
        [(country.iso3, country.m49, country.name) for country in world.countries],
        schema=["reporter", "reporterCode", "reporterDesc"],
        orient="row",
    )
    # sums of what a row is: the order of rows plays no part
    row = (
        pl.col("value_usd") * (pl.col("code").cast(pl.Int64) + 17)
        + (pl.col("net_wgt_kg").fill_null(0) * 10).cast(pl.Int64) * 31
        + pl.col("partner").replace_strict({country.iso3: country.m49 for country in world.countries}).cast(pl.Int64)
        * 7
    )
    checksums = (
        reported(published)
        .with_columns(row=row % 2_147_483_647)
        .group_by("reporter", "month", "edition")
        .agg(datasetChecksum=pl.col("row").sum() % 2_147_483_647 - 1_073_741_824)
    )
    counts = rows_each(published)
    period = pl.col("month").replace_strict({place: int(f"{day:%Y%m}") for place, day in enumerate(world.calendar)})
    is_broken = pl.col("reporter") == world.publishing.with_breakdown
    true = pl.lit(value=True)
    return (
        checksums.join(counts, on=["reporter", "month"])
        .join(published.releases, on=["reporter", "month"])
        .join(countries, on="reporter")
        .with_columns(
            period=period,
            reporterISO="reporter",
            typeCode=pl.lit("C"),
            freqCode=pl.lit("M"),
            classificationCode=pl.format("H{}", "edition"),
            classificationSearchCode=pl.lit("HS"),
            isOriginalClassification=true,
            isExtendedFlowCode=true,
            isExtendedPartnerCode=true,
            isExtendedPartner2Code=is_broken,
            isExtendedCmdCode=true,
            isExtendedCustomsCode=is_broken,
            isExtendedMotCode=is_broken,
            firstReleased=_moments("first_released"),
            lastReleased=_moments("last_released"),
        )
        .with_columns(
            datasetCode=pl.format(
                "2{}{}0{}1000", pl.col("reporterCode").cast(pl.String).str.zfill(4), "period", "edition"
            ).cast(pl.Int64)
        )
        .select(COLUMNS)
        .sort("reporterCode", "period")
    )


def _moments(column: str) -> pl.Expr:
    """Texts of moments; every third has no fraction of a second, as with the publisher."""
    fraction = pl.when(pl.col("month") % 3 == 0).then(pl.lit("")).otherwise(pl.lit(".4431"))
    return pl.format("{}T{}{}", pl.col(column).dt.to_string("%Y-%m-%d"), pl.lit(f"{RELEASE_HOUR:%H:%M:%S}"), fraction)


def available(request: Request, published: Published) -> Answer:
    """Which datasets are there.

    Parameters
    ----------
    request : Request
        With reporterCode, period, publishedDateFrom, publishedDateTo, format.
    published : Published
        What is out.

    Returns
    -------
    Answer
        An envelope, or CSV with names that begin with a capital.
    """
    datasets = _asked_for(request, published)
    if (request.parameter("format") or "").lower() == "csv":
        capital = {name: name[0].upper() + name[1:] for name in datasets.columns}
        return Answer(datasets.rename(capital).write_csv().encode(), CSV)
    return envelope(datasets)


def _asked_for(request: Request, published: Published) -> pl.DataFrame:
    kind, freq, cl_code = request.path.rstrip("/").split("/")[-3:]
    named, reporters = periods(request, published.limits.periods, is_preview=False), numbers(request, "reporterCode")
    edition = pl.col("classificationCode").str.slice(1).cast(pl.Int64)
    datasets = table(published).with_columns(edition=edition).filter(is_of_revision(cl_code)).drop("edition")
    if kind.upper() != "C" or freq.upper() != "M":
        datasets = datasets.clear()
    if named is not None:
        datasets = datasets.filter(pl.col("period").cast(pl.String).is_in(named))
    if reporters is not None:
        datasets = datasets.filter(pl.col("reporterCode").is_in(reporters))
    day = pl.col("lastReleased").str.slice(0, 10)
    if since := request.parameter("publisheddatefrom"):
        datasets = datasets.filter(day >= since)
    if until := request.parameter("publisheddateto"):
        datasets = datasets.filter(day <= until)
    return datasets


def envelope(datasets: pl.DataFrame) -> Answer:
    """Datasets in the API's envelope.

    Parameters
    ----------
    datasets : polars.DataFrame
        COLUMNS.

    Returns
    -------
    Answer
        In JSON.
    """
    body = f'{{"elapsedTime":"0.05 secs","count":{datasets.height},"data":{datasets.write_json()},"error":""}}'
    return Answer(body.encode(), JSON)


def metadata(request: Request, published: Published) -> Answer:
    """The notes of each dataset.

    Parameters
    ----------
    request : Request
        As of `available`.
    published : Published
        What is out.

    Returns
    -------
    Answer
        data[].notes[], one note a dataset.
    """
    kept = ("datasetCode", "typeCode", "freqCode", "period", "reporterCode", "reporterISO", "reporterDesc")
    described = [
        {
            **{name: row[name] for name in kept},
            "notes": [
                {
                    "datasetCode": row["datasetCode"],
                    "publicationDate": row["lastReleased"],
                    "classificationCode": row["classificationCode"],
                    "reportedClassification": row["classificationCode"],
                    "publicationNote": "SIMULATED: invented figures",
                    "reportedCurrency": "USD",
                    "importConvFactor": 1.0,
                    "exportConvFactor": 1.0,
                    "importValuation": "CIF",
                    "exportValuation": "FOB",
                    "tradeSystem": "General",
                }
            ],
        }
        for row in _asked_for(request, published).iter_rows(named=True)
    ]
    return as_json({"elapsedTime": "0.03 secs", "count": len(described), "data": described, "error": ""})
