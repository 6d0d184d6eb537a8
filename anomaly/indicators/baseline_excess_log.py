"""Growth against the mean of the baseline years."""

from anomaly.indicators.base import Indicator, change, log_ratio, net_of_counterfactual, usd

INDICATOR = Indicator(
    name="baseline_excess_log",
    unit="log",
    says="growth of the route against the mean of the same months in the baseline years",
    source="EU list of economically critical goods: above 1 m EUR and at least twice the mean of 2019-2021",
    expr=lambda floor_usd: log_ratio("value_usd", "value_baseline_usd", floor_usd),
    threshold=0.693,  # twice the baseline, as the EU's rule
    reason=lambda row: (
        f"It stands at {usd(row['value_usd'])} against a mean of {usd(row['value_baseline_usd'])} in the same months of "
        f"{row['baseline_years']} ({change(row['value_usd'], row['value_baseline_usd'])})."
    ),
    forest=lambda _floor_usd: net_of_counterfactual("baseline_excess_log"),
)
