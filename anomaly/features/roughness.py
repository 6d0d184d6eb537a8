"""How rough honest trade with the targets became: the lower side of its rises beside that of placebo importers.

A shock of the year makes every route to a target step, up and down, whoever sells. What falls has no reason to be evasion,
so the falls measure the roughness, and a rise is divided by it. It is never below 1, and read from routes that their
baseline alone has chosen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.keys import WINDOW_TYPES
from anomaly.contract.schema import is_own_gap
from anomaly.contract.settings import Settings
from anomaly.features import peers

LOWER = 0.16  # of a normal distribution, one standard deviation below the median
LEAST_TARGETS, LEAST_PLACEBOS = 10, 20  # established routes: fewer say nothing, and nothing is divided
POOLED = 10  # a class of n routes counts n/(n + POOLED) of itself beside all of them
_KEY = [*WINDOW_TYPES, "baseline_gap_years"]
COLUMNS = {
    **WINDOW_TYPES, "baseline_gap_years": pl.Int8, "has_direct_fallen": pl.Boolean,
    "roughness": pl.Float64, "routes": pl.Int64, "placebos": pl.Int64,
}  # fmt: skip


def build(established: pl.DataFrame, pairs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Roughness of the routes to targets since the measures, apart for goods whose direct trade fell and the others.

    Parameters
    ----------
    established : polars.DataFrame
        peers.COLUMNS, of every good.
    pairs : polars.DataFrame
        peers.pairs of it.
    settings : Settings
        Scenario: baseline years and when the measures began.

    Returns
    -------
    polars.DataFrame
        COLUMNS, a row a comparison and class, at least 1; the running median over the windows of one length up to it. No row
        where the data hold too few established routes.
    """
    since = pl.col("window_end") >= pl.lit(settings.sanctions_since.replace(day=1))
    rows = established.filter(is_own_gap(settings.baseline_years), since)
    of_pair = pairs.rename({"middle_log": "of_pair_log"}).select(
        *_KEY, "exporter_iso", "importer_iso", "routes", "lower_log", "of_pair_log", "upper_log"
    )
    of_pair = of_pair.cast({pl.String: pl.Categorical})
    rows = rows.join(of_pair, on=[*_KEY, "exporter_iso", "importer_iso"], how="left", maintain_order="left")
    held = peers.Medians(*(rows[name].to_numpy() for name in ("routes", "lower_log", "of_pair_log", "upper_log")))
    of_other_goods, goods = held.without(np.arange(rows.height), rows["rise_log"].to_numpy())
    rows = rows.with_columns(
        of_pair_log=pl.Series(of_other_goods, nan_to_null=True), goods=pl.Series(goods, dtype=pl.Int64)
    )
    shared = pl.max_horizontal(
        "good_importer_rise_log", peers.shrunk(pl.col("of_pair_log"), pl.col("goods"), peers.LEAST_GOODS), pl.lit(0.0)
    )
    rows = rows.with_columns(rest_log=pl.col("rise_log") - shared)
    measured = [row for key, part in rows.group_by(_KEY, maintain_order=True) for row in _of_comparison(key, part)]
    table = pl.DataFrame(measured, schema=COLUMNS, orient="row").sort(*_KEY, "has_direct_fallen")
    return table.with_columns(_running())


def _of_comparison(key: tuple[object, ...], part: pl.DataFrame) -> list[tuple[object, ...]]:
    rest = part["rest_log"].to_numpy()
    is_target, has_fallen = part["is_target"].to_numpy(), part["has_direct_fallen"].to_numpy()
    targets, placebos = int(is_target.sum()), int((~is_target).sum())
    if targets < LEAST_TARGETS or placebos < LEAST_PLACEBOS:
        return []
    usual, of_all = _lower_side(rest[~is_target]), _lower_side(rest[is_target])
    rows = []
    for is_class in (False, True):
        of_class = rest[is_target & (has_fallen == is_class)]
        own = _lower_side(of_class) if len(of_class) else of_all
        width = (own * len(of_class) + of_all * POOLED) / (len(of_class) + POOLED)
        rows.append((*key, is_class, max(1.0, width / usual) if usual > 0 else 1.0, targets, placebos))
    return rows


def _lower_side(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values) - np.quantile(values, LOWER))


def _running() -> pl.Expr:
    """The median of the windows of one length up to each: one window alone is noise."""
    since = pl.col("roughness").cumulative_eval(pl.element().median(), min_samples=1)
    return since.over(["freq_code", "window_months", "has_direct_fallen"], order_by=["window_end"])
