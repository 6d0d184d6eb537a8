"""Every window of the legs by both tests, and what stands beside its calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.marks import Ids, Marks
from anomaly.supply import beside, by_date, by_window
from anomaly.supply.asked import in_question
from anomaly.supply.reporting import Span
from anomaly.supply.rise import Direct, Rise, Spell, asked_ends, least_usd, spell
from anomaly.supply.series import Legs


@dataclass(frozen=True, slots=True)
class Judged:
    """One window. Marks and figures are in the order of the legs, those of `direct` in that of the goods.

    Parameters
    ----------
    spell : Spell
        The window and those before it.
    is_before : bool
        The window lies before the measure.
    rise : Rise
        How far each leg rose.
    direct : Direct
        What the coalition sold the targets.
    asked : array of bool, shape (legs,)
        Hubs' legs that are material.
    gated : array of bool, shape (legs,)
        Of the asked, those of goods whose direct trade fell.
    controls : array of bool, shape (legs,)
        Of the asked, those of goods whose direct trade stood.
    tested : by_window.Tested
        The window test.
    steps : by_date.Steps or None
        Shifts of level; None where the months are too few.
    dated : by_date.Dated or None
        The date test; None where it could not be made.
    calls : beside.Calls
        What the two tests call.
    by_rule : array of bool, shape (legs,)
        Called although no test could be made, openly uncalibrated.
    year_before : tuple of int, int
        Legs tested and called in the same months of the year before.
    """

    spell: Spell
    is_before: bool
    rise: Rise
    direct: Direct
    asked: Marks
    gated: Marks
    controls: Marks
    tested: by_window.Tested
    steps: by_date.Steps | None
    dated: by_date.Dated | None
    calls: beside.Calls
    by_rule: Marks
    year_before: tuple[int, int]

    @property
    def called(self) -> Marks:
        """Legs called in any way."""
        return self.calls.by_window | self.calls.by_date | self.by_rule


def windows(legs: Legs, span: Span, settings: Settings, lists: pl.DataFrame | None = None) -> list[Judged]:
    """The windows of a span that have a year before the measure to be held against, in order.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    span : Span
        Its ends are the windows asked about.
    settings : Settings
        Scenario: goods_asked, supply, materiality and the date of the measure.
    lists : polars.DataFrame, optional
        reference.goods.listed; needed where the scenario asks about listed goods only.

    Returns
    -------
    list of Judged
        Without windows that the data do not reach a year before for.
    """
    measure = legs.position(settings.sanctions_since.replace(day=1))
    rises = by_window.compute_once(legs, settings)
    months = settings.supply.window_months
    asked = [spell(end, measure, months, None, settings) for end in asked_ends(legs, span.ends)]
    return [
        _judged(legs, window, measure, rises, _in_question(legs, window, measure, settings, lists), settings)
        for window in asked
        if window is not None
    ]


def _in_question(legs: Legs, window: Spell, measure: int, settings: Settings, lists: pl.DataFrame | None) -> Marks:
    is_before = window.end < measure
    return in_question(legs.goods, legs.months[window.end], lists, settings, is_before=is_before)


def _judged(
    legs: Legs, window: Spell, measure: int, rises: by_window.Rises, is_asked: Marks, settings: Settings
) -> Judged:
    """A window; of goods whose direct trade fell those alone that are in question are tested."""
    rise, direct = rises(window)
    has_fallen = direct.fell & is_asked
    is_large = rise.is_known & (rise.value >= least_usd(settings, window.months))
    asked = is_large & legs.is_hub[legs.importer]
    gated, controls = asked & has_fallen[legs.good], asked & direct.stood[legs.good]
    tested = by_window.against_placebos(legs, window, measure, rises, settings)
    since = measure + (settings.sanctions_since.day > 1)
    steps = by_date.steps(legs, window.end, settings)
    fell = has_fallen[legs.good] & legs.is_hub[legs.importer]
    stood = direct.stood[legs.good] & legs.is_hub[legs.importer] if tested.importers else None
    dated = None if steps is None else by_date.against_dates(steps, since, fell, settings, stood)
    calls = beside.calls(tested, steps, dated, since, rise.sum_log > 0, gated, controls, settings)
    is_testable = dated is not None or bool(np.isfinite(tested.p_value[gated]).any())
    by_rule = np.zeros(len(asked), dtype=np.bool_)
    if not is_testable and steps is not None and window.end >= measure:
        is_risen = rise.rise_log >= settings.supply.rule_rise_log
        by_rule = gated & is_risen & (steps.size > 0) & (steps.at >= since)
    return Judged(
        window, window.end < measure, rise, direct, asked, gated, controls, tested, steps, dated, calls, by_rule,
        beside.year_before(legs, window.end, measure, rises, settings),
    )  # fmt: skip


def places(judged: Judged) -> Ids:
    """Order in which to read the called, from 1: by rise and by amount, the ranks of both added; 0 for the others.

    Parameters
    ----------
    judged : Judged
        One window.

    Returns
    -------
    array of int, shape (legs,)
        Places from 1; 0 for legs that are not called.
    """
    row = np.flatnonzero(judged.called)
    rise_usd = (judged.rise.value - judged.rise.best)[row]
    ranks = sum(np.argsort(np.argsort(-figure, kind="stable")) for figure in (judged.rise.rise_log[row], rise_usd))
    place = np.zeros(len(judged.called), dtype=np.int64)
    place[row[np.argsort(ranks, kind="stable")]] = np.arange(1, len(row) + 1)
    return place
