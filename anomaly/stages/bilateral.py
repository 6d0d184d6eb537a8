"""flows + families + coverage → bilateral, some thousands of goods at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.coverage import CURRENT
from anomaly.stages.facts import COUNTRIES
from anomaly.stages.stage import Lazy, Stage


def _precedence(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    """source, precedence: lower wins, where two publishers know as much of a route."""
    from anomaly import sources

    ranks = [(source.name, source.precedence) for source in sources.SOURCES]
    yield (pl.DataFrame(ranks, schema={"source": pl.String, "precedence": pl.Int64}, orient="row"),)


def _bilateral(
    current: pl.LazyFrame,
    families: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    countries: pl.DataFrame,
    precedence: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.bilateral import bilateral, portions

    ranks, since = dict(precedence.rows()), min(settings.baseline_years)
    for goods in portions.of_scope(scope):
        flows = current.filter(portions.of_goods(goods, families), pl.col("good").is_in(goods.implode()))
        yield (bilateral.build(flows, coverage, scope, countries, ranks, since),)


PRECEDENCE = Stage("precedence of sources", (), ("precedence",), _precedence)
BILATERAL = Stage(
    "bilateral",
    (Lazy("current"), "families", "coverage", "coverage.scope", "countries", "precedence"),
    ("bilateral",),
    _bilateral,
)
STAGES = (CURRENT, COUNTRIES, PRECEDENCE, BILATERAL)
