"""UN Comtrade, API v1."""

from __future__ import annotations

from pathlib import Path

from anomaly.fetch import comtrade_reference
from anomaly.fetch.base import Asking, Call, Fetched, Plan, Publisher
from anomaly.fetch.client import Client
from anomaly.fetch.service import Limits, Service


def _plan(asking: Asking) -> Plan:
    """The tables of codes that are not there."""
    return Plan(tuple(comtrade_reference.calls(asking)))


def _fetch(call: Call, client: Client, folder: Path) -> Fetched:
    """One call's files."""
    return comtrade_reference.fetch(call, client, folder)


SERVICE = Service(
    name="comtrade",
    title="UN Comtrade",
    address="https://comtradeapi.un.org",
    limits=Limits(least_seconds=1.0, calls_a_day=500, bytes_a_second=1_000_000.0),
    key_variable="COMTRADE_API_KEY",
    key_header="Ocp-Apim-Subscription-Key",
)
PUBLISHER = Publisher(
    service=SERVICE,
    licence="UN Comtrade's policy on use and re-dissemination; not to be passed on",
    plan=_plan,
    fetch=_fetch,
)
