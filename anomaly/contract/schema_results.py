"""The contracts of what is made of the flags: roll-ups, and the backtest that judges them; both in schema.TABLES."""

from __future__ import annotations

import dataframely as dy


class Rollups(dy.Schema):
    """Per good and per hub: how much of the trade to targets is an alarm; what is told apart does not count."""

    rollup = dy.String(description="good or hub", primary_key=True, regex="^(good|hub)$")
    key = dy.String(description="HS family or exporter", primary_key=True)
    freq_code = dy.String(description="A annual, M monthly, Q quarterly", primary_key=True)
    window_months = dy.Int16(description="length of the window", primary_key=True, metadata={"unit": "months"})
    window_end = dy.Date(description="last month of the window", primary_key=True)
    flags = dy.Int64(description="flags", metadata={"unit": "flags"}, min=0)
    flagged_usd = dy.Int64(metadata={"unit": "USD"}, description="value of the flagged routes", min=0)
    flagged_excess_usd = dy.Int64(metadata={"unit": "USD"}, description="excess of the flagged routes", min=0)
    total_usd = dy.Int64(
        metadata={"unit": "USD"}, description="all trade to the targets of this good or hub in the window", min=0
    )
    flagged_share = dy.Float64(description="flagged_usd / total_usd", min=0, max=1, metadata={"unit": "share"})
    best_q_value = dy.Float64(description="smallest q of its flags", nullable=True, min=0, max=1)


class Backtest(dy.Schema):
    """What was flagged as of each date against what is true, beside the rivals: one figure a row."""

    freq_code = dy.String(description="A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    leg = dy.String(description="hub to target, or coalition to hub", primary_key=True)
    as_of = dy.String(description="date whose knowledge the flags are of; all: every date together", primary_key=True)
    window_months = dy.Int16(
        description="length of the window; 0: every length together", primary_key=True, metadata={"unit": "months"}
    )
    judged_by = dy.String(description="planted, a goods list, cases, or nothing", primary_key=True)
    method = dy.String(description="ours, a rival, or chance", primary_key=True)
    measure = dy.String(description="name of the figure, docs/backtest.md", primary_key=True)
    kind = dy.String(description="kind of episode or case, or its name; empty: all", primary_key=True)
    value = dy.Float64(description="the figure: a share, or what the measure's name says", nullable=True)
    hits = dy.Int64(description="numerator of a share", nullable=True, min=0)
    out_of = dy.Int64(description="denominator of a share", nullable=True, min=0)
