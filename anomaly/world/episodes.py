"""What is planted into the simulated trade, and the label of each: evasion that should be found, and booms that should not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from anomaly.world.description import Description
from anomaly.world.elements import Episode, Exact
from anomaly.world.trade import Amounts, Trade

Rng = np.random.Generator

EVASION = ("hub_reexport", "ghost_transit", "new_route", "relabel", "second_hop")
BENIGN = ("price_only", "product_boom", "hub_boom", "collapse")
KINDS = EVASION + BENIGN

RAMP = (0.3, 0.65)  # share of the full level in the first months of an episode
UPSTREAM_SHARE = 0.9  # of what leaves the hub more, what enters it more: a mark-up of about a tenth


def needed_routes(world: Description) -> pl.DataFrame:
    """Routes that must exist for a world's episodes.

    Parameters
    ----------
    world : Description
        Its episodes.

    Returns
    -------
    polars.DataFrame
        exporter, importer, good (positions) and before (USD a month until the episode, null for a size of the world's).
    """
    rows: list[tuple[str, str, str, float | None]] = []
    for episode in world.episodes:
        if episode.exporter and episode.importer:
            rows.append((episode.exporter, episode.importer, episode.good, episode.before))
        rows += [(supplier, episode.exporter, episode.good, None) for supplier in episode.suppliers]
        if episode.listed:
            rows.append((episode.exporter, episode.importer, episode.listed, episode.level * 1.1))
    return pl.DataFrame(
        [
            (world.country_at[sells], world.country_at[buys], world.good_at[good], usd)
            for sells, buys, good, usd in rows
        ],
        schema={"exporter": pl.Int64, "importer": pl.Int64, "good": pl.Int64, "before": pl.Float64},
        orient="row",
    )


def plant(trade: Trade, rng: Rng) -> pl.DataFrame:
    """Change the trade in place by the episodes of its world, and say what was changed.

    Parameters
    ----------
    trade : Trade
        Honest trade.
    rng : numpy.random.Generator
        Source of all chance; it moves on.

    Returns
    -------
    polars.DataFrame
        Labels, in the order of the episodes: episode_id, kind, exporter_iso, importer_iso, good, start, end, is_evasion,
        note; a row a route. An episode of a whole product or hub has a row for each of its routes from a hub to a target
        that is large enough to be asked about.
    """
    for episode in trade.world.episodes:
        _HOW[episode.kind](trade, episode, rng)
    rows = [row for episode in trade.world.episodes for row in _labels(trade, episode)]
    columns = dict.fromkeys(("episode_id", "kind", "exporter_iso", "importer_iso", "good"), pl.String)
    return pl.DataFrame(
        rows,
        schema={**columns, "start": pl.Date, "end": pl.Date, "is_evasion": pl.Boolean, "note": pl.String},
        orient="row",
    )


def _last(world: Description, episode: Episode) -> int:
    return world.month(episode.end) if episode.end else world.last


def _shape(world: Description, episode: Episode) -> Amounts:
    """0 before the episode, the ramp, then 1 until its end."""
    start, end = world.month(episode.start), _last(world, episode)
    shape = np.zeros(world.months)
    shape[start : end + 1] = 1.0
    ramp = min(len(RAMP), world.months - start)
    shape[start : start + ramp] = RAMP[:ramp]
    return shape


def _rise(world: Description, episode: Episode, rng: Rng) -> Amounts:
    return episode.level * _shape(world, episode) * np.exp(rng.normal(0, 0.12, world.months))


def _send_upstream(trade: Trade, episode: Episode, rise: Amounts, rng: Rng) -> None:
    """The coalition sells the hub what leaves it a month later, at a tenth less."""
    if not episode.suppliers:
        return
    into = UPSTREAM_SHARE * np.append(rise[1:], rise[-1])
    shares = rng.dirichlet(np.full(len(episode.suppliers), 6.0))
    for supplier, share in zip(episode.suppliers, shares, strict=True):
        trade.value[trade.at(supplier, episode.exporter, episode.good)] += (
            share * into * np.exp(rng.normal(0, 0.08, len(into)))
        )


def _reexport(trade: Trade, episode: Episode, rng: Rng) -> None:
    row, exact = trade.at(episode.exporter, episode.importer, episode.good), trade.world.exact
    if exact is not None and episode.episode_id == exact.episode_id:
        trade.value[row] = exact_months(exact, rng)
        trade.is_exact[row] = True
        usual = trade.value[row][: trade.world.month(episode.start)][-12:].mean()
        rise = np.maximum(trade.value[row] - usual, 0) * (_shape(trade.world, episode) > 0)
    else:
        rise = _rise(trade.world, episode, rng)
        trade.value[row] += rise
    trade.reexported[row] += 0.9 * rise
    _send_upstream(trade, episode, rise, rng)


def exact_months(exact: Exact, rng: Rng) -> Amounts:
    """Months of a route of which the half-years are given.

    Parameters
    ----------
    exact : Exact
        Its half-years.
    rng : numpy.random.Generator
        Shares of the months where they are not given.

    Returns
    -------
    array of float, shape (months,)
        Whole USD; every half-year sums to what is given.
    """
    months: list[float] = []
    for half, total in exact.halves.items():
        shares = np.array(exact.shares[half]) if half in exact.shares else rng.dirichlet(np.full(6, 60.0))
        usd = np.floor(shares / shares.sum() * total)
        usd[-1] += total - usd.sum()
        months += usd.tolist()
    return np.array(months)


def _ghost(trade: Trade, episode: Episode, rng: Rng) -> None:
    row = trade.at(episode.exporter, episode.importer, episode.good)
    rise = _rise(trade.world, episode, rng)
    trade.value[row] += rise
    trade.unrecorded[row] += rise


def _relabel(trade: Trade, episode: Episode, rng: Rng) -> None:
    listed = trade.at(episode.exporter, episode.importer, episode.listed)
    moved = 0.9 * _shape(trade.world, episode) * trade.value[listed]
    trade.value[listed] -= moved
    trade.value[trade.at(episode.exporter, episode.importer, episode.good)] += moved * np.exp(
        rng.normal(0, 0.05, len(moved))
    )


def _price(trade: Trade, episode: Episode, _rng: Rng) -> None:
    """The exporter's price rises on every route of the good; the weights stay."""
    rows = (trade.exporter == trade.world.country_at[episode.exporter]) & (
        trade.good == trade.world.good_at[episode.good]
    )
    factor = 1 + (episode.level - 1) * _shape(trade.world, episode)
    trade.value[rows] *= factor
    trade.price[rows] *= factor


def _boom(trade: Trade, episode: Episode, _rng: Rng) -> None:
    world = trade.world
    rows = (
        trade.good == world.good_at[episode.good]
        if episode.good
        else trade.exporter == world.country_at[episode.exporter]
    )
    trade.value[rows] *= 1 + (episode.level - 1) * _shape(trade.world, episode)


def _collapse(trade: Trade, episode: Episode, _rng: Rng) -> None:
    trade.value[trade.at(episode.exporter, episode.importer, episode.good)] *= 1 + (episode.level - 1) * _shape(
        trade.world, episode
    )


_HOW: dict[str, Callable[[Trade, Episode, Rng], None]] = {
    "hub_reexport": _reexport,
    "new_route": _reexport,
    "ghost_transit": _ghost,
    "second_hop": _reexport,
    "relabel": _relabel,
    "price_only": _price,
    "product_boom": _boom,
    "hub_boom": _boom,
    "collapse": _collapse,
}


def _labels(trade: Trade, episode: Episode) -> list[tuple[object, ...]]:
    is_single = episode.exporter and episode.importer
    routes = [(episode.exporter, episode.importer, episode.good)] if is_single else _boomed_routes(trade, episode)
    world = trade.world
    late = world.late.get(episode.exporter)
    last = _last(world, episode) if late is None else min(_last(world, episode), world.month(late))
    dates = (world.calendar[world.month(episode.start)], world.calendar[last])
    note = episode.note or NOTES[episode.kind]
    return [(episode.episode_id, episode.kind, *route, *dates, episode.kind in EVASION, note) for route in routes]


def _boomed_routes(trade: Trade, episode: Episode) -> list[tuple[str, str, str]]:
    hubs, targets = trade.world.of_role("hub"), trade.world.of_role("target")
    before = trade.value[:, : trade.world.month(episode.start)][:, -12:].mean(axis=1)
    boomed = []
    for row in np.flatnonzero(before >= trade.world.least_usd):
        sells, buys, good = trade.names(int(row))
        is_of_episode = good == episode.good if episode.good else sells == episode.exporter
        if is_of_episode and sells in hubs and buys in targets:
            boomed.append((sells, buys, good))
    return sorted(boomed)


NOTES = {
    "hub_reexport": "the hub's exports to the target step up, the coalition sells the hub more and the target less",
    "new_route": "nothing before; the coalition sells the hub what goes on",
    "ghost_transit": "the coalition reports the exports, the hub never records their arrival",
    "second_hop": "the coalition sells a hub what it sells on to another hub",
    "relabel": "a listed code falls and an unlisted episode of its heading rises on the same pair",
    "price_only": "benign: the exporter's price rises everywhere, the weight does not",
    "product_boom": "benign: every route of the good rises, the coalition's to the target too",
    "hub_boom": "benign: everything the hub sells rises, to everyone",
    "collapse": "benign: the route falls",
}
