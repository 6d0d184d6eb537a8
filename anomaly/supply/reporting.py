"""Who of the coalition reports which months: the span that is read, and the members that are left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features import windows
from anomaly.features.windows import Known

_REPORTER = ["source", "dataset", "flow_code", "reporter_iso"]
_USUAL_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Span:
    """A run of months in which the same members of the coalition can be summed up.

    known      lookups of the months, in which gaps of negligible members count as nothing
    first, last   positions in `known.periods`
    ends       last months of the windows that are read from it
    kept       rows of `known.reporters`: members that reported every month
    left_out   reporter_iso, trade_share: members with a gap that is not negligible; largest first
    """

    known: Known
    first: int
    last: int
    ends: tuple[date, ...]
    kept: tuple[int, ...]
    left_out: pl.DataFrame

    @property
    def months(self) -> tuple[date, ...]:
        """First days of the months."""
        return self.known.periods[self.first : self.last + 1]


def spans(coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings) -> list[Span]:
    """The runs of months that the windows asked about are read from, each with its members; one where no one is late.

    Parameters
    ----------
    coverage, scope
        The tables coverage and coverage.scope.

    Returns
    -------
    list of Span
        Empty where no member of the coalition reports monthly exports for long enough.

    Notes
    -----
    Asked about are windows that end with a quarter or with the last month out. A month is out where members with
    `member_trade_share_least` of the coalition's trade have reported it whole. A member that has not reported every
    month up to a window's end is no part of any sum of that window, so that a late reporter is not a fall; one that
    carries less than `member_trade_share_negligible` is, and what it has not reported is nothing.
    """
    monthly = coverage.filter(pl.col("freq_code") == "M")
    of_coalition = pl.col("reporter_iso").is_in(list(settings.coalition.countries)) & (pl.col("flow_code") == "X")
    members = monthly.filter(of_coalition)
    if members.is_empty():
        return []
    shares, rules = _shares(members), settings.supply
    small = shares.filter(pl.col("trade_share") <= rules.member_trade_share_negligible)
    filled = pl.concat([monthly.join(small, on=_REPORTER, how="anti"), _without_gaps(monthly, small)])
    known = windows.know(filled, scope, "M")
    weights = known.reporters.join(shares, on=_REPORTER, how="left", maintain_order="left")["trade_share"]
    weight = weights.fill_null(0.0).to_numpy()
    is_out = weight @ known.complete[: len(weight)] >= rules.member_trade_share_least
    run, last = _last_run(is_out)
    ends = [at for at in range(run, last + 1) if known.periods[at].month % 3 == 0 or at == last]
    least = rules.window_months + 11
    by_members: dict[tuple[int, ...], list[int]] = {}
    for end in ends:
        if end - run >= least:
            first = max(run, end + 1 - rules.most_months)
            is_kept = known.complete[: len(weight), first : end + 1].all(axis=1) & (weight > 0)
            by_members.setdefault(tuple(np.flatnonzero(is_kept).tolist()), []).append(end)
    return [_span(known, run, kept, at, shares, rules.most_months) for kept, at in by_members.items()]


def _span(known: Known, run: int, kept: tuple[int, ...], ends: list[int], shares: pl.DataFrame, most: int) -> Span:
    members = known.reporters.join(shares, on=_REPORTER, how="inner", maintain_order="left")
    gone = members.filter(~pl.col("reporter_id").is_in(list(kept))).select("reporter_iso", "trade_share")
    return Span(
        known,
        max(run, ends[0] + 1 - most),
        ends[-1],
        tuple(known.periods[end] for end in ends),
        kept,
        gone.sort("trade_share", "reporter_iso", descending=[True, False]),
    )


def _shares(members: pl.DataFrame) -> pl.DataFrame:
    """Each member's part of the trade that the coalition reported in the last three years; columns _REPORTER, trade_share."""
    recent = members.filter(pl.col("ref_date") > pl.col("ref_date").max().dt.offset_by(f"-{_USUAL_MONTHS}mo"))
    monthly = recent.group_by(_REPORTER).agg(usd=pl.col("value_usd").median()).sort(_REPORTER)
    return monthly.select(*_REPORTER, trade_share=pl.col("usd") / pl.col("usd").sum())


def _without_gaps(coverage: pl.DataFrame, small: pl.DataFrame) -> pl.DataFrame:
    """The rows of negligible members, complete in every month of the calendar."""
    months = coverage.select(pl.col("ref_date").unique().sort())
    rows = small.select(_REPORTER).join(months, how="cross").join(coverage, on=[*_REPORTER, "ref_date"], how="left")
    edition = pl.col("hs_edition").forward_fill().backward_fill().over(_REPORTER, order_by="ref_date")
    filled = rows.with_columns(
        edition, freq_code=pl.lit("M"), is_complete=pl.lit(value=True), value_usd=pl.col("value_usd").fill_null(0)
    )
    return filled.with_columns(pl.col("rows", "goods").fill_null(0)).select(coverage.columns)


def _last_run(is_out: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """First and last position of the last stretch of True; (0, -1) where there is none."""
    out = np.flatnonzero(is_out)
    if not len(out):
        return 0, -1
    last = int(out[-1])
    gaps = np.flatnonzero(~is_out[:last])
    return int(gaps[-1]) + 1 if len(gaps) else 0, last
