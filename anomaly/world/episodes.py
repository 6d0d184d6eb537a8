"""What is planted into the simulated trade, and the label of each: evasion that should be found, and booms that should not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.world.facts import CALENDAR, COUNTRY_AT, GOOD_AT, LAST, LATE, MONTHS, month_index, of_role
from anomaly.world.trade import Amounts, Trade

Rng = np.random.Generator

EVASION = ("hub_reexport", "ghost_transit", "new_route", "relabel")
BENIGN = ("price_only", "product_boom", "hub_boom", "collapse")
KINDS = EVASION + BENIGN
MISSION = "hub-01"

RAMP = (0.3, 0.65)  # share of the full level in the first months of an episode
UPSTREAM_SHARE = 0.9  # of what leaves the hub more, what enters it more: a mark-up of about a tenth
LEAST_LABELLED_USD = 200_000  # a month, before the boom: a smaller route of a boom is not worth a label
MISSION_HALVES = {  # KAZ to RUS, smartphones, USD by half-year; the first halves of 2021 and 2022 are the mission's
    "2018H1": 23_400_000, "2018H2": 27_900_000, "2019H1": 26_100_000, "2019H2": 30_800_000,
    "2020H1": 30_200_000, "2020H2": 36_500_000, "2021H1": 37_000_000, "2021H2": 44_300_000,
    "2022H1": 178_000_000, "2022H2": 331_000_000, "2023H1": 262_000_000,
}  # fmt: skip
MISSION_SPRING = (0.042, 0.049, 0.098, 0.214, 0.283, 0.314)  # shares of January to June 2022: the step is in April


@dataclass(frozen=True, slots=True)
class Episode:
    """A planted change.

    before   USD a month on the route until then (0: nothing ever), for routes of their own
    level    USD a month at full height; for booms, prices and collapses the factor on what is there
    suppliers   coalition members that sell the good to the hub
    exporter, importer, good   empty where the episode has no single one
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
    end: str = "2023-06"
    listed: str = ""
    note: str = ""


_CHIPS, _CARS, _MACHINES = ("KOR", "DEU", "NLD", "USA"), ("DEU", "JPN", "KOR", "ITA"), ("DEU", "ITA", "POL", "FRA")

EPISODES = (
    Episode("hub-01", "hub_reexport", "KAZ", "RUS", "851712+", "2022-03", 0, 0, _CHIPS,
            note="the mission's case: 37 to 178 million USD between the first halves of 2021 and 2022"),
    Episode("hub-02", "hub_reexport", "KGZ", "RUS", "870323", "2022-06", 4.2e6, 6e4, _CARS),
    Episode("hub-03", "hub_reexport", "ARM", "RUS", "870324", "2022-05", 6.1e6, 1.7e5, _CARS),
    Episode("hub-04", "hub_reexport", "GEO", "RUS", "870323", "2022-07", 3.3e6, 1.2e5, ("USA", "DEU", "JPN")),
    Episode("hub-05", "hub_reexport", "TUR", "RUS", "853710", "2022-05", 4.4e6, 8e5, _MACHINES),
    Episode("hub-06", "hub_reexport", "ARE", "RUS", "854231", "2022-06", 3.1e6, 1.4e5, _CHIPS),
    Episode("hub-07", "hub_reexport", "KAZ", "RUS", "847989", "2022-06", 1.9e6, 1e5, _MACHINES),
    Episode("hub-08", "hub_reexport", "ARM", "RUS", "851712+", "2022-05", 5.2e6, 9e4, _CHIPS, "2023-03",
            note="stops after March 2023: a route that is resolved"),
    Episode("hub-09", "hub_reexport", "UZB", "BLR", "848210", "2022-08", 9.5e5, 4e4, ("DEU", "ITA", "LTU")),
    Episode("hub-10", "hub_reexport", "KAZ", "RUS", "845011", "2022-05", 2.3e6, 2e4, ("POL", "ITA", "DEU")),
    Episode("hub-11", "hub_reexport", "CHN", "RUS", "847150", "2022-04", 1.7e7, 6e6, _CHIPS,
            note="a large route that grows three- to fourfold"),
    Episode("hub-12", "hub_reexport", "KGZ", "RUS", "854232", "2022-07", 8e5, 2e4, _CHIPS),
    Episode("new-01", "new_route", "KGZ", "RUS", "853224", "2022-05", 8.5e5, 0, _CHIPS),
    Episode("new-02", "new_route", "ARE", "RUS", "852580+", "2022-07", 1.5e6, 0, ("KOR", "USA", "DEU")),
    Episode("new-03", "new_route", "UZB", "RUS", "847180", "2022-09", 7e5, 0, _CHIPS),
    Episode("new-04", "new_route", "ARM", "BLR", "847150", "2022-06", 9.5e5, 0, ("POL", "LTU", "NLD")),
    Episode("ghost-01", "ghost_transit", "LTU", "KGZ", "850440", "2022-05", 2.6e6, 1e5),
    Episode("ghost-02", "ghost_transit", "DEU", "KGZ", "842952", "2022-06", 5.5e6, 4e5),
    Episode("ghost-03", "ghost_transit", "POL", "KAZ", "851762", "2022-05", 4.1e6, 5e5),
    Episode("ghost-04", "ghost_transit", "LTU", "UZB", "853690", "2022-07", 1.3e6, 6e4),
    Episode("ghost-05", "ghost_transit", "ITA", "KGZ", "848180", "2022-05", 2.9e6, 2e5),
    Episode("ghost-06", "ghost_transit", "NLD", "UZB", "854239", "2022-06", 2.1e6, 1.5e5),
    Episode("ghost-07", "ghost_transit", "FRA", "ARM", "903089", "2022-06", 1.8e6, 1e5),
    Episode("relabel-01", "relabel", "TUR", "RUS", "848280", "2022-10", 1.6e6, 1.5e5, listed="848210",
            note="ball bearings (848210) become other bearings"),
    Episode("relabel-02", "relabel", "CHN", "RUS", "850490", "2022-09", 3.8e6, 5e5, listed="850440",
            note="static converters (850440) become parts of converters"),
    Episode("price-01", "price_only", "KAZ", "RUS", "720839", "2022-04", 2.3, 9e5),
    Episode("price-02", "price_only", "TUR", "BLR", "760612", "2022-05", 2.1, 4e5),
    Episode("boom-01", "product_boom", "", "", "850760", "2022-02", 2.3),
    Episode("boom-02", "product_boom", "", "", "901839", "2022-04", 1.9),
    Episode("boom-03", "hub_boom", "SRB", "", "", "2022-04", 1.9),
    Episode("fall-01", "collapse", "TUR", "RUS", "870899", "2022-06", 0.15, 2.2e6),
    Episode("fall-02", "collapse", "CHN", "BLR", "852872", "2022-05", 0.2, 1.8e6),
    Episode("fall-03", "collapse", "ARE", "RUS", "330300", "2022-07", 0.25, 9e5),
)  # fmt: skip


def needed_routes() -> pl.DataFrame:
    """exporter, importer, good (positions) and before: routes that must exist for the episodes; null takes the world's."""
    rows: list[tuple[str, str, str, float | None]] = []
    for one in EPISODES:
        if one.exporter and one.importer:
            rows.append((one.exporter, one.importer, one.good, one.before))
        rows += [(supplier, one.exporter, one.good, None) for supplier in one.suppliers]
        if one.listed:
            rows.append((one.exporter, one.importer, one.listed, one.level * 1.1))
    return pl.DataFrame(
        [(COUNTRY_AT[sells], COUNTRY_AT[buys], GOOD_AT[good], usd) for sells, buys, good, usd in rows],
        schema={"exporter": pl.Int64, "importer": pl.Int64, "good": pl.Int64, "before": pl.Float64},
        orient="row",
    )


def plant(trade: Trade, rng: Rng) -> pl.DataFrame:
    """Change the trade in place and return the labels, one row a route, sorted by episode.

    Columns episode_id, kind, exporter_iso, importer_iso, good, start, end, is_evasion, note. An episode of a whole
    product or hub has a row for each of its routes from a hub to a target that is large enough to be asked about.
    """
    for one in EPISODES:
        _HOW[one.kind](trade, one, rng)
    rows = [row for one in EPISODES for row in _labels(trade, one)]
    columns = dict.fromkeys(("episode_id", "kind", "exporter_iso", "importer_iso", "good"), pl.String)
    return pl.DataFrame(
        rows,
        schema={**columns, "start": pl.Date, "end": pl.Date, "is_evasion": pl.Boolean, "note": pl.String},
        orient="row",
    )


def _shape(one: Episode) -> Amounts:
    """0 before the episode, the ramp, then 1 until its end."""
    start, end = month_index(one.start), month_index(one.end)
    shape = np.zeros(MONTHS)
    shape[start : end + 1] = 1.0
    ramp = min(len(RAMP), MONTHS - start)
    shape[start : start + ramp] = RAMP[:ramp]
    return shape


def _rise(one: Episode, rng: Rng) -> Amounts:
    return one.level * _shape(one) * np.exp(rng.normal(0, 0.12, MONTHS))


def _send_upstream(trade: Trade, one: Episode, more: Amounts, rng: Rng) -> None:
    """The coalition sells the hub what leaves it a month later, at a tenth less."""
    into = UPSTREAM_SHARE * np.append(more[1:], more[-1])
    shares = rng.dirichlet(np.full(len(one.suppliers), 6.0))
    for supplier, share in zip(one.suppliers, shares, strict=True):
        trade.value[trade.at(supplier, one.exporter, one.good)] += share * into * np.exp(rng.normal(0, 0.08, MONTHS))


def _reexport(trade: Trade, one: Episode, rng: Rng) -> None:
    row = trade.at(one.exporter, one.importer, one.good)
    if one.episode_id == MISSION:
        trade.value[row] = mission_months(rng)
        trade.is_exact[row] = True
        usual = trade.value[row][: month_index(one.start)][-12:].mean()
        more = np.maximum(trade.value[row] - usual, 0) * (_shape(one) > 0)
    else:
        more = _rise(one, rng)
        trade.value[row] += more
    trade.reexported[row] += 0.9 * more
    _send_upstream(trade, one, more, rng)


def mission_months(rng: Rng) -> Amounts:
    """KAZ to RUS smartphones by month, whole USD; every half-year sums to MISSION_HALVES exactly."""
    months: list[float] = []
    for half, total in MISSION_HALVES.items():
        shares = np.array(MISSION_SPRING) if half == "2022H1" else rng.dirichlet(np.full(6, 60.0))
        whole = np.floor(shares / shares.sum() * total)
        whole[-1] += total - whole.sum()
        months += whole.tolist()
    return np.array(months)


def _ghost(trade: Trade, one: Episode, rng: Rng) -> None:
    row = trade.at(one.exporter, one.importer, one.good)
    more = _rise(one, rng)
    trade.value[row] += more
    trade.unrecorded[row] += more


def _relabel(trade: Trade, one: Episode, rng: Rng) -> None:
    listed = trade.at(one.exporter, one.importer, one.listed)
    moved = 0.9 * _shape(one) * trade.value[listed]
    trade.value[listed] -= moved
    trade.value[trade.at(one.exporter, one.importer, one.good)] += moved * np.exp(rng.normal(0, 0.05, MONTHS))


def _price(trade: Trade, one: Episode, _rng: Rng) -> None:
    """The exporter's price rises on every route of the good; the weights stay."""
    rows = (trade.exporter == COUNTRY_AT[one.exporter]) & (trade.good == GOOD_AT[one.good])
    factor = 1 + (one.level - 1) * _shape(one)
    trade.value[rows] *= factor
    trade.price[rows] *= factor


def _boom(trade: Trade, one: Episode, _rng: Rng) -> None:
    rows = trade.good == GOOD_AT[one.good] if one.good else trade.exporter == COUNTRY_AT[one.exporter]
    trade.value[rows] *= 1 + (one.level - 1) * _shape(one)


def _collapse(trade: Trade, one: Episode, _rng: Rng) -> None:
    trade.value[trade.at(one.exporter, one.importer, one.good)] *= 1 + (one.level - 1) * _shape(one)


_HOW: dict[str, Callable[[Trade, Episode, Rng], None]] = {
    "hub_reexport": _reexport,
    "new_route": _reexport,
    "ghost_transit": _ghost,
    "relabel": _relabel,
    "price_only": _price,
    "product_boom": _boom,
    "hub_boom": _boom,
    "collapse": _collapse,
}


def _labels(trade: Trade, one: Episode) -> list[tuple[object, ...]]:
    is_single = one.exporter and one.importer
    routes = [(one.exporter, one.importer, one.good)] if is_single else _boomed_routes(trade, one)
    last = min(month_index(one.end), LATE.get(one.exporter, LAST))
    dates = (CALENDAR[month_index(one.start)], CALENDAR[last])
    note = one.note or NOTES[one.kind]
    return [(one.episode_id, one.kind, *route, *dates, one.kind in EVASION, note) for route in routes]


def _boomed_routes(trade: Trade, one: Episode) -> list[tuple[str, str, str]]:
    hubs, targets = of_role("hub"), of_role("target")
    before = trade.value[:, : month_index(one.start)][:, -12:].mean(axis=1)
    found = []
    for row in np.flatnonzero(before >= LEAST_LABELLED_USD):
        sells, buys, good = trade.names(int(row))
        of_episode = good == one.good if one.good else sells == one.exporter
        if of_episode and sells in hubs and buys in targets:
            found.append((sells, buys, good))
    return sorted(found)


NOTES = {
    "hub_reexport": "the hub's exports to the target step up, the coalition sells the hub more and the target less",
    "new_route": "nothing before; the coalition sells the hub what goes on",
    "ghost_transit": "the coalition reports the exports, the hub never records their arrival",
    "relabel": "a listed code falls and an unlisted one of its heading rises on the same pair",
    "price_only": "benign: the exporter's price rises everywhere, the weight does not",
    "product_boom": "benign: every route of the good rises, the coalition's to the target too",
    "hub_boom": "benign: everything the hub sells rises, to everyone",
    "collapse": "benign: the route falls",
}
