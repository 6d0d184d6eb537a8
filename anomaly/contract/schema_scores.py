"""The contracts of scores, their calibration and what each input contributed."""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.schema_features import Routes
from anomaly.contract.schema_reported import count, real, text


class Scores(Routes):
    """How unusual a route is, and how often routes that cannot be evasion look as unusual."""

    anomaly_score = dy.Float64(
        description="isolation forest, averaged over seeds; higher is more anomalous", min=0, max=1, nullable=True
    )
    evidence_score = dy.Float64(
        description="hub to target: soft minimum of the unexplained rise and the room for it, log, or the rise alone where tested_among says so; on the coalition's leg the mean rank by the forest and the leading input",
        nullable=True,
    )
    evidence_weight = dy.Float64(
        description="how likely a part of evasion before its own rise is looked at; mean 1 over the routes of the window",
        min=0,
        nullable=True,
    )
    anomaly_rank = dy.Int64(
        description="1 is the first to look at: by weighted p, then by evidence", min=1, nullable=True
    )
    p_value = dy.Float64(
        description="(1 + placebos with as much evidence) / (1 + placebos), from the route's own rise",
        min=0,
        max=1,
        nullable=True,
    )
    q_value = dy.Float64(
        description="share of false flags to expect down to this route: weighted Benjamini-Hochberg over the window",
        min=0,
        max=1,
        nullable=True,
    )
    stability_share = dy.Float64(
        description="share of backgrounds drawn again from the placebos with which q stays within the limit",
        min=0,
        max=1,
        nullable=True,
    )
    placebos = count("placebo routes the p-value was read from", "routes")
    placebo_kind = text("what these are, as in the calibration", nullable=True)
    tested_among = text(
        "with which routes of the window q was reckoned: publisher, evidence, whether the room is known", nullable=True
    )
    room_log = real("how far the route could have grown on what the hub got more of the good", "log", min=0)
    step_log = real(
        "step up of the route's months since the measures beyond everybody's rise; what of the rise it does not carry counts half; 0 none, null unknown: annual data, or no measures yet",
        "log",
        min=0,
    )
    roughness = real("of the year's honest trade with targets, by which the rise was divided", "ratio", min=1)
    shock_ratio = real(
        "control routes as unusual as one in twenty placebos, over a twentieth of them; raises p", "ratio", min=1
    )
    rest_low_log = real("a tenth of the placebos rose by less beyond their counterfactual; times the roughness", "log")
    rest_high_log = real("a tenth of them by more", "log")
    profile_q_value = dy.Float64(
        description="q of the exporter's profile over all its goods to the importer (scores.profiles): a second opinion; null unknown",
        nullable=True,
        min=0,
        max=1,
    )


class Calibration(dy.Schema):
    """Per window: which placebos there were, and how often targets and placebos are flagged."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True)
    window_months = dy.Int16(description="length of the window", primary_key=True, metadata={"unit": "months"})
    window_end = dy.Date(description="last month of the window", primary_key=True)
    leg = text("hub to target, or coalition to hub (for ghost transit)", primary_key=True)
    placebo_kind = text(
        "importers, periods, both (of these), goods, goods_and_periods or none: what the placebos of this window are"
    )
    placebos = count("placebo routes", "routes")
    q_limit = dy.Float64(description="flags have a q up to here in this window", min=0, max=1)
    targets = count("routes to targets", "routes")
    targets_flagged_per_1000 = dy.Float64(
        description="routes to targets with q within the limit, per 1,000", nullable=True, min=0
    )
    placebos_flagged_per_1000 = dy.Float64(
        description="placebo routes with a p as small as the largest p/weight of a flag, per 1,000",
        nullable=True,
        min=0,
    )
    says = text("the calibration in words")
    shock_ratio = real("largest shock_ratio of the window's routes", "ratio", min=1)


class Contributions(Routes):
    """How far a route's score falls when one input of the forest is set to nothing."""

    input = text("indicator whose input was set to 0", primary_key=True)
    score_drop = dy.Float64(description="fall of anomaly_score", metadata={"unit": "score"})


class Profiles(dy.Schema):
    """How unusual a country's sales to an importer look over all its goods, by an isolation forest on profiles."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True)
    window_months = dy.Int16(description="length of the window", primary_key=True, metadata={"unit": "months"})
    window_end = dy.Date(description="last month of the window", primary_key=True)
    exporter_iso = text("exporter", primary_key=True)
    importer_iso = text("importer", primary_key=True)
    routes = count("goods with a known room", "routes")
    value_usd = dy.Int64(description="their trade in the window", min=0, metadata={"unit": "USD"})
    fallen_score = real("highest joint score of a good whose direct trade fell; null without one", "log")
    breadth_log = real("ln of the sum of fall weight over chance: many unusual routes, of goods that fell", "log")
    room_rise_log = real("mean unexplained rise, weighted by room", "log")
    unusual_new_routes = count("new routes that at most a tenth of the placebo routes match", "routes")
    median_unexplained_log = real("median unexplained rise of the routes", "log")
    high_unexplained_log = real("its ninth decile", "log")
    fall_contrast_log = real("mean unexplained rise of goods that fell less that of the others", "log")
    risen_value_share = real("share of the value in routes well above their counterfactual", "share", min=0, max=1)
    anomaly_score = dy.Float64(description="mean over forests that have not seen it", nullable=True, min=0, max=1)
    evidence_score = dy.Float64(
        description="mean place among placebo profiles by the forest and the leading input", nullable=True, min=0, max=1
    )
    p_value = dy.Float64(description="(1 + placebos with as much) / (1 + placebos)", nullable=True, min=0, max=1)
    q_value = dy.Float64(description="Benjamini-Hochberg over the profiles of the window", nullable=True, min=0, max=1)
    placebos = count("placebo profiles that p was read from", "profiles", nullable=True)
