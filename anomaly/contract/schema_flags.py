"""The contracts of flags and of what remains of them without a publisher."""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.schema_features import Routes
from anomaly.contract.schema_reported import text, usd


class Flags(Routes):
    """Routes that deserve a question, with the evidence. No flag without a reason."""

    flag_id = text("stable across runs: good-exporter-importer-window", unique=True)
    flag_type = text("what the figures look like: a type of anomaly/flags/types")
    severity = text("high, medium or low", regex="^(high|medium|low)$")
    priority = dy.Float64(description="order in which to look: severity x list tier x log of the excess", min=0)
    list_tier = text("tier of the good on the scenario's list at the end of the window", nullable=True)
    value_usd = usd("trade in the window", min=0)
    value_prior_year_usd = usd("the same months a year before", nullable=True, min=0)
    value_baseline_usd = usd("mean of the same months in the baseline years", nullable=True, min=0)
    counterfactual_usd = usd(
        "what it would have come to with the rise that is everybody's, see features", nullable=True, min=0
    )
    excess_usd = usd("value less counterfactual", nullable=True)
    excess_low_usd = usd("the same, had it risen as the tenth of the placebos that rose most", nullable=True)
    excess_high_usd = usd("the same, had it risen as the tenth that rose least", nullable=True)
    anomaly_score = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    anomaly_rank = dy.Int64(description="see scores", min=1, nullable=True)
    p_value = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    q_value = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    stability_share = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    compares = text("the two windows and the baseline in words")
    reasons = dy.List(
        dy.Struct(
            {
                "indicator": dy.String(),
                "value": dy.Float64(),
                "unit": dy.String(),
                "threshold": dy.Float64(),
                "text": dy.String(),
            }
        ),
        min_length=1,
        description="what speaks for it, each with its number and its threshold",
    )
    caveats = dy.List(dy.String(), description="what else could explain it, and what the data cannot say")
    contributions = dy.List(
        dy.Struct({"input": dy.String(), "score_drop": dy.Float64()}),
        description="how far the score falls when one input of the forest is set to nothing",
    )
    benign = dy.List(dy.String(), description="explanations to rule out before asking anyone")
    evidence = text("what fits together, in one sentence of the flag's type", nullable=True)
    benign_if = dy.List(
        dy.Struct({"explanation": dy.String(), "verdict": dy.String(), "text": dy.String()}),
        nullable=True,
        description="what would have to be true for it to be benign, and whether the data allow it: fits, partly, against or unknown",
    )
    comparables = dy.List(
        dy.Struct(
            {
                "nearness": dy.String(),
                "good": dy.String(),
                "exporter_iso": dy.String(),
                "importer_iso": dy.String(),
                "value_usd": dy.Int64(nullable=True),
                "value_prior_year_usd": dy.Int64(nullable=True),
                "q_value": dy.Float64(nullable=True),
                "why": dy.String(),
            }
        ),
        nullable=True,
        description="the nearest routes of the same window that were not flagged, and why not",
    )
    sides = dy.List(
        dy.Struct(
            {
                "span": dy.String(),
                "export_value_fob_usd": dy.Int64(nullable=True),
                "import_value_cif_usd": dy.Int64(nullable=True),
                "reexport_value_fob_usd": dy.Int64(nullable=True),
                "net_wgt_g": dy.Int64(nullable=True),
            }
        ),
        nullable=True,
        description="window, year before and baseline as each side reports the route; re-exports are within exports",
    )
    is_before_sanctions = dy.Bool(description="a check, not a finding: the window lies before the sanctions")


class Without(dy.Schema):
    """What remains of a flag when one publisher's data are left out."""

    flag_id = text("see flags", primary_key=True)
    source_left_out = text("publisher's file format whose rows are left out", primary_key=True)
    remains = text(
        "flagged; weaker: flagged with fewer reasons; not_flagged: compared and no flag; not_comparable",
        regex="^(flagged|weaker|not_flagged|not_comparable)$",
    )
    value_usd = usd("trade in the window without it", nullable=True, min=0)
    q_value = dy.Float64(description="against the run's placebos; null where not computed", nullable=True, min=0, max=1)
    reasons_left = dy.List(dy.String(), description="reasons of the flag that are still over their thresholds")
    reasons_lost = dy.List(dy.String(), description="reasons that are known and no longer over their thresholds")
    unknown = dy.List(dy.String(), description="indicators that were known and are not without it")
    says = text("the change in words")
