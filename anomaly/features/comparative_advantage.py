"""Whether an exporter makes a good itself: its revealed comparative advantage in the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from anomaly.bilateral.coverage import PARTNERS_OF_A_WHOLE_DATASET
from anomaly.features import cells
from anomaly.features.cells import UNKNOWN
from anomaly.features.coalition_legs import Compared
from anomaly.features.grid import Grid
from anomaly.features.marks import Amounts, Ids, Known
from anomaly.features.unit_values import Floats
from anomaly.features.windows import Comparison

LEAST_CHAPTERS = 10  # of the HS; an extract with fewer does not show what share of its exports a good is
_DATASET = ("source", "dataset")


@dataclass(frozen=True, slots=True)
class Exports:
    """What each reporter exported of all goods together, for the datasets that hold enough goods and partners.

    Parameters
    ----------
    usd : array of int, shape (reporters + 1, periods)
        Whole USD, rows as in known's marks; UNKNOWN where there is no report.
    datasets : list of tuple of str
        (source, dataset), the one with the most goods first.
    """

    usd: Amounts
    datasets: list[tuple[str, str]]


def exports(coverage: pl.DataFrame, known: Known) -> Exports:
    """The totals over all goods that chunks of goods cannot add up themselves.

    Parameters
    ----------
    coverage : polars.DataFrame
        The table coverage.
    known : Known
        Who reported what, for one frequency.

    Returns
    -------
    Exports
        Of the frequency's exports, before any window.
    """
    key = (*_DATASET, "flow_code", "reporter_iso")
    periods = pl.DataFrame({"ref_date": known.periods}).with_row_index("position")
    reported = coverage.filter(pl.col("freq_code") == known.freq_code, pl.col("flow_code") == "X")
    reported = reported.join(known.reporters, on=key).join(periods, on="ref_date")
    usd = np.full((known.reporters.height + 1, len(known.periods)), UNKNOWN, dtype=np.int64)
    usd[reported["reporter_id"].to_numpy(), reported["position"].to_numpy()] = reported["value_usd"].to_numpy()
    is_wide = pl.col("partners") >= PARTNERS_OF_A_WHOLE_DATASET
    chapters = pl.col("good").str.slice(0, 2).n_unique()
    whole_datasets = (
        known.goods.filter(pl.col("flow_code") == "X")
        .group_by(_DATASET)
        .agg(chapters=chapters, goods=pl.len())
        .join(known.partners.filter(is_wide, pl.col("flow_code") == "X"), on=_DATASET, how="semi")
        .filter(pl.col("chapters") >= LEAST_CHAPTERS)
        .sort("goods", *_DATASET, descending=[True, False, False])
    )
    return Exports(usd, whole_datasets.select(_DATASET).rows())


@dataclass(frozen=True, slots=True)
class Placed:
    """Exports at the places of a grid: for each dataset the row of every country and of every good.

    Rows are those of known's marks; the last, a row of nothing, where there is none.

    Parameters
    ----------
    usd : array of int, shape (reporters + 1, periods)
        As in Exports.
    everyone : list of array of int
        Rows of all the dataset's reporters.
    countries : list of array of int
        Rows of the grid's countries as reporters.
    goods : list of array of int
        Rows of the grid's goods in known.held.
    """

    usd: Amounts
    everyone: list[Ids]
    countries: list[Ids]
    goods: list[Ids]


def place(grid: Grid, totals: Exports) -> Placed:
    """Look up once for a grid what all its windows use.

    Parameters
    ----------
    grid : Grid
        Of it names and known.
    totals : Exports
        Of the grid's frequency.

    Returns
    -------
    Placed
        The same totals, and where the grid's countries and goods are in them.
    """
    everyone, countries, goods = [], [], []
    for source, dataset in totals.datasets:
        of_dataset = {"source": source, "dataset": dataset, "flow_code": "X"}
        reporters = grid.known.reporters.filter(**of_dataset).select(name="reporter_iso", row="reporter_id")
        everyone.append(reporters["row"].cast(pl.Int64).to_numpy())
        countries.append(_rows(reporters, grid.names.countries))
        goods.append(_rows(grid.known.goods.filter(**of_dataset).select("row", name="good"), grid.names.goods))
    return Placed(totals.usd, everyone, countries, goods)


def _rows(numbered: pl.DataFrame, names: pl.Series) -> Ids:
    rows = names.alias("name").to_frame().join(numbered, on="name", how="left", maintain_order="left")["row"]
    return rows.cast(pl.Int64).fill_null(UNKNOWN).to_numpy()


def revealed_advantage(grid: Grid, comparison: Comparison, compared: Compared, totals: Placed, route: Ids) -> Floats:
    """How much more of the good an exporter sells than the world does: its revealed comparative advantage.

    (the good's share in the exporter's exports) / (its share in everybody's), means of the baseline years: the same
    months in each year, of reporters that have all the windows. An exporter's total comes from the first dataset that
    has it and holds the good.

    Parameters
    ----------
    grid : Grid
        Of it names, known and the cells of its routes.
    comparison : Comparison
        Whose baseline is used.
    compared : Compared
        The window's baseline by route.
    totals : Placed
        Exports of all goods.
    route : array of int, shape (routes,)
        Routes wanted.

    Returns
    -------
    array of float, shape (routes,)
        0 is a known nothing, 1 the world's usual share, NaN unknown.

    References
    ----------
    Balassa 1965, Trade liberalisation and revealed comparative advantage, The Manchester School 33(2), 99-123.
    """
    advantage = np.full(len(route), np.nan)
    known, baseline = grid.known, compared.baseline
    base = comparison.baseline(known)
    if not base or not totals.everyone:
        return advantage
    base_at = list(chain.from_iterable(base))
    windows = [comparison.now(known) or [], comparison.prior(known) or []]
    is_complete = known.complete[:, [*base_at, *chain.from_iterable(windows)]].all(axis=1)
    all_goods = np.where(is_complete, cells.mean(totals.usd.T, base), UNKNOWN)
    is_held = np.logical_and.reduce(known.held[:, base_at], axis=1)
    counted = np.flatnonzero(compared.is_in_totals)
    good, exporter = grid.good[route], grid.exporter[route]
    sold, seller, sold_good = baseline[counted], grid.exporter[counted], grid.good[counted]
    of_exporter = cells.add_up(sold, grid.out_of[counted], grid.names.cells)[grid.out_of[route]]
    for everyone, countries, goods in zip(totals.everyone, totals.countries, totals.goods, strict=True):
        usd = all_goods[countries]
        of_good = cells.add_up(np.where((usd > 0)[seller], sold, 0), sold_good, grid.names.goods.len())
        unset = np.flatnonzero(np.isnan(advantage) & is_held[goods][good] & (usd[exporter] > 0) & (of_good[good] > 0))
        world = np.maximum(all_goods[everyone], 0).sum()
        advantage[unset] = (of_exporter[unset] / usd[exporter[unset]]) / (of_good[good[unset]] / world)
    return advantage
