"""What is known to be true of a route in a window: the planted episodes of the simulated world. Pure."""

from __future__ import annotations

import polars as pl

OUT_OF_TIME = "out_of_time"  # the route has an episode, but not in this window
NOTHING = "nothing"  # no episode was planted on the route
_ROUTE = ("exporter_iso", "importer_iso", "good")


def first_month(window_end: str = "window_end", window_months: str = "window_months") -> pl.Expr:
    """First day of the first month of a window, from the first day of its last month and its length in months."""
    months = pl.col(window_end).dt.year().cast(pl.Int32) * 12 + pl.col(window_end).dt.month() - pl.col(window_months)
    return pl.date(months // 12, months % 12 + 1, 1)


def planted(routes: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Add `is_evasion` and `planted` to routes in windows, order kept.

    routes   schema.ROUTE_KEY and anything else
    labels   world.World.labels: kind, exporter_iso, importer_iso, good, start, end, is_evasion

    `planted` is the kind of the episode that is active in a month of the window at least, one of evasion before a
    benign one; OUT_OF_TIME where the route's episodes lie before or after the window; else NOTHING. `is_evasion` is
    true for an active episode of evasion only: a flag on any other route or window is a false one.
    """
    told = labels.select(*_ROUTE, "kind", "start", "end", label_is_evasion="is_evasion")
    numbered = routes.with_row_index("_row")
    is_active = (pl.col("start") <= pl.col("window_end")) & (pl.col("end") >= first_month())
    found = (
        numbered.select("_row", "window_end", "window_months", *_ROUTE)
        .join(told, on=_ROUTE, how="inner")
        .with_columns(is_active=is_active)
        .sort("_row", "is_active", "label_is_evasion", "kind", descending=[False, True, True, False])
        .unique("_row", keep="first", maintain_order=True)
        .select(
            "_row",
            is_evasion=pl.col("is_active") & pl.col("label_is_evasion"),
            planted=pl.when("is_active").then("kind").otherwise(pl.lit(OUT_OF_TIME)),
        )
    )
    return (
        numbered.join(found, on="_row", how="left", maintain_order="left")
        .with_columns(pl.col("is_evasion").fill_null(value=False), pl.col("planted").fill_null(NOTHING))
        .drop("_row")
    )
