"""What was laid in just before the measure: trade that comes early is no detour, and makes the fall after it look deeper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.contract.periods import Window
from anomaly.contract.settings import Settings
from anomaly.features.cells import UNKNOWN
from anomaly.features.marks import Amounts, Ids
from anomaly.indicators.base import usd
from anomaly.supply.series import Legs

MONTHS = 3  # whole months before the one in which the measure begins


@dataclass(frozen=True, slots=True)
class Stock:
    """Sales in the last months before the measure and in the same months a year earlier; whole USD, UNKNOWN where unknown.

    Parameters
    ----------
    window : Window
        These months.
    value, prior : array of int, shape (legs,)
        To each hub, good by good.
    direct, direct_prior : array of int, shape (goods, targets)
        To each target.
    """

    window: Window
    value: Amounts
    prior: Amounts
    direct: Amounts
    direct_prior: Amounts


def before_measure(legs: Legs, settings: Settings) -> Stock | None:
    """Sales just before the measure.

    Parameters
    ----------
    legs : Legs
        All legs of the span.
    settings : Settings
        Scenario: sanctions_since.

    Returns
    -------
    Stock or None
        None where the span does not hold these months and those of a year earlier.
    """
    end = legs.position(settings.sanctions_since.replace(day=1)) - 1
    if end - 11 - MONTHS < 0 or end >= len(legs.months):
        return None
    now, then = (slice(last + 1 - MONTHS, last + 1) for last in (end, end - 12))
    return Stock(
        Window("M", MONTHS, legs.months[end]),
        _sum(legs.value[:, now]),
        _sum(legs.value[:, then]),
        _sum(legs.direct[:, :, now]),
        _sum(legs.direct[:, :, then]),
    )


def _sum(months: Amounts) -> Amounts:
    return np.where((months >= 0).all(axis=-1), months.sum(axis=-1), UNKNOWN)


def says(stock: Stock | None, goods: Ids, target: Ids) -> str:
    """How much of some goods the targets bought just before the measure, as a sentence; empty where it is not known.

    Parameters
    ----------
    stock : Stock or None
        Of the span.
    goods : array of int
        Numbers of the goods.
    target : array of int, shape (goods,)
        Of each the number of its main target.

    Returns
    -------
    str
        Told and no alarm: what the direct trade lost is held against the year before, stock and all.
    """
    if stock is None or not len(goods):
        return ""
    sums = [
        int(np.maximum(amounts[goods, target], 0).sum())
        for amounts in (stock.direct_prior, stock.direct)
    ]  # fmt: skip
    return (
        f"In {stock.window.words}, just before the measure, the targets bought {usd(sums[1])} of these goods, after {usd(sums[0])} "
        "in the same months a year earlier: what is more may be stock, and the fall after it is then deeper than the loss."
    )
