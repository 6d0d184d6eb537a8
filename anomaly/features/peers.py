"""What happened to everybody's trade: how the routes that were established before rose, as medians of the others.

Three effects make the counterfactual of a route. What its exporter sells elsewhere is in `measure`; here are the other two:
how the other sellers of its good to its importer rose, and how the exporter's other goods to that importer did. This is the
habit of structural gravity (importer-product-time and pair effects) in medians, after Tukey. A peer is chosen by its baseline
alone, never by what it became, and no route is its own peer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.keys import WINDOW_TYPES
from anomaly.contract.settings import Settings
from anomaly.features import cells
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import Grid, Names
from anomaly.features.marks import Ids, Marks
from anomaly.features.windows import Comparison
from anomaly.indicators.base import FELL_LOG

Floats = npt.NDArray[np.float64]

LEAST_SELLERS = 3  # of the good to the importer; fewer say nothing of anybody else
LEAST_GOODS = 8  # of the exporter to the importer; fewer may all be the detour itself, in an extract of listed goods
SHRINK = 2  # a median of n counts n/(n + SHRINK) of itself
HELD_AGAINST = ("target", "placebo")  # roles of importers whose trade is held against each other

_COMPARISON = {**WINDOW_TYPES, "baseline_gap_years": pl.Int8}
_PAIR = ("exporter_iso", "importer_iso")
COLUMNS: dict[str, Any] = {  # names as numbers: the rows of every good are held at once
    **_COMPARISON, **dict.fromkeys(("freq_code", *_PAIR), pl.Categorical), "is_target": pl.Boolean,
    "rise_log": pl.Float64, "good_importer_rise_log": pl.Float64, "has_direct_fallen": pl.Boolean,
}  # fmt: skip
PAIRS: dict[str, Any] = {
    **_COMPARISON, "exporter_iso": pl.String, "importer_iso": pl.String, "routes": pl.Int64,
    "lower_log": pl.Float64, "middle_log": pl.Float64, "upper_log": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Medians:
    """The middle of each group of values, and what it would be without one of them.

    Parameters
    ----------
    count : array of int, shape (groups,)
        Values in each.
    lower, middle, upper : array of float, shape (groups,)
        The median, and the values right below and above it; NaN where there is none.
    """

    count: Ids
    lower: Floats
    middle: Floats
    upper: Floats

    def without(self, group: Ids, own: Floats) -> tuple[Floats, Ids]:
        """The median of the others in a group.

        Parameters
        ----------
        group : array of int, shape (routes,)
            The group of each route; -1: none.
        own : array of float, shape (routes,)
            The route's own value in the group; NaN where it is none of it.

        Returns
        -------
        tuple of array
            The median, NaN where there are no others, and how many others there are; of shape (routes,).
        """
        at = np.maximum(group, 0)
        if not len(self.count):
            return np.full(len(group), np.nan), np.zeros(len(group), dtype=np.int64)
        is_member = ~np.isnan(own)
        count_without = np.where(group >= 0, self.count[at] - is_member, 0)
        lower, middle, upper = self.lower[at], self.middle[at], self.upper[at]
        of_odd = np.where(own > middle, lower + middle, np.where(own < middle, middle + upper, lower + upper)) / 2
        of_even = np.where(own <= lower, upper, lower)
        median = np.where(is_member, np.where(self.count[at] % 2 == 1, of_odd, of_even), middle)
        return np.where(count_without > 0, median, np.nan), count_without


def medians(values: Floats, group: Ids, groups: int) -> Medians:
    """Medians of values by group.

    Parameters
    ----------
    values, group : array, shape (values,)
        Finite values, and the group of each, 0 to groups - 1.
    groups : int
        How many there are.

    Returns
    -------
    Medians
        Of every group.
    """
    count = np.bincount(group, minlength=groups)
    ordered = np.append(values[np.lexsort((values, group))], np.nan)
    first = np.cumsum(count) - count

    def ranked(place: Ids) -> Floats:
        is_inside = (place >= 0) & (place < count)
        return np.where(is_inside, ordered[np.where(is_inside, first + place, len(values))], np.nan)

    half, is_odd = count // 2, count % 2 == 1
    below, above = ranked(half - 1), ranked(half)
    return Medians(
        count, below, np.where(is_odd, above, (below + above) / 2), np.where(is_odd, ranked(half + 1), above)
    )


def shrunk(median: pl.Expr, peers: pl.Expr, least: int) -> pl.Expr:
    """An effect as far as its peers make it known.

    Parameters
    ----------
    median : polars.Expr
        Median rise of the peers, log.
    peers : polars.Expr
        How many they are.
    least : int
        LEAST_SELLERS or LEAST_GOODS.

    Returns
    -------
    polars.Expr
        The median times n/(n + SHRINK); null with fewer than `least`.
    """
    return pl.when(peers >= least).then(median * peers / (peers + SHRINK))


def is_established(grid: Grid, comparison: Comparison, compared: Compared, settings: Settings) -> Marks:
    """Routes whose rise says something of everybody's: sellers outside the matter with a considerable baseline.

    Parameters
    ----------
    grid : Grid
        A chunk of goods.
    comparison : Comparison
        The window.
    compared : Compared
        The window of the grid.
    settings : Settings
        Scenario: coalition, targets, the roles of importers, and materiality: the least baseline of a year.

    Returns
    -------
    array of bool, shape (routes,)
        False throughout where the window has no baseline.
    """
    names = grid.names
    sells = ~names.are((*settings.coalition.countries, *settings.targets.countries))
    buys = np.array([settings.role_of(country) in HELD_AGAINST for country in names.countries], dtype=np.bool_)
    least = settings.materiality_usd * comparison.window.months / 12
    marks: Marks = compared.is_in_totals & (compared.baseline >= least) & sells[grid.exporter] & buys[grid.importer]
    return marks if comparison.baseline_years else np.zeros_like(marks)


def rise_log(compared: Compared, routes: Ids, floor_usd: float) -> Floats:
    """Growth of routes against their baseline.

    Parameters
    ----------
    compared : Compared
        A window of a grid.
    routes : array of int
        Places of routes whose value and baseline are known.
    floor_usd : float
        Added to both; the scenario's floor.

    Returns
    -------
    array of float
        ln((V + f)/(B + f)).
    """
    result: Floats = np.log((compared.value[routes] + floor_usd) / (compared.baseline[routes] + floor_usd))
    return result


def of_goods(grid: Grid, established: Ids, rises: Floats, routes: Ids) -> tuple[Floats, Ids]:
    """How the other sellers of each route's good to its importer rose.

    Parameters
    ----------
    grid : Grid
        A chunk of goods.
    established : array of int
        Places of the established routes.
    rises : array of float
        rise_log of these.
    routes : array of int
        Places of the routes that are asked about.

    Returns
    -------
    tuple of array
        Median, NaN where there is no other, and number of the others; of the shape of `routes`.
    """
    own = np.full(len(grid.good), np.nan)
    own[established] = rises
    bought, group = np.unique(grid.into[established], return_inverse=True)
    at = np.searchsorted(bought, grid.into[routes])
    is_there = (at < len(bought)) & (np.append(bought, -1)[np.minimum(at, len(bought))] == grid.into[routes])
    return medians(rises, group, len(bought)).without(np.where(is_there, at, -1), own[routes])


def rises_of(
    grid: Grid, comparison: Comparison, compared: Compared, is_coalition: Marks, settings: Settings
) -> pl.DataFrame:
    """The established routes of a window of a chunk.

    Parameters
    ----------
    grid : Grid
        A chunk of goods.
    comparison : Comparison
        The window.
    compared : Compared
        The window of the grid.
    is_coalition : array of bool, shape (countries,)
        Members of the coalition.
    settings : Settings
        Scenario: floor and roles.

    Returns
    -------
    polars.DataFrame
        COLUMNS. has_direct_fallen is false where the direct trade is not in the data.
    """
    floor, names, window = float(settings.floor_usd), grid.names, comparison.window
    at = np.flatnonzero(is_established(grid, comparison, compared, settings))
    rises = rise_log(compared, at, floor)
    of_other_goods, count = of_goods(grid, at, rises, at)
    direct = np.flatnonzero(is_coalition[grid.exporter] & compared.is_in_totals)
    now, base = (
        cells.add_up(values[direct], grid.into[direct], names.cells) for values in (compared.value, compared.baseline)
    )
    has_fallen = np.log((base + floor) / (now + floor)) >= FELL_LOG
    is_target = np.array([settings.role_of(country) == "target" for country in names.countries], dtype=np.bool_)
    countries = names.countries.cast(pl.Categorical)
    shared = {
        "freq_code": window.freq_code, "window_months": window.months, "window_end": window.end,
        "baseline_gap_years": comparison.gap_years,
    }  # fmt: skip
    return pl.DataFrame(
        {
            "exporter_iso": countries.gather(grid.exporter[at]),
            "importer_iso": countries.gather(grid.importer[at]),
            "is_target": is_target[grid.importer[at]],
            "rise_log": rises,
            "good_importer_rise_log": pl.Series(of_other_goods, nan_to_null=True),
            "has_direct_fallen": has_fallen[grid.into[at]],
            "peers": count,
        }
    ).select(
        *[pl.lit(value, dtype=_COMPARISON[name]).cast(COLUMNS[name]).alias(name) for name, value in shared.items()],
        *_PAIR, "is_target", "rise_log",
        shrunk(pl.col("good_importer_rise_log"), pl.col("peers"), LEAST_SELLERS), "has_direct_fallen",
    )  # fmt: skip


def pairs(established: pl.DataFrame) -> pl.DataFrame:
    """How all that an exporter sells an importer rose, as the middle of its established routes.

    Parameters
    ----------
    established : polars.DataFrame
        COLUMNS, of every good.

    Returns
    -------
    polars.DataFrame
        PAIRS, sorted by all but the last four.
    """
    key = [*_COMPARISON, "exporter_iso", "importer_iso"]
    groups = established.select(key).unique().cast({pl.Categorical: pl.String}).sort(key).with_row_index("group")
    numbered = groups.cast({pl.String: pl.Categorical})
    group = established.select(key).join(numbered, on=key, how="left", maintain_order="left")["group"]
    of_pairs = medians(established["rise_log"].to_numpy(), group.cast(pl.Int64).to_numpy(), groups.height)
    return groups.select(key).with_columns(
        routes=pl.Series(of_pairs.count, dtype=pl.Int64),
        lower_log=pl.Series(of_pairs.lower, nan_to_null=True),
        middle_log=pl.Series(of_pairs.middle, nan_to_null=True),
        upper_log=pl.Series(of_pairs.upper, nan_to_null=True),
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """`pairs` of one comparison, to be looked up.

    Parameters
    ----------
    countries : polars.Series
        Sorted, each once.
    key : array of int, shape (pairs,)
        Exporter's place times the number of countries, and importer's place; ascending.
    rises : Medians
        Of the pairs.
    """

    countries: pl.Series
    key: Ids
    rises: Medians

    def without(self, names: Names, exporter: Ids, importer: Ids, own: Floats) -> tuple[Floats, Ids]:
        """How the exporter's other goods to the importer rose.

        Parameters
        ----------
        names : Names
            What the numbers of a grid stand for.
        exporter, importer : array of int, shape (routes,)
            Places in the names' countries.
        own : array of float, shape (routes,)
            rise_log of the route where it is established, else NaN.

        Returns
        -------
        tuple of array
            Median, NaN where there is no other, and number of the others.
        """
        place = np.searchsorted(self.countries.to_numpy(), names.countries.to_numpy())
        is_in = names.countries.is_in(self.countries.implode()).to_numpy()
        place = np.where(is_in, place, -1)
        pair = place[exporter] * self.countries.len() + place[importer]
        pair = np.where((place[exporter] < 0) | (place[importer] < 0), -1, pair)
        at = np.searchsorted(self.key, pair)
        is_there = (at < len(self.key)) & (np.append(self.key, -2)[np.minimum(at, len(self.key))] == pair)
        return self.rises.without(np.where(is_there, at, -1), own)


def by_comparison(table: pl.DataFrame) -> dict[tuple[Any, ...], Pairs]:
    """`pairs` by the key of their comparison.

    Parameters
    ----------
    table : polars.DataFrame
        PAIRS.

    Returns
    -------
    dict of tuple to Pairs
        (freq_code, window_months, window_end, baseline_gap_years) → the pairs of that comparison.
    """
    pairs_of: dict[tuple[Any, ...], Pairs] = {}
    for key, part in table.group_by(list(_COMPARISON), maintain_order=True):
        sides = part.select("exporter_iso", "importer_iso")
        countries = pl.concat([sides["exporter_iso"], sides["importer_iso"]]).unique().sort()
        places = [
            sides[name].cast(pl.Enum(countries)).to_physical().cast(pl.Int64).to_numpy() for name in sides.columns
        ]
        pair = places[0] * countries.len() + places[1]
        order = np.argsort(pair)
        floats = (part[name].fill_null(np.nan).to_numpy()[order] for name in ("lower_log", "middle_log", "upper_log"))
        pairs_of[key] = Pairs(countries, pair[order], Medians(part["routes"].to_numpy()[order], *floats))
    return pairs_of


def joined(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Rows of all chunks.

    Parameters
    ----------
    parts : iterable of polars.DataFrame
        rises_of of every chunk and window.

    Returns
    -------
    polars.DataFrame
        COLUMNS, also where there is no part.
    """
    return pl.concat([pl.DataFrame(schema=COLUMNS), *parts])


def key_of(comparison: Comparison) -> tuple[Any, ...]:
    """The key of a comparison in `by_comparison`.

    Parameters
    ----------
    comparison : Comparison
        A window and what it is compared with.

    Returns
    -------
    tuple
        freq_code, window_months, window_end, baseline_gap_years.
    """
    window = comparison.window
    return window.freq_code, window.months, window.end, comparison.gap_years
