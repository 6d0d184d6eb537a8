"""Worlds that differ from a description in one named way, for what a calibration must bear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from anomaly.world.description import Description
from anomaly.world.elements import Shift
from anomaly.world.trade import Rng, Trade

_SELLERS = ("hub", "placebo")
_TO_HUBS = Shift(("coalition",), ("hub",), "unlisted", 2.0, 0.6, is_of_leg=True)
_TO_TARGETS = Shift(_SELLERS, ("target",), "unlisted", 2.0, 0.6, is_of_leg=True)
_DIVERTED = Shift(_SELLERS, ("target",), "listed", 1.5, 0.5)

_BETWEEN_HUBS = Shift(_SELLERS, ("hub",), "all", 1.5, 0.5, is_of_leg=True)
SECOND_HOPS = "second_hops"  # variants of this name plant the description's second hops

VARIANTS: dict[str, dict[str, Any]] = {
    "as_is": {},
    "heavy_tails": {"step_tail": 2},
    "diversion": {"shifts": (_DIVERTED,)},
    "diversion_strong": {"shifts": (replace(_DIVERTED, factor=2.0, spread_log=0.7),)},
    "own_demand": {"shifts": (_TO_HUBS, _TO_TARGETS)},
    "own_unlisted": {"shifts": (_TO_HUBS,)},
    "own_listed": {"shifts": (replace(_TO_HUBS, goods="listed"),)},
    "demand_and_diversion": {"shifts": (replace(_TO_HUBS, goods="all"), replace(_DIVERTED, goods="all"))},
    "turmoil": {"shifts": (Shift(_SELLERS, ("target",), "all", 1.0, 0.6, tail=4),)},
    "one_exporter": {"published": "one_exporter"},
    "periods_only": {"published": "periods_only"},
    "listed_extract": {"published": "listed_extract"},
    SECOND_HOPS: {},
    f"{SECOND_HOPS}_own_demand": {"shifts": (_BETWEEN_HUBS,)},
}


def variant(world: Description, name: str) -> Description:
    """The world with what its variant changes; those of second hops plant these beside its episodes.

    Parameters
    ----------
    world : Description
        The world as described.
    name : str
        A key of VARIANTS.

    Returns
    -------
    Description
        A copy.

    Raises
    ------
    KeyError
        The name is not one of VARIANTS.
    """
    planted = (*world.episodes, *world.second_hops) if name.startswith(SECOND_HOPS) else world.episodes
    return replace(world, episodes=planted, **VARIANTS[name])


def shift(trade: Trade, rng: Rng) -> None:
    """Change honest trade from the measures on, in place, as the shifts of the world's description say.

    Parameters
    ----------
    trade : Trade
        The world's trade by route and month; its values are changed.
    rng : Rng
        Drawn from once a leg or route of each shift.
    """
    world, count = trade.world, len(trade.world.goods)
    is_sanctioned = np.array([good.is_sanctioned for good in world.goods])[trade.good]
    start = np.array([world.month(good.since or world.measures_from) for good in world.goods])
    for change in world.shifts:
        sellers, buyers = (
            [world.country_at[iso] for iso in world.of_role(*roles)] for roles in (change.sellers, change.buyers)
        )
        is_of_shift = np.isin(trade.exporter, sellers) & np.isin(trade.importer, buyers)
        if change.goods != "all":
            is_of_shift &= is_sanctioned == (change.goods == "listed")
        rows = np.flatnonzero(is_of_shift)
        leg = np.arange(len(rows))
        if change.is_of_leg:
            _, leg = np.unique(trade.importer[rows] * count + trade.good[rows], return_inverse=True)
        shape = int(leg.max(initial=-1)) + 1
        chance = rng.standard_t(change.tail, shape) if change.tail else rng.standard_normal(shape)
        growth = (np.log(change.factor) + change.spread_log * chance)[leg]
        months = np.arange(world.months) - start[trade.good[rows], None] + 1
        trade.value[rows] *= np.exp(growth[:, None] * np.clip(months / change.ramp_months, 0, 1))
