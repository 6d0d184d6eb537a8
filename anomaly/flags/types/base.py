"""What a type of flag is, what a condition of a flag is, and the limits of a scenario that conditions are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

Row = Mapping[str, Any]
Item = dict[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rule of a flag takes from a scenario.

    floor_usd         added to both sides of a growth
    materiality_usd   least trade in the window
    thresholds        indicator → value from which on it counts, of every registered indicator
    coalition         countries whose own sales are the direct trade
    targets           countries that the goods may reach by way of a hub
    hubs              countries that may be a hub
    """

    floor_usd: int
    materiality_usd: int
    thresholds: Mapping[str, float]
    coalition: tuple[str, ...]
    targets: tuple[str, ...]
    hubs: tuple[str, ...]

    def over(self, indicator: str) -> pl.Expr:
        """Whether an indicator is known and at its threshold or above; never null."""
        return (pl.col(indicator) >= self.thresholds[indicator]).fill_null(value=False)

    def is_from_coalition(self) -> pl.Expr:
        """Whether the route begins in the coalition: it is then its leg to a hub, else a hub's to a target."""
        return pl.col("exporter_iso").is_in(self.coalition)


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One condition of a flag.

    name     what is asked
    is_met   whether it holds; null counts as no
    why_not  text where it does not hold: why the route is no flag, as the rest of a sentence
    """

    name: str
    is_met: pl.Expr
    why_not: pl.Expr


@dataclass(frozen=True, slots=True, eq=False)
class FlagType:
    """A type of flag: when a flagged route is of it, and all that is said of it.

    name          in tables and questions
    words         for people, in a sentence
    says          what the figures look like, in a sentence or two
    leg           COALITION_TO_HUB or HUB_TO_TARGET: the routes it is flagged on
    sentence      what fits together in a flag, and what is missing; a row as `explanations` have it
    explanations  what would have to be true for it to be benign: functions of a row of features with the flag's `sides`,
                  the names of both countries, what others sold, `since` (prior or baseline: what the route has risen
                  above) and floor_usd. Last stands what no trade figure says
    next_steps    questions to ask next; {exporter}, {importer} and {good} are put in by name
    shows         whether a flagged route looks like it: columns of features, is_listed and is_neighbour_listed; None
                  where the type is not told by the figures of one window
    beside        limits → what must stand beside a rise of the route itself for a flag of this type; None where it is not
                  flagged by a rise
    is_alarm      whether it says that goods may go round
    has_ended     whether the trade it stands for is over
    most_severe   the highest severity of a flag that shows it
    """

    name: str
    words: str
    says: str
    leg: str
    sentence: Callable[[Row], str]
    explanations: tuple[Callable[[Row], Item], ...]
    next_steps: tuple[str, ...]
    shows: pl.Expr | None = None
    beside: Callable[[Limits], Condition] | None = None
    is_alarm: bool = True
    has_ended: bool = False
    most_severe: str = "high"
