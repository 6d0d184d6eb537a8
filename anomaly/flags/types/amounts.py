"""Amounts and times in the sentences of a flag."""

from __future__ import annotations

import math

from anomaly.flags.types.base import Row
from anomaly.indicators.base import change, usd


def when(row: Row) -> str:
    """What `since` says in words: a year before, or in the years of the baseline."""
    return "a year before" if row["since"] == "prior" else f"in {row['baseline_years']}"


def own_then(row: Row) -> int | None:
    """The route's own value at the time that `since` names."""
    value: int | None = row["value_prior_year_usd" if row["since"] == "prior" else "value_baseline_usd"]
    return value


def amount(value: int | None) -> str:
    """An amount in a sentence; 0 is known to be nothing."""
    return "nothing" if value == 0 else usd(value)


def went(then: int | None, now: int | None) -> str:
    """From one amount to another, with the change where there was something to grow from."""
    return f"from {amount(then)} to {amount(now)}" + (f" ({change(now, then)})" if then else "")


def happened(what: str, then: int | None, now: int | None) -> str:
    """What went from one amount to another; empty where one of them is not known."""
    return "" if now is None or then is None else f"{what} went {went(then, now)}"


def percent(log: float) -> str:
    """A change of a logarithm as a share: +35 %, −12 %."""
    return f"{100 * math.expm1(log):+,.0f} %".replace("-", "−")
