"""What the simulated world's offices have published by a day: first releases, late ones, and what was revised since.

Without a day all is out and final: the world as its files hold it. With a day, each reporter's month is out from a day
of its own on, and its rows change until the last release. At the end of all releases the two are the same.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from anomaly import world
from anomaly.world.as_ecb import usd_per_eur
from anomaly.world.description import Description

MEMBERS_DAY = 16  # Comext's new month is out on this day of the month after next, for all members at once
LAG_DAYS = (35, 100)  # of a reporter's usual first release after the end of the month
LATE_OF, LATE_DAYS = 12, 75  # one month of so many comes later, by so many days
REVISED = ((0, 1, 1, 2), (70, 150))  # later releases of a month, one of these; and days after the one before
MISSING_OF_1000, CHANGED_OF_1000 = 40, 90  # rows for each release still to come
RELEASE_HOUR = time(11, 0, 7, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Facts:
    """A world, and when its offices publish what.

    Parameters
    ----------
    world : Description
        Its countries, goods and calendar.
    reports : polars.DataFrame
        As `anomaly.world.reported` gives them: what is published in the end.
    releases : polars.DataFrame
        reporter, month, number (1 is the first), last (number of the last), released (Date).
    """

    world: Description
    reports: pl.DataFrame
    releases: pl.DataFrame

    @functools.cached_property
    def usd_per_eur(self) -> list[float]:
        """USD per EUR by month of the calendar."""
        return usd_per_eur(self.world)


@dataclass(frozen=True, eq=False)
class Published:
    """What is out on a day.

    Parameters
    ----------
    facts : Facts
        Of the world.
    today : datetime.date
        The day; that of the world's files where none was set.
    reports : polars.DataFrame
        Columns of the reports, as they stand on that day.
    releases : polars.DataFrame
        reporter, month, number, first_released, last_released, of what is out.
    limits : Limits
        What is allowed; whoever answers looks at it.
    kept : dict
        What was made of it and is dear to make again.
    """

    facts: Facts
    today: date
    reports: pl.DataFrame
    releases: pl.DataFrame
    limits: Any
    kept: dict[object, Any]

    @property
    def world(self) -> Description:
        """The world's description."""
        return self.facts.world

    def once(self, name: object, make: Any) -> Any:
        """Make something of this day once, and keep it.

        Parameters
        ----------
        name : object
            Of what is made.
        make : callable
            Called without arguments, where it was not made yet.

        Returns
        -------
        object
            What `make` gave.
        """
        with _MAKING:
            if name not in self.kept:
                self.kept[name] = make()
            return self.kept[name]


_MAKING = threading.RLock()


@functools.cache
def facts_of(regime: str = "", seed: int | None = None) -> Facts:
    """The facts of a regime's world; made once a process.

    Parameters
    ----------
    regime : str
        Such as russia-2022; the first world where it is empty.
    seed : int, optional
        By default the world's own.

    Returns
    -------
    Facts
        With a calendar of releases from the same seed.
    """
    return facts_from(world.describe(regime), seed)


def facts_from(description: Description, seed: int | None = None) -> Facts:
    """The facts of a world as described.

    Parameters
    ----------
    description : Description
        What the world is made of.
    seed : int, optional
        By default the description's own.

    Returns
    -------
    Facts
        With a calendar of releases from the same seed.
    """
    reports, _ = world.reported(seed, description)
    return Facts(description, reports, _calendar(description, reports, description.seed if seed is None else seed))


def published(facts: Facts, limits: Any, today: date | None = None) -> Published:
    """What is out on a day.

    Parameters
    ----------
    facts : Facts
        Of the world.
    limits : Limits
        What is allowed.
    today : datetime.date, optional
        By default the day of the world's files, with all releases out.

    Returns
    -------
    Published
        Without months that are not out; rows of months that will be revised lack, or differ.
    """
    day = today or facts.world.publishing.vintage
    out = facts.releases if today is None else facts.releases.filter(pl.col("released") <= day)
    releases = (
        out.with_columns(released=pl.min_horizontal("released", pl.lit(day)))
        .group_by("reporter", "month", "last")
        .agg(
            number=pl.col("number").max(),
            first_released=pl.col("released").min(),
            last_released=pl.col("released").max(),
        )
        .sort("reporter", "month")
    )
    to_come = releases.select("reporter", "month", to_come=pl.col("last") - pl.col("number"))
    rows = facts.reports.join(to_come, on=["reporter", "month"], how="inner", maintain_order="left")
    return Published(facts, day, _as_it_stood(facts.world, rows), releases.drop("last"), limits, {})


def moment(day: date) -> datetime:
    """The moment of a release.

    Parameters
    ----------
    day : datetime.date
        Of the release.

    Returns
    -------
    datetime.datetime
        In UTC.
    """
    return datetime.combine(day, RELEASE_HOUR)


def _calendar(description: Description, reports: pl.DataFrame, seed: int) -> pl.DataFrame:
    """reporter, month, number, last, released: chance is arithmetic on reporter, month and seed."""
    m49 = {country.iso3: country.m49 for country in description.countries}
    rows = []
    for iso, month in reports.select("reporter", "month").unique().sort("reporter", "month").iter_rows():
        is_member = iso in description.eu
        draw = _mixed(0 if is_member else m49[iso], month, seed)
        first = description.calendar[month]
        end = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        if is_member:
            released = (end + timedelta(days=31)).replace(day=MEMBERS_DAY)
        else:
            usual = LAG_DAYS[0] + _mixed(m49[iso], 0, seed) % (LAG_DAYS[1] - LAG_DAYS[0])
            released = end + timedelta(days=usual + draw % 5 + (LATE_DAYS if draw // 5 % LATE_OF == 0 else 0))
        counts, (least, most) = REVISED
        last = 1 + counts[draw // 60 % len(counts)]
        for number in range(1, last + 1):
            rows.append((iso, month, number, last, released))
            released += timedelta(days=least + _mixed(draw, number, seed) % (most - least))
    schema = {"reporter": pl.String, "month": pl.Int64, "number": pl.Int64, "last": pl.Int64, "released": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _mixed(*numbers: int) -> int:
    """A number of 32 bits that looks like chance."""
    mixed = 2166136261
    for number in numbers:
        mixed = ((mixed ^ (number & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
        mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    return mixed ^ (mixed >> 13)


def _as_it_stood(description: Description, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as they stood with `to_come` releases still to come: some lack, some have another value."""
    m49 = {country.iso3: country.m49 for country in description.countries}
    flow = pl.col("flow").replace_strict({"X": 1, "M": 2, "RX": 3})
    mixed = (
        pl.col("reporter").replace_strict(m49, return_dtype=pl.Int64) * 7919
        + pl.col("partner").replace_strict(m49, return_dtype=pl.Int64) * 104_729
        + pl.col("code").cast(pl.Int64) * 1_299_709
        + pl.col("month") * 15_485_863
        + flow.cast(pl.Int64) * 32_452_843
    )
    chance = (mixed * 2_654_435_761 % 4_294_967_296) // 4_096 % 1_000
    lacks = chance < MISSING_OF_1000 * pl.col("to_come")
    changes = (chance >= 500) & (chance < 500 + CHANGED_OF_1000 * pl.col("to_come"))
    per_mille = pl.when(changes).then(700 + mixed % 500).otherwise(1_000)
    return (
        rows.filter(~lacks).with_columns(value_usd=(pl.col("value_usd") * per_mille // 1_000).clip(1)).drop("to_come")
    )
