"""Statistics brought from their publishers: one file and one line each. Nothing else of the project opens a connection."""

from __future__ import annotations

from anomaly.fetch import baci, census, comext, comext_slices, comtrade, comtrade_bulk, ecb, hmrc, unsd
from anomaly.fetch.base import Publisher

PUBLISHERS: tuple[Publisher, ...] = (
    comtrade.PUBLISHER,
    comtrade_bulk.PUBLISHER,
    comext.PUBLISHER,
    comext_slices.PUBLISHER,
    ecb.PUBLISHER,
    baci.PUBLISHER,
    census.PUBLISHER,
    hmrc.PUBLISHER,
    unsd.PUBLISHER,
)
