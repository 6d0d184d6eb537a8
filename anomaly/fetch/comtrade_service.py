"""UN Comtrade on the network: its address and limits, where its key goes, and what only its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Mapping

from anomaly.contract.errors import BadRequest, SourceUnavailable
from anomaly.fetch.comtrade_answer import complaint_of
from anomaly.fetch.faults import sentence_of
from anomaly.fetch.service import Limits, Service

LICENCE = "UN Comtrade's policy on use and re-dissemination; not to be passed on"


def _judge(_status: int, _headers: Mapping[str, str], body: bytes) -> Exception | None:
    """What only UN Comtrade says: an envelope of faults, a gateway that is closed, an address too long."""
    if b"rejected by policy" in body:
        return SourceUnavailable(
            "UN Comtrade to answer", sentence_of(body), hint="the service is closed for now; try another day"
        )
    if b"Request URL Too Long" in body:
        return BadRequest("an address that UN Comtrade takes", sentence_of(body), hint="a fault of the plan")
    try:
        envelope = json.loads(body)
    except ValueError:
        return None
    if isinstance(envelope, dict) and "errorObject" in envelope:
        said = complaint_of(envelope)
        return BadRequest(
            "UN Comtrade to understand what was asked", said, hint="a fault of the plan; nothing was kept"
        )
    return None


SERVICE = Service(
    name="comtrade",
    title="UN Comtrade",
    address="https://comtradeapi.un.org",
    limits=Limits(least_seconds=1.0, calls_a_day=500),
    key_variable="COMTRADE_API_KEY",
    key_header="Ocp-Apim-Subscription-Key",
    judge=_judge,
)
