"""What a type of flag is, what a condition of a flag is, and the limits of a scenario that conditions are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB, HUB_TO_TARGET

Row = Mapping[str, Any]
Item = dict[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rule of a flag takes from a scenario.

    Parameters
    ----------
    floor_usd : int
        Added to both sides of a growth.
    materiality_usd : int
        Least trade in the window.
    thresholds : mapping
        Indicator → value from which on it counts, of every registered indicator.
    coalition : tuple of str
        Countries whose own sales are the direct trade.
    targets : tuple of str
        Countries that the goods may reach by way of a hub.
    hubs : tuple of str
        Countries that may be a hub.
    is_everyone_else_a_hub : bool
        Whether whoever is neither of the coalition nor a target may be one too.
    measures : str
        What is gone round, in sentences.
    """

    floor_usd: int
    materiality_usd: int
    thresholds: Mapping[str, float]
    coalition: tuple[str, ...]
    targets: tuple[str, ...]
    hubs: tuple[str, ...]
    is_everyone_else_a_hub: bool = False
    measures: str = "sanctions"

    def over(self, indicator: str) -> pl.Expr:
        """Whether an indicator is known and at its threshold or above; never null.

        Parameters
        ----------
        indicator : str
            By its name.

        Returns
        -------
        polars.Expr
            Boolean over the column of its name.
        """
        return (pl.col(indicator) >= self.thresholds[indicator]).fill_null(value=False)

    def is_to_hub(self) -> pl.Expr:
        """Whether the importer may be a hub."""
        importer = pl.col("importer_iso")
        is_else = ~importer.is_in((*self.coalition, *self.targets)) & pl.lit(self.is_everyone_else_a_hub)
        return importer.is_in(self.hubs) | is_else

    def is_from_coalition(self) -> pl.Expr:
        """Whether the route begins in the coalition: it is then its leg to a hub."""
        return pl.col("exporter_iso").is_in(self.coalition)

    def is_between_hubs(self) -> pl.Expr:
        """Whether the exporter and the importer may be hubs."""
        exporter = pl.col("exporter_iso")
        is_else = ~exporter.is_in((*self.coalition, *self.targets)) & pl.lit(self.is_everyone_else_a_hub)
        return self.is_to_hub() & (exporter.is_in(self.hubs) | is_else)

    def leg(self) -> pl.Expr:
        """The leg that a route is asked about on, one of keys.LEGS; a hub's to a target where it is neither of the others."""
        between = pl.when(self.is_between_hubs()).then(pl.lit(HUB_TO_HUB)).otherwise(pl.lit(HUB_TO_TARGET))
        return pl.when(self.is_from_coalition()).then(pl.lit(COALITION_TO_HUB)).otherwise(between)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Condition:
    """One condition of a flag.

    Parameters
    ----------
    name : str
        What is asked.
    is_met : polars.Expr
        Whether it holds; null counts as no.
    why_not : polars.Expr
        Text where it does not hold: why the route is no flag, as the rest of a sentence.
    """

    name: str
    is_met: pl.Expr
    why_not: pl.Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FlagType:
    """A type of flag: when a flagged route is of it, and all that is said of it.

    Parameters
    ----------
    name : str
        In tables and questions.
    words : str
        For people, in a sentence.
    says : str
        What the figures look like, in a sentence or two.
    leg : str
        One of keys.LEGS: the routes it is flagged on.
    sentence : callable
        What fits together in a flag, and what is missing; of a row as `explanations` have it.
    explanations : tuple of callable
        What would have to be true for it to be benign, each of a row of features with the flag's `sides`, the names of both
        countries, what others sold, `since` (prior or baseline: what the route has risen above) and floor_usd. Last stands
        what no trade figure says.
    next_steps : tuple of str
        Questions to ask next; {exporter}, {importer} and {good} are put in by name, {measures} as the scenario has it.
    shows : polars.Expr, optional
        Whether a flagged route looks like it: over columns of features, is_listed and is_neighbour_listed. None where the
        figures of one window do not tell it.
    beside : callable, optional
        Limits → what must stand beside a rise of the route itself for a flag of this type, over columns of features. None
        where it is not flagged by a rise.
    is_alarm : bool
        Whether it says that goods may go round.
    has_ended : bool
        Whether the trade it stands for is over.
    most_severe : str
        The highest severity of a flag that shows it.
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
