"""The registry of types of flags: one file and one line each.

From the plainest to the most telling: of the types that a flagged route shows on its leg it is called by the last.
"""

from anomaly.flags.types import (
    backfill,
    diverted_supply,
    ghost_transit,
    hub_reexport,
    new_route,
    price_only,
    relabel,
    resolved,
    second_hop,
)
from anomaly.flags.types.base import FlagType

TYPES: tuple[FlagType, ...] = (
    hub_reexport.TYPE,
    price_only.TYPE,
    new_route.TYPE,
    relabel.TYPE,
    backfill.TYPE,
    diverted_supply.TYPE,
    ghost_transit.TYPE,
    second_hop.TYPE,
    resolved.TYPE,
)
