"""The rivals: rankings of routes as others make them, over the same candidate routes as ours.

Each is a pure function of the features of one window. It is given every route that was measured there to the importers
asked about and to the placebos, since a rule that compares routes with each other needs all of them. Higher is more
suspicious; null is what a rule does not flag at all, and comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from anomaly.indicators import INDICATORS
from anomaly.indicators.base import FELL_LOG
from anomaly.scores import forest

EU_LIMIT_USD = 1_100_000  # one million EUR, at a round rate; of a year
EU_RATIO = 2.0
Z_LIMIT, GROWTH_LIMIT, Z_LIMIT_USD = 1.96, 0.5, 1_000_000
HB_U, HB_A = 0.4, 0.05  # Hidiroglou and Berthelot's exponent of size, and the least width of a quartile
MAD_TO_SD = 1.4826
FOREST_SEED = 0


@dataclass(frozen=True, slots=True)
class Rival:
    """A rival: a simpler ranking that ours is measured beside.

    Parameters
    ----------
    name : str
        Column in the backtest.
    says : str
        What it ranks by, for a person.
    source : str
        Whose it is, and what had to be changed for routes.
    rank : callable
        Features of one window's routes → one Float64 a row; higher is more suspicious, null is not flagged.
    """

    name: str
    says: str
    source: str
    rank: Callable[[pl.DataFrame], pl.Series]


def _finite(frame: pl.DataFrame, score: pl.Expr) -> pl.Series:
    """A score as finite Float64: what is not a number is unknown."""
    scores = frame.select(score.cast(pl.Float64).alias("score")).to_series()
    return scores.set(~scores.is_finite().fill_null(value=False), None)


def _times(then: str) -> pl.Expr:
    """How many times the value is what it was; a route from nothing counts as from one dollar, so it comes first."""
    return pl.col("value_usd") / pl.col(then).clip(lower_bound=1)


def growth(frame: pl.DataFrame) -> pl.Series:
    """Growth over the year before.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: value_usd, value_prior_year_usd.

    Returns
    -------
    polars.Series
        (now - then) / then, from nothing as from one dollar; null where either is unknown.

    Examples
    --------
    >>> growth(pl.DataFrame({"value_usd": [30, 5], "value_prior_year_usd": [10, None]})).to_list()
    [2.0, None]
    """
    return _finite(frame, _times("value_prior_year_usd") - 1)


def eu_rule(frame: pl.DataFrame) -> pl.Series:
    """Ratio to the baseline mean, of routes that pass: over a million EUR a year and at least twice the mean.

    The limit is taken in proportion to the length of the window.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: value_usd, value_baseline_usd, window_months.

    Returns
    -------
    polars.Series
        The ratio, from nothing as from one dollar; null for routes that do not pass.
    """
    ratio, limit = _times("value_baseline_usd"), EU_LIMIT_USD * pl.col("window_months") / 12
    return _finite(frame, pl.when(pl.col("value_usd") > limit, ratio >= EU_RATIO).then(ratio))


def growth_z(frame: pl.DataFrame) -> pl.Series:
    """z-score of the growth across routes, of those with z over 1.96, a growth over 50 % and over a million USD.

    Published for totals of countries with a limit of 100 million EUR; a route is smaller, and the limit here is our own
    materiality. Growth from nothing has no number and is left out, as there.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: value_usd, value_prior_year_usd.

    Returns
    -------
    polars.Series
        z; null for routes that do not pass.
    """
    rise = pl.when(pl.col("value_prior_year_usd") > 0).then(pl.col("value_usd") / pl.col("value_prior_year_usd") - 1)
    z = (rise - rise.mean()) / rise.std()
    return _finite(frame, pl.when(z > Z_LIMIT, rise > GROWTH_LIMIT, pl.col("value_usd") >= Z_LIMIT_USD).then(z))


def hidiroglou_berthelot(frame: pl.DataFrame) -> pl.Series:
    """Distance of the size-weighted effect E above its median, in widths of the upper quartile.

    r = V / V₋₁, s = 1 - med(r)/r below the median and r/med(r) - 1 above, E = s · max(V, V₋₁)^U. Needs both values.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: value_usd, value_prior_year_usd.

    Returns
    -------
    polars.Series
        Negative below the median; null where either value is unknown or nothing.

    References
    ----------
    Hidiroglou and Berthelot, Survey Methodology 12 (1986).
    """
    now, then = pl.col("value_usd"), pl.col("value_prior_year_usd")
    ratio = pl.when((now > 0) & (then > 0)).then(now / then)
    growths = frame.select(ratio.alias("ratio"), pl.max_horizontal(now, then).cast(pl.Float64).alias("size"))
    median = growths["ratio"].median()
    if median is None:
        return pl.Series([None] * frame.height, dtype=pl.Float64)
    is_below = pl.col("ratio") < median
    effect = pl.when(is_below).then(1 - median / pl.col("ratio")).otherwise(pl.col("ratio") / median - 1)
    effects = growths.select(effect=effect * pl.col("size") ** HB_U)
    middle, upper = effects["effect"].median(), effects["effect"].quantile(0.75, "linear")
    width = pl.lit(max(float(upper) - float(middle), abs(HB_A * float(middle)), 1e-9))  # type: ignore[arg-type]
    return _finite(effects, (pl.col("effect") - middle) / width)


def robust_z(frame: pl.DataFrame) -> pl.Series:
    """Growth in logs less its median, in robust standard deviations.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: surge_log, which has the floor in it.

    Returns
    -------
    polars.Series
        Negative below the median; null where the growth is unknown, and everywhere where half of the routes have
        the same.
    """
    rise = pl.col("surge_log")
    spread = MAD_TO_SD * (rise - rise.median()).abs().median()
    return _finite(frame, (rise - rise.median()) / spread)


def plain_forest(frame: pl.DataFrame) -> pl.Series:
    """scikit-learn's isolation forest as it comes, on every indicator as it stands.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: every indicator; unknown counts as 0.

    Returns
    -------
    polars.Series
        Score, 0 to 1.
    """
    names = [indicator.name for indicator in INDICATORS]
    return forest.plain_forest(frame.select(pl.col(names).fill_null(0.0)), FOREST_SEED)


def direct_fall(frame: pl.DataFrame) -> pl.Series:
    """Fall of the good's direct trade, without a look at the route: what a weight of the good alone can do.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: direct_drop_log.

    Returns
    -------
    polars.Series
        The fall in logs; null where it is unknown.
    """
    return _finite(frame, pl.col("direct_drop_log"))


def growth_where_direct_fell(frame: pl.DataFrame) -> pl.Series:
    """Growth over the baseline, of routes whose good's direct trade fell by a fifth or more.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: baseline_excess_log, direct_drop_log.

    Returns
    -------
    polars.Series
        The growth in logs; null where the direct trade stood, or either is unknown.

    Examples
    --------
    >>> routes = pl.DataFrame({"baseline_excess_log": [2.0, 1.0, 3.0], "direct_drop_log": [0.1, 0.3, None]})
    >>> growth_where_direct_fell(routes).to_list()
    [None, 1.0, None]
    """
    return _finite(frame, pl.when(pl.col("direct_drop_log") >= FELL_LOG).then("baseline_excess_log"))


def three_signs(frame: pl.DataFrame) -> pl.Series:
    """Growth over the year before, of routes with all three signs: direct trade down, sales to the hub up, the hub's up.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: direct_drop_log, upstream_surge_log, surge_log.

    Returns
    -------
    polars.Series
        The growth in logs; null where a sign is missing or unknown.
    """
    signs = [pl.col(name) > 0 for name in ("direct_drop_log", "upstream_surge_log", "surge_log")]
    return _finite(frame, pl.when(*signs).then("surge_log"))


def ensemble(frame: pl.DataFrame) -> pl.Series:
    """Mean rank over the rules and the forest; a rule puts what it does not flag last, all at one rank.

    Parameters
    ----------
    frame : polars.DataFrame
        Routes of one window: what the other rivals take.

    Returns
    -------
    polars.Series
        Mean rank; the highest is the most suspicious.
    """
    rules = (growth, eu_rule, growth_z, hidiroglou_berthelot, robust_z, plain_forest)  # of the route itself
    ranks = [rule(frame).rank("average") for rule in rules]
    return _finite(
        pl.DataFrame([rank.fill_null(0.0).alias(str(at)) for at, rank in enumerate(ranks)]),
        pl.mean_horizontal(pl.all()),
    )


RIVALS: tuple[Rival, ...] = (
    Rival("growth", "year-on-year growth", "the table everyone makes", growth),
    Rival(
        "eu_rule",
        "over 1 million EUR a year and at least twice the mean of the baseline, by that ratio",
        "European Commission, rule behind the list of economically critical goods (second-hand)",
        eu_rule,
    ),
    Rival(
        "growth_z",
        "z-score of growth over 1.96 and growth over 50 %",
        "the closest public rival; its limit of 100 million EUR is for countries and is a million USD here",
        growth_z,
    ),
    Rival(
        "hidiroglou_berthelot",
        "size-weighted effect over its quartile fence",
        "Hidiroglou and Berthelot, Survey Methodology 12 (1986)",
        hidiroglou_berthelot,
    ),
    Rival("robust_z", "log growth in median absolute deviations", "robust statistics' usual rule", robust_z),
    Rival("plain_forest", "isolation forest with defaults on raw indicators", "Liu, Ting and Zhou 2008", plain_forest),
    Rival("direct_fall", "fall of the good's direct trade alone", "our own, for what the good alone says", direct_fall),
    Rival(
        "growth_where_direct_fell",
        "growth over the baseline where direct trade fell by a fifth",
        "the simple fair rival; the fall as in EBRD, The Eurasian roundabout (2023)",
        growth_where_direct_fell,
    ),
    Rival(
        "three_signs",
        "growth where direct trade fell, sales to the hub rose and the hub's rose",
        "the usual screen, as in EBRD, The Eurasian roundabout (2023)",
        three_signs,
    ),
    Rival("ensemble", "mean rank of the rules and the plain forest", "usual practice", ensemble),
)
