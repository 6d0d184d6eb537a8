"""Comparisons the data cannot carry: refused by name, never guessed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features.cells import pick
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import Grid
from anomaly.features.marks import Marks, changes
from anomaly.features.windows import Comparison

REFUSALS = {
    "not_reported": "the reporter published nothing for the window",
    "year_before_not_reported": "the reporter published nothing for the same months a year before",
    "too_few_months": "the reporter published only some months of a window",
    "partial_period": "a period of the windows is far from complete",
    "withheld": "the reporter withholds a value of the route in one of the windows: unknown, not zero",
    "edition_break": "the reporter changed the HS edition between the windows and the good has no stable family across it",
    "outside_extract": "the extract does not hold the good or the partner in one of the windows, or the reporter fell silent on a re-coded good: unknown, not zero",
}


def edition_bits(broken: pl.DataFrame, goods: pl.Series) -> npt.NDArray[np.int64]:
    """For each good the changes of HS edition that it does not survive, as one number.

    Parameters
    ----------
    broken : polars.DataFrame
        families.broken: good, newer_edition.
    goods : polars.Series
        Goods, each once.

    Returns
    -------
    array of int, shape (goods,)
        A bit for each newer edition that breaks the good: 64 for HS 2022, which is edition 6.
    """
    bit = pl.lit(2, dtype=pl.Int64).pow(pl.col("newer_edition").cast(pl.Int64))
    bits = broken.group_by("good").agg(bits=bit.sum())
    marked = goods.alias("good").to_frame().join(bits, on="good", how="left", maintain_order="left")
    return marked["bits"].fill_null(0).cast(pl.Int64).to_numpy()


def straddles(grid: Grid, broken_by: npt.NDArray[np.int64], at: list[int]) -> tuple[Marks, Marks]:
    """Whether the reporter of each route changed the HS edition within some periods.

    Parameters
    ----------
    grid : Grid
        Of it its routes and the editions of their reporters.
    broken_by : array of int, shape (goods,)
        `edition_bits` of the grid's goods.
    at : list of int
        The periods.

    Returns
    -------
    tuple of array of bool, shape (routes,)
        Whether a change breaks the route's good, and whether there is one at all.
    """
    is_changed, crossed = changes(grid.known.edition[:, at])
    if not is_changed.any():
        nowhere = np.zeros(len(grid.good), dtype=np.bool_)
        return nowhere, nowhere
    return (broken_by[grid.good] & crossed[grid.reporter]) != 0, is_changed[grid.reporter]


def refusals(
    grid: Grid, comparison: Comparison, compared: Compared, are_targets: Marks, settings: Settings
) -> pl.DataFrame | None:
    """Routes to targets that are large enough and cannot be compared in this window, each with the first reason.

    A window computed for several gaps is refused once, for its own gap.

    Parameters
    ----------
    grid : Grid
        The window's goods.
    comparison : Comparison
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
    known, names, window = grid.known, grid.names, comparison.window
    now, prior = comparison.now(known) or [], comparison.prior(known) or []
    is_target = are_targets[grid.importer]
    if comparison.gap_years != settings.gap_years(comparison.window.year):
        is_target = np.zeros_like(is_target)
    route = np.flatnonzero(is_target & ~compared.is_comparable)
    seen_now = np.maximum(pick(grid.raw, now, route), 0).sum(axis=0)
    largest = np.maximum(seen_now, np.maximum(pick(grid.raw, prior, route), 0).sum(axis=0))
    route, largest = route[largest >= settings.materiality_usd], largest[largest >= settings.materiality_usd]
    if not len(route):
        return None
    covered, complete = known.covered[grid.reporter[route]], known.complete[grid.reporter[route]]
    covered_now, covered_prior = covered[:, now].sum(axis=1), covered[:, prior].sum(axis=1)
    is_withheld: Marks = np.zeros(len(route), dtype=np.bool_)
    if grid.withheld is not None:
        is_withheld = np.any(grid.withheld[np.ix_([*now, *prior], route)], axis=0)
    name = np.select(
        [
            covered_now == 0,
            covered_prior == 0,
            (covered_now < len(now)) | (covered_prior < len(prior)),
            ~(complete[:, now].all(axis=1) & complete[:, prior].all(axis=1)),
            is_withheld,
            compared.is_edition_broken[route],
        ],
        ["not_reported", "year_before_not_reported", "too_few_months", "partial_period", "withheld", "edition_break"],
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
