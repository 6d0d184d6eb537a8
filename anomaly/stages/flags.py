"""features + scores → what is flagged, before its evidence is gathered."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.stages.facts import COUNTRIES, GOODS_LISTS, POLICY_EVENTS
from anomaly.stages.stage import Lazy, Stage


def _asked_about(
    features: pl.LazyFrame, scores: pl.LazyFrame, events: pl.DataFrame, settings: Settings
) -> Iterator[tuple[pl.DataFrame]]:
    """Features of the routes that have scores, and of all routes to targets since the sanctions: some have ended.

    Without measures that a route may have ended by, none is looked for.
    """
    scored = features.join(scores, on=ROUTE_KEY, how="semi")
    if events.height:
        since = settings.sanctions_since.replace(day=1)
        late = features.filter(pl.col("role") == "target", pl.col("window_end") >= pl.lit(since))
        scored = pl.concat([scored, late.join(scores, on=ROUTE_KEY, how="anti")])
    yield (scored.collect(engine="streaming"),)


def _flagged(
    features: pl.DataFrame,
    scores: pl.DataFrame,
    contributions: pl.DataFrame,
    calibration: pl.DataFrame,
    lists: pl.DataFrame,
    countries: pl.DataFrame,
    events: pl.DataFrame,
    settings: Settings,
) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.flags import flags

    names = dict(countries.select("iso3", "name").rows())
    yield (flags.build(features, scores, contributions, calibration, lists, names, settings, events),)


ASKED_ABOUT = Stage(
    "routes asked about", (Lazy("features"), Lazy("scores"), "policy_events"), ("asked_about",), _asked_about
)
FLAGGED = Stage(
    "what is flagged",
    (
        "asked_about",
        "scores",
        "scores.contributions",
        "scores.calibration",
        "goods_lists",
        "countries",
        "policy_events",
    ),
    ("flagged",),
    _flagged,
)
STAGES = (COUNTRIES, POLICY_EVENTS, GOODS_LISTS, ASKED_ABOUT, FLAGGED)
