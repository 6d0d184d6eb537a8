"""bilateral and features → leakage: hub by good, hub and good, on both legs, and how often such intervals held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.leakage import frames, to_hubs, to_targets
from anomaly.leakage.frames import Tables
from anomaly.supply.reporting import Span


@dataclass(frozen=True, slots=True)
class Routes:
    """What the leg from hubs to targets is read from.

    Parameters
    ----------
    features : polars.LazyFrame
        The table features, with the counterfactual of each route.
    roughness : polars.DataFrame
        features.roughness.
    """

    features: pl.LazyFrame
    roughness: pl.DataFrame


def build(
    chunks: Iterable[pl.DataFrame],
    spans: Sequence[Span],
    broken: pl.DataFrame,
    routes: Routes,
    lists: pl.DataFrame,
    settings: Settings,
) -> Tables:
    """What was sold beyond what can be explained, from the coalition to hubs and from hubs to targets.

    Both legs are the same goods, seen twice on one way: they are not to be added up.

    Parameters
    ----------
    chunks : sequence of polars.DataFrame
        bilateral, whole goods, sorted by good, frequency, exporter, importer and period.
    spans : sequence of Span
        reporting.spans: which months are read, and whose.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    routes : Routes
        What hubs sold the targets.
    lists : polars.DataFrame
        reference.goods.listed: where the scenario asks about listed goods, no other is in a sum.
    settings : Settings
        Scenario: as to_hubs.build and to_targets.build.

    Returns
    -------
    Tables
        Sorted by their keys.
    """
    return frames.together(
        [
            *to_hubs.build(chunks, spans, broken, lists, settings),
            *to_targets.build(routes.features, routes.roughness, lists, settings),
        ]
    )
