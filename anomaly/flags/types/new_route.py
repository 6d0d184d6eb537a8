"""Trade from a known nothing."""

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.base import FlagType
from anomaly.flags.types.conditions import direct_or_neighbour_fell
from anomaly.flags.types.explanations import changed_supplier, other_buyers, other_sellers, own_production, unknowable
from anomaly.flags.types.sentences import detour

TYPE = FlagType(
    name="new_route",
    words="new route",
    says="No trade in any baseline year, a considerable amount now.",
    leg=HUB_TO_TARGET,
    sentence=detour,
    explanations=(own_production, other_buyers, other_sellers, changed_supplier, unknowable),
    next_steps=(
        "Who sells and who buys on a route that did not exist, and since when have the two firms been registered?",
        "Does anyone in {exporter} make or stock {good}, or did it come in shortly before?",
        "Is it one contract, or does the trade go on in the months since?",
    ),
    shows=pl.col("new_route") == 1,
    beside=direct_or_neighbour_fell,
)
