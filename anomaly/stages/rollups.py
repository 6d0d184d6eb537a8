"""flags + features → rollups per good and per hub."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.stages.stage import Lazy, Stage


def _rollups(flags: pl.DataFrame, features: pl.LazyFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.features.features import is_material
    from anomaly.flags import rollups

    targets = settings.targets.countries
    trade = features.filter(pl.col("importer_iso").is_in(list(targets)), is_material(settings))
    yield (rollups.build(flags, trade.select(*ROUTE_KEY, "value_usd").collect(), targets),)


ROLLUPS = Stage("rollups", ("flags", Lazy("features")), ("rollups",), _rollups)
STAGES = (ROLLUPS,)
