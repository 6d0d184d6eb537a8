"""How pressing a flag is: its severity, its place in the queue, and the tier of its good on the scenario's lists."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.flags.caveats import PROFILE_Q, has_fallen, has_own_make, is_lumpy
from anomaly.flags.naming import SEVERITIES

SEVERITY_WEIGHT = {"high": 3.0, "medium": 2.0, "low": 1.0}
STRONG_Q = 0.05
SHOCK_RATIO = 2.0  # from here on more than half of what is called may be a shock of the year
LARGE_USD = 10_000_000


def severity(row: Mapping[str, Any], tier: str | None) -> str:
    """high, medium or low, at most what the types that the flag shows allow.

    Low: a route between hubs from a large maker of the good. Never high: a route that fell on the year before, a single lumpy good, any route of a window whose control routes say
    that more than half of the calls may be a shock of the year, and one of a country whose profile over all its goods is
    nothing unusual.

    Parameters
    ----------
    row : mapping
        value_usd, value_prior_year_usd, good, q_value, shock_ratio, profile_q_value and most_severe of a flagged route;
        direct_target_iso and is_maker, where it is between hubs.
    tier : str, optional
        Tier of its good; None where the good is on no list.

    Returns
    -------
    str
        One of naming.SEVERITIES.
    """
    q_value = 1.0 if row["q_value"] is None else row["q_value"]
    matters = row["value_usd"] >= LARGE_USD or tier is not None
    is_doubtful = (
        has_fallen(row)
        or is_lumpy(row["good"])
        or (row.get("shock_ratio") or 1.0) >= SHOCK_RATIO
        or (row.get("profile_q_value") or 0.0) > PROFILE_Q
        or q_value > STRONG_Q
    )
    if has_own_make(row):
        return SEVERITIES[0]
    place = (1 if is_doubtful else 2) - (0 if matters else 1)
    return SEVERITIES[min(place, SEVERITIES.index(row["most_severe"]))]


def priority(severity: str, tier_weight: float, excess_usd: int | None) -> float:
    """The order in which to look: severity x list tier x decades of the excess.

    Parameters
    ----------
    severity : str
        high, medium or low.
    tier_weight : float
        Of the good's tier on the scenario's lists, 1 where it is on none: Settings.tier_weight.
    excess_usd : int, optional
        Value less its counterfactual.

    Returns
    -------
    float
        The higher the sooner.

    Examples
    --------
    >>> priority("high", 2.0, 100_000_000)
    30.0
    """
    return round(SEVERITY_WEIGHT[severity] * tier_weight * _decades(excess_usd), 6)


def _decades(excess_usd: int | None) -> float:
    """log10 of the excess in thousand USD, at least 1: a flag of a million counts half as much as one of a billion."""
    return max(1.0, math.log10(max(excess_usd or 0, 1) / 1000))


def list_tier(row: Mapping[str, Any], lists: pl.DataFrame) -> str | None:
    """Highest tier of the good on a list that held at the end of the window.

    Parameters
    ----------
    row : mapping
        good and window_end.
    lists : polars.DataFrame
        good, tier, valid_from, valid_to of the scenario's goods lists.

    Returns
    -------
    str, optional
        The smallest tier by its name, 1 before 2; None where the good was on no list.
    """
    end = row["window_end"]
    held = lists.filter(
        pl.col("good") == row["good"],
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= end),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > end),
    )
    return None if held.is_empty() else str(held["tier"].min())
