"""A hub that alone reports by month: too few placebos for a q, and no silence."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from anomaly.contract.settings import load
from anomaly.flags import flags
from anomaly.scores import forest_inputs, scores
from tests.flags.test_flags import NAMES, NO_LIST
from tests.trade import flow, measured

CALENDAR = [f"{year}-{month:02d}" for year in range(2019, 2023) for month in range(1, 13)]
MILLION = 1_000_000


def flags_after(step: float) -> pl.DataFrame:
    """Kazakhstan's monthly sales to Russia times `step` from May 2022 on, the coalition's direct trade a tenth."""
    noise = np.exp(np.random.default_rng(4).normal(0, 0.15, len(CALENDAR)))
    rows: list[dict[str, Any]] = []
    for month, rough in zip(CALENDAR, noise, strict=True):
        rows.append(flow(month, "KAZ", "RUS", round(0.4 * MILLION * rough * (step if month >= "2022-05" else 1))))
        rows.append(flow(month, "KAZ", "CHN", round(0.3 * MILLION * rough)))
        rows.append(flow(month, "DEU", "RUS", 20 * MILLION if month < "2022-03" else 2 * MILLION))
    settings = load()
    features, _ = measured(rows)
    inputs = forest_inputs.build(features.lazy().filter(pl.col("role") != "coalition"), settings).collect()
    scored = scores.build(inputs, forest_inputs.names(), settings)
    in_question = features.join(
        scored.scores,
        on=["freq_code", "window_months", "window_end", "good", "exporter_iso", "importer_iso"],
        how="semi",
    )
    made = flags.build(in_question, scored.scores, scored.contributions, scored.calibration, NO_LIST, NAMES, settings)
    return made.filter(pl.col("window_end") == date(2022, 12, 1), window_months=6, exporter_iso="KAZ")


def test_a_step_of_a_hub_that_reports_alone_is_flagged_by_rule_medium_at_most() -> None:
    flag = flags_after(25.0).row(0, named=True)
    assert flag["q_value"] is None
    assert flag["severity"] in ("medium", "low")
    assert any("not calibrated" in caveat for caveat in flag["caveats"])
    assert "level_shift_log" in {reason["indicator"] for reason in flag["reasons"]}


def test_the_same_hub_without_a_step_is_not_flagged() -> None:
    assert flags_after(1.0).is_empty()
