"""Dollars above what everybody's trade explains: the route less its counterfactual."""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.indicators.base import Indicator, usd

MOST_REST_LOG = 20.0  # beyond it no amount of trade


def _reason(row: Mapping[str, Any]) -> str:
    said = (
        f"{usd(row['excess_usd'])} is more than the {usd(row['counterfactual_usd'])} that it would have come to with "
    )
    return f"{said}the rise that is everybody's: {explained(row)}."


def explained(row: Mapping[str, Any]) -> str:
    """What everybody's rise was read from, in words, each effect with its peers.

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
    sellers, goods = row["good_importer_peers"] or 0, row["exporter_importer_peers"] or 0
    of_good, of_pair = row["good_importer_rise_log"], row["exporter_importer_rise_log"]
    elsewhere = (row["counterfactual_rise_log"] or 0.0) - max(of_good or 0.0, of_pair or 0.0, 0.0)
    parts = [
        f"too few others are known to sell it to {target} ({sellers})"
        if of_good is None
        else f"the {sellers} others that sold it to {target} {_went(of_good)} in the middle",
        f"too few of its other goods there are known ({goods})"
        if of_pair is None
        else f"its {goods} other goods there {_went(of_pair)}",
        f"what it sells elsewhere {_went(elsewhere)}" if elsewhere > 0 else "its sales elsewhere account for nothing",
    ]
    return ", ".join(parts[:-1]) + f" and {parts[-1]}"


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
    less = [max(0.0, (expected + floor_usd) * math.exp(min(rest, MOST_REST_LOG)) - floor_usd) for rest in rests]
    low, high = (round(row["value_usd"] - usd_less) for usd_less in less)
    return low, high


def _went(log: float) -> str:
    percent = 100 * math.expm1(log)
    return (
        f"rose by {percent:,.0f} %" if percent >= 0.5 else f"fell by {-percent:,.0f} %" if percent <= -0.5 else "stood"
    )


INDICATOR = Indicator(
    name="excess_usd",
    unit="usd",
    says="trade above its counterfactual: the baseline with the rise that is everybody's",
    source="difference in differences, in the effects of structural gravity as medians (Yotov et al. 2016; Tukey 1977)",
    expr=lambda _floor_usd: pl.col("value_usd") - pl.col("counterfactual_usd"),
    threshold=1_000_000,
    reason=_reason,
)
