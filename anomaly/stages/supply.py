"""bilateral + coverage + families.broken → supply, what the coalition sells to hubs."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.schema_supply import SupplyRefused
from anomaly.contract.settings import Settings
from anomaly.features.grid import COLUMNS
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.stages.facts import GOODS_LISTS
from anomaly.stages.stage import Chunks, Lazy, Stage

ROWS_AT_A_TIME = 250_000  # of bilateral
COMPANIONS = ("calibration", "hubs", "series", "refused")


def _supply(
    chunks: Iterator[pl.DataFrame],
    bilateral: pl.LazyFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    lists: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.supply import annual_only, reporting, sides, supply

    tables = supply.build(chunks, reporting.spans(coverage, scope, settings), broken, settings, lists)
    called = tables.supply.filter(pl.col("called_by").is_not_null())
    trade = bilateral.filter(sides.cells_of(called, settings)).collect()
    legs = sides.beside(tables.supply, trade, coverage, scope, settings)
    annual = bilateral.filter(annual_only.rows_of(settings)).collect()
    by_year = annual_only.refused(annual, legs, tables.refused, settings)
    refused = pl.concat([tables.refused, by_year]).sort(SupplyRefused.primary_key())
    yield legs, *[getattr(tables, name) for name in COMPANIONS[:-1]], refused


SUPPLY = Stage(
    "supply",
    (
        Chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, COLUMNS),
        Lazy("bilateral"),
        "coverage",
        "coverage.scope",
        "families.broken",
        "goods_lists",
    ),
    ("supply", *[f"supply.{name}" for name in COMPANIONS]),
    _supply,
)
STAGES = (GOODS_LISTS, SUPPLY)
