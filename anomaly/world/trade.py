"""Honest trade of the simulated world: who sells what to whom each month, before anything is planted.

Gravity-like sizes (seller, buyer, distance, who makes the good), then growth, seasons, noise, pauses and chance steps
that are the same kind of chance on every route, whoever buys. What is not alike: the coalition sells the targets less
of the goods under measures once they hold, and less of some goods to a few countries short of hard currency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.world.description import Description

Amounts = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Rng = np.random.Generator

SIZE_SPREAD = 0.75  # standard deviation of a route's chance size, log
SQUEEZE_FALL = (0.4, 0.8)  # coalition to the countries short of currency
SQUEEZED_SHARE = 0.6  # of the goods
# Steps of a route's own, up or down, for honest reasons: most months bring none, some a small one, few a very large one.
# Chosen so that growth over twelve months has the spread by size of annual trade reported to and by hubs and targets
# before 2022 (docs/world.md).
STEP_CHANCE = 0.08  # a month
STEP_SPREAD, STEP_SPREAD_SMALL = 0.45, 0.22  # log, and more for each power of ten below a million USD a month
STEP_KEPT = 0.97  # of a step is left a month later
STEP_BEFORE = 60  # months of steps before the first
STEP_MOST = 3.0  # log, of all steps of a route together
STEP_PLANTED = 1 / 3  # of a step on routes of an episode, around their level in 2021: the label must stay true
SMALLEST_USD = 1_000  # a month below it is no trade


@dataclass(slots=True)
class Trade:
    """Routes x months, true FOB values in USD. Episodes change the amounts; routes stay.

    Parameters
    ----------
    world : Description
        What it is the trade of.
    exporter, importer, good : array of int, shape (routes,)
        Positions in the description's countries and goods.
    value : array of float, shape (routes, months)
        FOB, USD.
    price : array of float, shape (routes, months)
        USD per kg.
    reexported : array of float, shape (routes, months)
        Part of the value that is re-export, USD.
    unrecorded : array of float, shape (routes, months)
        Part of the value that the importer never records, USD.
    is_exact : array of bool, shape (routes,)
        Whether the values are whole USD already and are reported to the dollar.
    """

    world: Description
    exporter: Positions
    importer: Positions
    good: Positions
    value: Amounts
    price: Amounts
    reexported: Amounts
    unrecorded: Amounts
    is_exact: npt.NDArray[np.bool_]

    def at(self, exporter: str, importer: str, good: str) -> int:
        """Row of a route.

        Parameters
        ----------
        exporter, importer : str
            ISO 3166-1 alpha-3.
        good : str
            HS family.

        Returns
        -------
        int
            Its position in the arrays.

        Raises
        ------
        KeyError
            The world has no such route.
        """
        rows = np.flatnonzero(
            (self.exporter == self.world.country_at[exporter])
            & (self.importer == self.world.country_at[importer])
            & (self.good == self.world.good_at[good])
        )
        if len(rows) != 1:
            raise KeyError(f"{good} {exporter} to {importer}")
        return int(rows[0])

    def names(self, row: int) -> tuple[str, str, str]:
        """Exporter, importer and good of a row.

        Parameters
        ----------
        row : int
            Position in the arrays.

        Returns
        -------
        tuple of str
            Two ISO 3166-1 alpha-3 codes and an HS family.
        """
        return (
            self.world.countries[self.exporter[row]].iso3,
            self.world.countries[self.importer[row]].iso3,
            self.world.goods[self.good[row]].good,
        )


def simulate(world: Description, rng: Rng, needed: pl.DataFrame) -> Trade:
    """Honest trade on the largest routes of each block and on the `needed` ones.

    Parameters
    ----------
    world : Description
        Countries, goods, calendar and measures.
    rng : numpy.random.Generator
        Source of all chance; it moves on.
    needed : polars.DataFrame
        exporter, importer, good (positions), before: USD a month that the route has, 0 for nothing at all, null for a
        size of its own.

    Returns
    -------
    Trade
        Sorted by exporter, importer and good, each route once.
    """
    routes = _routes(world, rng, needed)
    exporter, importer, good = (routes[name].to_numpy() for name in ("exporter", "importer", "good"))
    value = routes["size"].to_numpy()[:, None] * _course(world, rng, routes)
    value *= _measures(world, rng, exporter, importer, good)
    value[value < SMALLEST_USD] = 0.0
    price = np.array([item.usd_per_kg for item in world.goods])[good][:, None] * np.exp(
        rng.normal(0, 0.25, (len(value), 1)) + rng.normal(0, 0.05, value.shape)
    )
    return Trade(
        world, exporter, importer, good, value, price,
        np.zeros_like(value), np.zeros_like(value), np.zeros(len(value), dtype=np.bool_),
    )  # fmt: skip


def _routes(world: Description, rng: Rng, needed: pl.DataFrame) -> pl.DataFrame:
    """exporter, importer, good, size (USD a month), is_needed; sorted, each route once."""
    count, goods = len(world.countries), len(world.goods)
    exporter, importer, good = (
        axis.ravel() for axis in np.meshgrid(np.arange(count), np.arange(count), np.arange(goods), indexing="ij")
    )
    size = world.median_usd * np.exp(_gravity(world, rng, exporter, importer, good))
    chance = np.sqrt(size) * np.exp(rng.gumbel(0, 0.45, len(size)))
    role = np.array([country.role for country in world.countries])
    candidates = pl.DataFrame(
        {
            "exporter": exporter, "importer": importer, "good": good, "size": size, "chance": chance,
            "sells": role[exporter], "buys": role[importer],
        }
    ).filter(pl.col("exporter") != pl.col("importer"))  # fmt: skip
    blocks = pl.DataFrame(
        [(*block, most) for block, most in world.routes.items()], schema=["sells", "buys", "most"], orient="row"
    )
    key = ["exporter", "importer", "good"]
    needed_once = needed.unique(key, keep="first", maintain_order=True).with_columns(is_needed=pl.lit(value=True))
    return (
        candidates.join(blocks, on=["sells", "buys"])
        .with_columns(place=pl.col("chance").rank("ordinal", descending=True).over("sells", "buys"))
        .join(needed_once, on=key, how="left")
        .filter((pl.col("place") <= pl.col("most")) | pl.col("is_needed"))
        .with_columns(
            size=pl.coalesce("before", pl.when(pl.col("is_needed")).then(pl.col("size").clip(world.least_usd)), "size"),
            is_needed=pl.col("is_needed").fill_null(value=False),
        )
        .sort(key)
        .select(*key, "size", "is_needed")
    )


def _gravity(world: Description, rng: Rng, exporter: Positions, importer: Positions, good: Positions) -> Amounts:
    """Log size of a route: seller, buyer, distance, the seller's skill in the good, and chance."""
    sells, buys = (np.log([getattr(country, side) for country in world.countries]) for side in ("sells", "buys"))
    skill = rng.normal(0, 0.7, (len(world.countries), len(world.goods)))
    skill[[world.country_at[iso] for iso in world.small_makers]] -= 1.2
    size = np.log([item.size for item in world.goods])
    return (
        0.75 * sells[exporter]
        + 0.75 * buys[importer]
        + 0.8 * size[good]
        + skill[exporter, good]
        - 0.6 * np.log(np.maximum(_kilometres(world)[exporter, importer], 400) / 1000)
        + rng.normal(0, SIZE_SPREAD, len(exporter))
        - 1.0
    )


def _kilometres(world: Description) -> Amounts:
    """Great-circle distances between the countries."""
    lat, lon = np.radians([[country.lat, country.lon] for country in world.countries]).T
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return np.asarray(2 * 6371 * np.arcsin(np.sqrt(half)))


def _course(world: Description, rng: Rng, routes: pl.DataFrame) -> Amounts:
    """What every route goes through, around 1: growth, seasons, slumps, slow and quick noise, steps, pauses."""
    good, size, is_needed = (routes[name].to_numpy() for name in ("good", "size", "is_needed"))
    count, month = len(good), np.arange(world.months)
    growth = rng.normal(0.03, 0.05, count)[:, None] * (month - world.months / 2) / 12
    peak, height = rng.uniform(0, 12, len(world.goods)), rng.uniform(0.03, 0.18, len(world.goods))
    season = height[good, None] * np.cos(2 * np.pi * (month - peak[good, None]) / 12)
    slump = np.zeros(world.months)
    for (first, last), depth in world.slumps:
        slump[(month >= world.month(first)) & (month <= world.month(last))] = depth
    small = np.clip(np.log10(1e6 / np.maximum(size, 1e3)), 0, 3)  # the smaller, the rougher
    quick = rng.normal(0, (0.13 + 0.1 * small)[:, None], (count, world.months))
    slow = _slow(rng, 0.05 + 0.02 * small, world.months)
    log = growth + season + slump + slow + quick + _steps(world, rng, size, is_needed)
    pauses = rng.random((count, world.months)) < np.clip(0.22 * small - 0.1, 0, 0.6)[:, None]
    pauses |= (rng.random(count) < 0.08)[:, None] & (rng.random((count, world.months)) < 0.35) & ~is_needed[:, None]
    return np.where(pauses, 0.0, np.exp(log))


def _slow(rng: Rng, spread: Amounts, months: int) -> Amounts:
    """Noise that lasts: each month keeps four fifths of the last one's."""
    return _lasting(rng.normal(0, spread[:, None], (len(spread), months)), 0.8)


def _lasting(shocks: Amounts, kept: float) -> Amounts:
    """Routes x months: each month its own shock and what is kept of the month before."""
    level = shocks.copy()
    for month in range(1, level.shape[1]):
        level[:, month] += kept * level[:, month - 1]
    return level


def _steps(world: Description, rng: Rng, size: Amounts, is_needed: npt.NDArray[np.bool_]) -> Amounts:
    """Steps of a route's own at any month; they fade over years. Smaller on the routes of an episode."""
    smaller = np.clip(np.log10(1e6 / np.maximum(size, 1e3)), -1.5, 2)
    spread = np.maximum(STEP_SPREAD + STEP_SPREAD_SMALL * smaller, 0.05)
    shape = (len(size), STEP_BEFORE + world.months)
    steps = (rng.random(shape) < STEP_CHANCE) * rng.standard_t(world.step_tail, shape) * spread[:, None]
    level = np.clip(_lasting(steps, STEP_KEPT)[:, STEP_BEFORE:], -STEP_MOST, STEP_MOST)
    calm = world.month(f"{world.calm_year}-01")
    usual = level[:, calm : calm + 12].mean(axis=1, keepdims=True)
    return np.where(is_needed[:, None], STEP_PLANTED * (level - usual), level)


def _measures(world: Description, rng: Rng, exporter: Positions, importer: Positions, good: Positions) -> Amounts:
    """Factor on every route and month: what the coalition no longer sells, to the targets and to the squeezed."""
    from_coalition = np.isin(exporter, [world.country_at[iso] for iso in world.of_role("coalition")])
    to_target = np.isin(importer, [world.country_at[iso] for iso in world.of_role("target")])
    sanctioned = np.array([item.is_sanctioned for item in world.goods])
    large, small = rng.uniform(*world.fall, len(world.goods)), rng.uniform(*world.small_fall, len(world.goods))
    if world.ended:
        large[world.good_at[world.ended]] = world.fall[1]
    fall = np.where(from_coalition & to_target, np.where(sanctioned, large, small)[good], 0.0)
    squeeze = rng.uniform(*SQUEEZE_FALL, (len(world.countries), len(world.goods)))
    squeeze *= rng.random(squeeze.shape) < SQUEEZED_SHARE
    to_squeezed = np.isin(importer, [world.country_at[iso] for iso in world.squeezed])
    fall = np.where(from_coalition & to_squeezed, squeeze[importer, good], fall)
    fall = np.clip(fall + (fall > 0) * rng.normal(0, 0.03, len(fall)), 0, 0.97)
    return 1 - fall[:, None] * _depths(world)[good]


def _depths(world: Description) -> Amounts:
    """Goods x months: the share of its fall that a good has come to, 0 before the measures on it."""
    depth = np.zeros((len(world.goods), world.months))
    missing = np.array(world.missing_shares)
    for row, good in zip(depth, world.goods, strict=True):
        start = world.month(good.since or world.measures_from)
        row[start:] = 1.0
        row[start : start + len(missing)] -= missing[: world.months - start]
    return depth
