"""Which windows are compared, and who reported what in their periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

Marks = npt.NDArray[np.bool_]

LEAST_BASELINE_YEARS = 2  # one year is a coincidence


@dataclass(frozen=True, slots=True)
class Window:
    """The months compared: `months` ending with the month of `end`, a year before, and in the baseline years.

    `gap_years` lies between the last baseline year and the window's year.
    """

    freq_code: str
    months: int
    end: date
    baseline_years: tuple[int, ...]
    gap_years: int


@dataclass(frozen=True, slots=True)
class Known:
    """Who reported what, for one frequency: ids of reporters, goods and partners, and a row of marks for each.

    covered, complete, held, dealt   end with a row of nothing, which an unknown id points to
    held, dealt   whether a dataset holds a good, or trade with a partner, in the period's year
    """

    freq_code: str
    periods: tuple[date, ...]
    reporters: pl.DataFrame
    covered: Marks
    complete: Marks
    edition: npt.NDArray[np.int8]
    goods: pl.DataFrame
    held: Marks
    dealers: pl.DataFrame
    dealt: Marks
    partners: pl.DataFrame

    def index(self, window_end: date, months: int, years_back: int = 0) -> list[int] | None:
        """Positions of the window's periods, or None where the data do not go that far."""
        first = self.periods[0]
        if self.freq_code == "A":
            wanted = [window_end.year - years_back - first.year]
        else:
            last = (window_end.year - years_back - first.year) * 12 + window_end.month - first.month
            wanted = list(range(last - months + 1, last + 1))
        return wanted if wanted[0] >= 0 and wanted[-1] < len(self.periods) else None


def know(coverage: pl.DataFrame, scope: pl.DataFrame, freq_code: str) -> Known:
    """Turn the tables coverage and coverage.scope of one frequency into lookups."""
    told = coverage.filter(pl.col("freq_code") == freq_code)
    scope = scope.filter(pl.col("freq_code") == freq_code)
    periods = _calendar(told["ref_date"].min(), told["ref_date"].max(), freq_code)  # type: ignore[arg-type]
    at_period = _position(periods[0], freq_code)
    reporters = told.select("source", "dataset", "flow_code", "reporter_iso").unique(maintain_order=True)
    reporters = reporters.with_row_index("reporter_id")
    ids = told.join(reporters, on=["source", "dataset", "flow_code", "reporter_iso"]).with_columns(at_period)
    shape = (reporters.height + 1, len(periods))
    covered, complete = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    edition = np.zeros(shape, dtype=np.int8)
    at = (ids["reporter_id"].to_numpy(), ids["position"].to_numpy())
    covered[at] = True
    complete[at] = ids["is_complete"].to_numpy()
    edition[at] = ids["hs_edition"].to_numpy()
    goods, held = _held(scope, "good", periods, freq_code)
    dealers, dealt = _held(scope, "partner", periods, freq_code)
    partners = (
        scope.filter(pl.col("dimension") == "partner")
        .group_by("source", "dataset", "flow_code")
        .agg(
            partners=pl.col("code").n_unique(),
            rows=pl.col("rows").sum(),
            smallest_value_usd=pl.col("smallest_value_usd").min(),
        )
    )
    return Known(freq_code, periods, reporters, covered, complete, edition, goods, held, dealers, dealt, partners)


def _calendar(first: date, last: date, freq_code: str) -> tuple[date, ...]:
    every = "1y" if freq_code == "A" else "1mo"
    return tuple(pl.date_range(first, last, interval=every, eager=True))


def _position(first: date, freq_code: str) -> pl.Expr:
    years = pl.col("ref_date").dt.year() - first.year
    if freq_code == "A":
        return years.cast(pl.Int64).alias("position")
    return (years.cast(pl.Int64) * 12 + pl.col("ref_date").dt.month() - first.month).alias("position")


def _held(scope: pl.DataFrame, dimension: str, periods: Sequence[date], freq_code: str) -> tuple[pl.DataFrame, Marks]:
    """A good or partner is held in a whole year in which any reporter of the dataset has a row of it.

    Returns (source, dataset, flow_code, `dimension`, row), and the marks by row.
    """
    scope = scope.filter(pl.col("dimension") == dimension)
    key = ["source", "dataset", "flow_code", "code"]
    ids = scope.select(key).unique(maintain_order=True).with_row_index("row")
    seen = scope.join(ids, on=key).with_columns(_position(periods[0], freq_code))
    held: Marks = np.zeros((ids.height + 1, len(periods)), dtype=np.bool_)
    held[seen["row"].to_numpy(), seen["position"].to_numpy()] = True
    years = np.array([period.year for period in periods])
    for year in np.unique(years):
        inside = years == year
        held[:, inside] = np.any(held[:, inside], axis=1, keepdims=True)
    return ids.rename({"code": dimension}), held


def plan(known: Known, window_months: Sequence[int], baseline_years: Sequence[int], least_months: int) -> list[Window]:
    """Every window worth computing, in order.

    Annual data: every year. Monthly data: calendar quarters, halves and years, the rolling windows that end with the
    last complete month, and the months of the last year so far. A window needs its year before inside the data.
    Windows before the end of the baseline are compared with the three years before them; those of later years are
    computed for every gap in use, so that a window finds placebos that are the same computation.
    """
    if known.freq_code == "A":
        spans = [(12, period.replace(month=12)) for period in known.periods]
    else:
        spans = _monthly_spans(known, window_months, least_months)
    last_baseline = max(baseline_years)
    gaps = sorted({max(1, end.year - last_baseline) for _, end in spans})
    windows = []
    for months, end in spans:
        if known.index(end, months, 1) is None or known.index(end, months) is None:
            continue
        own = max(1, end.year - last_baseline)
        for gap in [own] if end.year > last_baseline else gaps:
            years = (
                tuple(baseline_years)
                if end.year > last_baseline
                else tuple(end.year - gap - back for back in (2, 1, 0))
            )
            held = tuple(year for year in years if known.index(end.replace(year=year), months) is not None)
            has_baseline = len(held) >= LEAST_BASELINE_YEARS
            if has_baseline or end.year > last_baseline:  # a placebo without a baseline is not the same computation
                windows.append(Window(known.freq_code, months, end, held if has_baseline else (), gap))
    return windows


def _monthly_spans(known: Known, window_months: Sequence[int], least_months: int) -> list[tuple[int, date]]:
    complete = known.complete.any(axis=0)
    last = known.periods[int(np.flatnonzero(complete).max())]
    spans = {
        (months, end) for months in window_months for end in known.periods if end.month % months == 0 and end <= last
    }
    spans |= {(months, last) for months in window_months}
    if last.month >= least_months and last.month != 12:
        spans |= {(last.month, end) for end in known.periods if end.month == last.month and end <= last}
    return sorted(spans, key=lambda span: (span[1], span[0]))
