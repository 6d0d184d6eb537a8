"""What a description of a simulated world consists of: countries, goods, planted episodes, and how the offices publish.

Country codes, HS codes and places are real, so that the real readers and a real scenario apply; no figure of trade is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from anomaly.world.places import PLACES


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the world: where it lies, how large its trade is, and how it reports.

    Parameters
    ----------
    iso3, iso2 : str
        ISO 3166-1 codes.
    m49 : int
        Number that UN Comtrade gives it.
    name : str
        Name that UN Comtrade gives it.
    role : str
        target, coalition, hub or placebo, as the world's scenario sees it as an importer.
    lat, lon : float
        Where it lies, in degrees.
    sells, buys : float
        Size as exporter and importer, invented; 1 is a middling country.
    h6_from : str
        First month it reports in HS 2022.
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
    """A country of `places` in its part.

    Parameters
    ----------
    iso3 : str
        ISO 3166-1 alpha-3.
    role : str
        target, coalition, hub or placebo.
    sells, buys : float
        Size as exporter and importer; 1 is a middling country.
    h6_from : str
        First month it reports in HS 2022.

    Returns
    -------
    Country
        With its other codes, name and place.

    Raises
    ------
    KeyError
        The place is not among `places.PLACES`.
    """
    place = PLACES[iso3]
    return Country(
        iso3, place.iso2, place.m49, place.name, role, place.lat, place.lon, sells, buys, h6_from
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Good:
    """A good: an HS family, the codes it is reported under, and how it behaves.

    Parameters
    ----------
    code : str
        Six digits of HS 2017.
    name : str
        Its English name.
    is_sanctioned : bool
        Whether the coalition sells the targets much less of it once the measures hold.
    size : float
        Invented; 1 is a middling good.
    usd_per_kg : float
        Its price, invented.
    h6 : tuple of (str, float)
        Codes of HS 2022 and the share of each; empty where nothing changed.
    cn : tuple of str
        Last two digits of its eight-digit codes in the Combined Nomenclature.
    family : str
        Name of the HS family; empty where it is the code, with + where the code changed.
    since : str
        Month in which the measures on it begin; empty where that is the world's `measures_from`.
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

    Parameters
    ----------
    episode_id : str
        Its name in the labels.
    kind : str
        One of episodes.KINDS.
    exporter, importer, good : str
        ISO 3166-1 alpha-3 and HS family; empty where the episode is not of a single one.
    start : str
        First month.
    level : float
        USD a month at full height; for booms, prices and collapses the factor on what is there.
    before : float
        USD a month on the route until then (0: nothing ever), for routes of their own.
    suppliers : tuple of str
        Coalition members that sell the good to the hub.
    end : str
        Last month; empty: it lasts.
    listed : str
        HS family that falls where the good takes its place, of a relabelling.
    note : str
        What the label says of it; empty: what is said of its kind.
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
class Shift:
    """A change of honest trade from the measures on.

    Parameters
    ----------
    sellers, buyers : tuple of str
        Roles of the exporters and importers whose trade it is.
    goods : str
        listed (those under the measures), unlisted or all.
    factor : float
        On the values of the middle route, once it is whole.
    spread_log : float
        Between routes, log.
    is_of_leg : bool
        Whether all sellers of a good to an importer share one growth; else each route has its own.
    tail : float
        Degrees of freedom of the growth's t distribution; 0: it is normal.
    ramp_months : int
        Months until it is whole.
    """

    sellers: tuple[str, ...]
    buyers: tuple[str, ...]
    goods: str
    factor: float
    spread_log: float
    is_of_leg: bool = False
    tail: float = 0
    ramp_months: int = 4


@dataclass(frozen=True, slots=True)
class Exact:
    """A route whose half-years are given to the dollar, whatever the seed.

    Parameters
    ----------
    episode_id : str
        The episode whose route it is.
    halves : mapping of str to int
        Half-year such as 2022H1 → USD.
    shares : mapping of str to tuple of float
        Half-year → shares of its six months, where they are given too.
    """

    episode_id: str
    halves: Mapping[str, int]
    shares: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Publishing:
    """In which form the offices' files come, and what must not count in them.

    Parameters
    ----------
    vintage : datetime.date
        Day the release is of.
    as_answer : tuple of str
        Reporters whose rows come as answers of UN Comtrade's API.
    as_web_export : str
        Reporter whose exports come as a web export.
    with_totals : str
        Reporter whose exports also have the world as a partner, and four-digit headings.
    with_breakdown : str
        Reporter whose exports also come by means of transport.
    with_bad_rows : tuple of str
        Reporters some of whose rows no reader may take.
    usd_per_eur : tuple of float
        Invented, at even distances over the calendar.
    other_per_eur : mapping of str to (float, float)
        Currency → units of it per EUR in the first and last month; invented.
    hidden_by : str
        Comext reporter that withholds a tenth of what it sells to `hidden_to`; empty: none does.
    hidden_to : str
        ISO 3166-1 alpha-2.
    hidden : tuple of (str, str)
        Partner and product under which what is withheld is published.
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
