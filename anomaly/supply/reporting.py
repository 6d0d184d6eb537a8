"""Who of the coalition reports which months: the span that is read, and the members that are left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Known, Marks, know

_REPORTER = ["source", "dataset", "flow_code", "reporter_iso"]
_USUAL_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Span:
    """A run of months in which the same members of the coalition can be summed up.

    Parameters
    ----------
    covered : Known
        Lookups of the months, in which the members' gaps count as nothing.
    first, last : int
        Positions in `known.periods`.
    ends : tuple of date
        Last months of the windows that are read from it.
    kept : tuple of int
        Rows of `known.reporters`: members that are summed up.
    gaps : tuple of str
        reporter_iso of kept members that have not reported every month.
    left_out : polars.DataFrame
        reporter_iso, trade_share: members whose gaps would be too much of the coalition's trade; largest first.
    """

    covered: Known
    first: int
    last: int
    ends: tuple[date, ...]
    kept: tuple[int, ...]
    gaps: tuple[str, ...]
    left_out: pl.DataFrame

    @property
    def months(self) -> tuple[date, ...]:
        """First days of the months."""
        return self.covered.periods[self.first : self.last + 1]


def spans(coverage: pl.DataFrame, scope: pl.DataFrame, settings: Settings) -> list[Span]:
    """The runs of months that the windows asked about are read from, each with its members; mostly one.

    Parameters
    ----------
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope.
    settings : Settings
        Scenario: coalition, and the limits of `supply` on members and gaps.

    Returns
    -------
    list of Span
        Empty where no member of the coalition reports monthly exports for long enough.

    Notes
    -----
    Asked about are windows that end with a quarter or with the last month out. A month is out where members with
    `member_trade_share_least` of the coalition's trade have reported it whole. What a member has not reported counts as
    nothing: that makes a rise smaller and a fall of the direct trade larger, so members are left out of the sums, those
    with the largest gaps first, until at most `unreported_share_limit` of the trade of any window is missing.
    """
    monthly = coverage.filter(pl.col("freq_code") == "M")
    of_coalition = pl.col("reporter_iso").is_in(list(settings.coalition.countries)) & (pl.col("flow_code") == "X")
    members = monthly.filter(of_coalition)
    if members.is_empty():
        return []
    shares, rules = _shares(members), settings.supply
    covered = know(_without_gaps(monthly, shares.select(_REPORTER)), scope, "M")
    reported = _reported(know(monthly, scope, "M"), covered)
    weights = covered.reporters.join(shares, on=_REPORTER, how="left", maintain_order="left")["trade_share"]
    weight = weights.fill_null(0.0).to_numpy()
    run, last = _last_run(weight @ reported >= rules.member_trade_share_least)
    ends = [at for at in range(run, last + 1) if covered.periods[at].month % 3 == 0 or at == last]
    by_members: dict[tuple[int, ...], list[int]] = {}
    for end in ends:
        if end - run >= rules.window_months + 11:
            missing = ~reported[:, max(run, end + 1 - rules.most_months) : end + 1]
            by_members.setdefault(_kept(weight, missing, settings), []).append(end)
    return [_span(covered, reported, run, kept, at, shares, settings) for kept, at in by_members.items()]


def _reported(as_published: Known, covered: Known) -> Marks:
    """Months that each reporter has published whole, in the rows of `covered`."""
    rows = covered.reporters.select(_REPORTER).join(
        as_published.reporters, on=_REPORTER, how="left", maintain_order="left"
    )["reporter_id"]
    return np.asarray(as_published.complete[rows.cast(pl.Int64).to_numpy()])


def _kept(weight: Floats, missing: Marks, settings: Settings) -> tuple[int, ...]:
    """Members, by their rows, whose gaps together are little enough of the trade of every window."""
    width = settings.supply.window_months
    run = np.cumsum(np.pad(missing.astype(np.int64), ((0, 0), (1, 0))), axis=1)
    gap = weight * (run[:, width:] - run[:, :-width]).max(axis=1) / width
    order = np.argsort(gap, kind="stable")
    is_little = np.cumsum(gap[order]) <= settings.supply.unreported_share_limit
    return tuple(sorted(int(row) for row in order[is_little] if weight[row] > 0))


def _span(
    covered: Known,
    reported: Marks,
    run: int,
    kept: tuple[int, ...],
    ends: list[int],
    shares: pl.DataFrame,
    settings: Settings,
) -> Span:
    first, last = max(run, ends[0] + 1 - settings.supply.most_months), ends[-1]
    members = covered.reporters.join(shares, on=_REPORTER, how="inner", maintain_order="left")
    is_kept = pl.col("reporter_id").is_in(list(kept))
    has_gap = [row for row in kept if not reported[row, first : last + 1].all()]
    return Span(
        covered,
        first,
        last,
        tuple(covered.periods[end] for end in ends),
        kept,
        tuple(members.filter(pl.col("reporter_id").is_in(has_gap))["reporter_iso"].unique().sort()),
        members.filter(~is_kept)
        .select("reporter_iso", "trade_share")
        .sort("trade_share", "reporter_iso", descending=[True, False]),
    )


def _shares(members: pl.DataFrame) -> pl.DataFrame:
    """Each member's part of the trade that the coalition reported in the last three years; columns _REPORTER, trade_share."""
    recent = members.filter(pl.col("ref_date") > pl.col("ref_date").max().dt.offset_by(f"-{_USUAL_MONTHS}mo"))
    monthly = recent.group_by(_REPORTER).agg(usd=pl.col("value_usd").median()).sort(_REPORTER)
    return monthly.select(*_REPORTER, trade_share=pl.col("usd") / pl.col("usd").sum())


def _without_gaps(coverage: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Coverage in which the members have reported every month of the calendar whole."""
    months = coverage.select(pl.col("ref_date").unique().sort())
    rows = members.join(months, how="cross").join(coverage, on=[*_REPORTER, "ref_date"], how="left")
    edition = pl.col("hs_edition").forward_fill().backward_fill().over(_REPORTER, order_by="ref_date")
    filled = rows.with_columns(
        edition, freq_code=pl.lit("M"), is_complete=pl.lit(value=True), value_usd=pl.col("value_usd").fill_null(0)
    )
    filled = filled.with_columns(pl.col("rows", "goods").fill_null(0)).select(coverage.columns)
    return pl.concat([coverage.join(members, on=_REPORTER, how="anti"), filled])


def _last_run(is_out: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """First and last position of the last stretch of True; (0, -1) where there is none."""
    out = np.flatnonzero(is_out)
    if not len(out):
        return 0, -1
    last = int(out[-1])
    gaps = np.flatnonzero(~is_out[:last])
    return int(gaps[-1]) + 1 if len(gaps) else 0, last
