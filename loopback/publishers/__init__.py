"""The publishers that are answered for: a file each, a line each. What several files of one share bears its name."""

from __future__ import annotations

from loopback.publishers import baci, census, comext, comtrade, ecb, hmrc, unsd
from loopback.wire import Publisher

# Paths tell them apart; of two that fit, the first answers (Comtrade's /data/v1/… and Census's /data/timeseries/…).
PUBLISHERS: tuple[Publisher, ...] = (
    comtrade.PUBLISHER,
    comext.PUBLISHER,
    ecb.PUBLISHER,
    baci.PUBLISHER,
    census.PUBLISHER,
    hmrc.PUBLISHER,
    unsd.PUBLISHER,
)
