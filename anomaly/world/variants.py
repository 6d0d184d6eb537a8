"""Worlds that differ from the usual one in a named way, for what a calibration must bear."""

from __future__ import annotations

import numpy as np

from anomaly.world.facts import COUNTRY_AT, GOODS, MONTHS, month_index, of_role
from anomaly.world.trade import Rng, Trade

VARIANTS = {
    "as_is": "the usual world",
    "heavy_tails": "the chance steps of routes have Student's t with two degrees of freedom",
    "own_unlisted": "the coalition sells hubs about twice as much of goods that are not sanctioned, for their own use",
    "own_listed": "the same of sanctioned goods: honest, and not to be told from diversion by the coalition's reports",
}
STEP_TAIL = {"heavy_tails": 2}  # degrees of freedom; trade.STEP_TAIL in the others
OWN_DEMAND, OWN_SPREAD = np.log(2), 0.6  # log: of the middle leg, and between legs
OWN_SINCE, OWN_RAMP = "2022-03", 4  # first month, and months until it is whole


def vary(trade: Trade, variant: str, rng: Rng) -> None:
    """Change honest trade in place, before anything is planted."""
    if variant not in ("own_unlisted", "own_listed"):
        return
    is_sanctioned = np.array([good.is_sanctioned for good in GOODS])[trade.good]
    into_hubs = np.isin(trade.exporter, [COUNTRY_AT[iso] for iso in of_role("coalition")]) & np.isin(
        trade.importer, [COUNTRY_AT[iso] for iso in of_role("hub")]
    )
    rows = np.flatnonzero(into_hubs & (is_sanctioned == (variant == "own_listed")))
    hubs_goods, leg = np.unique(trade.importer[rows] * len(GOODS) + trade.good[rows], return_inverse=True)
    growth = rng.normal(OWN_DEMAND, OWN_SPREAD, len(hubs_goods))[leg]
    reached = np.clip((np.arange(MONTHS) - month_index(OWN_SINCE) + 1) / OWN_RAMP, 0, 1)
    trade.value[rows] *= np.exp(growth[:, None] * reached)
