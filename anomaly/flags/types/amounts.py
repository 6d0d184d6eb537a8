"""Amounts and times in the sentences of a flag."""

from __future__ import annotations

import math

from anomaly.flags.types.base import Row
from anomaly.indicators.base import change, usd


def when(row: Row) -> str:
    """What `since` says in words: a year before, or in the years of the baseline.

    Parameters
    ----------
    row : mapping
        since (prior or baseline) and baseline_years.

    Returns
    -------
    str
        As it stands in a sentence.
    """
    return "a year before" if row["since"] == "prior" else f"in {row['baseline_years']}"


def own_then(row: Row) -> int | None:
    """The route's own value at the time that `since` names.

    Parameters
    ----------
    row : mapping
        since and the route's values.

    Returns
    -------
    int, optional
        USD; None where it is not known.
    """
    value: int | None = row["value_prior_year_usd" if row["since"] == "prior" else "value_baseline_usd"]
    return value


def amount(value: int | None) -> str:
    """An amount in a sentence; 0 is known to be nothing.

    Parameters
    ----------
    value : int, optional
        USD; None is not known.

    Returns
    -------
    str
        Such as 178.0 million USD.
    """
    return "nothing" if value == 0 else usd(value)


def went(then: int | None, now: int | None) -> str:
    """From one amount to another, with the change where there was something to grow from.

    Parameters
    ----------
    then, now : int, optional
        USD.

    Returns
    -------
    str
        As it stands in a sentence.

    Examples
    --------
    >>> went(37_000_000, 178_000_000)
    'from 37.0 million USD to 178.0 million USD (+381 %)'
    """
    return f"from {amount(then)} to {amount(now)}" + (f" ({change(now, then)})" if then else "")


def happened(subject: str, then: int | None, now: int | None) -> str:
    """What went from one amount to another; empty where one of them is not known.

    Parameters
    ----------
    subject : str
        Whose amounts they are.
    then, now : int, optional
        USD.

    Returns
    -------
    str
        A part of a sentence, or nothing.
    """
    return "" if now is None or then is None else f"{subject} went {went(then, now)}"


def percent(log: float) -> str:
    """A change of a logarithm as a share: +35 %, −12 %.

    Parameters
    ----------
    log : float
        Difference of two natural logarithms.

    Returns
    -------
    str
        With its sign.

    Examples
    --------
    >>> percent(0.405)
    '+50 %'
    """
    return f"{100 * math.expm1(log):+,.0f} %".replace("-", "−")
