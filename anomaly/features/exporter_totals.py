"""What an exporter sells of everything to everyone but the targets: a boom of the whole exporter is no evidence.

A small sum over all goods before the chunks. Unlike the exports of `comparative_advantage`, which measure what a country
makes, it leaves out the targets: what goes round would else explain itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.bilateral.coverage import LEAST_USUAL_GOODS, PARTNERS_OF_A_WHOLE_DATASET
from anomaly.features.cells import UNKNOWN
from anomaly.features.marks import Amounts, Known
from anomaly.features.windows import Comparison

Floats = npt.NDArray[np.float64]

_REPORTER = ["source", "dataset", "exporter_iso"]


def build(bilateral: pl.LazyFrame, targets: tuple[str, ...]) -> pl.DataFrame:
    """Exports of all goods but those to the targets, by exporter and period.

    Values that the exporter does not report itself are left out: who reports imports differs from period to period.

    Parameters
    ----------
    bilateral : polars.LazyFrame
        The table bilateral, any number of goods.
    targets : tuple of str
        The scenario's targets, ISO 3166-1 alpha-3.

    Returns
    -------
    polars.DataFrame
        freq_code, source, dataset, exporter_iso, ref_date, value_usd, sorted by all but the last.
    """
    return (
        bilateral.filter(pl.col("value_basis") != "import", ~pl.col("importer_iso").is_in(list(targets)))
        .group_by("freq_code", *_REPORTER, "ref_date")
        .agg(pl.col("value_usd").sum())
        .sort("freq_code", *_REPORTER, "ref_date")
        .collect(engine="streaming")
    )


def spread(totals: pl.DataFrame, known: Known) -> Amounts:
    """The totals as an array: USD by reporter and period.

    Only datasets that hold most partners and a good many goods can say how an exporter as a whole has grown.

    Parameters
    ----------
    totals : polars.DataFrame
        As `build` gives them.
    known : Known
        Who reported what, for one frequency.

    Returns
    -------
    array of int, shape (reporters + 1, periods)
        Whole USD, rows as in known's marks; UNKNOWN where the exporter did not report a complete period.
    """
    days = pl.Series(known.periods, dtype=pl.Date)
    whole_datasets = known.partners.filter(pl.col("partners") >= PARTNERS_OF_A_WHOLE_DATASET, flow_code="X")
    goods = known.goods.filter(flow_code="X").group_by("source", "dataset").agg(goods=pl.len())
    held = whole_datasets.join(goods.filter(pl.col("goods") >= LEAST_USUAL_GOODS), on=["source", "dataset"], how="semi")
    rows = (
        known.reporters.filter(flow_code="X")
        .join(held, on=["source", "dataset"], how="semi")
        .rename({"reporter_iso": "exporter_iso"})
        .join(totals.filter(freq_code=known.freq_code), on=_REPORTER)
    )
    usd = np.full(known.complete.shape, UNKNOWN, dtype=np.int64)
    at = (rows["reporter_id"].to_numpy(), np.searchsorted(days.to_physical(), rows["ref_date"].to_physical()))
    usd[at] = rows["value_usd"].to_numpy()
    return np.where(known.complete, usd, UNKNOWN)


def growth_log(usd: Amounts, known: Known, comparison: Comparison, floor_usd: float) -> tuple[Floats, Floats]:
    """Growth of an exporter's total in a window, against the year before and against the baseline.

    Parameters
    ----------
    usd : array of int, shape (reporters, periods)
        As `spread` gives them.
    known : Known
        Where a window's periods are.
    comparison : Comparison
        What is compared.
    floor_usd : float
        Added to both sides; the scenario's floor.

    Returns
    -------
    tuple of array of float, shape (reporters,)
        ln growth against the year before, and against the baseline mean; NaN where unknown.
    """
    years = comparison.baseline(known)
    now, prior = _sum(usd, comparison.now(known)), _sum(usd, comparison.prior(known))
    base = np.mean([_sum(usd, at) for at in years], axis=0) if years else np.full(len(usd), np.nan)
    return np.log((now + floor_usd) / (prior + floor_usd)), np.log((now + floor_usd) / (base + floor_usd))


def _sum(usd: Amounts, at: list[int] | None) -> Floats:
    if at is None:
        return np.full(len(usd), np.nan)
    window_usd = usd[:, at]
    return np.where((window_usd > UNKNOWN).all(axis=1), window_usd.sum(axis=1), np.nan)
