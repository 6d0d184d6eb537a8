"""What an indicator is, and the columns it may use.

An indicator sees one window of many routes, one row a route, with these columns (USD are Int64, null unknown):

    value_usd, value_prior_year_usd, value_baseline_usd     the route: window, a year before, baseline mean
    baseline_is_nothing                                     every baseline year and the year before are a known 0
    effect_in_fences                                        size_effect.size_effect of the route among those of the good
    value_baseline_max_usd, baseline_years                  the highest of the baseline years; their span in words
    revealed_advantage                                      comparative_advantage.revealed_advantage of the exporter
    level_shift, lead_lag                                   level_shifts.find and lead_lags.best, monthly data only
    matched_by_siblings                                     neighbour_codes.matched: falls of the heading beside the rise
    elsewhere_usd, _prior_usd, _baseline_usd                the exporter's exports of the good to everyone else
    exporter_growth_prior_log, _baseline_log                exporter_totals.growth_log: all it exports but to targets
    good_importer_rise_log, _peers                          median rise of the good's other sellers to the importer
    exporter_importer_rise_log, _peers                      median rise of the exporter's other goods to the importer
    counterfactual_rise_log, counterfactual_usd             the rise over the baseline that is everybody's; the value with it
    all_to_importer_usd, _prior_usd                         everyone's exports of the good to the importer
    coalition_to_target_usd, _prior_usd, _baseline_usd      the coalition's exports of the good to the importer
    coalition_to_hub_usd, _prior_usd, _baseline_usd         the coalition's exports of the good to the exporter
    unit_value_usd_per_kg, unit_value_prior_usd_per_kg      the route's price: window, a year before
    median_unit_value_usd_per_kg                            the good's median price over all material routes
    price_surge_log, median_price_surge_log                 price_surge of the route, and its median over the good's
    coalition_to_hub_usd_per_kg                             the price of the coalition's exports to the exporter
    leg_exported_usd, leg_imported_usd                      coalition to exporter as each side reports it, where both do
    leg_exported_baseline_usd, leg_imported_baseline_usd    the same in the baseline

Sums over several reporters hold only those that reported both windows, so that a late reporter is not a fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET

FELL_LOG = 0.223  # by a fifth: from here on the direct trade of a good counts as fallen


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measurement of a route. Higher is more suspicious; null is unknown.

    Parameters
    ----------
    name : str
        Column in features, its unit as its ending where it has one.
    unit : str
        log, usd, share, pp (percentage points), flag (0 or 1), corr (-1 to 1) or fence (distance of the fence for
        outliers).
    says : str
        What it measures, for a person.
    source : str
        Where the formula comes from.
    expr : callable
        floor_usd → expression over the columns above, Float64, never inf or NaN.
    threshold : float
        From which value on it counts as a reason; the scenario may say otherwise.
    reason : callable
        A row of features and flags → the sentence of the reason, with numbers.
    forest : callable, optional
        floor_usd → expression over the columns of features for the forest's input, one-sided: 0 is nothing suspicious
        or unknown. None keeps the indicator out of the forest: it is then a reason only. An input says something of
        this route alone: what routes share is a hypothesis weight (anomaly/scores/hypothesis_weights.py).
    forest_leg : str
        The routes it is an input on: HUB_TO_TARGET or COALITION_TO_HUB.
    """

    name: str
    unit: str
    says: str
    source: str
    expr: Callable[[float], pl.Expr]
    threshold: float
    reason: Callable[[Mapping[str, Any]], str]
    forest: Callable[[float], pl.Expr] | None = None
    forest_leg: str = HUB_TO_TARGET

    @property
    def in_forest(self) -> bool:
        """Whether the forest sees this indicator."""
        return self.forest is not None


def log_ratio(now: str, then: str, floor_usd: float | pl.Expr) -> pl.Expr:
    """Growth of an amount as a logarithm that a small base cannot blow up: ln((now + floor) / (then + floor)).

    Parameters
    ----------
    now, then : str
        Columns of USD: the amount in the window, and what it is compared with.
    floor_usd : float or polars.Expr
        Added to both: trade far below it counts as nothing.

    Returns
    -------
    polars.Expr
        Float64: 0 unchanged, 0.693 doubled, null where either is unknown.

    Examples
    --------
    >>> route = pl.DataFrame({"value_usd": [178_000_000], "value_prior_year_usd": [37_000_000]})
    >>> growth = route.select(log_ratio("value_usd", "value_prior_year_usd", floor_usd=100_000)).item()
    >>> round(growth, 3)
    1.569
    """
    return ((pl.col(now) + floor_usd) / (pl.col(then) + floor_usd)).log()


def price_surge(floor_usd: float) -> pl.Expr:
    """The part of surge_log that is price: ln((V + f)/(V p₋₁/p + f)).

    What is left, ln((V p₋₁/p + f)/(V₋₁ + f)), is the growth at the prices of the year before: its volume. The two add
    up to surge_log to the last digit, as in the logarithmic mean Divisia index (Ang 2005). From a known nothing all of
    it is volume, the limit of the index (Ang and Liu 2007); a year before below the floor has no price worth the name.

    Parameters
    ----------
    floor_usd : float
        f, the scenario's floor.

    Returns
    -------
    polars.Expr
        Float64 over value_usd, value_prior_year_usd and the two unit values; null where a price is unknown.
    """
    value, prior = pl.col("value_usd"), pl.col("value_prior_year_usd")
    price, price_prior = pl.col("unit_value_usd_per_kg"), pl.col("unit_value_prior_usd_per_kg")
    at_old_prices = value * price_prior / price
    return (
        pl.when((prior == 0) | (value == 0))
        .then(value * 0.0)
        .when((prior >= floor_usd) & (price > 0) & (price_prior > 0))
        .then(((value + floor_usd) / (at_old_prices + floor_usd)).log())
    )


def suspicious_side(name: str) -> pl.Expr:
    """The side of an indicator that points to evasion: never below 0, never null.

    Parameters
    ----------
    name : str
        Column of an indicator.

    Returns
    -------
    polars.Expr
        0 where the indicator points the other way or is unknown.
    """
    return pl.col(name).clip(lower_bound=0).fill_null(0.0)


def direct_fall_log(floor_usd: float) -> pl.Expr:
    """Fall of the coalition's direct trade since the year before or since the baseline, the larger; at least 0.

    Null where that trade is not in the data: nobody can say then that it did not fall.

    Parameters
    ----------
    floor_usd : float
        The scenario's floor, as in log_ratio.

    Returns
    -------
    polars.Expr
        Float64, in logs: 0.693 is a fall by half.
    """
    falls = [
        -log_ratio("coalition_to_target_usd", f"coalition_to_target_{then}_usd", floor_usd)
        for then in ("prior", "baseline")
    ]
    return pl.when(pl.col("coalition_to_target_usd").is_not_null()).then(pl.max_horizontal(*falls, pl.lit(0.0)))


def elsewhere_log(then: str, floor_usd: float) -> pl.Expr:
    """Growth of what the exporter sells to others, of the good or of all goods, the larger of the two; at least 0.

    A boom of the good or of the exporter is no evidence on any of its routes. Sales of the good count on the scale of the
    route: the floor is what the route itself was, where that is more, since others who buy next to nothing say next to
    nothing.

    Parameters
    ----------
    then : str
        What the growth is against: "prior" or "baseline".
    floor_usd : float
        The scenario's floor, as in log_ratio.

    Returns
    -------
    polars.Expr
        Float64, in logs, never below 0, never null: nothing where the other trade is unknown.
    """
    was = {"prior": "value_prior_year_usd", "baseline": "value_baseline_usd"}[then]
    scale = pl.max_horizontal(pl.lit(floor_usd), pl.col(was).cast(pl.Float64))
    of_the_good = log_ratio("elsewhere_usd", f"elsewhere_{then}_usd", scale)
    of_all_goods = pl.col(f"exporter_growth_{then}_log")
    return pl.max_horizontal(of_the_good, of_all_goods).clip(lower_bound=0).fill_null(0.0)


def net_of_counterfactual(name: str) -> pl.Expr:
    """The suspicious side of a growth over the baseline beyond what is everybody's.

    Parameters
    ----------
    name : str
        Column of the growth, in logs.

    Returns
    -------
    polars.Expr
        Float64, in logs, never below 0, never null.
    """
    return (pl.col(name) - pl.col("counterfactual_rise_log")).clip(lower_bound=0).fill_null(0.0)


def usd(value: float | int | None) -> str:
    """An amount for people.

    Parameters
    ----------
    value : float or int or None
        USD; None is unknown.

    Returns
    -------
    str
        With one decimal and the word of its size.

    Examples
    --------
    >>> usd(178_214_330)
    '178.2 million USD'
    >>> usd(None)
    'an unknown amount'
    """
    if value is None:
        return "an unknown amount"
    for size, word in ((1e9, "billion USD"), (1e6, "million USD"), (1e3, "thousand USD")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {word}"
    return f"{value:,.0f} USD"


def change(now: float | int | None, then: float | int | None) -> str:
    """A change in words.

    Parameters
    ----------
    now, then : float or int or None
        Two amounts in the same unit; None is unknown.

    Returns
    -------
    str
        In whole percent of the earlier one.

    Examples
    --------
    >>> change(178, 37)
    '+381 %'
    >>> change(9, 16)
    '−44 %'
    >>> change(5, 0)
    'from nothing'
    """
    if now is None or then is None:
        return "by an unknown amount"
    if then == 0:
        return "from nothing" if now else "unchanged at nothing"
    percent = 100 * (now - then) / then
    return f"{percent:+,.0f} %".replace("-", "−")
