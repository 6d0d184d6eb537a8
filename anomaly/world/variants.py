"""Worlds that differ from a description in one named way, for what a calibration must bear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from anomaly.world.description import Description
from anomaly.world.trade import Rng, Trade

VARIANTS: dict[str, dict[str, Any]] = {
    "as_is": {},
    "heavy_tails": {"step_tail": 2},
    "own_unlisted": {"own_demand": "unlisted"},
    "own_listed": {"own_demand": "listed"},
}
OWN_DEMAND, OWN_SPREAD = np.log(2), 0.6  # log: of the middle leg, and between legs
OWN_RAMP = 4  # months until it is whole


def variant(world: Description, name: str) -> Description:
    """The world with what its variant changes. Raises KeyError where the name is not one of VARIANTS."""
    return replace(world, **VARIANTS[name])


def own_demand(trade: Trade, rng: Rng) -> None:
    """Let hubs buy more of the coalition for their own use, in place, where the world's description says so."""
    world = trade.world
    if not world.own_demand:
        return
    is_sanctioned = np.array([good.is_sanctioned for good in world.goods])[trade.good]
    into_hubs = np.isin(trade.exporter, [world.country_at[iso] for iso in world.of_role("coalition")]) & np.isin(
        trade.importer, [world.country_at[iso] for iso in world.of_role("hub")]
    )
    rows = np.flatnonzero(into_hubs & (is_sanctioned == (world.own_demand == "listed")))
    count = len(world.goods)
    legs, leg = np.unique(trade.importer[rows] * count + trade.good[rows], return_inverse=True)
    growth = rng.normal(OWN_DEMAND, OWN_SPREAD, len(legs))[leg]
    reached = np.clip((np.arange(world.months) - world.month(world.measures_from) + 1) / OWN_RAMP, 0, 1)
    trade.value[rows] *= np.exp(growth[:, None] * reached)
