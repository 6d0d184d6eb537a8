"""The window test: how unusual a rise is among windows in which nothing can have been diverted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.supply.rise import Direct, Rise, Spell, direct, least_usd, rise, spell
from anomaly.supply.series import Legs

Rises = Callable[[Spell], tuple[Rise, Direct]]


@dataclass(frozen=True, slots=True)
class Tested:
    """One figure a leg; NaN where the leg is not one of the hubs', is not material or is unknown.

    Parameters
    ----------
    statistic : array of float, shape (legs,)
        The rise that is compared, log or in units of noise, less what the hub's own growth explains.
    effect : array of float, shape (legs,)
        That growth, in the unit of the statistic; NaN where it cannot be told from diversion.
    p_value : array of float, shape (legs,)
        The larger of those by importers and by periods, 0 to 1.
    is_scaled : bool
        The statistic is over the noise of the leg's own past.
    importers : int
        Legs to placebo importers that p is read from; 0 where they are too few.
    periods : int
        Hubs' legs in windows before the measure, each window of a leg counted.
    """

    statistic: Floats
    effect: Floats
    p_value: Floats
    is_scaled: bool
    importers: int
    periods: int


def compute_once(legs: Legs, settings: Settings) -> Rises:
    """Rise and direct trade by window, each computed when it is first asked for.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    settings : Settings
        Scenario: floor, materiality and what `supply` says of a rise.

    Returns
    -------
    callable
        Spell → its Rise and Direct; the same objects when asked for again.
    """
    held: dict[Spell, tuple[Rise, Direct]] = {}

    def of(window: Spell) -> tuple[Rise, Direct]:
        if window not in held:
            held[window] = rise(legs, window, settings), direct(legs, window, settings)
        return held[window]

    return of


def against_placebos(legs: Legs, window: Spell, measure: int, rises: Rises, settings: Settings) -> Tested:
    """p of every material leg of the hubs in a window.

    Parameters
    ----------
    legs : Legs
        All legs of the span, placebo importers among them.
    window : Spell
        The window that is tested and those before it.
    measure : int
        Position of the first month that does not lie wholly before the measure.
    rises : callable
        `compute_once` of the same legs.
    settings : Settings
        Scenario: materiality and what `supply` says of placebos.

    Returns
    -------
    Tested
        In the order of the legs.

    Notes
    -----
    Placebos are the legs to placebo importers in the same window and the hubs' own legs in windows before the measure;
    p is read from each, and the larger counts: the first do not know the hubs' roughness, the second not the shock of
    the year. Without placebo importers the periods stand alone, in two strata by what the leg was before. A window
    before the measure itself is held against the other hubs' windows. A placebo is held against as distant a past as
    the window is.
    """
    now, direct_now = rises(window)
    is_hub = legs.is_hub[legs.importer]
    large = least_usd(settings, window.months)
    is_tested = now.is_known & (now.value >= large)
    placebos = is_tested & ~is_hub
    is_full = int(placebos.sum()) >= settings.calibration.least_placebos
    is_scaled = bool(np.isfinite(now.scaled[is_tested & is_hub]).any())
    past = _periods(legs, window, measure, rises, settings, is_scaled=is_scaled, is_full=is_full)
    if is_scaled and len(past.statistic) < settings.calibration.least_placebos:
        is_scaled = False  # a route's own noise takes years that the placebos of a distant past do not have
        past = _periods(legs, window, measure, rises, settings, is_scaled=is_scaled, is_full=is_full)
    statistic, effect = _less_own_growth(
        legs, now, direct_now, is_tested, settings, is_scaled=is_scaled, is_full=is_full
    )
    p_value = np.full(len(statistic), np.nan)
    rows = np.flatnonzero(is_tested & is_hub & np.isfinite(statistic))
    if len(past.statistic) >= settings.calibration.least_placebos:
        has_strata = not is_full and not is_scaled  # a leg's own noise, or the same year, is stratum enough
        small = settings.supply.small_route_usd * window.months / 12 * has_strata
        p_value[rows] = _by_periods(
            statistic[rows],
            now.best[rows] >= small,
            legs.importer[rows],
            past,
            past.best >= small,
            own_left_out=window.end < measure,
        )
    if is_full:
        p_value[rows] = np.maximum(p_value[rows], _p(statistic[rows], statistic[placebos & np.isfinite(statistic)]))
    return Tested(statistic, effect, p_value, is_scaled, int(placebos.sum()) if is_full else 0, len(past.statistic))


def _less_own_growth(
    legs: Legs, now: Rise, direct_now: Direct, is_tested: Marks, settings: Settings, *, is_scaled: bool, is_full: bool
) -> tuple[Floats, Floats]:
    """The statistic of every leg less its importer's own growth, and that growth.

    It is the median over goods whose direct trade stood, drawn towards none where there are few, and never negative. In
    an extract of a few countries and goods it is only told: there those goods are as likely diverted themselves.
    """
    statistic = np.where(is_tested, now.scaled if is_scaled else now.rise_log, np.nan)
    effect = np.full(len(legs.importers), np.nan)
    control = np.flatnonzero(is_tested & direct_now.stood[legs.good] & np.isfinite(statistic))
    for importer in np.unique(legs.importer[control]):
        own_controls = statistic[control[legs.importer[control] == importer]]
        if len(own_controls) >= settings.supply.least_controls:
            shrunk = len(own_controls) / (len(own_controls) + settings.supply.controls_that_shrink)
            effect[importer] = max(0.0, float(np.median(own_controls))) * shrunk
    of_leg = effect[legs.importer]
    return statistic - np.nan_to_num(of_leg) * is_full, of_leg


@dataclass(frozen=True, slots=True)
class _Periods:
    """Hubs' legs in windows before the measure: their statistic, the best window before each, and their importer.

    overlap   windows of a leg, a month apart, that count as one: what is extreme is so for about half a window's months
    """

    statistic: Floats
    best: Amounts
    importer: Ids
    overlap: float


def _periods(
    legs: Legs, window: Spell, measure: int, rises: Rises, settings: Settings, *, is_scaled: bool, is_full: bool
) -> _Periods:
    """Every window before the measure of the same make, but the one that is tested."""
    gap = (window.end - window.before[0]) // 12
    overlap = max(1.0, settings.supply.overlap_share * window.months)
    parts = [_Periods(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), overlap)]
    for end in range(measure):
        earlier = spell(end, measure, window.months, gap, settings)
        if earlier is None or end == window.end:
            continue
        past, direct_past = rises(earlier)
        is_tested = past.is_known & (past.value >= least_usd(settings, window.months))
        statistic, _ = _less_own_growth(
            legs, past, direct_past, is_tested, settings, is_scaled=is_scaled, is_full=is_full
        )
        row = np.flatnonzero(is_tested & legs.is_hub[legs.importer] & np.isfinite(statistic))
        parts.append(_Periods(statistic[row], past.best[row], legs.importer[row], overlap))
    return _Periods(
        np.concatenate([part.statistic for part in parts]),
        np.concatenate([part.best for part in parts]),
        np.concatenate([part.importer for part in parts]),
        overlap,
    )


def _by_periods(
    statistic: Floats, is_large: Marks, importer: Ids, past: _Periods, was_large: Marks, *, own_left_out: bool
) -> Floats:
    """p by periods, within what was small and what was large before; of a hub's own windows or without them."""
    p_value = np.full(len(statistic), np.nan)
    names = np.unique(importer)
    for importers in np.split(names, len(names)) if own_left_out and len(names) else [names]:
        counted = ~np.isin(past.importer, importers) if own_left_out else np.ones(len(was_large), dtype=np.bool_)
        for size in (False, True):
            rows = np.flatnonzero((is_large == size) & np.isin(importer, importers))
            p_value[rows] = _p(statistic[rows], past.statistic[counted & (was_large == size)], past.overlap)
    return p_value


def _p(statistic: Floats, null: Floats, overlap: float = 1.0) -> Floats:
    """(1 + placebos as large) / (1 + placebos), where so many placebos that overlap count as one."""
    larger = len(null) - np.searchsorted(np.sort(null), statistic, side="left")
    return np.asarray((overlap + larger) / (overlap + len(null)), dtype=np.float64)


def q_values(p_value: Floats) -> Floats:
    """Benjamini and Hochberg's q of each p; NaN stays NaN and is no hypothesis.

    Parameters
    ----------
    p_value : array of float
        Chance that a leg without diversion rises as much, 0 to 1.

    Returns
    -------
    array of float
        In the order given, 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> q_values(np.array([0.01, 0.04, np.nan, 0.5])).round(3).tolist()
    [0.03, 0.06, nan, 0.5]
    """
    result = np.full(len(p_value), np.nan)
    row = np.flatnonzero(np.isfinite(p_value))
    order = row[np.argsort(p_value[row], kind="stable")]
    least = np.minimum.accumulate((p_value[order] * len(order) / np.arange(1, len(order) + 1))[::-1])[::-1]
    result[order] = np.minimum(least, 1.0)
    return result
