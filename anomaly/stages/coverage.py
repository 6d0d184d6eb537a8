"""flows + families → coverage and coverage.scope."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.stages.stage import Lazy, Stage


def _current(flows: pl.LazyFrame, families: pl.DataFrame, _settings: Settings) -> Iterator[tuple[Frame]]:
    """Flows of the newest vintages with the good each code belongs to; files of one extract under one dataset."""
    from anomaly.bilateral import bilateral, coverage
    from anomaly.reference import editions

    current = coverage.as_extracts(flows.filter(pl.col("is_current")))
    yield (bilateral.with_goods(current, families, editions.edition_number(pl.col("classification_code"))),)


def _coverage(current: pl.LazyFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.bilateral import coverage

    yield coverage.build(current)


CURRENT = Stage("current flows", (Lazy("flows"), "families"), ("current",), _current)
COVERAGE = Stage("coverage", (Lazy("current"),), ("coverage", "coverage.scope"), _coverage)
STAGES = (CURRENT, COVERAGE)
