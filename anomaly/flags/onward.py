"""Beside a flag between two hubs: what the second of them sold the target of the good in the same window."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import WINDOW_KEY

_AMOUNTS = {"value_usd": "onward_usd", "value_prior_year_usd": "onward_prior_usd"}


def with_onward(flagged: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Flagged routes with what their importer sold the target that direct_target_iso names.

    Parameters
    ----------
    flagged : polars.DataFrame
        Rows of features that are flagged.
    own : polars.DataFrame
        Rows of features of the routes to targets, of the windows' own gap.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order with onward_usd and onward_prior_usd; null where there is no such route in `own`,
        and on routes that are not between hubs.
    """
    key = [*WINDOW_KEY, "good"]
    sold = own.select(
        *key, "exporter_iso", "importer_iso", *[pl.col(name).alias(as_) for name, as_ in _AMOUNTS.items()]
    )
    return flagged.join(
        sold.unique([*key, "exporter_iso", "importer_iso"], keep="first", maintain_order=True),
        left_on=[*key, "importer_iso", "direct_target_iso"],
        right_on=[*key, "exporter_iso", "importer_iso"],
        how="left",
        maintain_order="left",
    )
