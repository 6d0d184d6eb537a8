"""One window of a grid: its material routes, and all that stands beside them, as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from anomaly.bilateral.coverage import PARTNERS_OF_A_WHOLE_DATASET
from anomaly.contract.settings import Settings
from anomaly.features import cells, exporter_totals, neighbour_codes, peers, unit_values
from anomaly.features import monthly as months
from anomaly.features.cells import UNKNOWN
from anomaly.features.coalition_legs import MIRROR, Compared, Legs, coalition_legs, mirror_legs
from anomaly.features.comparative_advantage import Placed, revealed_advantage
from anomaly.features.grid import Grid
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.features.refusals import straddles
from anomaly.features.size_effect import size_effect
from anomaly.features.unit_values import Floats
from anomaly.features.windows import Comparison

Column = Amounts | Marks | Floats


def compare(grid: Grid, comparison: Comparison, broken_by: Ids) -> Compared:
    """Each route's trade in a window, a year before and in the baseline, and whether they can be compared.

    Parameters
    ----------
    grid : Grid
        A chunk of goods at the window's frequency.
    comparison : Comparison
        What is compared.
    broken_by : array of int, shape (goods,)
        refusals.edition_bits of the grid's goods.

    Returns
    -------
    Compared
        By route of the grid.
    """
    known = grid.known
    now, prior, base_at = comparison.now(known), comparison.prior(known), comparison.baseline(known)
    broken, changed = straddles(grid, broken_by, [*(prior or []), *(now or [])])
    all_periods = [*chain.from_iterable(base_at), *(prior or []), *(now or [])]
    base_broken, base_changed = straddles(grid, broken_by, all_periods)
    value, before = cells.total(grid.value, now), cells.total(grid.value, prior)
    base = np.where(base_broken, UNKNOWN, cells.mean(grid.value, base_at))
    best = np.where(base_broken, UNKNOWN, cells.highest(grid.value, base_at))
    comparable = (value >= 0) & (before >= 0) & ~broken
    in_totals = comparable & (base >= 0) if base_at else comparable
    return Compared(value, before, base, best, comparable, in_totals, broken, changed | base_changed)


@dataclass(frozen=True, slots=True)
class Measured:
    """The material routes of a window as columns of numbers.

    Parameters
    ----------
    comparison : Comparison
        What was compared.
    columns : dict of str to array, shape (routes,)
        UNKNOWN or NaN where unknown; goods, countries and kinds as their numbers in the grid's names.
    texts : list of str
        What the columns `target_says` and `hub_says` count in.
    """

    comparison: Comparison
    columns: dict[str, Column]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Once:
    """What is looked up once for a grid and used by all its windows.

    Parameters
    ----------
    is_coalition, is_target, is_hub : array of bool, shape (countries,)
        Roles of the countries in names; possible hubs and their neighbours are hubs.
    is_whole : array of bool, shape (kinds,)
        See `are_whole`.
    broken_by : array of int, shape (goods,)
        refusals.edition_bits of the grid's goods.
    pairs : neighbour_codes.Pairs
        Routes that have siblings.
    exports : Placed
        Exports of all goods, for the comparative advantage.
    sums : array of int, shape (reporters, periods)
        exporter_totals.spread; empty where there are no totals.
    months : dict of datetime.date to MonthlySigns
        By the end of a window; empty for annual data.
    rises_of_pairs : dict of tuple to peers.Pairs
        How all that an exporter sells an importer rose, by comparison.
    """

    is_coalition: Marks
    is_target: Marks
    is_hub: Marks
    is_whole: Marks
    broken_by: Ids
    pairs: neighbour_codes.Pairs
    exports: Placed
    sums: Amounts
    months: dict[date, months.MonthlySigns]
    rises_of_pairs: dict[tuple[Any, ...], peers.Pairs]


def measure(
    grid: Grid, monthly: Grid | None, once: Once, comparison: Comparison, compared: Compared, settings: Settings
) -> Measured:
    """The material routes of a window, and to targets those of the year before, with all that features has of them.

    Parameters
    ----------
    grid : Grid
        A chunk of goods at the window's frequency.
    monthly : Grid or None
        The same goods in monthly data, for a leg of which the year has no annual figure yet.
    once : Once
        Of the same grid.
    comparison : Comparison
        What is compared.
    compared : Compared
        The window of the grid.
    settings : Settings
        Scenario: materiality, floor.

    Returns
    -------
    Measured
        A row for each route that is compared.
    """
    is_coalition = once.is_coalition
    legs = coalition_legs(
        grid,
        monthly,
        comparison,
        compared,
        lambda measured_grid, with_years: compare(measured_grid, with_years, once.broken_by),
        is_coalition,
        settings.coalition.countries,
        once.broken_by,
    )
    largest = np.where(once.is_target[grid.importer], np.maximum(compared.value, compared.prior), compared.value)
    route = np.flatnonzero(compared.is_comparable & (largest >= settings.materiality_usd))
    out_of, nothing = grid.out_of[route], len(legs.texts)
    direct, direct_target = _direct_cells(grid, legs, once, route)
    mirror = mirror_legs(grid, comparison, compared, is_coalition, once.broken_by)
    matched = neighbour_codes.matched(grid, once.pairs, compared, route, settings.floor_usd)
    columns = {
        "good": grid.good[route],
        "exporter": grid.exporter[route],
        "importer": grid.importer[route],
        "kind": grid.kind[route],
        "direct_target": direct_target,
        "target_says": np.where(_at(legs.says, direct) >= 0, _at(legs.says, direct), nothing),
        "hub_says": np.where(legs.says[out_of] >= 0, legs.says[out_of], nothing),
        "is_edition_changed": compared.is_edition_changed[route],
        "value_usd": compared.value[route],
        "value_prior_year_usd": compared.prior[route],
        "value_baseline_usd": compared.baseline[route],
        "value_baseline_max_usd": compared.baseline_max[route],
        **_shape(grid, comparison, route),
        "coalition_to_target_usd": _at(legs.value, direct),
        "coalition_to_target_prior_usd": _at(legs.prior, direct),
        "coalition_to_target_baseline_usd": _at(legs.baseline, direct),
        "coalition_to_hub_usd": legs.value[out_of],
        "coalition_to_hub_prior_usd": legs.prior[out_of],
        "coalition_to_hub_baseline_usd": legs.baseline[out_of],
        "coalition_to_hub_usd_per_kg": np.where(is_coalition[grid.exporter[route]], np.nan, legs.usd_per_kg[out_of]),
        **_totals(grid, once.is_whole, compared, route),
        **_exporter_growth(grid, once.sums, comparison, route, settings),
        **_peers(grid, once, comparison, compared, route, settings),
        "revealed_advantage": revealed_advantage(grid, comparison, compared, once.exports, route),
        "matched_by_siblings": matched.share,
        "neighbour": matched.sibling,
        "neighbour_fell_usd": matched.fell,
        "effect_in_fences": _effects(grid, compared, route, settings),
        **_monthly(once.months.get(comparison.window.end), route),
        **{name: usd[route] for name, usd in zip(MIRROR, mirror, strict=True)},
    }
    return Measured(comparison, columns, [*legs.texts, legs.lost])


def _direct_cells(grid: Grid, legs: Legs, once: Once, route: Ids) -> tuple[Ids, Ids]:
    """Of each route the cell whose sales by the coalition are its direct trade, and between hubs the target these went to.

    That is the importer's own; between hubs that of the target which bought most of the good before. Targets are not added
    up, since one may be a road to the other. UNKNOWN where no target's is known, and the target on all other routes.
    """
    count, targets = grid.names.countries.len(), np.flatnonzero(once.is_target)
    own, good = grid.into[route], grid.good[route]
    is_between = once.is_hub[grid.exporter[route]] & once.is_hub[grid.importer[route]]
    if not len(targets):
        nowhere = np.full(len(route), UNKNOWN, dtype=np.int64)
        return np.where(is_between, nowhere, own), nowhere
    of_targets = np.arange(grid.names.goods.len())[:, None] * count + targets
    before = np.where(legs.baseline >= 0, legs.baseline, legs.prior)[of_targets]
    before = np.where(legs.value[of_targets] >= 0, before, UNKNOWN)
    largest = before.argmax(axis=1)
    target = np.where(before.max(axis=1) >= 0, targets[largest], UNKNOWN)[good]
    target = np.where(is_between, target, UNKNOWN)
    return np.where(is_between, np.where(target >= 0, good * count + target, UNKNOWN), own), target


def _at(values: Amounts, cell: Ids) -> Amounts:
    """Amounts of cells, UNKNOWN where there is no cell."""
    return np.where(cell >= 0, values[cell], UNKNOWN)


def _shape(grid: Grid, comparison: Comparison, route: Ids) -> dict[str, Column]:
    """How the window's value is spread over its periods; weight and price, and those of the year before."""
    at, before = comparison.now(grid.known) or [], comparison.prior(grid.known) or []
    value = cells.pick(grid.value, at, route)
    grams, price = unit_values.of_routes(value, cells.pick(grid.weight, at, route))
    grams_prior, price_prior = unit_values.of_routes(
        cells.pick(grid.value, before, route), cells.pick(grid.weight, before, route)
    )
    return {
        "active_periods": (value > 0).sum(axis=0),
        "largest_period_usd": value.max(axis=0, initial=0),
        "net_wgt_g": grams,
        "net_wgt_prior_g": grams_prior,
        "unit_value_usd_per_kg": price,
        "unit_value_prior_usd_per_kg": price_prior,
    }


def by_month(
    grid: Grid, comparisons: Sequence[Comparison], is_coalition: Marks, settings: Settings
) -> dict[date, months.MonthlySigns]:
    """What only monthly data can say of each route, by the end of a window.

    Parameters
    ----------
    grid : Grid
        A chunk of goods.
    comparisons : sequence of Comparison
        What is compared.
    is_coalition : array of bool, shape (countries,)
        Members of the coalition.
    settings : Settings
        Scenario: floor, materiality, targets.

    Returns
    -------
    dict of datetime.date to MonthlySigns
        Empty for annual data.
    """
    if grid.known.freq_code != "M":
        return {}
    ends = sorted({comparison.window.end for comparison in comparisons})
    return months.find(grid, ends, is_coalition, settings)


def _monthly(signs: months.MonthlySigns | None, route: Ids) -> dict[str, Column]:
    if signs is None:
        nowhere, never = np.full(len(route), np.nan), np.full(len(route), UNKNOWN, dtype=np.int64)
        return {"level_shift": nowhere, "break_day": never, "lead_lag": nowhere, "lead_lag_months": never}
    return {
        "level_shift": signs.level_shift[route],
        "break_day": signs.break_day[route],
        "lead_lag": signs.correlation[route],
        "lead_lag_months": signs.lag[route],
    }


def _effects(grid: Grid, compared: Compared, route: Ids, settings: Settings) -> Floats:
    """size_effect among the good's comparable routes that carry the floor at least in one of the windows."""
    is_there = compared.is_comparable & (np.maximum(compared.value, compared.prior) >= settings.floor_usd)
    among = np.flatnonzero(is_there)
    effects = np.full(len(grid.good), np.nan)
    effects[among] = size_effect(compared.value[among], compared.prior[among], grid.good[among], settings.floor_usd)
    return effects[route]


def _totals(grid: Grid, is_whole: Marks, compared: Compared, route: Ids) -> dict[str, Column]:
    """The exporter's trade with everyone else and everyone's trade with the importer, over comparable routes."""
    counted, size = np.flatnonzero(compared.is_in_totals), grid.names.cells
    has_others = (is_whole[grid.kind] & compared.is_in_totals)[route]
    into, out_of = grid.into[counted], grid.out_of[counted]
    is_bought = cells.present(into, size)

    def elsewhere(values: Amounts) -> Amounts:
        sold_elsewhere = cells.add_up(values[counted], out_of, size)[grid.out_of[route]] - values[route]
        return np.where(has_others & (values[route] >= 0), np.maximum(sold_elsewhere, 0), UNKNOWN)

    def to_importer(values: Amounts) -> Amounts:
        return np.where(is_bought, cells.add_up(values[counted], into, size), UNKNOWN)[grid.into[route]]

    return {
        "elsewhere_usd": elsewhere(compared.value),
        "elsewhere_prior_usd": elsewhere(compared.prior),
        "elsewhere_baseline_usd": elsewhere(compared.baseline),
        "all_to_importer_usd": to_importer(compared.value),
        "all_to_importer_prior_usd": to_importer(compared.prior),
    }


def _exporter_growth(
    grid: Grid, sums: Amounts, comparison: Comparison, route: Ids, settings: Settings
) -> dict[str, Column]:
    """Growth of all that the route's exporter sells to others than targets; NaN where its totals are not in the data."""
    if not len(sums):
        unknown = np.full(len(route), np.nan)
        return {"exporter_growth_prior_log": unknown, "exporter_growth_baseline_log": unknown}
    prior, base = exporter_totals.growth_log(sums, grid.known, comparison, float(settings.floor_usd))
    at = grid.reporter[route]
    return {"exporter_growth_prior_log": prior[at], "exporter_growth_baseline_log": base[at]}


def _peers(
    grid: Grid, once: Once, comparison: Comparison, compared: Compared, route: Ids, settings: Settings
) -> dict[str, Column]:
    """How the good's other sellers to the importer and the exporter's other goods to it rose, and how many these are."""
    at = np.flatnonzero(peers.is_established(grid, comparison, compared, settings))
    rises = peers.rise_log(compared, at, float(settings.floor_usd))
    own = np.full(len(grid.good), np.nan)
    own[at] = rises
    of_good, sellers = peers.of_goods(grid, at, rises, route)
    pairs = once.rises_of_pairs.get(peers.key_of(comparison))
    of_pair, goods = np.full(len(route), np.nan), np.zeros(len(route), dtype=np.int64)
    if pairs is not None:
        of_pair, goods = pairs.without(grid.names, grid.exporter[route], grid.importer[route], own[route])
    return {
        "good_importer_rise_log": of_good,
        "good_importer_peers": sellers,
        "exporter_importer_rise_log": of_pair,
        "exporter_importer_peers": goods,
    }


def are_whole(grid: Grid) -> Marks:
    """For each kind of routes, whether its dataset shows an exporter's sales to most countries.

    Exporters' reports show it with many partners, importers' reports with many reporters.

    Parameters
    ----------
    grid : Grid
        Of it the kinds of its routes, and who reported what.

    Returns
    -------
    array of bool, shape (kinds,)
        In the order of names.kinds.
    """
    has_many_partners = pl.col("partners") >= PARTNERS_OF_A_WHOLE_DATASET
    of_exporters = grid.known.partners.filter(has_many_partners, flow_code="X").select("source", "dataset").rows()
    importers = grid.known.reporters.filter(flow_code="M").group_by("source", "dataset").agg(partners=pl.len())
    of_importers = importers.filter(has_many_partners).select("source", "dataset").rows()
    datasets_by_basis = {"export": of_exporters, "reconciled": of_exporters, "import": of_importers}
    return np.array(
        [(source, dataset) in datasets_by_basis[basis] for source, dataset, basis in grid.names.kinds.rows()]
    )
