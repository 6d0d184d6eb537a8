"""A route is a row and a period a column: dense values of a chunk of whole goods, and what is known about them.

The grid of a chunk is a matrix periods x routes of whole USD with -1 for unknown. Absence becomes 0 only where the
reporter reported the period and the dataset holds the good; windows, lags and baselines are then sums of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

Amounts = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

UNKNOWN = -1
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
    """Who reported what, for one frequency: ids of reporters and goods, and a row of marks for each.

    `reporters` and `goods` end with a row of nothing, which an unknown id points to.
    """

    freq_code: str
    periods: tuple[date, ...]
    reporters: pl.DataFrame
    covered: Marks
    complete: Marks
    edition: npt.NDArray[np.int8]
    goods: pl.DataFrame
    held: Marks
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
    position = _position(periods[0], freq_code)
    reporters = told.select("source", "dataset", "flow_code", "reporter_iso").unique(maintain_order=True)
    reporters = reporters.with_row_index("reporter_id")
    ids = told.join(reporters, on=["source", "dataset", "flow_code", "reporter_iso"]).with_columns(position)
    shape = (reporters.height + 1, len(periods))
    covered, complete = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    edition = np.zeros(shape, dtype=np.int8)
    at = (ids["reporter_id"].to_numpy(), ids["position"].to_numpy())
    covered[at] = True
    complete[at] = ids["is_complete"].to_numpy()
    edition[at] = ids["hs_edition"].to_numpy()
    goods, held = _held(scope.filter(pl.col("dimension") == "good"), periods, freq_code)
    partners = (
        scope.filter(pl.col("dimension") == "partner")
        .group_by("source", "dataset", "flow_code")
        .agg(partners=pl.col("code").n_unique(), smallest_value_usd=pl.col("smallest_value_usd").min())
    )
    return Known(freq_code, periods, reporters, covered, complete, edition, goods, held, partners)


def _calendar(first: date, last: date, freq_code: str) -> tuple[date, ...]:
    every = "1y" if freq_code == "A" else "1mo"
    return tuple(pl.date_range(first, last, interval=every, eager=True))


def _position(first: date, freq_code: str) -> pl.Expr:
    years = pl.col("ref_date").dt.year() - first.year
    if freq_code == "A":
        return years.cast(pl.Int64).alias("position")
    return (years.cast(pl.Int64) * 12 + pl.col("ref_date").dt.month() - first.month).alias("position")


def _held(scope: pl.DataFrame, periods: Sequence[date], freq_code: str) -> tuple[pl.DataFrame, Marks]:
    """A good is held in a whole year in which any reporter of the dataset has a row of it."""
    key = ["source", "dataset", "flow_code", "code"]
    goods = scope.select(key).unique(maintain_order=True).with_row_index("good_id")
    seen = scope.join(goods, on=key).with_columns(_position(periods[0], freq_code))
    held: Marks = np.zeros((goods.height + 1, len(periods)), dtype=np.bool_)
    held[seen["good_id"].to_numpy(), seen["position"].to_numpy()] = True
    years = np.array([period.year for period in periods])
    for year in np.unique(years):
        inside = years == year
        held[:, inside] = np.any(held[:, inside], axis=1, keepdims=True)
    return goods.rename({"code": "good"}), held


@dataclass(frozen=True, slots=True)
class Grid:
    """One chunk of whole goods at one frequency.

    routes     good, exporter_iso, importer_iso, source, dataset, value_basis; one row a route, sorted
    value      periods x routes, USD, UNKNOWN where nobody can say
    raw        the same before coverage: UNKNOWN where there is no row
    weight     periods x routes, grams, UNKNOWN where there is no row or no weight
    exported, imported   both sides as reported, with their own coverage; None where no importer reports
    covered, complete, held   periods x routes
    edition    periods x routes, HS edition of the reporter, 0 where not covered
    """

    known: Known
    routes: pl.DataFrame
    value: Amounts
    raw: Amounts
    weight: Amounts
    exported: Amounts | None
    imported: Amounts | None
    covered: Marks
    complete: Marks
    held: Marks
    edition: npt.NDArray[np.int8]


def lay(chunk: pl.DataFrame, known: Known) -> Grid:
    """Spread a chunk of bilateral (one frequency, whole goods, sorted by its key) over its periods."""
    key = ["good", "exporter_iso", "importer_iso"]
    is_next = pl.any_horizontal(*[pl.col(column) != pl.col(column).shift(1) for column in key]).fill_null(value=False)
    chunk = chunk.with_columns(
        is_next.cum_sum().cast(pl.Int64).alias("route"), _position(known.periods[0], known.freq_code)
    )
    routes = chunk.unique("route", keep="first", maintain_order=True).select(*key, "source", "dataset", "value_basis")
    at = (chunk["position"].to_numpy(), chunk["route"].to_numpy())
    shape = (len(known.periods), routes.height)

    def spread(column: str) -> Amounts:
        cells = np.full(shape, UNKNOWN, dtype=np.int64)
        cells[at] = chunk[column].fill_null(UNKNOWN).to_numpy()
        return cells

    is_import = pl.col("value_basis") == "import"
    sided = routes.with_columns(
        flow_code=pl.when(is_import).then(pl.lit("M")).otherwise(pl.lit("X")),
        reporter_iso=pl.when(is_import).then("importer_iso").otherwise("exporter_iso"),
    )
    by_reporter, by_good = _ids(sided, known)
    covered, complete = known.covered[by_reporter].T, known.complete[by_reporter].T
    held, edition = known.held[by_good].T, known.edition[by_reporter].T
    raw = spread("value_usd")
    held = held & ~_gone_silent(raw, sided, known)
    value = np.where(complete & held, np.maximum(raw, 0), UNKNOWN)
    exported = imported = None
    if chunk["import_value_cif_usd"].null_count() < chunk.height:
        exported = np.where(is_import_mask(routes), UNKNOWN, value)
        imported = _as_importers_say(spread("import_value_cif_usd"), routes, known)
    return Grid(known, routes, value, raw, spread("net_wgt_g"), exported, imported, covered, complete, held, edition)


def is_import_mask(routes: pl.DataFrame) -> Marks:
    """Routes whose value is the importer's report."""
    return (routes["value_basis"] == "import").to_numpy()


def _ids(sided: pl.DataFrame, known: Known) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    reporter_key = ["source", "dataset", "flow_code", "reporter_iso"]
    good_key = ["source", "dataset", "flow_code", "good"]
    reporter = sided.join(known.reporters, on=reporter_key, how="left", maintain_order="left")["reporter_id"]
    good = sided.join(known.goods, on=good_key, how="left", maintain_order="left")["good_id"]
    return (
        reporter.cast(pl.Int64).fill_null(known.reporters.height).to_numpy(),
        good.cast(pl.Int64).fill_null(known.goods.height).to_numpy(),
    )


def _gone_silent(raw: Amounts, sided: pl.DataFrame, known: Known) -> Marks:
    """Years in which a reporter has nothing of a re-coded good with anyone, after a year in which it had.

    A good that stands for several codes falls silent when its reporter moves to the new codes later, or its
    publisher lags: that is unknown, not zero.
    """
    silent = np.zeros(raw.shape, dtype=np.bool_)
    recoded = np.flatnonzero(sided["good"].str.ends_with("+").to_numpy())
    if not len(recoded):
        return silent
    group = sided[recoded].select(
        pl.struct("source", "dataset", "good", "reporter_iso").rank("dense").cast(pl.Int64) - 1
    )
    of_route = group.to_series().to_numpy()
    years = np.array([period.year for period in known.periods])
    was_active = np.zeros(of_route.max() + 1, dtype=np.bool_)
    for year in np.unique(years):
        inside = np.flatnonzero(years == year)
        active = np.zeros_like(was_active)
        np.logical_or.at(active, of_route, (raw[np.ix_(inside, recoded)] > 0).any(axis=0))
        silent[np.ix_(inside, recoded)] = (was_active & ~active)[of_route]
        was_active |= active
    return silent


def _as_importers_say(raw: Amounts, routes: pl.DataFrame, known: Known) -> Amounts:
    """Importers' reports with the importers' own coverage, in any of their datasets that holds the good."""
    sided = routes.select("good", reporter_iso="importer_iso", flow_code=pl.lit("M")).with_row_index("route")
    imports = known.reporters.filter(pl.col("flow_code") == "M")
    pairs = (
        sided.join(imports, on=["flow_code", "reporter_iso"])
        .join(known.goods, on=["source", "dataset", "flow_code", "good"])
        .sort("route")
    )
    can_say = np.zeros(raw.shape, dtype=np.bool_)
    route = pairs["route"].to_numpy()
    marks = known.complete[pairs["reporter_id"].to_numpy()] & known.held[pairs["good_id"].to_numpy()]
    np.logical_or.at(can_say.T, route, marks)
    silent = _gone_silent(raw, sided.with_columns(source=pl.lit(""), dataset=pl.lit("")), known)
    return np.where(can_say & ~silent, np.maximum(raw, 0), UNKNOWN)


def total(cells: Amounts, at: list[int] | None) -> Amounts:
    """Sum over the periods at `at`; UNKNOWN where one of them is unknown or outside the data."""
    if at is None:
        return np.full(cells.shape[1], UNKNOWN, dtype=np.int64)
    taken = cells[at]
    return np.where((taken >= 0).all(axis=0), taken.sum(axis=0), UNKNOWN)


def mean(cells: Amounts, at: Sequence[list[int]]) -> Amounts:
    """Mean over several windows, rounded to whole units; UNKNOWN where one of them is unknown."""
    if not at:
        return np.full(cells.shape[1], UNKNOWN, dtype=np.int64)
    parts = np.stack([total(cells, one) for one in at])
    count = len(at)
    return np.where((parts >= 0).all(axis=0), (parts.sum(axis=0) + count // 2) // count, UNKNOWN)


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
