"""Eurostat's servers for Comext, alike for the bulk files and the API."""

from __future__ import annotations

from anomaly.fetch.service import Limits, Service

LICENCE = "CC BY 4.0; source: Eurostat, Comext; state changes"
SERVICE = Service(
    name="comext",
    title="Eurostat Comext",
    address="https://ec.europa.eu",
    limits=Limits(least_seconds=1.0, bytes_a_second=1_000_000.0),
)
