"""Why a leg of the coalition is not in the data of a window, in words: whose reports lack which years or months."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from anomaly.contract.periods import MONTHS_IN, months_before
from anomaly.features.grid import Grid
from anomaly.features.marks import Ids, Known
from anomaly.features.windows import Comparison

MOST_NAMED = 3
NOT_HELD = "no such good or partner among what is held of them"


def why_lost(
    known: Known, monthly: Grid | None, comparison: Comparison, so_far: Comparison | None, members: Sequence[str]
) -> str:
    """Why what the coalition sells is not known in a window, for the legs that no report shows.

    Parameters
    ----------
    known : Known
        Who reported what at the window's frequency.
    monthly : Grid or None
        The same goods in monthly data, where there are any.
    comparison : Comparison
        What is compared.
    so_far : Comparison or None
        The months of the year that are out, of which an annual leg may be read; None where there are too few.
    members : sequence of str
        The coalition.

    Returns
    -------
    str
        Begins with "unknown:"; names the reporters that lack something, and what.
    """
    reasons = [_of(known, comparison, members)]
    if comparison.window.freq_code == "A":
        reasons.append(
            "no monthly exports of the good are at hand"
            if monthly is None
            else _of(monthly.known, so_far, members)
            if so_far is not None
            else _too_few_months(monthly.known, comparison.window.year, members)
        )
    return f"unknown: {'; '.join(reasons)}"


def _rows(known: Known, members: Sequence[str]) -> Ids:
    is_member = known.reporters["reporter_iso"].is_in(list(members)) & (known.reporters["flow_code"] == "X")
    return np.flatnonzero(is_member.to_numpy())


def _of(known: Known, comparison: Comparison, members: Sequence[str]) -> str:
    """What the members that report at a frequency lack of the periods that are compared."""
    by = {"A": "year", "M": "month", "Q": "quarter"}[comparison.window.freq_code]
    rows = _rows(known, members)
    if not len(rows):
        return f"no member of the coalition reports exports by {by}"
    spans = [
        (comparison.window.words, comparison.now(known)),
        (comparison.window.in_year(comparison.window.year - 1).words, comparison.prior(known)),
        ("all of the baseline", list(chain.from_iterable(comparison.baseline(known)))),
    ]
    is_whole = np.ones(len(rows), dtype=np.bool_)
    for words, periods in spans:
        lacks = np.ones(len(rows), dtype=np.bool_) if periods is None else ~known.complete[rows][:, periods].all(axis=1)
        is_whole &= ~lacks
        if not is_whole.any():
            return f"exports by {by} of {_named(known, rows)} lack {words}{_reach(known, rows)}"
    return f"exports by {by} of {_named(known, rows[is_whole])}: {NOT_HELD}"


def _too_few_months(known: Known, year: int, members: Sequence[str]) -> str:
    rows = _rows(known, members)
    if not len(rows):
        return "no member of the coalition reports exports by month"
    return f"fewer than three months of {year} are out by month from {_named(known, rows)}{_reach(known, rows)}"


def _reach(known: Known, rows: Ids) -> str:
    """The last period that any of them has reported whole."""
    at = np.flatnonzero(known.complete[rows].any(axis=0))
    if not len(at):
        return " (no period whole)"
    last = months_before(known.periods[int(at[-1])], 1 - MONTHS_IN[known.freq_code])
    return f" (they end in {last.year})" if known.freq_code == "A" else f" (they end in {last:%B %Y})"


def _named(known: Known, rows: Ids) -> str:
    names = known.reporters["reporter_iso"].gather(rows).unique().sort().to_list()
    further = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {further} more" if further > 0 else "")
