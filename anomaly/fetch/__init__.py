"""Statistics brought from their publishers: one file and one line each. Nothing else of the project opens a connection."""

from __future__ import annotations

from anomaly.fetch import baci, comext, comtrade, ecb
from anomaly.fetch.base import Publisher

PUBLISHERS: tuple[Publisher, ...] = (comtrade.PUBLISHER, comext.PUBLISHER, ecb.PUBLISHER, baci.PUBLISHER)
