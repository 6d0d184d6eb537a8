"""The two legs beside a route: what the coalition sells to each country, and whether the other side records it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

import numpy as np

from anomaly.contract.periods import Window
from anomaly.features import cells, unit_values
from anomaly.features.cells import UNKNOWN
from anomaly.features.grid import Grid
from anomaly.features.lost_legs import why_lost
from anomaly.features.marks import Amounts, Ids, Marks, changes, rows_of
from anomaly.features.unit_values import Floats
from anomaly.features.windows import Comparison, compared_with

MIRROR = ("leg_exported_usd", "leg_imported_usd", "leg_exported_baseline_usd", "leg_imported_baseline_usd")


@dataclass(frozen=True, slots=True)
class Compared:
    """A window of a grid beside its year before and its baseline, one figure a route.

    Parameters
    ----------
    value, prior, baseline : array of int, shape (routes,)
        Trade in the window, a year before, and the mean of the baseline years; whole USD, UNKNOWN where unknown.
    baseline_max : array of int, shape (routes,)
        The highest of the baseline years, likewise.
    is_comparable : array of bool, shape (routes,)
        Window and year before are both known and not broken.
    is_in_totals : array of bool, shape (routes,)
        So is the baseline, where the window has one.
    is_edition_broken : array of bool, shape (routes,)
        The windows straddle a change of HS edition that the good does not survive.
    is_edition_changed : array of bool, shape (routes,)
        They straddle one.
    """

    value: Amounts
    prior: Amounts
    baseline: Amounts
    baseline_max: Amounts
    is_comparable: Marks
    is_in_totals: Marks
    is_edition_broken: Marks
    is_edition_changed: Marks


@dataclass(frozen=True, slots=True)
class Legs:
    """The coalition's exports of each good to each country.

    Parameters
    ----------
    value, prior, baseline : array of int, shape (cells,)
        In the window, a year before, and the mean of the baseline years; whole USD, UNKNOWN where there are none to
        compare. A cell is a good and a country.
    usd_per_kg : array of float, shape (cells,)
        Their price in the window; NaN where unknown.
    says : array of int, shape (cells,)
        Position in `texts` of what was compared; -1 where nothing was.
    texts : list of str
        Months and publishers in words.
    lost : str
        Why the others are unknown.
    """

    value: Amounts
    prior: Amounts
    baseline: Amounts
    usd_per_kg: Floats
    says: Ids
    texts: list[str]
    lost: str = ""


def coalition_legs(
    grid: Grid,
    monthly: Grid | None,
    comparison: Comparison,
    compared: Compared,
    compare: Callable[[Grid, Comparison], Compared],
    is_coalition: Marks,
    members: Sequence[str],
    broken_by: Ids,
) -> Legs:
    """The coalition's exports of each good to each country; 0 where a dataset that would show them holds none.

    Reporters that are comparable in the window, the year before and the baseline only. Where annual data have no
    such leg, monthly data give it for the months of the year that are out, the same months in each year.

    Parameters
    ----------
    grid : Grid
        The window's goods.
    monthly : Grid or None
        The same goods in monthly data, where there are any.
    comparison : Comparison
        What is compared.
    compared : Compared
        The window of the grid.
    compare : callable
        Grid and comparison → Compared, for the months of `monthly`.
    is_coalition : array of bool, shape (countries,)
        Members of the coalition.
    members : sequence of str
        All of them, also those that sell none of these goods: their last months are the year's so far.
    broken_by : array of int, shape (goods,)
        refusals.edition_bits of the grid's goods.

    Returns
    -------
    Legs
        By cell of good and country.
    """
    legs, so_far = _legs(grid, comparison, compared, is_coalition), None
    nothing = _nothing(grid, comparison, compared, is_coalition, broken_by)
    if comparison.window.freq_code == "A" and monthly is not None:
        so_far = _year_so_far(monthly, comparison, members)
        if so_far is not None:
            of_months = compare(monthly, so_far)
            legs = _completed(legs, _legs(monthly, so_far, of_months, is_coalition))
            nothing = _completed(nothing, _nothing(monthly, so_far, of_months, is_coalition, broken_by))
    return replace(_completed(legs, nothing), lost=why_lost(grid.known, monthly, comparison, so_far, members))


def _completed(legs: Legs, fallback: Legs) -> Legs:
    """Legs, and where they are unknown the others."""
    is_own = legs.says >= 0
    return Legs(
        np.where(is_own, legs.value, fallback.value),
        np.where(is_own, legs.prior, fallback.prior),
        np.where(is_own, legs.baseline, fallback.baseline),
        np.where(is_own, legs.usd_per_kg, fallback.usd_per_kg),
        np.where(is_own | (fallback.says < 0), legs.says, fallback.says + len(legs.texts)),
        legs.texts + fallback.texts,
    )


def _nothing(grid: Grid, comparison: Comparison, compared: Compared, is_coalition: Marks, broken_by: Ids) -> Legs:
    """Legs that are known to be nothing: a dataset of a member that would show them holds no row of them.

    The dataset holds the good and the partner in all the years, and a member has published every period in full, in no two
    editions of the HS between which the good is not the same thing. A good that stands for several codes must be sold by the
    coalition to somebody, since it may have moved under another one.
    """
    known, names = grid.known, grid.names
    periods = [*(comparison.now(known) or []), *(comparison.prior(known) or [])]
    periods += chain.from_iterable(comparison.baseline(known))
    of_none = np.full(names.cells, UNKNOWN, dtype=np.int64)
    says = np.full(names.cells, -1, dtype=np.int64)
    texts: list[str] = []
    sold = np.zeros(names.goods.len(), dtype=np.bool_)
    sold[grid.good[compared.is_in_totals & is_coalition[grid.exporter]]] = True
    is_asked = sold | ~names.are_recoded()
    exporters = known.reporters.filter(flow_code="X")
    for source, dataset in exporters.select("source", "dataset").unique(maintain_order=True).iter_rows():
        reporters, held, dealt = rows_of(known, (source, dataset, "X"), names.goods, names.countries)
        members = reporters[is_coalition]
        members = members[known.complete[members][:, periods].all(axis=1)] if periods else members[:0]
        if not len(members):
            continue
        _, crossed = changes(known.edition[members][:, periods])
        is_same = ((broken_by[:, None] & crossed[None, :]) == 0).any(axis=1)
        goods = is_asked & is_same & known.held[held][:, periods].all(axis=1)
        partners = ~is_coalition & known.dealt[dealt][:, periods].all(axis=1)
        is_shown = (goods[:, None] & partners[None, :]).reshape(-1)
        says[is_shown & (says < 0)] = len(texts)
        texts.append(f"{_says(comparison.window)}, {source}")
    zero = np.where(says >= 0, 0, of_none)
    baseline = zero if comparison.baseline_years else of_none
    return Legs(zero, zero, baseline, np.full(names.cells, np.nan), says, texts)


def _legs(grid: Grid, comparison: Comparison, compared: Compared, is_coalition: Marks) -> Legs:
    sent = np.flatnonzero(compared.is_in_totals & is_coalition[grid.exporter])
    cell, size = grid.into[sent], grid.names.cells
    is_there = cells.present(cell, size)

    def summed(values: Amounts) -> Amounts:
        return np.where(is_there, cells.add_up(values[sent], cell, size), UNKNOWN)

    sources = np.zeros(size, dtype=np.int64)  # a bit each
    np.bitwise_or.at(sources, cell, 1 << grid.names.source_of_kind[grid.kind[sent]])
    distinct = np.unique(sources[is_there])
    texts = [
        f"{_says(comparison.window)}, "
        + " and ".join(source for number, source in enumerate(grid.names.sources) if bits >> number & 1)
        for bits in distinct.tolist()
    ]
    value = summed(compared.value)
    return Legs(
        value,
        summed(compared.prior),
        summed(compared.baseline) if comparison.baseline_years else np.full(size, UNKNOWN, dtype=np.int64),
        unit_values.of_cells(grid, comparison.now(grid.known), sent, cell, value),
        np.where(is_there, np.searchsorted(distinct, sources), -1),
        texts,
    )


def _year_so_far(monthly: Grid, comparison: Comparison, members: Sequence[str]) -> Comparison | None:
    """The months of the window's year that most of the members that report by month have out, as a window of its own.

    Another reporter's last month says nothing of theirs, and one member that is ahead or late does not take the leg from
    all the others.
    """
    known, year = monthly.known, comparison.window.year
    are_members = known.reporters["reporter_iso"].is_in(list(members)) & (known.reporters["flow_code"] == "X")
    of_members = known.complete[np.flatnonzero(are_members.to_numpy())]
    least = of_members.any(axis=1).sum() / 2
    out = [
        period.month
        for position, period in enumerate(known.periods)
        if period.year == year and 0 < least <= of_members[:, position].sum()
    ]
    if len(out) < 3:
        return None
    window = Window("M", len(out), date(year, max(out), 1))
    if known.index(window) is None or known.index(window.in_year(year - 1)) is None:
        return None
    return compared_with(known, window, comparison.baseline_years, comparison.gap_years)


def _says(window: Window) -> str:
    """The window and its year before; what is missing of a year so far that is no quarter, half or whole of it."""
    words = f"{window.words} with {window.in_year(window.year - 1).words}"
    if window.freq_code == "A" or window.months != window.end.month or window.months % 3 == 0:
        return words
    missing = Window("M", 12 - window.months, date(window.year, 12, 1))
    return f"{words} ({missing.words} not published)"


def mirror_legs(
    grid: Grid, comparison: Comparison, compared: Compared, is_coalition: Marks, broken_by: Ids
) -> tuple[Amounts, ...]:
    """The coalition's exports to each route's exporter as both sides report them, where both report both windows.

    On a route that starts in the coalition itself the leg is the route.

    Parameters
    ----------
    grid : Grid
        The window's goods.
    comparison : Comparison
        What is compared.
    compared : Compared
        The window of the grid.
    is_coalition : array of bool, shape (countries,)
        Members of the coalition.
    broken_by : array of int, shape (goods,)
        refusals.edition_bits of the grid's goods.

    Returns
    -------
    tuple of array of int, shape (routes,)
        The columns of MIRROR, whole USD. UNKNOWN where no importer reports, and where the good does not survive a
        change of edition on either side, or between the sides.
    """
    if grid.exported is None or grid.imported is None or not comparison.baseline_years:
        nothing = np.full(len(grid.good), UNKNOWN, dtype=np.int64)
        return (nothing,) * len(MIRROR)
    known = grid.known
    now, base = comparison.now(known), comparison.baseline(known)
    sums = (
        cells.total(grid.exported, now),
        cells.total(grid.imported, now),
        cells.mean(grid.exported, base),
        cells.mean(grid.imported, base),
    )
    is_known = np.logical_and.reduce([compared.is_in_totals, *[usd > UNKNOWN for usd in sums]])
    route = np.flatnonzero(is_known)
    is_known[route] = ~_are_recoded(grid, broken_by, [*chain.from_iterable(base), *(now or [])], route)
    is_first_leg = is_coalition[grid.exporter]
    sent = np.flatnonzero(is_known & is_first_leg)
    cell, size = grid.into[sent], grid.names.cells
    is_there = cells.present(cell, size)
    return tuple(
        np.where(
            is_first_leg,
            np.where(is_known, usd, UNKNOWN),
            np.where(is_there, cells.add_up(usd[sent], cell, size), UNKNOWN)[grid.out_of],
        )
        for usd in sums
    )


def _are_recoded(grid: Grid, broken_by: Ids, at: list[int], route: Ids) -> Marks:
    """Routes whose good does not survive what lies between the oldest and the newest edition of its two sides."""
    if grid.importer_edition is None:
        return np.zeros(len(route), dtype=np.bool_)
    exporters = grid.known.edition[:, at].astype(np.int64)
    importers = grid.importer_edition[np.ix_(np.array(at, dtype=np.int64), route)].astype(np.int64)
    none = np.iinfo(np.int64).max
    oldest = np.minimum(
        np.where(exporters > 0, exporters, none).min(axis=1, initial=none)[grid.reporter[route]],
        np.where(importers > 0, importers, none).min(axis=0, initial=none),
    )
    newest = np.maximum(exporters.max(axis=1, initial=0)[grid.reporter[route]], importers.max(axis=0, initial=0))
    crossed = (1 << (newest + 1)) - (1 << (np.minimum(oldest, newest) + 1))
    result: Marks = (broken_by[grid.good[route]] & crossed) != 0
    return result
