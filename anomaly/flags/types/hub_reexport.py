"""The hub sells the target more of the good than it ever did: what a flag is called where nothing more telling shows."""

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.base import FlagType
from anomaly.flags.types.conditions import direct_or_neighbour_fell
from anomaly.flags.types.explanations import (
    changed_supplier,
    other_buyers,
    other_sellers,
    own_production,
    price_rose,
    unknowable,
)
from anomaly.flags.types.sentences import detour

TYPE = FlagType(
    name="hub_reexport",
    words="hub re-export",
    says=(
        "The hub's sales of the good to the target rose above its baseline years, while the coalition's direct sales fell "
        "or are not in the data. Where the coalition sells the hub more, the reasons say so."
    ),
    leg=HUB_TO_TARGET,
    sentence=detour,
    explanations=(own_production, other_buyers, other_sellers, price_rose, changed_supplier, unknowable),
    next_steps=(
        "Where were the goods made that {exporter} sells to {importer}: do its customs declarations name an origin?",
        "Which firms in {exporter} began to buy {good} from the coalition, and are they the ones that sell it on?",
        "Do weights and border crossings between {exporter} and {importer} carry what the values say?",
    ),
    shows=pl.lit(value=True),
    beside=direct_or_neighbour_fell,
)
