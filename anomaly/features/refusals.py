"""Comparisons the data cannot carry: refused by name, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import Grid, pick
from anomaly.features.marks import Marks
from anomaly.features.windows import Window

REFUSALS = {
    "not_reported": "the reporter published nothing for the window",
    "year_before_not_reported": "the reporter published nothing for the same months a year before",
    "too_few_months": "the reporter published only some months of a window",
    "partial_period": "a period of the windows is far from complete",
    "edition_break": "the reporter changed the HS edition between the windows and the good has no stable family across it",
    "outside_extract": "the extract does not hold the good or the partner in one of the windows, or the reporter fell silent on a re-coded good: unknown, not zero",
}


@dataclass(frozen=True, slots=True)
class Breaks:
    """Which goods do not survive which change of HS edition.

    Parameters
    ----------
    unstable : polars.DataFrame
        good, newer_edition: an n:n link, the good is never compared across that change.
    tables : polars.DataFrame
        older, newer, chapter ('all' or two digits): the changes for which there is a table of links.
    """

    unstable: pl.DataFrame
    tables: pl.DataFrame

    def marks(self, goods: pl.Series) -> npt.NDArray[np.int64]:
        """The changes of edition that each good does not survive, as one number.

        Parameters
        ----------
        goods : polars.Series
            Goods, sorted, each once.

        Returns
        -------
        array of int, shape (goods,)
            A bit for each newer edition that breaks the good: 64 for HS 2022, which is edition 6.
        """
        chapters = goods.alias("good").to_frame().with_columns(chapter=pl.col("good").str.slice(0, 2))
        steps = pl.DataFrame({"older": range(9), "newer": range(1, 10)}, schema={"older": pl.Int64, "newer": pl.Int64})
        has_table = pl.any_horizontal(pl.col("tabled").eq("all"), pl.col("tabled").eq(pl.col("chapter")))
        tables = self.tables.select(pl.col("older").cast(pl.Int64), pl.col("newer").cast(pl.Int64), tabled="chapter")
        linked = (
            chapters.join(steps, how="cross")
            .join(tables, on=["older", "newer"])
            .filter(has_table)
            .select("good", "newer", is_linked=pl.lit(value=True))
            .unique()
        )
        unstable = self.unstable.select(
            "good", newer=pl.col("newer_edition").cast(pl.Int64), is_unstable=pl.lit(value=True)
        ).unique()
        return (
            chapters.join(steps, how="cross")
            .join(linked, on=["good", "newer"], how="left")
            .join(unstable, on=["good", "newer"], how="left")
            .with_columns(is_broken=pl.col("is_linked").is_null() | pl.col("is_unstable").is_not_null())
            .group_by("good")
            .agg(marks=(pl.col("is_broken").cast(pl.Int64) * 2 ** pl.col("newer")).sum())
            .sort("good")["marks"]
            .cast(pl.Int64)
            .to_numpy()
        )


def straddles(grid: Grid, marks: npt.NDArray[np.int64], at: list[int]) -> tuple[Marks, Marks]:
    """Whether the reporter of each route changed the HS edition within some periods.

    Parameters
    ----------
    grid : Grid
        Of it its routes and the editions of their reporters.
    marks : array of int, shape (goods,)
        Breaks.marks of the grid's goods.
    at : list of int
        The periods.

    Returns
    -------
    tuple of array of bool, shape (routes,)
        Whether a change breaks the route's good, and whether there is one at all.
    """
    edition = grid.known.edition[:, at].astype(np.int64)
    highest = edition.max(axis=1, initial=0)
    lowest = np.where(edition > 0, edition, highest[:, None]).min(axis=1, initial=np.iinfo(np.int64).max)
    is_changed = highest > lowest
    if not is_changed.any():
        nowhere = np.zeros(len(grid.good), dtype=np.bool_)
        return nowhere, nowhere
    crossed = np.where(is_changed, (1 << (highest + 1)) - (1 << (np.minimum(lowest, highest) + 1)), 0)
    return (marks[grid.good] & crossed[grid.reporter]) != 0, is_changed[grid.reporter]


def refusals(
    grid: Grid, window: Window, compared: Compared, are_targets: Marks, settings: Settings
) -> pl.DataFrame | None:
    """Routes to targets that are large enough and cannot be compared in this window, each with the first reason.

    A window computed for several gaps is refused once, for its own gap.

    Parameters
    ----------
    grid : Grid
        The window's goods.
    window : Window
        What is compared.
    compared : Compared
        The window of the grid.
    are_targets : array of bool, shape (countries,)
        Targets of the scenario.
    settings : Settings
        Scenario: materiality, baseline years.

    Returns
    -------
    polars.DataFrame or None
        Columns of schema.Refused; None where nothing is refused.
    """
    known, names = grid.known, grid.names
    now = known.index(window.end, window.months) or []
    prior = known.index(window.end, window.months, 1) or []
    is_target = are_targets[grid.importer]
    if window.gap_years != settings.gap_years(window.end.year):
        is_target = np.zeros_like(is_target)
    route = np.flatnonzero(is_target & ~compared.is_comparable)
    seen_now = np.maximum(pick(grid.raw, now, route), 0).sum(axis=0)
    largest = np.maximum(seen_now, np.maximum(pick(grid.raw, prior, route), 0).sum(axis=0))
    route, largest = route[largest >= settings.materiality_usd], largest[largest >= settings.materiality_usd]
    if not len(route):
        return None
    covered, complete = known.covered[grid.reporter[route]], known.complete[grid.reporter[route]]
    covered_now, covered_prior = covered[:, now].sum(axis=1), covered[:, prior].sum(axis=1)
    name = np.select(
        [
            covered_now == 0,
            covered_prior == 0,
            (covered_now < len(now)) | (covered_prior < len(prior)),
            ~(complete[:, now].all(axis=1) & complete[:, prior].all(axis=1)),
            compared.is_edition_broken[route],
        ],
        ["not_reported", "year_before_not_reported", "too_few_months", "partial_period", "edition_break"],
        default="outside_extract",
    )
    return pl.DataFrame(
        {
            "good": names.goods.gather(grid.good[route]),
            "exporter_iso": names.countries.gather(grid.exporter[route]),
            "importer_iso": names.countries.gather(grid.importer[route]),
            "refusal": pl.Series(name.tolist(), dtype=pl.String),
            "value_usd": pl.Series(largest, dtype=pl.Int64),
        }
    ).select(
        freq_code=pl.lit(window.freq_code),
        window_months=pl.lit(window.months, dtype=pl.Int16),
        window_end=pl.lit(window.end, dtype=pl.Date),
        good="good",
        exporter_iso="exporter_iso",
        importer_iso="importer_iso",
        refusal="refusal",
        says=pl.col("refusal").replace_strict(REFUSALS),
        value_usd="value_usd",
    )
