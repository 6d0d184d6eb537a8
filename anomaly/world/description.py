"""What a simulated world is made of: one description a regime, as data. `trade`, `episodes`, `reports` and `files` read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from anomaly.world.elements import Country, Episode, Exact, Good, Publishing, Shift

Block = tuple[str, str]  # roles of seller and buyer
Span = tuple[str, str]  # first and last month, such as ("2020-03", "2020-06")


@dataclass(frozen=True)
class Description:
    """A world: its countries, goods and months, what the measures do to its honest trade, and what is planted.

    Parameters
    ----------
    name : str
        The regime's, as a scenario has it.
    seed : int
        Of the world that the demo shows.
    first_year, months : int
        The calendar, from January on.
    countries, goods, episodes : tuple
        Positions in the world's arrays are places in the first two.
    routes : mapping of (str, str) to int
        Roles of seller and buyer → routes simulated: the larger one is, the likelier it is among them.
    publishing : Publishing
        How the offices' files look.
    measures_from : str
        Month in which the coalition begins to sell the targets less of the goods under measures.
    calm_year : int
        Year around whose level the routes of an episode take their own, smaller steps.
    planted_says : str
        What was planted, for the page beside the files.
    median_usd : float
        A month, of a middling good between middling countries a thousand kilometres apart.
    least_usd : float
        A month before, of routes of an episode that have no size of their own, and of a boom's labels.
    missing_shares : tuple of float
        Share of the fall that is still missing in the first months of the measures.
    fall, small_fall : tuple of (float, float)
        Least and largest fall of goods under measures, and of the others, as shares.
    ended : str
        Good whose makers stopped altogether: it falls by the largest.
    squeezed : tuple of str
        Buyers short of hard currency from the measures on: the coalition sells them less, and nobody evades.
    slumps : tuple of (tuple of (str, str), float)
        First and last month in which all trade is down, with the log of it.
    exact : Exact, optional
        The route whose half-years are given to the dollar.
    eu : tuple of str
        Reporters whose exports are Comext's, and whose imports are not in the world.
    small_makers : tuple of str
        They make next to nothing of the goods, and report a split code whole.
    reexporters : tuple of str
        They publish re-exports beside exports.
    late : mapping of str to str
        Reporter → last month it has published.
    partial : tuple of str
        They have published a part of the last month only.
    silent_from : str
        Month from which on the targets publish nothing; empty: they go on.
    step_tail : float
        Degrees of freedom of Student's t, of the chance steps of routes.
    shifts : tuple of Shift
        Changes of honest trade once the measures hold, beside the measures' own.
    published : str
        What of the reports is at hand: all of it where empty; one_exporter (the exports of the first hub and of the
        coalition), periods_only (sales to targets, and the coalition's to hubs) or listed_extract (of the coalition's
        exports those of goods under the measures to hubs and targets).
    second_hops : tuple of Episode
        Planted beside the episodes in the variants of that name only.
    """

    name: str
    seed: int
    first_year: int
    months: int
    countries: tuple[Country, ...]
    goods: tuple[Good, ...]
    episodes: tuple[Episode, ...]
    routes: Mapping[Block, int]
    publishing: Publishing
    measures_from: str
    calm_year: int
    planted_says: str
    median_usd: float = 330_000
    least_usd: float = 200_000
    missing_shares: tuple[float, ...] = (0.75, 0.3)
    fall: tuple[float, float] = (0.60, 0.95)
    small_fall: tuple[float, float] = (0.0, 0.25)
    ended: str = ""
    squeezed: tuple[str, ...] = ()
    slumps: tuple[tuple[Span, float], ...] = ()
    exact: Exact | None = None
    eu: tuple[str, ...] = ()
    small_makers: tuple[str, ...] = ()
    reexporters: tuple[str, ...] = ()
    late: Mapping[str, str] = field(default_factory=dict)
    partial: tuple[str, ...] = ()
    silent_from: str = ""
    step_tail: float = 3
    shifts: tuple[Shift, ...] = ()
    published: str = ""
    second_hops: tuple[Episode, ...] = ()

    @cached_property
    def calendar(self) -> tuple[date, ...]:
        """First day of every month."""
        return tuple(date(self.first_year + month // 12, month % 12 + 1, 1) for month in range(self.months))

    @property
    def last(self) -> int:
        """Position of the last month."""
        return self.months - 1

    def month(self, text: str) -> int:
        """Position of a month in the calendar.

        Parameters
        ----------
        text : str
            Such as 2022-03; it may lie outside.

        Returns
        -------
        int
            0 for the first month.
        """
        return (int(text[:4]) - self.first_year) * 12 + int(text[5:]) - 1

    @cached_property
    def country_at(self) -> dict[str, int]:
        """Position of each country by ISO 3166-1 alpha-3."""
        return {country.iso3: position for position, country in enumerate(self.countries)}

    @cached_property
    def good_at(self) -> dict[str, int]:
        """Position of each good by the name of its family."""
        return {good.good: position for position, good in enumerate(self.goods)}

    def of_role(self, *roles: str) -> tuple[str, ...]:
        """Countries with one of these roles.

        Parameters
        ----------
        *roles : str
            target, coalition, hub or placebo.

        Returns
        -------
        tuple of str
            ISO 3166-1 alpha-3, in the order of the description.
        """
        return tuple(country.iso3 for country in self.countries if country.role in roles)
