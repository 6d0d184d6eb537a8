"""What the small real sample holds: goods, listed ones and honest controls, and importers, each with its reason."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.reference.tables import read

KINDS = ("listed", "stood", "unlisted")


@cache
def read_all() -> pl.DataFrame:
    """The goods of the sample, in the order of their codes.

    Returns
    -------
    polars.DataFrame
        hs6 (a code of both the edition of 2017 and that of 2022), kind (listed: direct trade fell under measures; stood:
        listed in part, and direct trade stood; unlisted: on no list), reason, source, reviewed (date of our last look).
    """
    return read("sample_goods.csv").with_columns(reviewed=pl.col("reviewed").str.to_date())


@cache
def importers() -> pl.DataFrame:
    """The importers of the sample: the targets, their hubs, and placebos of every size in all parts of the world.

    Returns
    -------
    polars.DataFrame
        iso3, part (target, hub or placebo), reason, first_month, last_month (first days, the same of all), reviewed.
    """
    dates = pl.col("first_month", "last_month", "reviewed")
    return read("sample_importers.csv").with_columns(dates.str.to_date())
