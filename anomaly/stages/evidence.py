"""What is flagged, and the called legs of supply → flags with their evidence, and what remains without each publisher."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.stages import order
from anomaly.stages.facts import PUBLISHED_CASES
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


def _flags(
    evidenced: pl.DataFrame,
    doubts: pl.DataFrame,
    files: pl.DataFrame,
    flows: pl.LazyFrame,
    families: pl.DataFrame,
    supply: pl.DataFrame,
    calibration: pl.DataFrame,
    hubs: pl.DataFrame,
    lists: pl.DataFrame,
    countries: pl.DataFrame,
    cases: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame]]:
    """With what the data leave in doubt, with the coalition's sales to hubs, and with what was published against them."""
    from anomaly.evidence import published
    from anomaly.flags import diverted, doubted, flags, same_case

    doubted_flags = doubted.with_doubts(evidenced, doubted.of_reporters(doubts, files, flows), families)
    names = dict(countries.select("iso3", "name").rows())
    of_supply = diverted.build(diverted.Tables(supply, calibration, hubs), lists, names, settings)
    of_cases = same_case.folded(pl.concat([doubted_flags, of_supply]), names)
    yield (flags.in_order(published.beside(of_cases, cases, settings)),)


def _without(
    flagged: pl.DataFrame,
    flows: pl.LazyFrame,
    families: pl.DataFrame,
    broken: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    bilateral: pl.LazyFrame,
    features: pl.LazyFrame,
    pairs: pl.DataFrame,
    roughness: pl.DataFrame,
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
        "features.pairs": pairs,
        "features.roughness": roughness,
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
    ("evidenced",),
    _evidence,
)
FLAGS = Stage(
    "flags",
    (
        "evidenced",
        "flows.doubts",
        "flows.files",
        Lazy("flows"),
        "families",
        "supply",
        "supply.calibration",
        "supply.hubs",
        "goods_lists",
        "countries",
        "published_cases",
    ),
    ("flags",),
    _flags,
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
        "features.pairs",
        "features.roughness",
        "scores",
        "scores.calibration",
    ),
    ("flags.without",),
    _without,
)
STAGES = (EVIDENCE, PUBLISHED_CASES, FLAGS, WITHOUT)
