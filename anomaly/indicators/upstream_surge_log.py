"""The coalition sells more of the good to the hub."""

from anomaly.indicators.base import Indicator, change, log_ratio, usd

INDICATOR = Indicator(
    name="upstream_surge_log",
    unit="log",
    says="growth of the coalition's exports of the good to the exporter of the route",
    source="EBRD, The Eurasian roundabout (2023)",
    expr=lambda floor_usd: log_ratio("coalition_to_hub_usd", "coalition_to_hub_prior_usd", floor_usd),
    threshold=0.405,
    reason=lambda row: (
        f"The coalition's exports of the good to {row['exporter_name']} rose from {usd(row['coalition_to_hub_prior_usd'])} "
        f"to {usd(row['coalition_to_hub_usd'])} ({change(row['coalition_to_hub_usd'], row['coalition_to_hub_prior_usd'])}; "
        f"{row['coalition_to_hub_compared']})."
    ),
)
