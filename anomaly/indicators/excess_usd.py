"""Dollars above what everybody's trade explains: the route less its counterfactual."""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, usd

MOST_REST_LOG = 20.0  # beyond it no amount of trade


def _reason(row: Mapping[str, Any]) -> str:
    excess = (
        f"{usd(row['excess_usd'])} is more than the {usd(row['counterfactual_usd'])} that it would have come to with "
    )
    return f"{excess}the rise that is everybody's, read from {explained(row)}."


def explained(row: Mapping[str, Any]) -> str:
    """What everybody's rise was read from, in words: each effect as far as it counts, with its peers.

    Parameters
    ----------
    row : mapping
        A row of features; with `importer_name` where it is known.

    Returns
    -------
    str
        A part of a sentence.
    """
    target = row.get("importer_name") or row["importer_iso"]
    of_good, of_pair = row["good_importer_rise_log"], row["exporter_importer_rise_log"]
    elsewhere = (row["counterfactual_rise_log"] or 0.0) - max(of_good or 0.0, of_pair or 0.0, 0.0)
    return (
        f"{row['good_importer_peers'] or 0} others that sold it to {target} ({_counted(of_good)}), "
        f"{row['exporter_importer_peers'] or 0} other goods it sold there ({_counted(of_pair)}) "
        f"and its sales elsewhere ({_counted(elsewhere)})"
    )


def between(row: Mapping[str, Any], floor_usd: int) -> tuple[int | None, int | None]:
    """The excess, had the route risen beyond its counterfactual as placebos do: as the tenth that rose most, and least.

    Parameters
    ----------
    row : mapping
        value_usd and counterfactual_usd of features, rest_low_log and rest_high_log of scores.
    floor_usd : int
        The scenario's floor.

    Returns
    -------
    tuple of int or None
        Low and high, whole USD; None where the counterfactual is not known or the route was not scored.

    Examples
    --------
    >>> row = {"value_usd": 9_000_000, "counterfactual_usd": 2_000_000, "rest_low_log": -0.5, "rest_high_log": 0.5}
    >>> between(row, 0)
    (5702557, 7786939)
    """
    expected, rests = row["counterfactual_usd"], (row["rest_high_log"], row["rest_low_log"])
    if expected is None or None in rests:
        return None, None
    less_usd = [
        max(0.0, (expected + floor_usd) * math.exp(min(rest_log, MOST_REST_LOG)) - floor_usd) for rest_log in rests
    ]
    low, high = (round(row["value_usd"] - usd_less) for usd_less in less_usd)
    return low, high


def _counted(effect_log: float | None) -> str:
    if effect_log is None:
        return "too few to say"
    percent = round(100 * math.expm1(effect_log))
    return f"count for +{percent:,} %" if percent > 0 else "count for nothing"


INDICATOR = Indicator(
    name="excess_usd",
    unit="usd",
    says="trade above its counterfactual: the baseline with the rise that is everybody's",
    source="difference in differences, in the effects of structural gravity as medians (Yotov et al. 2016; Tukey 1977)",
    expr=lambda _floor_usd: pl.col("value_usd") - pl.col("counterfactual_usd"),
    threshold=1_000_000,
    reason=_reason,
)
