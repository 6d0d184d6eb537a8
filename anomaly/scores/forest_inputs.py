"""What the forest is given of the features: one-sided inputs, and the hypothesis weight beside them."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from anomaly.contract import schema
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, WINDOW_KEY, WINDOW_TYPES
from anomaly.contract.settings import Settings
from anomaly.features.features import NO_BASELINE, is_material
from anomaly.features.goods_asked import with_control
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import FELL_LOG, direct_fall_log, suspicious_side
from anomaly.scores.hypothesis_weights import with_weight
from anomaly.scores.joint import room_log, step_age_months, step_log

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
PUBLISHED = ("source", "dataset", "value_basis", "is_wide")
_ROUGHNESS = {
    **WINDOW_TYPES, "baseline_gap_years": pl.Int8, "has_direct_fallen": pl.Boolean, "roughness": pl.Float64,
}  # fmt: skip


def build(
    features: Frame, settings: Settings, lists: pl.DataFrame | None = None, roughness: pl.DataFrame | None = None
) -> Frame:
    """What the material routes are judged by: the rise, the room for it, and a one-sided number per input of the forest.

    Parameters
    ----------
    features : polars.DataFrame or polars.LazyFrame
        The table features.
    settings : Settings
        Scenario: floor, materiality, coalition.
    lists : polars.DataFrame, optional
        reference.goods.listed, where the scenario asks about listed goods only.
    roughness : polars.DataFrame, optional
        features.roughness; without it every route's is 1.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        schema.ROUTE_KEY, baseline_gap_years, role, is_before_sanctions, value_usd,
        value_prior_year_usd, value_baseline_usd, direct_fall_log (null unknown), is_from_coalition, is_measured,
        evidence_weight (the hypothesis weight before it is scaled), PUBLISHED (whose figures they are, and whether the
        exporter's trade with placebo importers is among them), rise_log (unexplained, not one-sided; 0 where unknown),
        rest_log (the rise over the baseline less the counterfactual's; null unknown), room_log (null unknown), step_log (null unknown),
        step_age_months (null without a step), roughness (1
        on routes that are no target's), has_direct_fallen (false where it is not known), is_direct_known and is_matched
        (another good of the heading fell on the pair), then the inputs named by their indicator, 0 on the leg they do not
        belong to. 0 is nothing suspicious or unknown; higher is more suspicious; never null.
        Where listed goods are asked about, the two columns of goods_asked.with_control.

    Notes
    -----
    A route with `is_measured` false has unknown what its kind is judged by: the baseline, or on the coalition's own
    routes the mirror gap. It would be an easy placebo, since unknown counts as nothing.
    """
    floor = float(settings.floor_usd)
    is_from_coalition = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    has_baseline = pl.col("value_baseline_usd").is_not_null() | (pl.col("baseline_years") == NO_BASELINE)
    routes = with_weight(features, floor).filter(is_material(settings))
    return with_control(
        _with_roughness(routes, roughness, floor).select(
            *schema.ROUTE_KEY,
            "baseline_gap_years",
            "role",
            "is_before_sanctions",
            "value_usd",
            "value_prior_year_usd",
            "value_baseline_usd",
            direct_fall_log(floor).alias("direct_fall_log"),
            is_from_coalition.alias("is_from_coalition"),
            pl.when(is_from_coalition)
            .then(pl.col("mirror_gap_shift_log").is_not_null())
            .otherwise(has_baseline)
            .alias("is_measured"),
            pl.when(is_from_coalition).then(1.0).otherwise(pl.col("evidence_weight")).alias("evidence_weight"),
            *PUBLISHED[:-1],
            (pl.col("role") == "placebo").any().over(*WINDOW_KEY, *PUBLISHED[:-1], "exporter_iso").alias("is_wide"),
            pl.col("unexplained_rise_log").fill_null(0.0).alias("rise_log"),
            (pl.col("baseline_excess_log") - pl.col("counterfactual_rise_log")).alias("rest_log"),
            room_log(floor).alias("room_log"),
            step_log().alias("step_log"),
            step_age_months().alias("step_age_months"),
            "roughness",
            "has_direct_fallen",
            pl.col("coalition_to_target_usd").is_not_null().alias("is_direct_known"),
            (suspicious_side("neighbour_code_shift") > 0).alias("is_matched"),
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


def _with_roughness(routes: Frame, roughness: pl.DataFrame | None, floor_usd: float) -> Frame:
    """Add has_direct_fallen, and the roughness of its class to routes to targets."""
    fell = routes.with_columns(has_direct_fallen=(direct_fall_log(floor_usd) >= FELL_LOG).fill_null(value=False))
    table = (pl.DataFrame(schema=_ROUGHNESS) if roughness is None else roughness).select(list(_ROUGHNESS))
    on = [name for name in _ROUGHNESS if name != "roughness"]
    beside = table.lazy() if isinstance(fell, pl.LazyFrame) else table
    joined = fell.join(beside, on=on, how="left", maintain_order="left")
    return joined.with_columns(
        roughness=pl.when(pl.col("role") == "target").then(pl.col("roughness").fill_null(1.0)).otherwise(1.0)
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
