"""The coalition sells less of the good to the importer."""

from anomaly.indicators.base import FELL_LOG, Indicator, change, log_ratio, usd

INDICATOR = Indicator(
    name="direct_drop_log",
    unit="log",
    says="fall of the coalition's own exports of the good to the importer; every route of the good shares it",
    source="EBRD, The Eurasian roundabout (2023)",
    expr=lambda floor_usd: -log_ratio("coalition_to_target_usd", "coalition_to_target_prior_usd", floor_usd),
    threshold=FELL_LOG,
    reason=lambda row: (
        f"The coalition's direct exports of the good to {row.get('direct_target_name') or row['importer_name']} fell from "
        f"{usd(row['coalition_to_target_prior_usd'])} to {usd(row['coalition_to_target_usd'])} "
        f"({change(row['coalition_to_target_usd'], row['coalition_to_target_prior_usd'])}; "
        f"{row['coalition_to_target_compared']})."
    ),
)
