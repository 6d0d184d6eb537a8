"""Growth against the same months a year before."""

from anomaly.indicators.base import Indicator, change, log_ratio, usd

INDICATOR = Indicator(
    name="surge_log",
    unit="log",
    says="growth of the route against the same months a year before",
    source="the project's own case: KAZ to RUS smartphones, first half of 2021 to first half of 2022",
    expr=lambda floor_usd: log_ratio("value_usd", "value_prior_year_usd", floor_usd),
    threshold=0.405,  # half as much again
    reason=lambda row: (
        f"Trade on the route went from {usd(row['value_prior_year_usd'])} to {usd(row['value_usd'])} "
        f"({change(row['value_usd'], row['value_prior_year_usd'])})."
    ),
)
