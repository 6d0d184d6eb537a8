"""The European Central Bank's rates (data-api.ecb.europa.eu): the series EXR, as CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from anomaly.world.as_ecb import rates_table
from loopback.facts import Published
from loopback.wire import Answer, Publisher, Request, plain

_KEY = ("FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX")
_BESIDE = {  # columns that the publisher has beside those of the world's file
    "OBS_STATUS": "A", "OBS_CONF": "F", "COLLECTION": "A", "DECIMALS": "4", "SOURCE_AGENCY": "4F0", "UNIT_MULT": "0",
}  # fmt: skip


def _series(request: Request, published: Published) -> Answer:
    """Observations of the series that an address names."""
    if (request.parameter("format") or "").lower() not in ("csvdata", "csvfile"):
        accepts = request.headers.get("accept", "*/*")
        if "csv" not in accepts:
            return plain(406, "Not Acceptable: no representation found for the requested media type")
    key = request.path.rstrip("/").split("/")[-1]
    wanted = [[]] * len(_KEY) if key.upper() == "EXR" else [part.split("+") if part else [] for part in key.split(".")]
    if len(wanted) != len(_KEY):
        return plain(400, "Invalid key: EXR has five dimensions")
    first, last = (request.parameter("startperiod") or "")[:7], (request.parameter("endperiod") or "9999")[:7]
    rows = [
        row
        for row in csv.DictReader(io.StringIO(_all(published)))
        if all(not values or row[name] in values for name, values in zip(_KEY, wanted, strict=True))
        and first <= row["TIME_PERIOD"] <= f"{last}-99"
    ]
    if not rows:
        return plain(404, "No results found.")
    names = ["KEY", *_KEY, "TIME_PERIOD", "OBS_VALUE", *_BESIDE, "TITLE"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({**_BESIDE, **row} for row in rows)
    return Answer(text.getvalue().encode(), "application/vnd.sdmx.data+csv;version=1.0.0")


def _all(published: Published) -> str:
    """The world's table, without months whose mean is not out: it is on the first day of the next month."""
    lines = rates_table(published.world, published.facts.usd_per_eur).decode().splitlines(keepends=True)
    out = {
        f"{month:%Y-%m}"
        for month in published.world.calendar
        if (month.replace(day=28) + timedelta(days=4)).replace(day=1) <= published.today
    }
    return "".join(line for line in lines if line.startswith("KEY") or line.split(",")[6] in out)


PUBLISHER = Publisher(
    name="ecb",
    title="the ECB's monthly rates (EXR) as CSV",
    routes=((r"/service/data/EXR(/[^/]*)?/?", _series),),
)
