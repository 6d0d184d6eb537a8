"""What is flagged → flags with their evidence, and what remains of them without each publisher."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.stages import order
from anomaly.stages.stage import Lazy, Stage


def _evidence(
    flagged: pl.DataFrame,
    features: pl.LazyFrame,
    scores: pl.DataFrame,
    calibration: pl.DataFrame,
    refused: pl.DataFrame,
    bilateral: pl.LazyFrame,
    broken: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    countries: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.evidence import evidence

    near, sides = evidence.around(flagged, features, bilateral)
    tables = evidence.Tables(near, scores, calibration, refused, sides, broken, coverage, scope)
    yield (evidence.build(flagged, tables, dict(countries.select("iso3", "name").rows()), settings),)


def _without(
    flagged: pl.DataFrame,
    flows: pl.LazyFrame,
    families: pl.DataFrame,
    broken: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    bilateral: pl.LazyFrame,
    features: pl.LazyFrame,
    scores: pl.DataFrame,
    calibration: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.evidence import left_out

    run: dict[str, Frame] = {
        "flows": flows,
        "families": families,
        "families.broken": broken,
        "coverage": coverage,
        "coverage.scope": scope,
        "bilateral": bilateral,
        "features": features,
        "scores": scores,
        "scores.calibration": calibration,
    }
    yield (left_out.build(flagged, run, order.through, settings),)


EVIDENCE = Stage(
    "evidence",
    (
        "flagged",
        Lazy("features"),
        "scores",
        "scores.calibration",
        "features.refused",
        Lazy("bilateral"),
        "families.broken",
        "coverage",
        "coverage.scope",
        "countries",
    ),
    ("flags",),
    _evidence,
)
WITHOUT = Stage(
    "without a publisher",
    (
        "flagged",
        Lazy("flows"),
        "families",
        "families.broken",
        "coverage",
        "coverage.scope",
        Lazy("bilateral"),
        Lazy("features"),
        "scores",
        "scores.calibration",
    ),
    ("flags.without",),
    _without,
)
STAGES = (EVIDENCE, WITHOUT)
