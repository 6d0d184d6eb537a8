"""UN Comtrade's API as its clients describe it, over made-up rows: envelopes, caps that say nothing, keys, gateway errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from anomaly.fetch.base import Need
from tests.fetch.wire import Asked, Reply, as_json, reply

KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ERRORS = {
    "missing": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
    "invalid": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.",
    "quota": "Out of call volume quota. Quota will be replenished in 03:14:17.",
    "rate": "Rate limit is exceeded. Try again in 1 seconds.",
}
GOODS = ("851713", "854231")


def row(reporter: int, period: str, partner: int, usd: float, **cells: Any) -> dict[str, Any]:
    """A row of the API, its cells named as there."""
    year = int(period[:4])
    month = int(period[4:] or 52)
    return {
        "typeCode": "C", "freqCode": "M" if len(period) == 6 else "A", "refPeriodId": int(f"{period:0<8}"), "refYear": year,
        "refMonth": month, "period": period, "reporterCode": reporter, "reporterISO": None, "reporterDesc": None,
        "flowCode": "X", "flowDesc": None, "partnerCode": partner, "partnerISO": None, "partnerDesc": None,
        "partner2Code": 0, "partner2ISO": None, "partner2Desc": None, "classificationCode": "H6",
        "classificationSearchCode": "HS", "isOriginalClassification": True, "cmdCode": "854231", "cmdDesc": None,
        "aggrLevel": None, "isLeaf": None, "customsCode": "C00", "customsDesc": None, "mosCode": "0", "motCode": 0,
        "motDesc": None, "qtyUnitCode": -1, "qtyUnitAbbr": None, "qty": None, "isQtyEstimated": False, "altQtyUnitCode": -1,
        "altQtyUnitAbbr": None, "altQty": None, "isAltQtyEstimated": False, "netWgt": 12.5, "isNetWgtEstimated": False,
        "grossWgt": None, "isGrossWgtEstimated": False, "cifvalue": None, "fobvalue": usd, "primaryValue": usd,
        "legacyEstimationFlag": 0, "isReported": True, "isAggregate": True,
    } | cells  # fmt: skip


def trade(reporters: Iterable[int], periods: Iterable[str], partners: Iterable[int]) -> list[dict[str, Any]]:
    """Exports of each good by reporter, period and partner, and the world that they add up to."""
    made = []
    for reporter in reporters:
        for period in periods:
            for good in GOODS:
                values = {
                    partner: float(1000 + (reporter * 7 + partner * 13 + int(period[-2:])) % 900)
                    for partner in partners
                }
                made += [row(reporter, period, partner, usd, cmdCode=good) for partner, usd in values.items()]
                made.append(row(reporter, period, 0, sum(values.values()), cmdCode=good))
    return made


def envelope(rows: list[dict[str, Any]], count: int | None = None) -> dict[str, Any]:
    return {"elapsedTime": "0.21 secs", "count": len(rows) if count is None else count, "data": rows, "error": ""}


def gateway(status: int, words: str, **headers: str) -> Reply:
    return as_json({"statusCode": status, "message": words}, status, **headers)


@dataclass
class Comtrade:
    """The service: rows, revisions, and faults that come before answers."""

    rows: list[dict[str, Any]]
    most_rows: int = 100_000
    key: str = KEY
    faults: list[Callable[[], Reply]] = field(default_factory=list)
    revision: dict[tuple[int, str], int] = field(default_factory=dict)
    data_asked: int = 0

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/files/"):
            return reply(b'\xef\xbb\xbf{"results":[{"id":1}]}', etag='"r1"')
        if asked.path.startswith("/data/") and (refusal := self._refusal(asked)):
            return refusal
        if "/getDA/" in asked.path:
            return as_json(envelope(self._releases(asked)))
        if not asked.path.startswith(("/data/v1/get/C/", "/public/v1/preview/C/")):
            return gateway(404, "Resource not found")
        self.data_asked += 1
        if self.faults:
            return self.faults.pop(0)()
        if len(asked.raw.split(b" ")[1]) > 4096:
            return reply(b"Request URL Too Long", 414)
        return as_json(envelope(self.matching(asked)[: self._cap(asked)]))

    def _cap(self, asked: Asked) -> int:
        return 500 if "/preview/" in asked.path else self.most_rows

    def _refusal(self, asked: Asked) -> Reply | None:
        key = asked.headers.get("ocp-apim-subscription-key")
        if key != self.key:
            return gateway(401, ERRORS["invalid" if key else "missing"])
        return None

    def matching(self, asked: Asked) -> list[dict[str, Any]]:
        """All rows that the parameters ask for, uncut."""
        wanted = {name: set(text.split(",")) for name, text in asked.params.items()}
        names = ("reporterCode", "period", "flowCode", "partnerCode", "cmdCode")
        filters = {name: wanted[name] for name in names if name in wanted and wanted[name] != {"AG6"}}
        freq = asked.path.split("/")[-2]
        return [
            row
            for row in self.rows
            if row["freqCode"] == freq and all(str(row[name]) in texts for name, texts in filters.items())
        ]

    def _releases(self, asked: Asked) -> list[dict[str, Any]]:
        periods, freq = asked.params["period"].split(","), asked.path.split("/")[-2]
        pairs = sorted({(row["reporterCode"], row["period"]) for row in self.rows if row["freqCode"] == freq})
        return [
            {
                "datasetCode": 1, "typeCode": "C", "freqCode": freq, "period": int(period), "reporterCode": reporter,
                "classificationCode": "H6", "totalRecords": 100, "datasetChecksum": self.revision.get((reporter, period), 0),
                "firstReleased": "2024-04-02T08:11:09", "lastReleased": "2024-09-18T10:01:22.4431",
            }
            for reporter, period in pairs
            if period in periods
        ]  # fmt: skip


def need(first: date = date(2025, 1, 1), last: date = date(2025, 3, 1)) -> Need:
    """A small scenario: three months, two goods, hubs Kazakhstan and Kyrgyzstan, Germany in the coalition."""
    return Need(("DEU", "USA"), ("RUS", "BLR"), ("KAZ", "KGZ"), GOODS, first, last)
