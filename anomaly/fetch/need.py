"""What a scenario needs of anyone's statistics: countries by their part in it, goods of its lists, months since its baseline."""

from __future__ import annotations

from datetime import date

import polars as pl

from anomaly.contract.periods import months_before
from anomaly.contract.settings import Settings
from anomaly.fetch.base import Need
from anomaly.reference import countries, editions, goods


def of_scenario(settings: Settings, today: date) -> Need:
    """The countries, goods and months that a scenario asks about.

    Parameters
    ----------
    settings : Settings
        Roles of countries, goods_lists, baseline_years.
    today : datetime.date
        The month before its month is the last that anyone can have.

    Returns
    -------
    Need
        Goods are the lists' codes and, in the editions of these years, the codes that are the same goods; where there are no
        lists, all goods.
    """
    first, last = date(min(settings.baseline_years), 1, 1), months_before(today, 1)
    return Need(
        coalition=settings.coalition.countries,
        targets=settings.targets.countries,
        hubs=_hubs(settings),
        goods=_codes(tuple(goods_list.file for goods_list in settings.goods_lists), first.year, last.year),
        first=first,
        last=last,
    )


def _hubs(settings: Settings) -> tuple[str, ...]:
    """Hub candidates and their neighbours; where everyone else may be one, every country without another part."""
    if settings.hub_candidates.everyone_else:
        table = countries.table()
        others = table.filter(table["kind"] == "country")["iso3"].to_list()
        return tuple(
            iso3 for iso3 in others if iso3 not in (*settings.coalition.countries, *settings.targets.countries)
        )
    neighbours = settings.neighbours.countries if settings.neighbours else ()
    return tuple(dict.fromkeys((*settings.hub_candidates.countries, *neighbours)))


def _codes(lists: tuple[str, ...], first_year: int, last_year: int) -> tuple[str, ...]:
    """Codes of listed goods in each edition that reporters may use in these years: an edition late, at most."""
    if not lists:
        return ()
    starts = editions.EDITION_STARTS
    in_force = [number for number, start in enumerate(starts) if start <= last_year]
    oldest = max(0, max(number for number in in_force if starts[number] <= first_year) - 1)
    families = editions.family_map([number for number in in_force if number >= oldest])
    listed = goods.listed(lists, families)["good"].unique()
    codes = families.filter(pl.col("good").is_in(listed.implode()))["cmd_code"]
    single = listed.filter(listed.str.contains(r"^[0-9]{6}$"))
    return tuple(pl.concat([codes, single]).unique().sort())


def months(need: Need, since: date | None = None) -> list[date]:
    """The months of a need, oldest first.

    Parameters
    ----------
    need : Need
        Its first and last month.
    since : datetime.date, optional
        Months before it are left out.

    Returns
    -------
    list of datetime.date
        First days.
    """
    first = max(need.first, since.replace(day=1)) if since else need.first
    count = (need.last.year - first.year) * 12 + need.last.month - first.month + 1
    return [months_before(need.last, count - 1 - number) for number in range(max(0, count))]
