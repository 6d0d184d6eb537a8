"""When a route is a flag, and in words why it is not: the one place.

Ordered conditions, as expressions over a frame of routes in windows. Flags, comparables and questions evaluate the same
ones, from the run's tables: features, scores and calibration, with the limits of its scenario. Nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from anomaly.contract.keys import HUB_TO_HUB, HUB_TO_TARGET, LEGS, ROUTE_KEY, WINDOW_KEY
from anomaly.flags import types
from anomaly.flags.types.base import Condition, Limits
from anomaly.flags.types.conditions import NO_GAP
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import FELL_LOG, direct_fall_log, usd

if TYPE_CHECKING:
    from anomaly.contract.settings import Settings

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
RISES = (
    "surge_log",
    "baseline_excess_log",
    "new_route",
)  # of the route itself: price or mirror figures alone accuse nobody
NOTHING = "nothing in the rule keeps it from being a flag"
_OF_THE_RUN = (
    "refused_because",
    "is_measured",
    "is_scored",
    "q_value",
    "q_limit",
    "leg",
)  # added here, not columns of features


def limits_of(settings: Settings) -> Limits:
    """What the rule takes from a scenario.

    Parameters
    ----------
    settings : Settings
        The whole of it.

    Returns
    -------
    Limits
        With the threshold of every registered indicator.
    """
    return limits_of_record(settings.recorded())


def limits_of_record(record: Mapping[str, Any]) -> Limits:
    """What the rule takes from a scenario as its tables keep it.

    Parameters
    ----------
    record : mapping
        Settings.recorded: of it floor_usd, materiality_usd, thresholds (only those that the scenario sets), measures, and
        the countries of coalition, targets, hub_candidates and neighbours.

    Returns
    -------
    Limits
        With the threshold of every registered indicator.
    """
    coalition, targets, candidates, neighbours = (
        tuple((record[role] or {"countries": ()})["countries"])
        for role in ("coalition", "targets", "hub_candidates", "neighbours")
    )
    return Limits(
        floor_usd=record["floor_usd"],
        materiality_usd=record["materiality_usd"],
        thresholds={
            indicator.name: float(record["thresholds"].get(indicator.name, indicator.threshold))
            for indicator in INDICATORS
        },
        coalition=coalition,
        targets=targets,
        hubs=tuple(country for country in (*candidates, *neighbours) if country not in (*coalition, *targets)),
        is_everyone_else_a_hub=record["hub_candidates"]["everyone_else"],
        measures=record["measures"],
    )


def beside_scores(routes: Frame, scores: Frame, calibration: Frame, limits: Limits) -> Frame:
    """Measured routes with all that the rule looks at.

    Parameters
    ----------
    routes : polars.DataFrame or polars.LazyFrame
        Rows of features, one a route and window: ROUTE_KEY, the columns of MEASURES and any other.
    scores : polars.DataFrame or polars.LazyFrame
        ROUTE_KEY, q_value and any other column.
    calibration : polars.DataFrame or polars.LazyFrame
        WINDOW_KEY, leg, q_limit.
    limits : Limits
        Of the scenario.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        The rows in their order with the columns of `scores`, and refused_because (null: it is not), is_measured, is_scored,
        leg and q_limit.
    """
    is_scored = pl.col("is_scored").fill_null(value=False)
    return (
        routes.with_columns(
            leg=limits.leg(), refused_because=pl.lit(None, dtype=pl.String), is_measured=pl.lit(value=True)
        )
        .join(scores.with_columns(is_scored=pl.lit(value=True)), on=ROUTE_KEY, how="left", maintain_order="left")
        .with_columns(is_scored=is_scored)
        .join(
            calibration.select(*WINDOW_KEY, "leg", "q_limit"),
            on=[*WINDOW_KEY, "leg"],
            how="left",
            maintain_order="left",
        )
    )


def is_flag(limits: Limits) -> pl.Expr:
    """Whether every condition of a flag holds, over the rows of `beside_scores`; never null.

    Parameters
    ----------
    limits : Limits
        Of the scenario.

    Returns
    -------
    polars.Expr
        Boolean.
    """
    return pl.all_horizontal([condition.is_met.fill_null(value=False) for condition in conditions(limits)])


def why_not(limits: Limits) -> pl.Expr:
    """The first condition that keeps a route from being a flag, in words; NOTHING where none does.

    Parameters
    ----------
    limits : Limits
        Of the scenario.

    Returns
    -------
    polars.Expr
        String, over the rows of `beside_scores`; never null.
    """
    words = pl.lit(NOTHING)
    for condition in reversed(conditions(limits)):
        words = pl.when(condition.is_met.fill_null(value=False)).then(words).otherwise(condition.why_not)
    return words


def conditions(limits: Limits) -> tuple[Condition, ...]:
    """The conditions of a flag in the order in which a reader is told of them.

    A flag is a route that the run compares and asks about, of a considerable size, that stands above the year before or
    its baseline; where q is within the limit of the window, or the route is new and the direct trade fell; where a rise of
    its own is over its threshold; and beside which stands what a type of flag on its leg asks for.

    Parameters
    ----------
    limits : Limits
        Of the scenario.

    Returns
    -------
    tuple of Condition
        The first that is not met tells why a route is no flag.
    """
    return (
        Condition(
            "not refused", pl.col("refused_because").is_null(), pl.format("refused: {}", pl.col("refused_because"))
        ),
        *_asked_about(limits),
        *_measured(limits),
        *_unusual(limits),
        Condition(
            "a rise over its threshold",
            pl.any_horizontal([limits.over(name) for name in RISES]),
            pl.lit("no rise of its own is over its threshold"),
        ),
        *[_beside(limits, leg) for leg in LEGS],
    )


def _asked_about(limits: Limits) -> Iterator[Condition]:
    """Hubs to targets, the coalition to possible hubs, and these to each other."""
    is_coalition, is_to_target = limits.is_from_coalition(), pl.col("importer_iso").is_in(limits.targets)
    yield Condition(
        "no direct trade",
        ~(is_coalition & is_to_target),
        pl.lit("a country of the coalition: its own sales are the direct trade"),
    )
    yield Condition(
        "not from a target", ~pl.col("exporter_iso").is_in(limits.targets), pl.lit("a target itself, nobody's hub")
    )
    yield Condition(
        "to a target, from the coalition, or between hubs",
        is_coalition | is_to_target | limits.is_between_hubs(),
        pl.when(limits.is_to_hub())
        .then(pl.lit("to a possible hub, from a country that is neither of the coalition nor a possible hub"))
        .otherwise(pl.lit("to no target, and not from the coalition: the scenario asks nothing of it")),
    )


def _measured(limits: Limits) -> Iterator[Condition]:
    value = pl.col("value_usd")
    yield Condition(
        "considerable",
        (value >= limits.materiality_usd) | value.is_null(),
        pl.lit(f"too small: below {usd(limits.materiality_usd)} in the window"),
    )
    yield Condition("measured", pl.col("is_measured"), pl.lit("its two windows cannot be compared"))
    is_above = [(pl.col(name) > 0).fill_null(value=False) for name in ("surge_log", "baseline_excess_log")]
    yield Condition(
        "risen",
        pl.any_horizontal(is_above),
        pl.lit("it did not rise: not above the year before nor above its baseline"),
    )


def _unusual(limits: Limits) -> Iterator[Condition]:
    """A q within the limit; a new route whose direct trade fell needs none, nor a step where no placebo can judge it.

    Of routes that the run asked about.
    """
    q_value, q_limit = pl.col("q_value"), pl.col("q_limit")
    unexplained = [limits.over(name) for name in ("unexplained_rise_log", "direct_drop_log")]
    is_new = pl.col("is_scored") & _is_to_target(limits) & pl.all_horizontal(limits.over("new_route"), *unexplained)
    is_by_rule = is_new | _is_step_without_placebos(limits)
    yield Condition("scored", (q_value.is_not_null() & q_limit.is_not_null()) | is_by_rule, _not_scored(limits))
    yield Condition(
        "unusual",
        (q_value <= q_limit).fill_null(value=False) | is_by_rule,
        pl.format(
            "not unusual enough: q {} is above the limit of {}{}",
            q_value.round(4),
            q_limit,
            pl.when(pl.col("coalition_to_hub_usd").is_null() & ~limits.is_from_coalition())
            .then(
                pl.lit("; what the coalition sells the exporter is not in the data, so that its rise alone is judged")
            )
            .otherwise(pl.lit("")),
        ),
    )


def _is_to_target(limits: Limits) -> pl.Expr:
    return limits.leg() == pl.lit(HUB_TO_TARGET)


def _is_step_without_placebos(limits: Limits) -> pl.Expr:
    """A monthly route of a window with too few placebos that rose in every way there is to tell; not calibrated.

    Its level stepped up, it grew on the year before and on the baseline, also beyond what everybody's trade explains, and
    the direct trade fell.
    """
    names = (
        "level_shift_log", "surge_log", "baseline_excess_log", "unexplained_rise_log", "excess_usd", "direct_drop_log",
    )  # fmt: skip
    is_unjudged = pl.col("is_scored").fill_null(value=False) & pl.col("q_value").is_null()
    is_since = ~pl.col("is_before_sanctions").fill_null(value=True)
    return _is_to_target(limits) & is_unjudged & is_since & pl.all_horizontal([limits.over(name) for name in names])


def _not_scored(limits: Limits) -> pl.Expr:
    """Why a run has no q of a route: scores.placebos.is_asked_about in words."""
    is_coalition, is_to_hub = limits.is_from_coalition(), limits.is_to_hub()
    is_check = pl.col("is_before_sanctions") & (pl.col("window_months") != 12)
    return (
        pl.when(is_coalition & pl.col("mirror_gap_shift_log").is_null())
        .then(pl.lit(NO_GAP))
        .when("is_scored")
        .then(pl.lit("not scored: too few placebos"))
        .when(is_coalition & ~is_to_hub)
        .then(pl.lit("not scored: the importer is no possible hub"))
        .when(_is_between(limits) & ~_has_fallen(limits))
        .then(pl.lit("not scored: the coalition's direct trade of the good did not fall, or is not in the data"))
        .when(_is_between(limits) & pl.col("coalition_to_hub_usd").is_null())
        .then(pl.lit("not scored: what the coalition sells the first hub is not in the data"))
        .when(is_check)
        .then(pl.lit(f"not scored: before the {limits.measures} only whole years are"))
        .otherwise(pl.lit("not scored: nothing that the run asked about"))
    )


def _is_between(limits: Limits) -> pl.Expr:
    return limits.leg() == pl.lit(HUB_TO_HUB)


def _has_fallen(limits: Limits) -> pl.Expr:
    return (direct_fall_log(float(limits.floor_usd)) >= FELL_LOG).fill_null(value=False)


def _beside(limits: Limits, leg: str) -> Condition:
    """What any type of flag on a leg asks for; a route of the other leg is not asked."""
    of_leg = [
        beside(limits)
        for beside in dict.fromkeys(flag_type.beside for flag_type in types.TYPES if flag_type.leg == leg)
        if beside is not None
    ]
    is_other_leg = limits.leg() != pl.lit(leg)
    return Condition(
        f"{leg}: {' or '.join(condition.name for condition in of_leg)}",
        is_other_leg | pl.any_horizontal([condition.is_met.fill_null(value=False) for condition in of_leg]),
        pl.concat_str([condition.why_not for condition in of_leg], separator="; "),
    )


def _columns() -> tuple[str, ...]:
    """What the conditions look at of features, beside the key."""
    limits = Limits(1, 1, {indicator.name: indicator.threshold for indicator in INDICATORS}, (), (), ())
    names = {
        name
        for condition in conditions(limits)
        for expression in (condition.is_met, condition.why_not)
        for name in expression.meta.root_names()
    }
    return tuple(sorted(names - {*ROUTE_KEY, *_OF_THE_RUN}))


MEASURES = _columns()
