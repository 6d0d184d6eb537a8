"""The registry of indicators: one file and one line each. The order is the order of columns and of reasons."""

from anomaly.indicators import (
    baseline_excess_log,
    destination_shift_pp,
    direct_drop_log,
    excess_usd,
    hub_markup_log,
    mirror_gap_shift_log,
    neighbour_code_shift,
    new_route,
    no_capacity,
    record_excess_log,
    replacement_share,
    route_through_usd,
    share_shift_pp,
    size_effect,
    surge_log,
    unit_value_gap_log,
    upstream_surge_log,
    volume_surge_log,
)
from anomaly.indicators.base import Indicator

INDICATORS: tuple[Indicator, ...] = (
    surge_log.INDICATOR,
    volume_surge_log.INDICATOR,
    record_excess_log.INDICATOR,
    baseline_excess_log.INDICATOR,
    size_effect.INDICATOR,
    excess_usd.INDICATOR,
    new_route.INDICATOR,
    no_capacity.INDICATOR,
    upstream_surge_log.INDICATOR,
    direct_drop_log.INDICATOR,
    replacement_share.INDICATOR,
    route_through_usd.INDICATOR,
    destination_shift_pp.INDICATOR,
    share_shift_pp.INDICATOR,
    unit_value_gap_log.INDICATOR,
    hub_markup_log.INDICATOR,
    mirror_gap_shift_log.INDICATOR,
    neighbour_code_shift.INDICATOR,
)
