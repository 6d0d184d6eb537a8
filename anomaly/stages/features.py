"""bilateral + coverage + families.broken → features and features.refused, whole headings at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.grid import COLUMNS
from anomaly.reference.goods import HEADING_DIGITS
from anomaly.stages.stage import Chunks, Lazy, Stage

ROWS_AT_A_TIME = 250_000  # of bilateral: what two threads hold stays under half a gigabyte


def _exporter_totals(bilateral: pl.LazyFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.features import exporter_totals

    yield (exporter_totals.build(bilateral, settings.targets.countries),)


def _windows(coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.features import window_table

    yield (window_table.worth_computing(coverage, scope, settings),)


def _peers(
    bilateral: Iterator[pl.DataFrame],
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    windows: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    from anomaly.features import features, peers, roughness

    plan = features.plan(coverage, scope, broken, settings, windows=windows)
    established = peers.joined(features.established_each(bilateral, plan, settings))
    pairs = peers.pairs(established)
    yield pairs, roughness.build(established, pairs, settings)


def _features(
    bilateral: Iterator[pl.DataFrame],
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    totals: pl.DataFrame,
    windows: pl.DataFrame,
    pairs: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.features import features

    plan = features.plan(coverage, scope, broken, settings, totals, windows, pairs)
    yield from features.build_each(bilateral, plan, settings)


EXPORTER_TOTALS = Stage("totals of exporters", (Lazy("bilateral"),), ("exporter_totals",), _exporter_totals)
WINDOWS = Stage("windows worth computing", ("coverage", "coverage.scope"), ("windows",), _windows)
_BILATERAL = Chunks("bilateral", ROWS_AT_A_TIME, HEADING_DIGITS, COLUMNS)
PEERS = Stage(
    "rises of established routes",
    (_BILATERAL, "coverage", "coverage.scope", "families.broken", "windows"),
    ("features.pairs", "features.roughness"),
    _peers,
)
FEATURES = Stage(
    "features",
    (
        _BILATERAL,
        "coverage",
        "coverage.scope",
        "families.broken",
        "exporter_totals",
        "windows",
        "features.pairs",
    ),
    ("features", "features.refused"),
    _features,
)
STAGES = (EXPORTER_TOTALS, WINDOWS, PEERS, FEATURES)
