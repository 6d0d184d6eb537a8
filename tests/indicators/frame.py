"""A row as indicators see it, with every column at a plain value."""

from math import log
from typing import Any

import polars as pl

from anomaly.features import counterfactual

PLAIN: dict[str, Any] = {
    "value_usd": 10_000_000,
    "value_prior_year_usd": 2_000_000,
    "value_baseline_usd": 1_000_000,
    "value_baseline_max_usd": 1_500_000,
    "baseline_years": "2019-2021",
    "exporter_growth_prior_log": 0.1,
    "exporter_growth_baseline_log": 0.1,
    "baseline_is_nothing": False,
    "effect_in_fences": 1.5,
    "level_shift": 0.9,
    "lead_lag": 0.7,
    "revealed_advantage": 0.25,
    "matched_by_siblings": 0.75,
    "elsewhere_usd": 30_000_000,
    "elsewhere_prior_usd": 18_000_000,
    "elsewhere_baseline_usd": 15_000_000,
    "good_importer_rise_log": 0.2,
    "good_importer_peers": 5,
    "exporter_importer_rise_log": 0.1,
    "exporter_importer_peers": 12,
    "all_to_importer_usd": 40_000_000,
    "all_to_importer_prior_usd": 100_000_000,
    "coalition_to_target_usd": 20_000_000,
    "coalition_to_target_prior_usd": 90_000_000,
    "coalition_to_target_baseline_usd": 80_000_000,
    "coalition_to_hub_usd": 9_000_000,
    "coalition_to_hub_prior_usd": 3_000_000,
    "coalition_to_hub_baseline_usd": 2_500_000,
    "unit_value_prior_usd_per_kg": 100.0,
    "price_surge_log": log(10.1 / 5.1),  # 10 million at half the price is 5
    "coalition_to_hub_usd_per_kg": 80.0,
    "unit_value_usd_per_kg": 200.0,
    "median_unit_value_usd_per_kg": 50.0,
    "leg_exported_usd": 9_000_000,
    "leg_imported_usd": 2_000_000,
    "leg_exported_baseline_usd": 2_500_000,
    "leg_imported_baseline_usd": 2_400_000,
}
FLOOR_USD = 100_000.0
_KINDS = {bool: pl.Boolean, float: pl.Float64, int: pl.Int64, str: pl.String}


def frame(**changes: Any) -> pl.DataFrame:
    """One row of PLAIN with some columns changed, and its counterfactual; None is unknown."""
    row = {**PLAIN, **changes}
    schema = {name: _KINDS[type(value)] for name, value in PLAIN.items()}
    return (
        pl.DataFrame([row], schema=schema)
        .with_columns(counterfactual_rise_log=counterfactual.rise_log(FLOOR_USD))
        .with_columns(counterfactual_usd=counterfactual.value_usd(FLOOR_USD))
    )
