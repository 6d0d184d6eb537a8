"""A plan for a publisher who says nothing of what is out: a call a month, and the months that are still revised again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from anomaly.contract.periods import months_before
from anomaly.fetch.base import Asking, Call, Plan
from anomaly.fetch.need import months

REVISED_MONTHS = 24  # back from today; older ones are final
AGAIN = timedelta(days=30)  # after which a month that is revised is looked at once more


def plan(
    asking: Asking, dataset: str, lag: timedelta, call_of: Callable[[date, str], Call], says: tuple[str, ...] = ()
) -> Plan:
    """A call a month: what is missing, then what may have been revised.

    A month that had no row is asked for again every day; one of the last REVISED_MONTHS after AGAIN.

    Parameters
    ----------
    asking : Asking
        Its need's months, what lies there, the day.
    dataset : str
        Whose cells are named by month, such as 2024-02.
    lag : datetime.timedelta
        From a month's end until it is out.
    call_of : callable
        First day of a month, and why → call.
    says : tuple of str, optional
        Sentences for a person.

    Returns
    -------
    Plan
        Newest months first.
    """
    recent = months_before(asking.today, REVISED_MONTHS)
    last = months_before(asking.today - lag, 1)
    missing: list[Call] = []
    again: list[Call] = []
    there = 0
    for month in reversed([month for month in months(asking.need, asking.since) if month <= last]):
        cell = asking.held.get(f"{dataset}/{month:%Y-%m}")
        if cell is None:
            missing.append(call_of(month, "missing"))
            continue
        wait = timedelta(days=1) if cell.release.rows == 0 else AGAIN
        is_settled = month < recent and cell.release.rows != 0
        if is_settled or cell.looked_at.date() + wait > asking.today:
            there += 1
        else:
            again.append(call_of(month, "recent"))
    return Plan((*missing, *again), there, says)
