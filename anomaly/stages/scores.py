"""features + families → scores, their calibration, and what each input contributed."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.settings import Settings
from anomaly.stages.facts import GOODS_LISTS
from anomaly.stages.stage import Lazy, Stage


def _inputs(
    features: pl.LazyFrame, roughness: pl.DataFrame, lists: pl.DataFrame, settings: Settings
) -> Iterator[tuple[pl.LazyFrame]]:
    """What routes are judged by: routes to the coalition are neither asked about nor placebos."""
    from anomaly.scores import forest_inputs

    yield (forest_inputs.build(features.filter(pl.col("role") != "coalition"), settings, lists, roughness),)


def _scores(inputs: pl.DataFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame, ...]]:
    from anomaly.scores import forest_inputs, profiles, scores

    scored = scores.build(inputs, forest_inputs.names(), settings)
    of_pairs = profiles.of_inputs(inputs, settings)
    pair = [*WINDOW_KEY, "exporter_iso", "importer_iso"]
    second_opinion = of_pairs.select(*pair, profile_q_value="q_value")
    routes = scored.scores.drop("profile_q_value").join(second_opinion, on=pair, how="left", maintain_order="left")
    yield routes, scored.calibration, scored.contributions, of_pairs


INPUTS = Stage("inputs of the forest", (Lazy("features"), "features.roughness", "goods_lists"), ("inputs",), _inputs)
SCORES = Stage(
    "scores", ("inputs",), ("scores", "scores.calibration", "scores.contributions", "scores.profiles"), _scores
)
STAGES = (GOODS_LISTS, INPUTS, SCORES)
