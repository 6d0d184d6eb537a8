"""flows + flows.withheld + families → coverage and coverage.scope."""

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


def _withheld(
    flows: pl.LazyFrame, hidden: pl.DataFrame, families: pl.DataFrame, _settings: Settings
) -> Iterator[tuple[pl.DataFrame]]:
    """Values that no newer release tells, with the good and under the extract of the current flows."""
    from anomaly.bilateral import bilateral, coverage, withheld
    from anomaly.reference import editions

    current = withheld.newest(hidden, flows).lazy()
    if hidden.height:
        current = coverage.as_extracts(current, coverage.extracts(flows.filter(pl.col("is_current"))))
    edition = editions.edition_number(pl.col("classification_code"))
    yield (withheld.of_scope(bilateral.with_goods(current, families, edition).collect()),)


def _coverage(current: pl.LazyFrame, withheld: pl.DataFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.bilateral import coverage

    yield coverage.build(current, withheld)


CURRENT = Stage("current flows", (Lazy("flows"), "families"), ("current",), _current)
WITHHELD = Stage("values that are withheld", (Lazy("flows"), "flows.withheld", "families"), ("withheld",), _withheld)
COVERAGE = Stage("coverage", (Lazy("current"), "withheld"), ("coverage", "coverage.scope"), _coverage)
STAGES = (CURRENT, WITHHELD, COVERAGE)
