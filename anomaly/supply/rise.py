"""How far each leg rose in a window above what it was before the measure, and what the coalition's direct trade did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from anomaly.contract.settings import Settings
from anomaly.features.cells import UNKNOWN
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.supply.series import Legs

SIZES_LEFT_OUT = 2  # largest months that a rise must do without; one of a window of three months
_MAD = 1.4826
REFUSALS = {
    "born_in_edition": "the code was born with the current edition of the nomenclature: the data have no past of the good",
    "edition_break": "the members changed the edition between the windows and the good has no stable family across it",
    "outside_extract": "the extract does not hold the good or the hub in the year before: unknown, not zero",
}


@dataclass(frozen=True, slots=True)
class Spell:
    """A window of a leg, and the same months of the years before the measure that it is held against.

    Parameters
    ----------
    end : int
        Position of its last month.
    months : int
        Its length.
    before : tuple of int
        Positions of the last months of the windows before, the latest first.
    """

    end: int
    months: int
    before: tuple[int, ...]

    def at(self, end: int) -> slice:
        """The months of a window that ends there.

        Parameters
        ----------
        end : int
            Position of the last month.

        Returns
        -------
        slice
            Columns of the months.
        """
        return slice(end + 1 - self.months, end + 1)


@dataclass(frozen=True, slots=True)
class Rise:
    """One figure a leg; UNKNOWN or NaN where unknown.

    Parameters
    ----------
    value, prior, best : array of int, shape (legs,)
        Whole USD in the window, in the latest window before, in the best of those before.
    sum_log : array of float, shape (legs,)
        Growth on the best one.
    rise_log : array of float, shape (legs,)
        The least of three: growth of the sum, of the sum without its largest months, of the middle month.
    scaled : array of float, shape (legs,)
        rise_log over the noise of the leg's own past.
    is_known : array of bool, shape (legs,)
        Window and latest window before are known, and the good survives what lies between.
    """

    value: Amounts
    prior: Amounts
    best: Amounts
    sum_log: Floats
    rise_log: Floats
    scaled: Floats
    is_known: Marks


def spell(end: int, measure: int, months: int, gap_years: int | None, settings: Settings) -> Spell | None:
    """The window that ends at a position, held against the years before the measure.

    Parameters
    ----------
    end : int
        Position of its last month.
    measure : int
        Position of the first month that does not lie wholly before the measure.
    months : int
        Length of the window.
    gap_years : int or None
        From the window to the latest one before; None: as few as the measure leaves.
    settings : Settings
        Scenario: supply.reference_years.

    Returns
    -------
    Spell or None
        None where the data lack the latest window before; of the earlier ones, those that the data hold.
    """
    gap = gap_years or max(1, -((measure - 1 - end) // 12))
    before = [end - 12 * (gap + back) for back in range(settings.supply.reference_years)]
    held = tuple(last for last in before if last - months + 1 >= 0)
    return Spell(end, months, held) if held and held[0] == before[0] else None


def rise(legs: Legs, spell: Spell, settings: Settings) -> Rise:
    """How far each leg rose in a window.

    Parameters
    ----------
    legs : Legs
        The legs; months in columns.
    spell : Spell
        The window and those before it.
    settings : Settings
        Scenario: supply.floor_usd, noise_log and least_past_growths.

    Returns
    -------
    Rise
        In the order of the legs. Logs are of amounts with `supply.floor_usd` (of a year) added to both sides.
    """
    width = spell.months
    floor = settings.supply.floor_usd * width / 12
    month = legs.value[:, spell.at(spell.end)]
    value, prior = _sum(month), _sum(legs.value[:, spell.at(spell.before[0])])
    best = np.max([_sum(legs.value[:, spell.at(end)]) for end in spell.before], axis=0)
    is_known = np.asarray((value >= 0) & (prior >= 0) & ~broken(legs, spell)[legs.good])
    usual = np.where(is_known, best, 0)[:, None]
    month = np.where(is_known[:, None], month, 0)
    left_out = min(SIZES_LEFT_OUT if width > 3 else 1, width - 1)
    without = np.sort(month, axis=1)[:, : width - left_out].sum(axis=1) * width / (width - left_out)
    rise_of_sum = np.log((month.sum(axis=1) + floor) / (usual[:, 0] + floor))
    robust = np.minimum(rise_of_sum, np.log((without + floor) / (usual[:, 0] + floor)))
    middle = np.median(np.log((month + floor / width) / (usual / width + floor / width)), axis=1)
    rise_log = np.where(is_known, np.minimum(robust, middle), np.nan)
    noise = np.hypot(settings.supply.noise_log, _noise(legs.value, spell, floor, settings.supply.least_past_growths))
    return Rise(value, prior, best, np.where(is_known, rise_of_sum, np.nan), rise_log, rise_log / noise, is_known)


def _sum(months: Amounts) -> Amounts:
    return np.where((months >= 0).all(axis=1), months.sum(axis=1), UNKNOWN)


def _noise(value: Amounts, spell: Spell, floor: float, least: int) -> Floats:
    """Spread of the growth over a year of sums of so many months, in what lies before; NaN where that is too short."""
    past = value[:, : spell.before[0] + 1]
    growths = past.shape[1] - 11 - spell.months
    if growths < least:
        return np.full(len(value), np.nan)
    run = np.cumsum(np.pad(np.where(past >= 0, past, 0), ((0, 0), (1, 0))), axis=1)
    sums = (run[:, spell.months :] - run[:, : -spell.months]).astype(np.float64)
    growth = np.abs(np.log((sums[:, 12:] + floor) / (sums[:, :-12] + floor)))
    spread = _MAD * np.median(growth, axis=1)
    return np.where((past >= 0).all(axis=1), spread, np.nan)


def broken(legs: Legs, spell: Spell) -> Marks:
    """Goods that do not survive an edition that begins between the windows.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    spell : Spell
        The window and those before it.

    Returns
    -------
    array of bool, shape (goods,)
        True where the good cannot be followed from the earliest window to this one.
    """
    first = spell.before[-1] - spell.months + 1
    return np.asarray(legs.broken_at[:, first + 1 : spell.end + 1].any(axis=1))


def refusal(legs: Legs, spell: Spell) -> npt.NDArray[np.str_]:
    """For each good the name of the reason why its legs cannot be compared in a window.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    spell : Spell
        The window and those before it.

    Returns
    -------
    array of str, shape (goods,)
        A key of REFUSALS; empty where they can be compared.
    """
    first = spell.before[0] - spell.months + 1
    is_young = legs.born_at > first
    born = np.minimum(legs.born_at, len(legs.months) - 1)
    names = np.select(
        [is_young & legs.edition_at[born], is_young, broken(legs, spell)],
        ["born_in_edition", "outside_extract", "edition_break"],
        default="",
    )
    return np.asarray(names, dtype=np.str_)


@dataclass(frozen=True, slots=True)
class Direct:
    """The coalition's direct trade with the target that bought most of the good before, one figure a good.

    Parameters
    ----------
    target : array of int, shape (goods,)
        Number in `Legs.targets`.
    value, prior : array of int, shape (goods,)
        Whole USD in the window and in the latest one before; UNKNOWN where nobody can say.
    fell, stood : array of bool, shape (goods,)
        By `direct_fall_share` at least, or less than that; neither where it was small or is unknown.
    fall_log : array of float, shape (goods,)
        How deep, with the floor on both sides; NaN where unknown.
    """

    target: Ids
    value: Amounts
    prior: Amounts
    fell: Marks
    stood: Marks
    fall_log: Floats


def direct(legs: Legs, spell: Spell, settings: Settings) -> Direct:
    """What the coalition sells the targets, in a window and before: a gate, never evidence on a leg of its own.

    The targets are not added up: where one of them became a road to the other, its rise would hide the fall.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    spell : Spell
        The window and those before it.
    settings : Settings
        Scenario: materiality, supply.direct_fall_share and floor_usd.

    Returns
    -------
    Direct
        In the order of the goods.
    """
    now, then = (_target_sums(legs.direct, spell.at(end)) for end in (spell.end, spell.before[0]))
    target = then.argmax(axis=1)
    rows = np.arange(len(target))
    value, prior = now[rows, target], then[rows, target]
    is_known = (value >= 0) & (prior >= 0)
    least = settings.materiality_usd * spell.months / 12
    is_large = is_known & (prior >= least)
    is_less = value <= (1 - settings.supply.direct_fall_share) * prior
    floor = settings.supply.floor_usd * spell.months / 12
    fall = np.log((np.maximum(prior, 0) + floor) / (np.maximum(value, 0) + floor))
    return Direct(target, value, prior, is_large & is_less, is_large & ~is_less, np.where(is_known, fall, np.nan))


def _target_sums(months: Amounts, at: slice) -> Amounts:
    of_windows = months[:, :, at]
    return np.where((of_windows >= 0).all(axis=2), of_windows.sum(axis=2), UNKNOWN)


def least_usd(settings: Settings, months: int) -> float:
    """Materiality of a year, for a window of so many months.

    Parameters
    ----------
    settings : Settings
        Scenario: materiality_usd, of a year.
    months : int
        Length of the window.

    Returns
    -------
    float
        USD.
    """
    return settings.materiality_usd * months / 12


def asked_ends(legs: Legs, ends: Sequence[date]) -> list[int]:
    """Positions of the last months asked about.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    ends : sequence of date
        First days of months that `legs.months` holds.

    Returns
    -------
    list of int
        In the order given.
    """
    return [legs.months.index(end) for end in ends]
