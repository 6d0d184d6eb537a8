"""Statistics brought from their publishers: one file and one line each. Nothing else of the project opens a connection."""

from __future__ import annotations

from anomaly.fetch import comtrade
from anomaly.fetch.base import Publisher

PUBLISHERS: tuple[Publisher, ...] = (comtrade.PUBLISHER,)
