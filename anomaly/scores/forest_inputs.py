"""What the forest is given of the features: one-sided inputs, and the hypothesis weight beside them."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from anomaly.contract import schema
from anomaly.contract.settings import Settings
from anomaly.features.features import NO_BASELINE, is_material
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import COALITION_TO_HUB, HUB_TO_TARGET
from anomaly.scores.goods_asked import with_control
from anomaly.scores.hypothesis_weights import with_weight

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def build(features: Frame, settings: Settings, lists: pl.DataFrame | None = None) -> Frame:
    """The forest's inputs of the material routes: a one-sided number per indicator that the forest sees.

    Parameters
    ----------
    features : polars.DataFrame or polars.LazyFrame
        The table features.
    settings : Settings
        Scenario: floor, materiality, coalition.

    lists : polars.DataFrame, optional
        reference.goods.listed, where the scenario asks about listed goods only.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        schema.ROUTE_KEY, baseline_gap_years, role, is_before_sanctions, value_usd, is_from_coalition, is_measured,
        evidence_weight (the hypothesis weight before it is scaled), then the inputs named by their indicator, 0 on the
        leg they do not belong to. 0 is nothing suspicious or unknown; higher is more suspicious; never null.
        Where listed goods are asked about, the two columns of goods_asked.with_control.

    Notes
    -----
    A route with `is_measured` false has unknown what its kind is judged by: the baseline, or on the coalition's own
    routes the mirror gap. It would be an easy placebo, since unknown counts as nothing.
    """
    floor = float(settings.floor_usd)
    is_from_coalition = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    has_baseline = pl.col("value_baseline_usd").is_not_null() | (pl.col("baseline_years") == NO_BASELINE)
    return with_control(
        with_weight(features, floor)
        .filter(is_material(settings))
        .select(
            *schema.ROUTE_KEY,
            "baseline_gap_years",
            "role",
            "is_before_sanctions",
            "value_usd",
            is_from_coalition.alias("is_from_coalition"),
            pl.when(is_from_coalition)
            .then(pl.col("mirror_gap_shift_log").is_not_null())
            .otherwise(has_baseline)
            .alias("is_measured"),
            pl.when(is_from_coalition).then(1.0).otherwise(pl.col("evidence_weight")).alias("evidence_weight"),
            *[
                pl.when(is_from_coalition == pl.lit(indicator.forest_leg == COALITION_TO_HUB))
                .then(indicator.forest(floor).fill_null(0.0))
                .otherwise(0.0)
                .cast(pl.Float64)
                .alias(indicator.name)
                for indicator in INDICATORS
                if indicator.forest is not None
            ],
        ),
        settings,
        lists,
    )


def names() -> dict[str, list[str]]:
    """The forest's inputs on each leg, in the registry's order; the first leads: it is read beside the forest.

    Returns
    -------
    dict of str to list of str
        HUB_TO_TARGET and COALITION_TO_HUB → names of indicators.
    """
    return {
        leg: [indicator.name for indicator in INDICATORS if indicator.in_forest and indicator.forest_leg == leg]
        for leg in (HUB_TO_TARGET, COALITION_TO_HUB)
    }
