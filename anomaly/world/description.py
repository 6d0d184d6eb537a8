"""What a simulated world is made of: one description a regime, as data. `trade`, `episodes`, `reports` and `files` read it.

Country codes, HS codes and places are real, so that the real readers and a real scenario apply; no figure of trade is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from anomaly.world.places import PLACES

Block = tuple[str, str]  # roles of seller and buyer
Span = tuple[str, str]  # first and last month, such as ("2020-03", "2020-06")


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the world: where it lies, how large its trade is, and how it reports.

    role       target, coalition, hub or placebo, as the world's scenario sees it as an importer
    sells, buys   size as exporter and importer, invented, 1 is a middling country
    h6_from    first month it reports in HS 2022
    """

    iso3: str
    iso2: str
    m49: int
    name: str
    role: str
    lat: float
    lon: float
    sells: float
    buys: float
    h6_from: str = "2022-01"


def country(iso3: str, role: str, sells: float, buys: float, h6_from: str = "2022-01") -> Country:
    """A country of `places` in its part. Raises KeyError where the place is not there."""
    place = PLACES[iso3]
    return Country(
        iso3, place.iso2, place.m49, place.name, role, place.lat, place.lon, sells, buys, h6_from
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Good:
    """A good: an HS family, the codes it is reported under, and how it behaves.

    is_sanctioned   the coalition sells the targets much less of it once the measures hold
    h6     code and share in HS 2022; one pair with the same code where nothing changed
    cn     last two digits of its eight-digit codes in the Combined Nomenclature
    size   invented, 1 is a middling good
    since  month in which the measures on it begin, where that is not the world's `measures_from`
    """

    code: str
    name: str
    is_sanctioned: bool
    size: float
    usd_per_kg: float
    h6: tuple[tuple[str, float], ...] = ()
    cn: tuple[str, ...] = ("00",)
    family: str = ""
    since: str = ""

    @property
    def good(self) -> str:
        """Name of the HS family."""
        return self.family or (f"{self.code}+" if self.h6 else self.code)


@dataclass(frozen=True, slots=True)
class Episode:
    """A planted change.

    before   USD a month on the route until then (0: nothing ever), for routes of their own
    level    USD a month at full height; for booms, prices and collapses the factor on what is there
    suppliers   coalition members that sell the good to the hub
    exporter, importer, good   empty where the episode has no single one
    end      last month; empty: it lasts
    """

    episode_id: str
    kind: str
    exporter: str
    importer: str
    good: str
    start: str
    level: float
    before: float = 0
    suppliers: tuple[str, ...] = ()
    end: str = ""
    listed: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exact:
    """A route whose half-years are told to the dollar, whatever the seed.

    halves   half-year such as 2022H1 → USD
    shares   half-year → shares of its six months, where they are told too
    """

    episode_id: str
    halves: Mapping[str, int]
    shares: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Publishing:
    """In which form the offices' files come, and what must not count in them.

    vintage        day the release is of
    as_answer      reporters whose rows come as answers of UN Comtrade's API
    as_web_export  reporter whose exports come as a web export
    with_totals    its exports also have the world as a partner, and four-digit headings
    with_breakdown its exports also come by means of transport
    hidden_by      Comext reporter that withholds a tenth of what it sells to `hidden_to` (ISO-2) as `hidden`: pairs of
                   partner and product
    usd_per_eur    invented, at even distances over the calendar
    other_per_eur  first and last month; invented
    """

    vintage: date
    as_answer: tuple[str, ...]
    as_web_export: str
    with_totals: str
    with_breakdown: str
    with_bad_rows: tuple[str, ...]
    usd_per_eur: tuple[float, ...]
    other_per_eur: Mapping[str, tuple[float, float]]
    hidden_by: str = ""
    hidden_to: str = ""
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Description:
    """A world: its countries, goods and months, what the measures do to its honest trade, and what is planted.

    name            the regime's, as a scenario has it
    seed            of the world that the demo shows
    first_year, months   the calendar, from January on
    median_usd      a month, of a middling good between middling countries a thousand kilometres apart
    least_usd       a month before, of routes of an episode that have no size of their own, and of a boom's labels
    routes          roles of seller and buyer → routes simulated: the larger one is, the likelier it is among them
    measures_from   month in which the coalition begins to sell the targets less of the goods under measures
    still           share of the fall that is still missing in the first months
    fall, small_fall   least and largest fall of goods under measures, and of the others
    ended           good whose makers stopped altogether: it falls by the largest
    squeezed        buyers short of hard currency from then on: the coalition sells them less, and nobody evades
    slumps          spans in which all trade is down, with the log of it
    calm_year       year around whose level the routes of an episode take their own, smaller steps
    eu              reporters whose exports are Comext's, and whose imports are not in the world
    small_makers    make next to nothing of the goods here; report a split code whole
    reexporters     publish re-exports beside exports
    late            reporter → last month it has published
    partial         have published a part of the last month only
    silent_from     month from which on the targets publish nothing; empty: they go on
    planted_says    what was planted, for the page beside the files
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
    still: tuple[float, ...] = (0.75, 0.3)
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

    @cached_property
    def calendar(self) -> tuple[date, ...]:
        """First day of every month."""
        return tuple(date(self.first_year + month // 12, month % 12 + 1, 1) for month in range(self.months))

    @property
    def last(self) -> int:
        """Position of the last month."""
        return self.months - 1

    def month(self, text: str) -> int:
        """Position of a month such as "2022-03" in the calendar."""
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
        """ISO codes of the countries with one of these roles, in the order of the description."""
        return tuple(country.iso3 for country in self.countries if country.role in roles)
