"""bilateral → what the coalition sold hubs beyond what the years before a measure explain, with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB
from anomaly.contract.periods import Window
from anomaly.contract.settings import Settings
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.leakage import frames, spread
from anomaly.leakage.frames import Direct, Tables, Tried, number
from anomaly.leakage.spread import Draws, Groups, Spread
from anomaly.supply import rise, series, stock
from anomaly.supply.asked import in_question
from anomaly.supply.reporting import Span
from anomaly.supply.rise import Spell
from anomaly.supply.series import Legs

CHAPTER_DIGITS = 2
_OF_HUB, _OF_CHAPTER = 0, 1  # levels of the shocks that cells share
_SUMMED_OVER = {"hub": "a hub's goods", "hub_chapter": "a hub's goods of a chapter"}


@dataclass(frozen=True, slots=True)
class Cells:
    """Every good to every hub: also what was never traded, since a new leg starts from nothing.

    Parameters
    ----------
    hubs, goods : array of int
        Numbers in `Legs.importers` and `Legs.goods`, ascending.
    value, prior : array of int, shape (hubs, goods)
        Whole USD, in the window and in the same months before the measure.
    """

    hubs: Ids
    goods: Ids
    value: Amounts
    prior: Amounts


def cells(legs: Legs, now: slice, then: slice, is_counted: Marks) -> Cells:
    """The hubs' cells of the counted goods in two runs of months; a leg that is not in the data carried nothing.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    now, then : slice
        Columns of `legs.value`: the window, and the months it is compared with.
    is_counted : array of bool, shape (goods,)
        Goods that are not known in one of the two must not be among them.

    Returns
    -------
    Cells
        Hubs by counted goods.
    """
    hubs, goods = np.flatnonzero(legs.is_hub), np.flatnonzero(is_counted)
    at_hub, at_good = np.full(len(legs.is_hub), -1), np.full(len(is_counted), -1)
    at_hub[hubs], at_good[goods] = np.arange(len(hubs)), np.arange(len(goods))
    row = np.flatnonzero((at_hub[legs.importer] >= 0) & (at_good[legs.good] >= 0))
    sums = []
    for months in (now, then):
        of_months = np.zeros((len(hubs), len(goods)), dtype=np.int64)
        of_months[at_hub[legs.importer[row]], at_good[legs.good[row]]] = np.maximum(legs.value[row, months], 0).sum(
            axis=1
        )
        sums.append(of_months)
    return Cells(hubs, goods, sums[0], sums[1])


def build(
    chunks: Iterable[pl.DataFrame],
    spans: Sequence[Span],
    broken: pl.DataFrame,
    lists: pl.DataFrame,
    settings: Settings,
) -> list[Tables]:
    """What the coalition sold hubs beyond what the years before the measure explain, of goods whose direct trade fell.

    Parameters
    ----------
    chunks : sequence of polars.DataFrame
        bilateral, whole goods, sorted by good, frequency, exporter, importer and period.
    spans : sequence of Span
        reporting.spans: which months are read, and whose.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    lists : polars.DataFrame
        reference.goods.listed: where the scenario asks about listed goods, no other is in a sum.
    settings : Settings
        Scenario: coalition, targets, date of the measure, goods_asked, materiality, least_months and all of `supply`.

    Returns
    -------
    list of Tables
        Windows of `supply.window_months`, and the year so far up to the last month out and to each December.
    """
    by_chunk = [series.legs(chunk, spans, broken, 0, settings, (series.HUB,)) for chunk in chunks]
    return [
        table
        for number_of_span, span in enumerate(spans)
        if (legs := series.joined(parts[number_of_span] for parts in by_chunk)) is not None
        for table in _of_span(legs, span, spans[-1].ends[-1], lists, settings)
    ]


def _of_span(legs: Legs, span: Span, last: date, lists: pl.DataFrame, settings: Settings) -> Iterable[Tables]:
    measure = legs.position(settings.sanctions_since.replace(day=1))
    rules = settings.model_copy(update={"supply": settings.supply.model_copy(update={"reference_years": 1})})
    for end in span.ends:
        lengths = {settings.supply.window_months}
        if end == last or end.month == 12:
            lengths.add(end.month if end.month >= settings.least_months else settings.supply.window_months)
        for months in sorted(lengths):
            window = rise.spell(legs.months.index(end), measure, months, None, rules)
            if window is not None and (table := _window(legs, window, measure, lists, settings)) is not None:
                yield table


def _window(legs: Legs, window: Spell, measure: int, lists: pl.DataFrame, settings: Settings) -> Tables | None:
    """One window; None where the data do not reach back to a year before that nothing was diverted in."""
    before = replace(window, end=window.before[0], before=(2 * window.before[0] - window.end,))
    if before.before[0] - window.months + 1 < 0:
        return None
    direct = rise.direct(legs, window, settings)
    is_known = (rise.refusal(legs, window) == "") & (rise.refusal(legs, before) == "")
    end, is_before = legs.months[window.end], window.end < measure
    is_counted = direct.fell & is_known & in_question(legs.goods, end, lists, settings, is_before=is_before)
    now = cells(legs, window.at(window.end), window.at(window.before[0]), is_counted)
    if not now.value.size:
        return None
    past = cells(legs, before.at(before.end), before.at(before.before[0]), is_known)
    key = {"leg": COALITION_TO_HUB, "freq_code": "M", "window_months": window.months, "window_end": end}
    spread_of_all = _spread(legs, past, np.ones(len(past.hubs), dtype=np.bool_), window.months, settings)
    rows = _rows(legs, now, spread_of_all, direct, window.months, settings)
    laid_in = stock.says(stock.before_measure(legs, settings), now.goods, direct.target[now.goods])
    checked = _coverage(legs, past, is_counted[past.goods], before, key, settings, laid_in)
    return Tables(frames.leakage(rows, key, is_before=is_before), checked)


def sizes(prior: Amounts, months: int, settings: Settings) -> Ids:
    """Stratum of each amount: nothing, then by `supply.sizes_usd` of a year.

    Parameters
    ----------
    prior : array of int
        Whole USD carried before.
    months : int
        Length of the window: edges of a year are cut to it.
    settings : Settings
        Scenario: supply.sizes_usd.

    Returns
    -------
    array of int
        0 for nothing, then 1 for the smallest size; of the shape given.
    """
    edges = np.array([1, *[edge * months / 12 for edge in settings.supply.sizes_usd]])
    return np.asarray(np.searchsorted(edges, prior, side="right"), dtype=np.int64)


def _spread(legs: Legs, past: Cells, is_read: Marks, months: int, settings: Settings) -> Spread:
    """How cells of some hubs grew in a year before the measure, by their size before it; all goods, also those that stood."""
    floor = settings.supply.floor_usd * months / 12
    value, prior = past.value[is_read].ravel(), past.prior[is_read].ravel()
    _, chapter = np.unique(_chapters(legs, past.goods), return_inverse=True)
    hub, of_chapter = np.divmod(np.arange(len(prior)), len(past.goods))
    groups = Groups((hub, hub * (int(chapter.max(initial=0)) + 1) + chapter[of_chapter]))
    size = sizes(prior, months, settings)
    usual, growth = (settings.supply.common_shock_log, 0.0), np.log((value + floor) / (prior + floor))
    return spread.read(growth, size, len(settings.supply.sizes_usd) + 2, groups, usual)


def _chapters(legs: Legs, goods: Ids) -> npt.NDArray[Any]:
    return legs.goods.gather(goods).str.slice(0, CHAPTER_DIGITS).to_numpy()


def draws(legs: Legs, hub: str, goods: Ids, prior: Amounts, past: Spread, months: int, settings: Settings) -> Draws:
    """What a hub's cells could have carried.

    Parameters
    ----------
    legs : Legs
        Names of the goods.
    hub : str
        Each has random numbers of its own, whoever else is in the data.
    goods : array of int, shape (cells,)
        Numbers in `legs.goods`.
    prior : array of int, shape (cells,)
        Whole USD each carried in the same months before the measure.
    past : Spread
        Of a year in which nothing can have been diverted.
    months : int
        Length of the window.
    settings : Settings
        Scenario: supply.seed, draws, floor_usd and sizes_usd.

    Returns
    -------
    array of float, shape (cells, draws)
        USD, 0 or more.

    Notes
    -----
    (prior + f) times e to the growth of a cell of the same size in a year before, times e to a shock that all cells of
    the hub share and one that those of a chapter do, less f.
    """
    rules, seed = settings.supply, (settings.supply.seed, number(hub))
    floor = rules.floor_usd * months / 12
    rise_log = spread.rises(past, sizes(prior, months, settings), seed, rules.draws)
    rise_log += spread.shock(past, _OF_HUB, (*seed, 0), rules.draws)
    names, chapter = np.unique(_chapters(legs, goods), return_inverse=True)
    if past.shared_log[_OF_CHAPTER] > 0:
        shocks = [spread.shock(past, _OF_CHAPTER, (*seed, number(name)), rules.draws) for name in names]
        rise_log += np.stack(shocks).astype(np.float32)[chapter]
    return frames.carried(prior, rise_log, floor)


def _rows(
    legs: Legs, now: Cells, past: Spread, direct: rise.Direct, months: int, settings: Settings
) -> list[pl.DataFrame]:
    """Every cell with trade, every hub, every good and all of it."""
    hubs, goods = legs.importers.gather(now.hubs), legs.goods.gather(now.goods)
    by_good = np.zeros((len(goods), settings.supply.draws))
    parts, of_hubs = [], []
    sent, sent_before = (np.maximum(amounts[now.goods], 0) for amounts in (direct.value, direct.prior))
    for at, hub in enumerate(hubs):
        drawn = draws(legs, hub, now.goods, now.prior[at], past, months, settings)
        by_good += drawn
        of_hubs.append(drawn.sum(axis=0, dtype=np.float64))
        traded = np.flatnonzero((now.value[at] > 0) | (now.prior[at] > 0))
        amounts = frames.amounts(drawn[traded], now.value[at, traded], now.prior[at, traded], settings)
        of_goods, once = Direct(sent[traded], sent_before[traded]), np.ones(len(traded), dtype=np.int64)
        names = goods.gather(traded).to_list()
        parts.append(frames.named(amounts, "hub_good", [hub] * len(traded), names, of_goods, once))
    of_all = Direct(np.full(len(hubs), sent.sum()), np.full(len(hubs), sent_before.sum()))
    per_hub = frames.amounts(np.stack(of_hubs), now.value.sum(axis=1), now.prior.sum(axis=1), settings)
    count = np.full(len(hubs), len(goods))
    parts.append(frames.named(per_hub, "hub", hubs.to_list(), [""] * len(hubs), of_all, count))
    per_good = frames.amounts(by_good, now.value.sum(axis=0), now.prior.sum(axis=0), settings)
    of_goods, count = Direct(sent, sent_before), np.full(len(goods), len(hubs))
    parts.append(frames.named(per_good, "good", [""] * len(goods), goods.to_list(), of_goods, count))
    total = frames.amounts(np.sum(of_hubs, axis=0)[None], now.value.sum()[None], now.prior.sum()[None], settings)
    of_all, count = Direct(sent.sum()[None], sent_before.sum()[None]), np.array([len(hubs) * len(goods)])
    parts.append(frames.named(total, "all", [""], [""], of_all, count))
    return parts


def _coverage(
    legs: Legs, past: Cells, is_counted: Marks, before: Spell, key: dict[str, object], settings: Settings, laid_in: str
) -> pl.DataFrame:
    """How often the interval held what came a year before, each hub by the growth of the others; and what was laid in."""
    counted = np.flatnonzero(is_counted)
    goods = past.goods[counted]
    chapter = _chapters(legs, goods)
    tried = Tried(settings.materiality_usd * before.months / 12, settings)
    for at, hub in enumerate(legs.importers.gather(past.hubs)):
        is_other_hub = np.arange(len(past.hubs)) != at
        if not is_other_hub.any():
            continue
        value, prior = past.value[at, counted], past.prior[at, counted]
        of_others = _spread(legs, past, is_other_hub, before.months, settings)
        drawn = draws(legs, hub, goods, prior, of_others, before.months, settings)
        for name in np.unique(chapter):
            row = chapter == name
            tried.add("hub_chapter", drawn[row], value[row], prior[row])
        tried.add("hub", drawn, value, prior)
    return frames.coverage(
        [
            {**key, "of": kind, "interval_share": settings.supply.interval_share, "sums": tried.sums[kind],
             "held": tried.held[kind], "checked_end": legs.months[before.end],
             "says": f"{_says(legs, before, kind, tried.sums[kind], tried.held[kind], settings)} {laid_in if kind == 'hub' else ''}".strip()}
            for kind in _SUMMED_OVER
        ]
    )  # fmt: skip


def _says(legs: Legs, before: Spell, kind: str, sums: int, held: int, settings: Settings) -> str:
    window = Window("M", before.months, legs.months[before.end]).words
    if not sums:
        return f"Of sums over {_SUMMED_OVER[kind]} none was large enough in {window} to try the interval on."
    return (
        f"In {window}, before the measure, intervals that ask for {100 * settings.supply.interval_share:.0f} % held "
        f"{held} of {sums} sums over {_SUMMED_OVER[kind]} ({100 * held / sums:.1f} %), each hub by the growth of the others."
    )
