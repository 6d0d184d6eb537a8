"""The contracts of cases, and of what changed in them since the run before."""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.keys import LEGS
from anomaly.contract.schema_reported import text, usd

CHANGES = ("new", "worse", "better", "resolved", "revised", "same", "gone", "first run")


class Cases(dy.Schema):
    """One case per route with its flagged windows inside; figures are those of its newest window."""

    case_id = text("stable across runs and windows: leg-good-exporter-importer", primary_key=True)
    leg = text("hub to target, coalition to hub, or hub to hub", regex=f"^({'|'.join(LEGS)})$")
    good = text("HS family")
    exporter_iso = text("exporter, on the leg to the targets the hub")
    importer_iso = text("importer, on the leg to the targets the target")
    is_alarm = dy.Bool(description="whether it says now that goods may go round; false: told apart, or ended")
    flag_type = text("type of its newest window")
    severity = text("worst of its windows", regex="^(high|medium|low)$")
    severity_now = text("of its newest window", regex="^(high|medium|low)$")
    priority = dy.Float64(description="highest of its windows: the order in which to look", min=0)
    list_tier = text("tier of the good at the end of the newest window", nullable=True)
    first_window_end = dy.Date(description="first day of the last month of the first window that is flagged")
    window_end = dy.Date(description="the same of the newest; of windows that end together the longest")
    window_months = dy.Int16(description="length of the newest window", min=1, max=12, metadata={"unit": "months"})
    freq_code = text("of the newest window: A annual, M monthly, Q quarterly", regex="^[AMQ]$")
    flag_id = text("flag of the newest window")
    windows = dy.List(dy.String(), min_length=1, description="its flags, the oldest window first")
    value_usd = usd("trade in the newest window", min=0)
    value_prior_year_usd = usd("the same months a year before", nullable=True, min=0)
    excess_usd = usd("value less counterfactual of the newest window", nullable=True)
    best_q_value = dy.Float64(description="smallest q of its windows", nullable=True, min=0, max=1)


class Changes(Cases):
    """Every case beside the same case of the run before; one that is gone keeps its last figures for one run."""

    change = text("since the run before", regex=f"^({'|'.join(CHANGES)})$")
    says = text("what changed, in words; empty where nothing did")
    severity_before = text("of the newest window then", nullable=True)
    flag_type_before = text("of the newest window then", nullable=True)
    window_end_before = dy.Date(description="newest window then", nullable=True)
    value_before_usd = usd("trade in the newest window then", nullable=True)
    excess_before_usd = usd("excess of the newest window then", nullable=True)
    windows_before = dy.Int64(description="flagged windows then", nullable=True, metadata={"unit": "windows"})
