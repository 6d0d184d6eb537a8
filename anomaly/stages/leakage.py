"""bilateral + coverage + families.broken + features → leakage, what was sold beyond what can be explained."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.grid import COLUMNS
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.stages.facts import GOODS_LISTS
from anomaly.stages.stage import Chunks, Lazy, Stage
from anomaly.stages.supply import ROWS_AT_A_TIME


def _leakage(
    chunks: Iterator[pl.DataFrame],
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    features: pl.LazyFrame,
    roughness: pl.DataFrame,
    lists: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.leakage import leakage
    from anomaly.supply import reporting

    spans = reporting.spans(coverage, scope, settings)
    tables = leakage.build(chunks, spans, broken, leakage.Routes(features, roughness), lists, settings)
    yield tables.leakage, tables.coverage


LEAKAGE = Stage(
    "leakage",
    (
        Chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, COLUMNS),
        "coverage",
        "coverage.scope",
        "families.broken",
        Lazy("features"),
        "features.roughness",
        "goods_lists",
    ),
    ("leakage", "leakage.coverage"),
    _leakage,
)
STAGES = (GOODS_LISTS, LEAKAGE)
