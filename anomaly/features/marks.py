"""What `bilateral.known` says of routes and periods, as arrays: a row of marks a reporter, a good or a partner, a column a period.

Rules 1 and 2 are those of `known`, spread over the periods; rules 3 and 4 and what a side beside says are told once more
here, since whole grids are asked at once. `tests/features/test_marks.py` holds that both say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.bilateral import withheld as of_reporters
from anomaly.bilateral.known import full_reports, held_years
from anomaly.contract.periods import INTERVALS, MONTHS_IN, Window

Marks = npt.NDArray[np.bool_]
Editions = npt.NDArray[np.int8]
Ids = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Known:
    """Who reported what, for one frequency: ids of reporters, goods and partners, and a row of marks for each.

    All marks end with a row of nothing, which an unknown id points to.

    Parameters
    ----------
    freq_code : str
        A, Q or M.
    periods : tuple of date
        First days of all periods from the first that anyone reported to the last.
    reporters : polars.DataFrame
        source, dataset, flow_code, reporter_iso, reporter_id.
    covered, complete : array of bool, shape (reporters + 1, periods)
        Whether the reporter published anything of the period, and whether in full.
    edition : array of int, shape (reporters + 1, periods)
        HS edition of the report, 0 where there is none.
    goods : polars.DataFrame
        source, dataset, flow_code, good, row.
    held : array of bool, shape (goods + 1, periods)
        Whether the dataset holds the good in the period's year.
    dealers : polars.DataFrame
        source, dataset, flow_code, partner, row.
    dealt : array of bool, shape (dealers + 1, periods)
        Whether the dataset holds trade with the partner in the period's year.
    partners : polars.DataFrame
        source, dataset, flow_code, partners: how many there are.
    hidden : array of int, shape (withheld values, 4)
        Rows of reporter, good and partner of a route whose value is withheld, and the period.
    """

    freq_code: str
    periods: tuple[date, ...]
    reporters: pl.DataFrame
    covered: Marks
    complete: Marks
    edition: Editions
    goods: pl.DataFrame
    held: Marks
    dealers: pl.DataFrame
    dealt: Marks
    partners: pl.DataFrame
    hidden: Ids

    def index(self, window: Window) -> list[int] | None:
        """Positions of a window's periods in `periods`.

        Parameters
        ----------
        window : Window
            Of this frequency.

        Returns
        -------
        list of int, or None
            None where the data do not go that far.
        """
        first, _, count = window.span()
        years = first.year - self.periods[0].year
        at = (12 * years + first.month - self.periods[0].month) // MONTHS_IN[self.freq_code]
        return list(range(at, at + count)) if at >= 0 and at + count <= len(self.periods) else None


def know(coverage: pl.DataFrame, scope: pl.DataFrame, freq_code: str) -> Known:
    """Turn coverage of one frequency into lookups.

    Parameters
    ----------
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope.
    freq_code : str
        A, Q or M: a frequency that has coverage.

    Returns
    -------
    Known
        Marks of every reporter, good and partner.
    """
    coverage = coverage.filter(pl.col("freq_code") == freq_code)
    scope = scope.filter(pl.col("freq_code") == freq_code)
    periods = _calendar(coverage["ref_date"].min(), coverage["ref_date"].max(), freq_code)  # type: ignore[arg-type]
    reporters = coverage.select("source", "dataset", "flow_code", "reporter_iso").unique(maintain_order=True)
    reporters = reporters.with_row_index("reporter_id")
    shape = (reporters.height + 1, len(periods))
    covered, complete = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    edition = np.zeros(shape, dtype=np.int8)
    covered[_places(coverage, reporters, periods[0], freq_code)] = True
    complete[_places(full_reports(coverage), reporters, periods[0], freq_code)] = True
    edition[_places(coverage, reporters, periods[0], freq_code)] = coverage["hs_edition"].to_numpy()
    goods, held = _held(scope, "good", periods)
    dealers, dealt = _held(scope, "partner", periods)
    partners = (
        scope.filter(pl.col("dimension") == "partner")
        .group_by("source", "dataset", "flow_code")
        .agg(partners=pl.col("code").n_unique())
    )
    hidden = _hidden(scope, reporters, goods, dealers, periods[0], freq_code)
    return Known(
        freq_code, periods, reporters, covered, complete, edition, goods, held, dealers, dealt, partners, hidden
    )


def _calendar(first: date, last: date, freq_code: str) -> tuple[date, ...]:
    return tuple(pl.date_range(first, last, interval=INTERVALS[freq_code], eager=True))


def _places(reports: pl.DataFrame, reporters: pl.DataFrame, first: date, freq_code: str) -> tuple[Ids, Ids]:
    """Row and column of each report in marks of reporters and periods."""
    key = ["source", "dataset", "flow_code", "reporter_iso"]
    placed = reports.join(reporters, on=key, maintain_order="left").with_columns(_position(first, freq_code))
    return placed["reporter_id"].cast(pl.Int64).to_numpy(), placed["position"].to_numpy()


def _position(first: date, freq_code: str) -> pl.Expr:
    years = pl.col("ref_date").dt.year() - first.year
    months = years.cast(pl.Int64) * 12 + pl.col("ref_date").dt.month() - first.month
    return (months // MONTHS_IN[freq_code]).alias("position")


def _held(scope: pl.DataFrame, dimension: str, periods: Sequence[date]) -> tuple[pl.DataFrame, Marks]:
    """(source, dataset, flow_code, `dimension`, row) of what datasets hold, and the marks by row."""
    key = ["source", "dataset", "flow_code", "code"]
    ids = scope.filter(pl.col("dimension") == dimension).select(key).unique(maintain_order=True).with_row_index("row")
    years = held_years(scope, dimension).join(ids, on=key).select("row", "year")
    held: Marks = np.zeros((ids.height + 1, len(periods)), dtype=np.bool_)
    of_period = np.array([period.year for period in periods])
    for (year,), part in years.group_by("year"):
        held[np.ix_(part["row"].to_numpy(), of_period == year)] = True
    return ids.rename({"code": dimension}), held


def _hidden(
    scope: pl.DataFrame,
    reporters: pl.DataFrame,
    goods: pl.DataFrame,
    dealers: pl.DataFrame,
    first: date,
    freq_code: str,
) -> Ids:
    """Withheld values by the rows of reporter, good and partner in the marks, and the period."""
    key = ["source", "dataset", "flow_code"]
    cells = (
        of_reporters.periods(scope)
        .join(reporters, on=[*key, "reporter_iso"])
        .join(goods.rename({"row": "_good"}), on=[*key, "good"])
        .join(dealers.select(*key, partner_iso="partner", _dealer="row"), on=[*key, "partner_iso"])
        .select("reporter_id", "_good", "_dealer", _position(first, freq_code))
    )
    return cells.cast(pl.Int64).unique(maintain_order=True).to_numpy()


def rows_of(
    known: Known, dataset: tuple[str, str, str], goods: pl.Series, countries: pl.Series
) -> tuple[Ids, Ids, Ids]:
    """Where a dataset's countries and goods stand in the marks.

    Parameters
    ----------
    known : Known
        The marks.
    dataset : tuple of str
        source, dataset and flow_code.
    goods, countries : polars.Series
        Names, each once.

    Returns
    -------
    tuple of array of int
        Rows of each country as reporter, of each good, and of each country as partner; the row of nothing where the
        dataset has none.
    """
    key = ["source", "dataset", "flow_code"]
    reporters = known.reporters.select(*key, name="reporter_iso", row="reporter_id")
    held, dealt = (ids.rename({name: "name"}) for ids, name in ((known.goods, "good"), (known.dealers, "partner")))
    return (
        _rows(reporters, dataset, countries, known.reporters.height),
        _rows(held, dataset, goods, known.goods.height),
        _rows(dealt, dataset, countries, known.dealers.height),
    )


def _rows(ids: pl.DataFrame, dataset: tuple[str, str, str], names: pl.Series, nothing: int) -> Ids:
    of_dataset = ids.filter(source=dataset[0], dataset=dataset[1], flow_code=dataset[2]).select("name", "row")
    rows = names.alias("name").to_frame().join(of_dataset, on="name", how="left", maintain_order="left")["row"]
    return rows.cast(pl.Int64).fill_null(nothing).to_numpy()


def changes(edition: Editions) -> tuple[Marks, Ids]:
    """The changes of HS edition within the reports of each reporter.

    Parameters
    ----------
    edition : array of int, shape (reporters, periods)
        HS edition of each report, 0 where there is none.

    Returns
    -------
    tuple of array, shape (reporters,)
        Whether there is a change, and the editions that came, a bit each, as refusals.edition_bits writes them.
    """
    edition = edition.astype(np.int64)
    highest = edition.max(axis=1, initial=0)
    lowest = np.where(edition > 0, edition, highest[:, None]).min(axis=1, initial=np.iinfo(np.int64).max)
    is_changed = highest > lowest
    crossed = np.where(is_changed, (1 << (highest + 1)) - (1 << (np.minimum(lowest, highest) + 1)), 0)
    return is_changed, crossed


def can_say(known: Known, reporter: Ids, held: Ids, dealt: Ids) -> Marks:
    """Whether a route's dataset can speak of it in each period: rules 1 and 2.

    Parameters
    ----------
    known : Known
        The marks.
    reporter, held, dealt : array of int, shape (routes,)
        Rows of each route's reporter, good and partner in the marks.

    Returns
    -------
    array of bool, shape (periods, routes)
        True where silence means nothing, but for re-coded goods.
    """
    says: Marks = known.complete.T[:, reporter] & known.held.T[:, held]
    if not known.dealt[np.unique(dealt)].all():
        says &= known.dealt.T[:, dealt]
    return says


def withheld_marks(known: Known, reporter: Ids, held: Ids, dealt: Ids) -> Marks | None:
    """Periods of routes of which a value is withheld: rule 4.

    Parameters
    ----------
    known : Known
        The marks.
    reporter, held, dealt : array of int, shape (routes,)
        Rows of each route's reporter, good and partner in the marks, as `can_say` takes them.

    Returns
    -------
    array of bool, shape (periods, routes), or None
        None where nothing is withheld at all.
    """
    if not len(known.hidden):
        return None
    shape = (len(known.complete), len(known.held), len(known.dealt))
    *who, period = known.hidden.T
    routes = np.ravel_multi_index((reporter, held, dealt), shape)
    order = np.argsort(routes, kind="stable")
    hidden = np.ravel_multi_index(tuple(who), shape)
    first, after = (np.searchsorted(routes, hidden, side=side, sorter=order) for side in ("left", "right"))
    is_inside = (after > first) & (period >= 0) & (period < len(known.periods))
    count = (after - first)[is_inside]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    marks = np.zeros((len(known.periods), len(routes)), dtype=np.bool_)
    marks[np.repeat(period[is_inside], count), order[np.repeat(first[is_inside], count) + within]] = True
    return marks


def take_out_moved(says: Marks, raw: Amounts, recoded: Marks, speaker: Ids, known: Known) -> None:
    """Take out, in place, years in which a reporter has nothing of a re-coded good, after a year in which it had: rule 3.

    Parameters
    ----------
    says : array of bool, shape (periods, routes)
        `can_say`; changed in place.
    raw : array of int, shape (periods, routes)
        USD as reported, negative where there is no row.
    recoded : array of bool, shape (routes,)
        Whether the route's good stands for several codes.
    speaker : array of int, shape (routes,)
        A number for each reporter, its dataset and the good.
    known : Known
        For its periods.
    """
    routes = np.flatnonzero(recoded)
    if not len(routes):
        return
    _, of_route = np.unique(speaker[routes], return_inverse=True)
    years = np.array([period.year for period in known.periods])
    was_active = np.zeros(of_route.max() + 1, dtype=np.bool_)
    for year in np.unique(years):
        inside = np.flatnonzero(years == year)
        active = np.zeros_like(was_active)
        active[of_route[(raw[np.ix_(inside, routes)] > 0).any(axis=0)]] = True
        says[np.ix_(inside, routes)] &= ~(was_active & ~active)[of_route]
        was_active |= active


def importers_say(
    known: Known, raw: Amounts, goods: pl.Series, countries: pl.Series, route: tuple[Ids, Ids, Ids], speaker: Ids
) -> tuple[Marks, Editions]:
    """Whether importers can speak of each route in each period, from whichever of their datasets.

    A row is whole where one dataset can say so. No row means nothing only where all can that ever do.

    Parameters
    ----------
    known : Known
        The marks.
    raw : array of int, shape (periods, routes)
        USD that importers report, negative where there is no row.
    goods, countries : polars.Series
        Names, each once.
    route : tuple of array of int
        Good, exporter and importer of each route, as places in `goods` and `countries`.
    speaker : array of int, shape (routes,)
        A number for each importer and good.

    Returns
    -------
    tuple of array
        Of bool and of int, both of shape (periods, routes): where what is reported is known, a row or none, and the newest
        HS edition of a dataset that can speak.
    """
    good, exporter, importer = route
    any_says, all_say = np.zeros(raw.shape, dtype=np.bool_), np.ones(raw.shape, dtype=np.bool_)
    edition = np.zeros(raw.shape, dtype=np.int8)
    for source, dataset in known.reporters.filter(flow_code="M").select("source", "dataset").unique().iter_rows():
        reporters, held, dealt = rows_of(known, (source, dataset, "M"), goods, countries)
        reporter = reporters[importer]
        says = can_say(known, reporter, held[good], dealt[exporter])
        ever_says = says.any(axis=0)
        withheld = withheld_marks(known, reporter, held[good], dealt[exporter])
        if withheld is not None:
            says &= ~withheld
        edition = np.maximum(edition, np.where(says, known.edition.T[:, reporter], 0))
        any_says |= says
        all_say &= says | ~ever_says
    at_hand = any_says & (all_say | (raw >= 0))
    take_out_moved(at_hand, raw, goods.str.ends_with("+").to_numpy()[good], speaker, known)
    return at_hand, edition
